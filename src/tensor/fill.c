/* Tensors made of a rule: one number everywhere, equal steps, the identity. */
#include <cornu/operations.h>

#include "base/error.h"
#include "tensor/assign.h"
#include "tensor/dtype_rules.h"

#include <math.h>

cn_tensor *cn_tensor_full(cn_dtype dtype, int ndim, const int64_t *shape, double value)
{
    cn_tensor *tensor = cn__tensor_create_raw(dtype, ndim, shape);
    if (tensor) cn__copy_into(tensor, cn_float(value));
    return tensor;
}

/* first + i * step, computed in double; whole numbers below 2^53 are exact. */
static cn_tensor *equal_steps(cn_dtype dtype, int64_t n, double first, double step)
{
    cn_tensor *tensor = cn__tensor_create_raw(dtype, 1, &n);
    char *to = tensor ? tensor->data : NULL;
    for (int64_t i = 0; tensor && i < n; i++, to += cn_dtype_size(dtype)) {
        double value = first + (double)i * step;
        cn__convert_row(CN_FLOAT64, 1, (const char *)&value, 0, 1, dtype, to);
    }
    return tensor;
}

cn_tensor *cn_tensor_arange(cn_dtype dtype, double start, double stop, double step)
{
    double n = ceil((stop - start) / step);
    if (!(n < 0x1p53) || step == 0 || !isfinite(start))
        return cn__fail_null(CN_EINVAL, "cn_tensor_arange: from %g to %g in steps of %g is no finite number of steps",
                             start, stop, step);
    return equal_steps(dtype, n > 0 ? (int64_t)n : 0, start, step);
}

cn_tensor *cn_tensor_linspace(cn_dtype dtype, double start, double stop, int64_t num)
{
    if (num < 0 || !isfinite(start) || !isfinite(stop))
        return cn__fail_null(CN_EINVAL, "cn_tensor_linspace: %lld numbers from %g to %g cannot be made",
                             (long long)num, start, stop);
    cn_tensor *tensor = equal_steps(dtype, num, start, num > 1 ? (stop - start) / (double)(num - 1) : 0);
    if (tensor && num > 1) /* the last is the end itself, whatever the steps add up to */
        cn__convert_row(CN_FLOAT64, 1, (const char *)&stop, 0, 1, dtype, tensor->data + (num - 1) * tensor->strides[0]);
    return tensor;
}

cn_tensor *cn_tensor_eye(cn_dtype dtype, int64_t rows, int64_t columns, int64_t diagonal)
{
    cn_tensor *tensor = cn_tensor_create(dtype, 2, (const int64_t[]){rows, columns});
    for (int64_t i = diagonal < 0 ? -diagonal : 0; tensor && i < rows && i + diagonal < columns; i++) {
        double one = 1;
        cn__convert_row(CN_FLOAT64, 1, (const char *)&one, 0, 1, dtype,
                        tensor->data + i * tensor->strides[0] + (i + diagonal) * tensor->strides[1]);
    }
    return tensor;
}
