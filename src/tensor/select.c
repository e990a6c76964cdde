/* Choosing elements: by condition, by position, by mask. */
#include <cornu/operations.h>

#include "base/error.h"
#include "base/memory.h"
#include "tensor/assign.h"
#include "tensor/broadcast.h"
#include "tensor/dtype_rules.h"
#include "tensor/record.h"
#include "tensor/reduce.h"
#include "tensor/weak_number.h"

#include <string.h>

/* --- where --- */

static inline void choose_row(const cn__walk *walk, size_t bytes)
{
    for (int64_t i = 0; i < walk->length; i++) {
        const char *a = walk->at[1] + i * walk->step[1], *b = walk->at[2] + i * walk->step[2];
        memcpy(walk->at[3] + i * walk->step[3], walk->at[0][i * walk->step[0]] ? a : b, bytes);
    }
}

static void choose_elements(const cn_tensor *mask, const cn_tensor *const *values, cn_tensor *output)
{
    cn__walk walk;
    char *data[] = {mask->data, values[0]->data, values[1]->data, output->data};
    int64_t strides[4][CN_MAX_NDIM] = {{0}};
    size_t bytes = cn_dtype_size(output->dtype);
    cn__broadcast_strides(mask, output->ndim, output->shape, strides[0]);
    for (int k = 0; k < 2; k++) cn__broadcast_strides(values[k], output->ndim, output->shape, strides[1 + k]);
    cn__broadcast_strides(output, output->ndim, output->shape, strides[3]);
    if (!cn__walk_begin(&walk, 4, output->ndim, output->shape, data, (const int64_t(*)[CN_MAX_NDIM])strides)) return;
    do {
        switch (bytes) {
        case 1: choose_row(&walk, 1); break;
        case 2: choose_row(&walk, 2); break;
        case 4: choose_row(&walk, 4); break;
        default: choose_row(&walk, 8);
        }
    } while (cn__walk_next(&walk));
}

/* The tensor itself if it is plainly of that dtype, else a copy that the caller destroys. */
static const cn_tensor *plainly(const cn_tensor *x, cn_dtype dtype, cn_tensor **copy)
{
    if (x->dtype == dtype && x->scale == 1) return x;
    return *copy = cn__converted(x, dtype);
}

cn_tensor *cn_tensor_where(const cn_tensor *condition, const cn_tensor *a, const cn_tensor *b)
{
    static const char function[] = "cn_tensor_where";
    if (!condition || !a || !b) return cn__pass_null(function);
    const cn_tensor *operands[] = {condition, a, b}, *inputs[3];
    int ndim;
    int64_t shape[CN_MAX_NDIM];
    if (cn__broadcast_shape(function, 3, operands, &ndim, shape) < 0) return NULL;
    cn_dtype dtype = cn__promote_all(2, operands + 1);
    for (int k = 1; k < 3; k++)
        if (operands[k]->is_weak && operands[k]->dtype == CN_INT64 &&
            !cn__dtype_holds(dtype, cn__weak_integer(operands[k])))
            return cn__fail_null(CN_EINVAL, "%s: the integer %lld is out of bounds for %s", function,
                                 (long long)cn__weak_integer(operands[k]), cn_dtype_name(dtype));
    cn_tensor *copies[3] = {0}, *output = NULL;
    const cn_tensor *mask = plainly(condition, CN_BOOL, &copies[0]);
    const cn_tensor *values[] = {plainly(a, dtype, &copies[1]), plainly(b, dtype, &copies[2])};
    if (mask && values[0] && values[1]) output = cn__tensor_create_raw(dtype, ndim, shape);
    if (output) choose_elements(mask, values, output);
    for (int k = 0; k < 3; k++) cn_tensor_destroy(&copies[k]);
    if (!output || !cn__is_recording()) return output;
    for (int k = 0; k < 3; k++) {
        inputs[k] = cn__strong(operands[k], k ? dtype : CN_BOOL);
        if (inputs[k]) continue;
        cn_tensor_destroy(&output);
        return NULL;
    }
    return cn__record(output, &(cn__operation){.op = CN__OP_where, .n_inputs = 3, .inputs = inputs});
}

/* --- take --- */

/* Positions as int64, negative ones counted from the end; NULL with a sentence if one is not on the axis. */
static int64_t *read_positions(const char *function, const cn_tensor *indices, int64_t n, int axis, const char *shape)
{
    if (cn__is_real(cn__value_dtype(indices)) || indices->dtype == CN_BOOL)
        return cn__fail_null(CN_EDTYPE, "%s: positions are integers, not %s; use cn_astype, or cn_tensor_boolean_mask",
                             function, cn_dtype_name(cn__value_dtype(indices)));
    int64_t *positions = cn__alloc_raw((size_t)indices->size, sizeof *positions, "positions");
    if (!positions) return NULL;
    cn__tensor_convert(indices, CN_INT64, positions);
    for (int64_t i = 0; i < indices->size; i++) {
        int64_t position = positions[i] < 0 ? positions[i] + n : positions[i];
        if (position < 0 || position >= n) {
            int64_t wrong = positions[i];
            cn__free(positions);
            return cn__fail_null(CN_EINVAL, "%s: position %lld (number %lld) is out of range on axis %d of shape %s, "
                                 "which has %lld entries", function, (long long)wrong, (long long)i, axis, shape,
                                 (long long)n);
        }
        positions[i] = position;
    }
    return positions;
}

cn_tensor *cn_tensor_take(const cn_tensor *x, const cn_tensor *indices, int axis)
{
    static const char function[] = "cn_tensor_take";
    char text[CN_SHAPE_TEXT_BYTES];
    if (!x || !indices) return cn__pass_null(function);
    if (axis == CN_NO_AXIS) {
        cn_tensor *flat = cn_tensor_reshape(x, 1, (const int64_t[]){-1}), *taken = cn_tensor_take(flat, indices, 0);
        cn_tensor_destroy(&flat);
        return taken;
    }
    axis = cn__axis_of(function, x, axis);
    if (axis < 0) return NULL;
    cn__shape_text(text, x->ndim, x->shape);
    int ndim = x->ndim - 1 + indices->ndim;
    if (ndim > CN_MAX_NDIM)
        return cn__fail_null(CN_EINVAL, "%s: the result would have %d axes, more than %d", function, ndim, CN_MAX_NDIM);
    int64_t shape[CN_MAX_NDIM];
    for (int i = 0; i < ndim; i++)
        shape[i] = i < axis ? x->shape[i] : i < axis + indices->ndim ? indices->shape[i - axis]
                                                                      : x->shape[i - indices->ndim + 1];
    int64_t *positions = read_positions(function, indices, x->shape[axis], axis, text);
    if (!positions) return NULL;
    cn_tensor *output = cn__tensor_create_raw(cn__value_dtype(x), ndim, shape);
    if (output && output->size) {
        /* The axes that the positions give are one axis here. */
        cn_tensor rows = cn__tensor_outline(output);
        rows.ndim = x->ndim;
        memcpy(rows.shape, x->shape, sizeof rows.shape);
        rows.shape[axis] = indices->size;
        cn__strides_fill(rows.strides, rows.ndim, rows.shape, cn_dtype_size(rows.dtype));
        for (int64_t i = 0; i < indices->size; i++) {
            cn_tensor to = cn__part_of(&rows, axis, i, i + 1, 1);
            cn_tensor from = cn__part_of(x, axis, positions[i], positions[i] + 1, 1);
            cn__copy_into(&to, &from);
        }
    }
    cn__free(positions);
    return cn__record(output, &(cn__operation){.op = CN__OP_take, .n_inputs = 2, .n_axes = 1, .axes = {axis},
                                               .inputs = (const cn_tensor *[]){x, indices}});
}

cn_tensor *cn_tensor_take_along_axis(const cn_tensor *x, const cn_tensor *indices, int axis)
{
    static const char function[] = "cn_tensor_take_along_axis";
    char text[CN_SHAPE_TEXT_BYTES], other[CN_SHAPE_TEXT_BYTES];
    if (!x || !indices) return cn__pass_null(function);
    axis = cn__axis_of(function, x, axis);
    if (axis < 0) return NULL;
    cn__shape_text(text, x->ndim, x->shape);
    cn__shape_text(other, indices->ndim, indices->shape);
    int fits = x->ndim == indices->ndim;
    for (int i = 0; i < x->ndim && fits; i++) fits = i == axis || x->shape[i] == indices->shape[i];
    if (!fits)
        return cn__fail_null(CN_ESHAPE, "%s: positions of shape %s and a tensor of shape %s may differ on axis %d "
                             "only", function, other, text, axis);
    int64_t *positions = read_positions(function, indices, x->shape[axis], axis, text), *position = positions;
    if (!positions) return NULL;
    cn_dtype dtype = cn__value_dtype(x);
    cn_tensor *output = cn__tensor_create_raw(dtype, x->ndim, indices->shape);
    if (output && output->size) {
        int64_t index[CN_MAX_NDIM] = {0};
        char *to = output->data;
        do {
            const char *from = cn__tensor_element(x, index) + (*position++ - index[axis]) * x->strides[axis];
            cn__convert_row(x->dtype, x->scale, from, 0, 1, dtype, to);
            to += cn_dtype_size(dtype);
        } while (cn__next_index(output, output->ndim, index));
    }
    cn__free(positions);
    return cn__record(output, &(cn__operation){.op = CN__OP_take_along_axis, .n_inputs = 2, .n_axes = 1, .axes = {axis},
                                               .inputs = (const cn_tensor *[]){x, indices}});
}

/* --- by mask --- */

/* Where a mask is true, row-major: numbers of its elements. *count says how many. */
static cn_tensor *true_positions(const char *function, const cn_tensor *mask)
{
    cn_tensor *copy = NULL, *positions;
    const cn_tensor *plain = plainly(mask, CN_BOOL, &copy);
    if (!plain) return NULL;
    uint8_t *truths = cn__alloc_raw((size_t)mask->size, 1, function);
    int64_t count = 0, k = 0;
    if (truths) cn__tensor_gather(plain, truths);
    cn_tensor_destroy(&copy);
    if (!truths) return NULL;
    for (int64_t i = 0; i < mask->size; i++) count += truths[i] != 0;
    positions = cn__tensor_create_raw(CN_INT64, 1, &count);
    for (int64_t i = 0; positions && i < mask->size; i++)
        if (truths[i]) ((int64_t *)(void *)positions->data)[k++] = i;
    cn__free(truths);
    return positions;
}

cn_tensor *cn_tensor_boolean_mask(const cn_tensor *x, const cn_tensor *mask)
{
    static const char function[] = "cn_tensor_boolean_mask";
    char text[CN_SHAPE_TEXT_BYTES], other[CN_SHAPE_TEXT_BYTES];
    if (!x || !mask) return cn__pass_null(function);
    if (mask->dtype != CN_BOOL)
        return cn__fail_null(CN_EDTYPE, "%s: a mask is bool, not %s; compare, or use cn_tensor_take for positions",
                             function, cn_dtype_name(mask->dtype));
    int fits = mask->ndim <= x->ndim;
    for (int i = 0; i < mask->ndim && fits; i++) fits = mask->shape[i] == x->shape[i];
    if (!fits)
        return cn__fail_null(CN_ESHAPE, "%s: a mask of shape %s does not fit the first axes of shape %s", function,
                             cn__shape_text(other, mask->ndim, mask->shape), cn__shape_text(text, x->ndim, x->shape));
    int64_t shape[CN_MAX_NDIM] = {mask->size};
    for (int i = mask->ndim; i < x->ndim; i++) shape[i - mask->ndim + 1] = x->shape[i];
    cn_tensor *positions = true_positions(function, mask), *rows = NULL, *chosen = NULL;
    if (positions) rows = cn_tensor_reshape(x, x->ndim - mask->ndim + 1, shape);
    if (rows) chosen = cn_tensor_take(rows, positions, 0);
    cn_tensor_destroy(&positions);
    cn_tensor_destroy(&rows);
    return chosen;
}

cn_tensor *cn_tensor_nonzero(const cn_tensor *x)
{
    static const char function[] = "cn_tensor_nonzero";
    if (!x) return cn__pass_null(function);
    cn_tensor *positions = true_positions(function, x);
    if (!positions) return NULL;
    cn_tensor *rows = cn__tensor_create_raw(CN_INT64, 2, (const int64_t[]){x->ndim, positions->size});
    for (int64_t i = 0; rows && i < positions->size; i++) {
        int64_t number = ((const int64_t *)(void *)positions->data)[i];
        for (int axis = x->ndim - 1; axis >= 0; axis--) {
            ((int64_t *)(void *)rows->data)[axis * positions->size + i] = number % x->shape[axis];
            number /= x->shape[axis];
        }
    }
    cn_tensor_destroy(&positions);
    return rows;
}

/* --- which numbers there are --- */

cn_tensor *cn_tensor_unique(const cn_tensor *x)
{
    static const char function[] = "cn_tensor_unique";
    if (!x) return cn__pass_null(function);
    cn__recorder *paused = cn__record_pause();
    cn_tensor *sorted = cn_tensor_sort(x, CN_NO_AXIS), *differs = NULL, *unique = NULL;
    if (sorted && sorted->size > 0) {
        cn_tensor before = cn__part_of(sorted, 0, 0, sorted->size - 1, 1);
        cn_tensor after = cn__part_of(sorted, 0, 1, sorted->size, 1);
        differs = cn_tensor_create(CN_BOOL, 1, sorted->shape);
        cn_tensor *pairs = differs ? cn_tensor_not_equal(&before, &after) : NULL;
        if (pairs) {
            differs->data[0] = 1;
            memcpy(differs->data + 1, pairs->data, (size_t)pairs->size);
            /* All NaNs are behind the numbers and count as one. */
            for (int64_t i = 1; i < sorted->size; i++) {
                double value = cn__tensor_value(sorted, sorted->data + (i - 1) * sorted->strides[0]);
                if (value != value) differs->data[i] = 0;
            }
            unique = cn_tensor_boolean_mask(sorted, differs);
        }
        cn_tensor_destroy(&pairs);
        cn_tensor_destroy(&differs);
        cn_tensor_destroy(&sorted);
    } else {
        unique = sorted;
    }
    cn__record_resume(paused);
    if (unique) cn__record_made(unique);
    return unique;
}

cn_tensor *cn_tensor_bincount(const cn_tensor *x, int64_t minlength)
{
    static const char function[] = "cn_tensor_bincount";
    char text[CN_SHAPE_TEXT_BYTES];
    if (!x) return cn__pass_null(function);
    if (cn__is_real(cn__value_dtype(x)) || x->ndim != 1 || minlength < 0)
        return cn__fail_null(CN_EINVAL, "%s takes one axis of integers and a length of 0 or more, not %s of shape %s "
                             "and %lld", function, cn_dtype_name(cn__value_dtype(x)),
                             cn__shape_text(text, x->ndim, x->shape), (long long)minlength);
    cn_tensor *numbers = cn__converted(x, CN_INT64), *counts = NULL;
    int64_t n = minlength, wrong = -1;
    for (int64_t i = 0; numbers && i < numbers->size; i++) {
        int64_t value = ((const int64_t *)(void *)numbers->data)[i];
        if (value < 0 && wrong < 0) wrong = i;
        if (value >= n) n = value < INT64_MAX ? value + 1 : value;
    }
    if (wrong >= 0) cn__fail(CN_EINVAL, "%s: number %lld is negative and cannot be counted", function,
                             (long long)wrong);
    else if (numbers) counts = cn_tensor_create(CN_INT64, 1, &n);
    for (int64_t i = 0; counts && i < numbers->size; i++)
        ((int64_t *)(void *)counts->data)[((const int64_t *)(void *)numbers->data)[i]]++;
    cn_tensor_destroy(&numbers);
    return counts;
}
