/* Views that add, drop, turn and stretch axes. */
#include <cornu/operations.h>

#include "base/error.h"
#include "tensor/broadcast.h"
#include "tensor/record.h"
#include "tensor/reduce.h"

static cn_tensor *view(const cn_tensor *x, cn_tensor *outline, cn__operation operation)
{
    outline->size = 1;
    for (int i = 0; i < outline->ndim; i++) outline->size *= outline->shape[i];
    operation.n_inputs = 1;
    operation.inputs = &x;
    return cn__record(cn__view_create(x, outline, NULL), &operation);
}

cn_tensor *cn_tensor_expand_dims(const cn_tensor *x, int axis)
{
    char text[CN_SHAPE_TEXT_BYTES];
    if (!x) return cn__pass_null("cn_tensor_expand_dims");
    if (x->ndim == CN_MAX_NDIM)
        return cn__fail_null(CN_EINVAL, "cn_tensor_expand_dims: shape %s has the most axes there can be, %d",
                             cn__shape_text(text, x->ndim, x->shape), CN_MAX_NDIM);
    int at = axis < 0 ? axis + x->ndim + 1 : axis;
    if (at < 0 || at > x->ndim)
        return cn__fail_null(CN_EINVAL, "cn_tensor_expand_dims: axis %d is out of range for shape %s; use %d ... %d",
                             axis, cn__shape_text(text, x->ndim, x->shape), -x->ndim - 1, x->ndim);
    cn_tensor outline = cn__tensor_outline(x);
    for (int i = x->ndim; i > at; i--) {
        outline.shape[i] = x->shape[i - 1];
        outline.strides[i] = x->strides[i - 1];
    }
    outline.ndim = x->ndim + 1;
    outline.shape[at] = 1;
    outline.strides[at] = at < x->ndim ? x->strides[at] * x->shape[at] : (int64_t)cn_dtype_size(x->dtype);
    return view(x, &outline, (cn__operation){.op = CN__OP_reshape});
}

cn_tensor *cn_tensor_squeeze(const cn_tensor *x, int n_axes, const int *axes)
{
    cn__axes read;
    char text[CN_SHAPE_TEXT_BYTES];
    if (!x) return cn__pass_null("cn_tensor_squeeze");
    if (cn__axes_read("cn_tensor_squeeze", x, n_axes, axes, &read) < 0) return NULL;
    cn_tensor outline = cn__tensor_outline(x);
    outline.ndim = 0;
    for (int i = 0; i < x->ndim; i++) {
        if (read.named[i] && x->shape[i] == 1) continue;
        if (read.named[i] && axes)
            return cn__fail_null(CN_EINVAL, "cn_tensor_squeeze: axis %d of shape %s has %lld entries, not 1", i,
                                 cn__shape_text(text, x->ndim, x->shape), (long long)x->shape[i]);
        outline.shape[outline.ndim] = x->shape[i];
        outline.strides[outline.ndim++] = x->strides[i];
    }
    return view(x, &outline, (cn__operation){.op = CN__OP_reshape});
}

cn_tensor *cn_tensor_flip(const cn_tensor *x, int n_axes, const int *axes)
{
    cn__axes read;
    if (!x) return cn__pass_null("cn_tensor_flip");
    if (cn__axes_read("cn_tensor_flip", x, n_axes, axes, &read) < 0) return NULL;
    cn_tensor outline = cn__tensor_outline(x);
    cn__operation operation = {.op = CN__OP_flip, .n_axes = read.n};
    for (int k = 0; k < read.n; k++) {
        int axis = operation.axes[k] = read.list[k];
        if (x->size > 0) outline.data += (x->shape[axis] - 1) * x->strides[axis];
        outline.strides[axis] = -x->strides[axis];
    }
    return view(x, &outline, operation);
}

cn_tensor *cn_tensor_swapaxes(const cn_tensor *x, int axis1, int axis2)
{
    int axes[CN_MAX_NDIM];
    if (!x) return cn__pass_null("cn_tensor_swapaxes");
    int one = cn__axis_of("cn_tensor_swapaxes", x, axis1), two = one;
    if (one >= 0) two = cn__axis_of("cn_tensor_swapaxes", x, axis2);
    if (two < 0) return NULL;
    for (int i = 0; i < x->ndim; i++) axes[i] = i == one ? two : i == two ? one : i;
    return cn_tensor_transpose(x, axes);
}

cn_tensor *cn_tensor_broadcast_to(const cn_tensor *x, int ndim, const int64_t *shape)
{
    char from[CN_SHAPE_TEXT_BYTES], to[CN_SHAPE_TEXT_BYTES];
    if (!x) return cn__pass_null("cn_tensor_broadcast_to");
    if (cn__shape_size(x->dtype, ndim, shape) < 0) return NULL;
    cn__shape_text(from, x->ndim, x->shape);
    cn__shape_text(to, ndim, shape);
    if (ndim < x->ndim)
        return cn__fail_null(CN_ESHAPE, "cn_tensor_broadcast_to: shape %s has more axes than %s", from, to);
    for (int i = 0; i < x->ndim; i++) {
        int64_t wanted = shape[ndim - x->ndim + i];
        if (x->shape[i] != wanted && x->shape[i] != 1)
            return cn__fail_null(CN_ESHAPE, "cn_tensor_broadcast_to: shape %s does not stretch to %s: axis %d has "
                                 "%lld entries instead of %lld or 1", from, to, i, (long long)x->shape[i],
                                 (long long)wanted);
    }
    cn_tensor outline = cn__tensor_outline(x);
    outline.ndim = ndim;
    for (int i = 0; i < ndim; i++) outline.shape[i] = shape[i];
    cn__broadcast_strides(x, ndim, shape, outline.strides);
    return view(x, &outline, (cn__operation){.op = CN__OP_broadcast_to});
}

cn_tensor *cn_tensor_diagonal(const cn_tensor *x, int64_t offset)
{
    char text[CN_SHAPE_TEXT_BYTES];
    if (!x) return cn__pass_null("cn_tensor_diagonal");
    if (x->ndim < 2)
        return cn__fail_null(CN_ESHAPE, "cn_tensor_diagonal needs two axes or more, but shape %s has %d",
                             cn__shape_text(text, x->ndim, x->shape), x->ndim);
    int row = x->ndim - 2, column = x->ndim - 1;
    int64_t rows = x->shape[row], columns = x->shape[column];
    int64_t down = offset < 0 ? -offset : 0, right = offset > 0 ? offset : 0;
    int64_t length = rows - down < columns - right ? rows - down : columns - right;
    cn_tensor outline = cn__tensor_outline(x);
    outline.ndim = column;
    outline.shape[row] = length > 0 ? length : 0;
    outline.strides[row] = x->strides[row] + x->strides[column];
    if (length > 0 && x->size > 0) outline.data += down * x->strides[row] + right * x->strides[column];
    return view(x, &outline, (cn__operation){.op = CN__OP_diagonal, .numbers = {offset}});
}
