#include "tensor/tensor.h"

#include "base/error.h"
#include "base/memory.h"
#include "tensor/record.h"

#include <math.h>

/* Writes a view of one tensor down for the tapes; the caller fills in what the operation has besides. */
static cn_tensor *recorded(cn_tensor *output, cn__operation operation, const cn_tensor *input)
{
    operation.n_inputs = 1;
    operation.inputs = &input;
    return cn__record(output, &operation);
}

/* --- reshape --- */

/* Copies shape to out with its -1 worked out. */
static int complete_shape(const cn_tensor *tensor, int ndim, const int64_t *shape, int64_t *out)
{
    char from[CN_SHAPE_TEXT_BYTES], to[CN_SHAPE_TEXT_BYTES];
    if (ndim < 0 || ndim > CN_MAX_NDIM)
        return cn__fail(CN_EINVAL, "cn_reshape: a tensor cannot have %d axes; use 0 ... %d", ndim, CN_MAX_NDIM);
    if (ndim > 0 && !shape) return cn__fail(CN_EINVAL, "cn_reshape: the new shape of %d axes is NULL", ndim);
    cn__shape_text(from, tensor->ndim, tensor->shape);
    cn__shape_text(to, ndim, shape);

    int unknown = -1;
    int64_t known = 1;
    for (int i = 0; i < ndim; i++) {
        out[i] = shape[i];
        if (shape[i] == -1 && unknown < 0) {
            unknown = i;
        } else if (shape[i] < 0) {
            return cn__fail(CN_EINVAL, "cn_reshape: shape %s may hold one -1 and no other negative size", to);
        } else if (__builtin_mul_overflow(known, shape[i], &known)) {
            return cn__fail(CN_ESHAPE, "cn_reshape: shape %s has more elements than %s, which has %lld", to, from,
                            (long long)tensor->size);
        }
    }
    if (unknown >= 0) {
        if (known == 0 || tensor->size % known != 0)
            return cn__fail(CN_ESHAPE, "cn_reshape: the -1 in %s cannot be worked out for shape %s of %lld elements",
                            to, from, (long long)tensor->size);
        out[unknown] = tensor->size / known;
    } else if (known != tensor->size) {
        return cn__fail(CN_ESHAPE, "cn_reshape: shape %s has %lld elements, but %s has %lld", to, (long long)known,
                        from, (long long)tensor->size);
    }
    return 0;
}

cn_tensor *cn_tensor_reshape(const cn_tensor *tensor, int ndim, const int64_t *shape)
{
    if (!tensor) return cn__pass_null("cn_reshape");
    cn_tensor view = cn__tensor_outline(tensor);
    if (complete_shape(tensor, ndim, shape, view.shape) < 0) return NULL;
    /* Only an empty tensor can still be refused here, for sizes that no stride could hold. */
    if (cn__shape_size(tensor->dtype, ndim, view.shape) < 0) return NULL;
    size_t element_bytes = cn_dtype_size(tensor->dtype);
    view.ndim = ndim;
    cn__strides_fill(view.strides, ndim, view.shape, element_bytes);
    cn__operation reshape = {.op = CN__OP_reshape};
    if (cn_is_contiguous(tensor)) return recorded(cn__view_create(tensor, &view, NULL), reshape, tensor);

    void *memory = cn__alloc_raw((size_t)tensor->size, element_bytes, "the reshaped copy of a tensor with gaps");
    if (!memory) return NULL;
    cn__tensor_gather(tensor, memory);
    view.data = memory;
    cn_tensor *copy = cn__view_create(tensor, &view, memory);
    if (!copy) cn__free(memory);
    return recorded(copy, reshape, tensor);
}

/* --- slice --- */

/* Python's rules for slice(start, stop, step) on an axis of n entries: first position and number of positions. */
static int64_t range_length(cn_range range, int64_t n, int64_t *first)
{
    int64_t start = range.start, stop = range.stop;
    int forwards = range.step >= 0;
    int64_t lowest = forwards ? 0 : -1, highest = forwards ? n : n - 1;

    if (start < 0) start += n;
    if (start < lowest) start = lowest;
    if (start > highest) start = highest;

    if (stop == CN_END) {
        stop = forwards ? n : -1;
    } else {
        if (stop < 0) stop += n;
        if (stop < lowest) stop = lowest;
        if (stop > highest) stop = highest;
    }

    *first = start;
    int64_t distance = forwards ? stop - start : start - stop;
    if (distance <= 0) return 0;
    uint64_t step = range.step == 0 ? 1 : forwards ? (uint64_t)range.step : 0 - (uint64_t)range.step;
    return (int64_t)(((uint64_t)distance - 1) / step) + 1;
}

cn_tensor *cn_tensor_slice(const cn_tensor *tensor, int n_ranges, const cn_range *ranges)
{
    if (!tensor) return cn__pass_null("cn_slice");
    char text[CN_SHAPE_TEXT_BYTES];
    if (n_ranges < 0 || n_ranges > tensor->ndim)
        return cn__fail_null(CN_EINVAL, "cn_slice: %d ranges do not fit a tensor of shape %s, which has %d axes",
                             n_ranges, cn__shape_text(text, tensor->ndim, tensor->shape), tensor->ndim);
    if (n_ranges > 0 && !ranges) return cn__fail_null(CN_EINVAL, "cn_slice: the %d ranges are NULL", n_ranges);

    cn_tensor view = cn__tensor_outline(tensor);
    int64_t offset = 0;
    for (int i = 0; i < n_ranges; i++) {
        int64_t first, length = range_length(ranges[i], tensor->shape[i], &first);
        view.shape[i] = length;
        if (length > 0) offset += first * tensor->strides[i];
        /* A step beyond the axis could overflow; nobody walks it. */
        if (length > 1 && ranges[i].step != 0) view.strides[i] = tensor->strides[i] * ranges[i].step;
    }
    view.size = 1;
    for (int i = 0; i < view.ndim; i++) view.size *= view.shape[i];
    if (view.size > 0) view.data += offset;
    cn__operation slice = {.op = CN__OP_slice, .n_ranges = n_ranges};
    for (int i = 0; i < n_ranges; i++) slice.ranges[i] = ranges[i];
    return recorded(cn__view_create(tensor, &view, NULL), slice, tensor);
}

/* --- index --- */

/* Position of index[0 ... n-1] in bytes from the first element. */
static int index_offset(const char *function, const cn_tensor *tensor, int n, const int64_t *index, int64_t *offset)
{
    char text[CN_SHAPE_TEXT_BYTES];
    if (n > 0 && !index) return cn__fail(CN_EINVAL, "%s: the index is NULL", function);
    *offset = 0;
    for (int i = 0; i < n; i++) {
        int64_t size = tensor->shape[i], position = index[i] < 0 ? index[i] + size : index[i];
        if (position < 0 || position >= size) {
            cn__shape_text(text, tensor->ndim, tensor->shape);
            if (size == 0)
                return cn__fail(CN_EINVAL, "%s: index %lld is out of range: axis %d of shape %s is empty", function,
                                (long long)index[i], i, text);
            return cn__fail(CN_EINVAL, "%s: index %lld is out of range on axis %d of shape %s; use %lld ... %lld",
                            function, (long long)index[i], i, text, (long long)-size, (long long)(size - 1));
        }
        *offset += position * tensor->strides[i];
    }
    return 0;
}

cn_tensor *cn_tensor_index(const cn_tensor *tensor, int n, const int64_t *index)
{
    if (!tensor) return cn__pass_null("cn_index");
    char text[CN_SHAPE_TEXT_BYTES];
    if (n < 0 || n > tensor->ndim)
        return cn__fail_null(CN_EINVAL, "cn_index: %d positions do not fit a tensor of shape %s, which has %d axes", n,
                             cn__shape_text(text, tensor->ndim, tensor->shape), tensor->ndim);
    int64_t offset;
    if (index_offset("cn_index", tensor, n, index, &offset) < 0) return NULL;

    cn_tensor view = cn__tensor_outline(tensor);
    view.ndim = tensor->ndim - n;
    view.size = 1;
    for (int i = 0; i < view.ndim; i++) {
        view.shape[i] = tensor->shape[i + n];
        view.strides[i] = tensor->strides[i + n];
        view.size *= view.shape[i];
    }
    if (view.size > 0) view.data += offset;
    cn__operation operation = {.op = CN__OP_index, .n_axes = n};
    for (int i = 0; i < n; i++) operation.numbers[i] = index[i] < 0 ? index[i] + tensor->shape[i] : index[i];
    return recorded(cn__view_create(tensor, &view, NULL), operation, tensor);
}

/* --- transpose, scale --- */

cn_tensor *cn_tensor_transpose(const cn_tensor *tensor, const int *axes)
{
    if (!tensor) return cn__pass_null("cn_transpose");
    char text[CN_SHAPE_TEXT_BYTES];
    cn_tensor view = cn__tensor_outline(tensor);
    int seen[CN_MAX_NDIM] = {0};
    cn__operation transpose = {.op = CN__OP_transpose, .n_axes = tensor->ndim};
    for (int i = 0; i < tensor->ndim; i++) {
        int axis = axes ? axes[i] : tensor->ndim - 1 - i;
        if (axis < 0) axis += tensor->ndim;
        if (axis < 0 || axis >= tensor->ndim || seen[axis])
            return cn__fail_null(CN_EINVAL, "cn_transpose: axis %d of shape %s is %s; name each of its %d axes once",
                                 axes[i], cn__shape_text(text, tensor->ndim, tensor->shape),
                                 axis < 0 || axis >= tensor->ndim ? "out of range" : "named twice", tensor->ndim);
        seen[axis] = 1;
        view.shape[i] = tensor->shape[axis];
        view.strides[i] = tensor->strides[axis];
        transpose.axes[i] = axis;
    }
    return recorded(cn__view_create(tensor, &view, NULL), transpose, tensor);
}

cn_tensor *cn_scale(const cn_tensor *tensor, double factor)
{
    if (!tensor) return cn__pass_null("cn_scale");
    cn_tensor view = cn__tensor_outline(tensor);
    view.scale = tensor->scale * factor;
    if (!isfinite(view.scale))
        return cn__fail_null(CN_EINVAL, "cn_scale: the factor %g, over a scale of %g, is not a finite number", factor,
                             tensor->scale);
    return recorded(cn__view_create(tensor, &view, NULL), (cn__operation){.op = CN__OP_scale, .real = factor}, tensor);
}

/* --- one element --- */

double cn_tensor_get(const cn_tensor *tensor, const int64_t *index)
{
    if (!tensor) {
        cn__null_tensor("cn_get");
        return NAN;
    }
    int64_t offset;
    if (index_offset("cn_get", tensor, tensor->ndim, index, &offset) < 0) return NAN;
    return cn__tensor_value(tensor, tensor->data + offset);
}

int cn_tensor_set(cn_tensor *tensor, const int64_t *index, double value)
{
    if (!tensor) return cn__null_tensor("cn_tensor_set");
    if (tensor->scale != 1)
        return cn__fail(CN_EINVAL, "cn_tensor_set: a view scaled by %g is read-only; set the tensor behind it",
                        tensor->scale);
    int64_t offset;
    CN_TRY(index_offset("cn_tensor_set", tensor, tensor->ndim, index, &offset));
    cn_tensor number = {.dtype = CN_FLOAT64, .size = 1, .scale = 1, .data = (char *)&value,
                        .lock = ATOMIC_FLAG_INIT};
    cn__tensor_convert(&number, tensor->dtype, tensor->data + offset);
    return 0;
}
