/* Whole tensors compared, and the number in a tensor of one. */
#include <cornu/operations.h>

#include "base/error.h"
#include "tensor/dtype_rules.h"
#include "tensor/record.h"

#include <math.h>

static int same_shape(const cn_tensor *a, const cn_tensor *b)
{
    if (a->ndim != b->ndim) return 0;
    for (int i = 0; i < a->ndim; i++)
        if (a->shape[i] != b->shape[i]) return 0;
    return 1;
}

int cn_tensor_array_equal(const cn_tensor *a, const cn_tensor *b)
{
    if (!a || !b) return cn__null_tensor("cn_tensor_array_equal");
    if (!same_shape(a, b)) return 0;
    cn__recorder *paused = cn__record_pause();
    cn_tensor *equal = cn_tensor_equal(a, b), *all = equal ? cn_tensor_all(equal, CN_EVERY_AXIS, 0) : NULL;
    int result = all ? *all->data != 0 : cn_error_status();
    cn_tensor_destroy(&equal);
    cn_tensor_destroy(&all);
    cn__record_resume(paused);
    return result;
}

int cn_tensor_allclose(const cn_tensor *a, const cn_tensor *b, double rtol, double atol)
{
    if (!a || !b) return cn__null_tensor("cn_tensor_allclose");
    if (!same_shape(a, b)) return 0;
    if (a->size == 0) return 1;
    int64_t index[CN_MAX_NDIM] = {0};
    do {
        double x = cn__tensor_value(a, cn__tensor_element(a, index));
        double y = cn__tensor_value(b, cn__tensor_element(b, index));
        if (x != y && !(isfinite(x) && isfinite(y) && fabs(x - y) <= atol + rtol * fabs(y))) return 0;
    } while (cn__next_index(a, a->ndim, index));
    return 1;
}

double cn_item(const cn_tensor *x)
{
    char text[CN_SHAPE_TEXT_BYTES];
    if (!x) {
        cn__null_tensor("cn_item");
        return NAN;
    }
    if (x->size != 1) {
        cn__fail(CN_ESHAPE, "cn_item: shape %s has %lld elements, not one", cn__shape_text(text, x->ndim, x->shape),
                 (long long)x->size);
        return NAN;
    }
    return cn__tensor_value(x, x->data);
}
