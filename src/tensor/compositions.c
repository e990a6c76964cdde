/* Functions put together from others; a tape writes down the parts. */
#include <cornu/operations.h>

#include "base/error.h"
#include "tensor/dtype_rules.h"
#include "tensor/record.h"

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

cn_tensor *cn_tensor_sigmoid(const cn_tensor *x)
{
    if (!x) return cn__pass_null("cn_tensor_sigmoid");
    cn_scope *scope = cn_scope_begin();
    if (!scope) return NULL;
    /* 1/(1 + e^-x) = (1 + tanh(x/2)) / 2 has no exponential that could overflow */
    cn_tensor *half = cn_tensor_tanh(cn_tensor_multiply(x, cn_float(0.5)));
    return leave(&scope, cn_tensor_multiply(cn_tensor_add(half, cn_int(1)), cn_float(0.5)));
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
    if (decimals < 0 || decimals > 300)
        return cn__fail_null(CN_EINVAL, "cn_tensor_round: %d decimals; use 0 ... 300", decimals);
    if (cn__is_integer(cn__value_dtype(x))) return cn_copy(x);
    if (decimals == 0) return cn_tensor_rint(x);
    for (int i = 0; i < decimals; i++) power *= 10;
    cn_scope *scope = cn_scope_begin();
    if (!scope) return NULL;
    cn_tensor *whole = cn_tensor_rint(cn_tensor_multiply(x, cn_float(power)));
    return leave(&scope, cn_tensor_divide(whole, cn_float(power)));
}
