/* Functions put together from others; a tape writes down the parts. */
#include <cornu/operations.h>

#include "base/error.h"
#include "tensor/dtype_rules.h"
#include "tensor/elementwise.h"
#include "tensor/record.h"

#include <stdlib.h>

/* Parts belong to a scope of the function's own, so that they go when it returns; what a tape wrote down, it holds. */
static cn_tensor *leave(cn_scope **scope, cn_tensor *result)
{
    if (result) cn__record_disown(result);
    cn_scope_end(scope);
    if (result) cn__record_made(result);
    return result;
}

cn_tensor *cn_tensor_relu(const cn_tensor *x)
{
    return x ? cn_tensor_maximum(x, cn_int(0)) : cn__pass_null("cn_tensor_relu");
}

cn_tensor *cn_tensor_softmax(const cn_tensor *x, int axis)
{
    if (!x) return cn__pass_null("cn_tensor_softmax");
    cn_scope *scope = cn_scope_begin();
    if (!scope) return NULL;
    cn_tensor *shares = cn_tensor_exp(cn_tensor_subtract(x, cn_tensor_max(x, 1, &axis, 1)));
    return leave(&scope, cn_tensor_divide(shares, cn_tensor_sum(shares, 1, &axis, 1)));
}

cn_tensor *cn_tensor_clip(const cn_tensor *x, const cn_tensor *low, const cn_tensor *high)
{
    if (!x || !low || !high) return cn__pass_null("cn_tensor_clip");
    cn_scope *scope = cn_scope_begin();
    if (!scope) return NULL;
    return leave(&scope, cn_tensor_minimum(cn_tensor_maximum(x, low), high));
}

cn_tensor *cn_tensor_round(const cn_tensor *x, int decimals)
{
    double power = 1;
    if (!x) return cn__pass_null("cn_tensor_round");
    if (decimals < -300 || decimals > 300)
        return cn__fail_null(CN_EINVAL, "cn_tensor_round: %d decimals; use -300 ... 300", decimals);
    int is_integer = cn__is_integer(cn__value_dtype(x));
    if (is_integer && decimals >= 0) return cn_copy(x);
    if (decimals == 0) return cn_tensor_rint(x);
    for (int i = 0; i < abs(decimals); i++) power *= 10;
    cn_scope *scope = cn_scope_begin();
    if (!scope) return NULL;
    if (decimals > 0) {
        cn_tensor *whole = cn_tensor_rint(cn_tensor_multiply(x, cn_float(power)));
        return leave(&scope, cn_tensor_divide(whole, cn_float(power)));
    }
    cn_tensor *rounded = cn_tensor_multiply(cn_tensor_rint(cn_tensor_divide(x, cn_float(power))), cn_float(power));
    return leave(&scope, is_integer ? cn_astype(rounded, cn__value_dtype(x)) : rounded);
}

/* --- comparisons across signs --- */

static int is_signed(const cn_tensor *x)
{
    return !x->is_weak && cn__is_integer(cn__value_dtype(x)) && !cn__is_unsigned(cn__value_dtype(x));
}

int cn__differ_in_sign(cn__elementwise_id id, const cn_tensor *const *operands)
{
    if (id < CN__ELEMENTWISE_equal || id > CN__ELEMENTWISE_greater_equal) return 0;
    for (int k = 0; k < 2; k++)
        if (cn__value_dtype(operands[k]) == CN_UINT64 && is_signed(operands[!k])) return 1;
    return 0;
}

/* Where the signed operand is negative the answer is known; elsewhere both are uint64. */
cn_tensor *cn__compare_signs(cn__elementwise_id id, const cn_tensor *const *operands)
{
    int k = cn__value_dtype(operands[0]) == CN_UINT64; /* the signed one */
    int first_smaller = id == CN__ELEMENTWISE_less || id == CN__ELEMENTWISE_less_equal;
    int second_smaller = id == CN__ELEMENTWISE_greater || id == CN__ELEMENTWISE_greater_equal;
    int true_if_negative = id == CN__ELEMENTWISE_not_equal || (k == 0 ? first_smaller : second_smaller);
    cn__recorder *paused = cn__record_pause();
    cn_scope *scope = cn_scope_begin();
    cn_tensor *negative = cn_tensor_less(operands[k], cn_int(0)), *result = NULL;
    const cn_tensor *both[2] = {operands[0], operands[1]};
    both[k] = cn_astype(cn_tensor_maximum(operands[k], cn_int(0)), CN_UINT64);
    if (scope && both[k]) result = cn__elementwise_apply(id, both);
    if (true_if_negative) result = cn_tensor_logical_or(negative, result);
    else result = cn_tensor_greater(result, negative); /* true and not negative */
    if (result) cn__record_disown(result);
    cn_scope_end(&scope);
    cn__record_resume(paused);
    if (result) cn__record_made(result);
    return result;
}
