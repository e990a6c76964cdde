/* Tensors put together, taken apart, and repeated. */
#include <cornu/operations.h>

#include "base/error.h"
#include "tensor/assign.h"
#include "tensor/dtype_rules.h"
#include "tensor/record.h"
#include "tensor/reduce.h"

#include <string.h>

/* --- concatenate, stack --- */

static int check_all(const char *function, int n, const cn_tensor *const *tensors)
{
    if (n < 1 || !tensors) return cn__fail(CN_EINVAL, "%s needs at least one tensor", function);
    for (int i = 0; i < n; i++)
        if (!tensors[i]) return cn__null_tensor(function);
    return 0;
}

static int check_joined(const char *function, const cn_tensor *first, const cn_tensor *other, int i, int axis)
{
    char text[CN_SHAPE_TEXT_BYTES], other_text[CN_SHAPE_TEXT_BYTES];
    cn__shape_text(text, first->ndim, first->shape);
    cn__shape_text(other_text, other->ndim, other->shape);
    if (first->ndim != other->ndim)
        return cn__fail(CN_ESHAPE, "%s: tensor 0 has shape %s and tensor %d has %s; they need as many axes", function,
                        text, i, other_text);
    for (int k = 0; k < first->ndim; k++)
        if (k != axis && first->shape[k] != other->shape[k])
            return cn__fail(CN_ESHAPE, "%s: shapes %s of tensor 0 and %s of tensor %d differ on axis %d", function,
                            text, other_text, i, k);
    return 0;
}

cn_tensor *cn_tensor_concatenate(int n, const cn_tensor *const *tensors, int axis)
{
    static const char function[] = "cn_tensor_concatenate";
    int64_t shape[CN_MAX_NDIM] = {0}, begin = 0;
    if (check_all(function, n, tensors) < 0) return NULL;
    axis = cn__axis_of(function, tensors[0], axis);
    if (axis < 0) return NULL;
    memcpy(shape, tensors[0]->shape, sizeof shape);
    for (int i = 1; i < n; i++) {
        if (check_joined(function, tensors[0], tensors[i], i, axis) < 0) return NULL;
        shape[axis] += tensors[i]->shape[axis];
    }
    cn_tensor *output = cn__tensor_create_raw(cn__promote_all(n, tensors), tensors[0]->ndim, shape);
    for (int i = 0; output && i < n; i++) {
        cn_tensor part = cn__part_of(output, axis, begin, begin + tensors[i]->shape[axis], 1);
        cn__copy_into(&part, tensors[i]);
        begin += tensors[i]->shape[axis];
    }
    return cn__record(output, &(cn__operation){.op = CN__OP_concatenate, .n_inputs = n, .inputs = tensors, .n_axes = 1,
                                               .axes = {axis}});
}

cn_tensor *cn_tensor_stack(int n, const cn_tensor *const *tensors, int axis)
{
    static const char function[] = "cn_tensor_stack";
    int64_t shape[CN_MAX_NDIM];
    char text[CN_SHAPE_TEXT_BYTES];
    if (check_all(function, n, tensors) < 0) return NULL;
    const cn_tensor *first = tensors[0];
    if (first->ndim == CN_MAX_NDIM)
        return cn__fail_null(CN_EINVAL, "%s: shape %s has the most axes there can be, %d", function,
                             cn__shape_text(text, first->ndim, first->shape), CN_MAX_NDIM);
    for (int i = 1; i < n; i++)
        if (check_joined(function, first, tensors[i], i, -1) < 0) return NULL;
    axis = cn__axis_read(function, axis, first->ndim + 1, "of the result");
    if (axis < 0) return NULL;
    for (int i = 0, k = 0; i < first->ndim + 1; i++) shape[i] = i == axis ? n : first->shape[k++];
    cn_tensor *output = cn__tensor_create_raw(cn__promote_all(n, tensors), first->ndim + 1, shape);
    for (int i = 0; output && i < n; i++) {
        cn_tensor part = cn__part_of(output, axis, i, i + 1, 1);
        part.ndim--;
        for (int k = axis; k < part.ndim; k++) {
            part.shape[k] = part.shape[k + 1];
            part.strides[k] = part.strides[k + 1];
        }
        cn__copy_into(&part, tensors[i]);
    }
    return cn__record(output, &(cn__operation){.op = CN__OP_stack, .n_inputs = n, .inputs = tensors, .n_axes = 1,
                                               .axes = {axis}});
}

/* --- split --- */

int cn_tensor_split(const cn_tensor *x, int sections, int axis, cn_tensor **parts)
{
    static const char function[] = "cn_tensor_split";
    char text[CN_SHAPE_TEXT_BYTES];
    if (!x) return cn__null_tensor(function);
    if (sections < 1 || !parts) return cn__fail(CN_EINVAL, "%s: %d parts cannot be made, or there is no room for them",
                                                function, sections);
    axis = cn__axis_of(function, x, axis);
    if (axis < 0) return axis;
    if (x->shape[axis] % sections)
        return cn__fail(CN_ESHAPE, "%s: axis %d of shape %s has %lld entries, which %d does not divide", function,
                        axis, cn__shape_text(text, x->ndim, x->shape), (long long)x->shape[axis], sections);
    cn_range ranges[CN_MAX_NDIM];
    int64_t size = x->shape[axis] / sections;
    for (int i = 0; i < CN_MAX_NDIM; i++) ranges[i] = (cn_range)CN_ALL;
    for (int i = 0; i < sections; i++) {
        ranges[axis] = (cn_range){i * size, (i + 1) * size, 1};
        parts[i] = cn_tensor_slice(x, axis + 1, ranges);
        if (parts[i]) continue;
        while (i > 0) cn_tensor_destroy(&parts[--i]);
        return cn_error_status();
    }
    return 0;
}

/* --- repeated --- */

cn_tensor *cn_tensor_tile(const cn_tensor *x, int n, const int64_t *repetitions)
{
    static const char function[] = "cn_tensor_tile";
    if (!x) return cn__pass_null(function);
    if (n < 0 || n > CN_MAX_NDIM || (n > 0 && !repetitions))
        return cn__fail_null(CN_EINVAL, "%s: %d numbers of repetitions, use 0 ... %d", function, n, CN_MAX_NDIM);
    int ndim = n > x->ndim ? n : x->ndim;
    cn_tensor seen = cn__tensor_outline(x);
    cn__operation operation = {.op = CN__OP_tile, .n_inputs = 1, .inputs = &x};
    int64_t shape[CN_MAX_NDIM], index[CN_MAX_NDIM] = {0};
    seen.ndim = ndim;
    for (int i = 0; i < ndim; i++) {
        int own = i - (ndim - x->ndim), given = i - (ndim - n);
        int64_t times = given < 0 ? 1 : repetitions[given];
        if (times < 0) return cn__fail_null(CN_EINVAL, "%s: %lld repetitions on axis %d", function, (long long)times,
                                            i);
        seen.shape[i] = own < 0 ? 1 : x->shape[own];
        seen.strides[i] = own < 0 ? 0 : x->strides[own];
        operation.numbers[i] = times;
        if (__builtin_mul_overflow(seen.shape[i], times, &shape[i]))
            return cn__fail_null(CN_ENOMEM, "%s: axis %d would have more than 2^63 entries", function, i);
    }
    cn_tensor *output = cn__tensor_create_raw(cn__value_dtype(x), ndim, shape);
    if (!output || output->size == 0) return cn__record(output, &operation);
    cn_tensor part = cn__tensor_outline(output), times = cn__tensor_outline(output);
    memcpy(part.shape, seen.shape, sizeof part.shape);
    memcpy(times.shape, operation.numbers, sizeof times.shape);
    do {
        part.data = output->data;
        for (int i = 0; i < ndim; i++) part.data += index[i] * seen.shape[i] * output->strides[i];
        cn__copy_into(&part, &seen);
    } while (cn__next_index(&times, ndim, index));
    return cn__record(output, &operation);
}

cn_tensor *cn_tensor_repeat(const cn_tensor *x, int64_t repeats, int axis)
{
    static const char function[] = "cn_tensor_repeat";
    if (!x) return cn__pass_null(function);
    if (axis == CN_NO_AXIS) {
        cn_tensor *flat = cn_tensor_reshape(x, 1, (const int64_t[]){-1});
        cn_tensor *repeated = cn_tensor_repeat(flat, repeats, 0);
        cn_tensor_destroy(&flat);
        return repeated;
    }
    axis = cn__axis_of(function, x, axis);
    if (axis < 0) return NULL;
    int64_t shape[CN_MAX_NDIM];
    memcpy(shape, x->shape, sizeof shape);
    if (repeats < 0 || __builtin_mul_overflow(x->shape[axis], repeats, &shape[axis]))
        return cn__fail_null(CN_EINVAL, "%s: %lld repeats; use 0 or more, as many as memory holds", function,
                             (long long)repeats);
    cn_tensor *output = cn__tensor_create_raw(cn__value_dtype(x), x->ndim, shape);
    for (int64_t i = 0; output && i < repeats; i++) {
        if (x->size == 0) break;
        cn_tensor part = cn__part_of(output, axis, i, shape[axis], repeats);
        cn__copy_into(&part, x);
    }
    cn__operation operation = {.op = CN__OP_repeat, .n_inputs = 1, .inputs = &x, .n_axes = 1, .axes = {axis}};
    operation.numbers[axis] = repeats;
    return cn__record(output, &operation);
}

cn_tensor *cn_tensor_roll(const cn_tensor *x, int64_t shift, int axis)
{
    static const char function[] = "cn_tensor_roll";
    if (!x) return cn__pass_null(function);
    if (axis == CN_NO_AXIS) {
        cn_tensor *flat = cn_tensor_reshape(x, 1, (const int64_t[]){-1}), *rolled = cn_tensor_roll(flat, shift, 0);
        cn_tensor *copy = cn_copy(cn_tensor_reshape(rolled, x->ndim, x->shape)); /* a view would lose its owner */
        cn_tensor_destroy(&rolled);
        cn_tensor_destroy(&flat);
        return copy;
    }
    axis = cn__axis_of(function, x, axis);
    if (axis < 0) return NULL;
    cn_tensor *output = cn__tensor_create_raw(cn__value_dtype(x), x->ndim, x->shape);
    int64_t n = x->shape[axis], by = n ? (shift % n + n) % n : 0;
    if (output && output->size) {
        cn_tensor front = cn__part_of(output, axis, 0, by, 1), back = cn__part_of(output, axis, by, n, 1);
        cn_tensor from_back = cn__part_of(x, axis, n - by, n, 1), from_front = cn__part_of(x, axis, 0, n - by, 1);
        cn__copy_into(&front, &from_back);
        cn__copy_into(&back, &from_front);
    }
    return cn__record(output, &(cn__operation){.op = CN__OP_roll, .n_inputs = 1, .inputs = &x, .n_axes = 1,
                                               .axes = {axis}, .numbers = {by}});
}
