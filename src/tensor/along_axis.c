/* What is done line by line along one axis: positions of extremes, running sums. */
#include <cornu/operations.h>

#include "base/error.h"
#include "base/memory.h"
#include "kernels/tensor_math.h"
#include "tensor/dtype_rules.h"
#include "tensor/lines.h"
#include "tensor/record.h"
#include "tensor/reduce.h"

#include <string.h>

/* A number, read as one of three types. */
typedef union number {
    int64_t i;
    uint64_t u;
    double r;
} number;

static cn_dtype computed_in(const cn_tensor *x)
{
    cn_dtype dtype = cn__value_dtype(x);
    return cn__is_real(dtype) ? CN_FLOAT64 : dtype == CN_UINT64 ? CN_UINT64 : CN_INT64;
}

/* --- argmax, argmin along the last axis --- */

/* Of integers; src/kernels has that of floats. */
#define DEFINE_FIRST(name, type, beats)                                                                             \
    static int64_t name(int64_t n, const void *line)                                                                \
    {                                                                                                               \
        const type *x = line;                                                                                       \
        type top = x[0];                                                                                            \
        int64_t i = 0;                                                                                              \
        for (int64_t k = 1; k < n; k++) top = x[k] beats top ? x[k] : top;                                          \
        while (x[i] != top) i++;                                                                                    \
        return i;                                                                                                   \
    }
#define DEFINE_FIRSTS(name, type)                                                                                   \
    DEFINE_FIRST(largest_##name, type, >)                                                                           \
    DEFINE_FIRST(smallest_##name, type, <)
DEFINE_FIRSTS(uint8, uint8_t)
DEFINE_FIRSTS(int32, int32_t)
DEFINE_FIRSTS(int64, int64_t)
DEFINE_FIRSTS(uint64, uint64_t)

typedef int64_t (*find_first)(int64_t n, const void *line);

static find_first first_of_reals(int bits, int largest)
{
    const cn__tensor_math *math = cn__tensor_math_find(bits);
    return !math ? NULL : largest ? math->first_largest : math->first_smallest;
}

static find_first first_of(cn_dtype dtype, int largest)
{
    switch (dtype) {
    case CN_UINT8: return largest ? largest_uint8 : smallest_uint8;
    case CN_INT32: return largest ? largest_int32 : smallest_int32;
    case CN_INT64: return largest ? largest_int64 : smallest_int64;
    case CN_UINT64: return largest ? largest_uint64 : smallest_uint64;
    case CN_FLOAT32: return first_of_reals(32, largest);
    case CN_FLOAT64: return first_of_reals(64, largest);
    default: return NULL;
    }
}

/* The dtype that holds the numbers and has a function above. */
static cn_dtype read_as(const cn_tensor *x)
{
    switch (cn__value_dtype(x)) {
    case CN_BOOL:
    case CN_UINT8: return CN_UINT8;
    case CN_INT64:
    case CN_UINT32: return CN_INT64;
    case CN_UINT64: return CN_UINT64;
    case CN_FLOAT16:
    case CN_FLOAT32: return CN_FLOAT32;
    case CN_FLOAT64: return CN_FLOAT64;
    default: return CN_INT32;
    }
}

/* A line can be read where it stands. */
static int is_plain(const cn_tensor *x, int axis)
{
    int64_t bytes = (int64_t)cn_dtype_size(x->dtype);
    int is_aligned = (uintptr_t)x->data % (uintptr_t)bytes == 0;
    for (int i = 0; i < x->ndim; i++) is_aligned &= x->strides[i] % bytes == 0;
    return is_aligned && x->scale == 1 && x->strides[axis] == bytes && x->dtype == read_as(x);
}

static int positions_in_lines(const char *function, const cn_tensor *x, int axis, int largest, int64_t *position)
{
    cn__lines l;
    int plain = is_plain(x, axis);
    cn_dtype read = read_as(x);
    find_first first = first_of(read, largest);
    if (!first) return cn_error_status();
    void *line = plain ? NULL : cn__alloc_raw((size_t)x->shape[axis], sizeof(number), function);
    if (!plain && !line) return CN_ENOMEM;
    cn__lines_begin(&l, x, axis);
    do {
        if (!plain) cn__lines_read(&l, read, line);
        *position++ = first(l.n, plain ? cn__tensor_element(&l.outer, l.index) : line);
    } while (cn__lines_next(&l));
    cn__free(line);
    return CN_OK;
}

/* --- along another axis: entry by entry of the axis, a row of the last axis at a time --- */

#define DEFINE_ROW(name, field, beats)                                                                              \
    static void name(int64_t m, int64_t k, const number *restrict row, number *restrict best, int64_t *restrict at) \
    {                                                                                                               \
        for (int64_t j = 0; j < m; j++) {                                                                           \
            int is_better = (row[j].field beats best[j].field) |                                                    \
                            ((row[j].field != row[j].field) & (best[j].field == best[j].field));                    \
            best[j].field = is_better ? row[j].field : best[j].field;                                               \
            at[j] = is_better ? k : at[j];                                                                          \
        }                                                                                                           \
    }
DEFINE_ROW(larger_integers, i, >)
DEFINE_ROW(larger_unsigned, u, >)
DEFINE_ROW(larger_reals, r, >)
DEFINE_ROW(smaller_integers, i, <)
DEFINE_ROW(smaller_unsigned, u, <)
DEFINE_ROW(smaller_reals, r, <)

static int positions_in_rows(const char *function, const cn_tensor *x, int axis, int largest, int64_t *at)
{
    cn__lines rows; /* along the last axis; of them those with index 0 on the axis */
    cn_dtype computed = computed_in(x);
    int64_t m = x->shape[x->ndim - 1];
    number *best = cn__alloc_raw((size_t)m, 2 * sizeof *best, function), *row = best ? best + m : NULL;
    void (*update)(int64_t, int64_t, const number *, number *, int64_t *) =
        computed == CN_INT64    ? largest ? larger_integers : smaller_integers
        : computed == CN_UINT64 ? largest ? larger_unsigned : smaller_unsigned
        : largest               ? larger_reals
                                : smaller_reals;
    if (!best) return CN_ENOMEM;
    cn__lines_begin(&rows, x, x->ndim - 1);
    rows.outer.shape[axis] = 1;
    do {
        cn__lines_read(&rows, computed, best);
        for (int64_t j = 0; j < m; j++) at[j] = 0;
        for (int64_t k = 1; k < x->shape[axis]; k++) {
            rows.index[axis] = k;
            cn__lines_read(&rows, computed, row);
            update(m, k, row, best, at);
        }
        rows.index[axis] = 0;
        at += m;
    } while (cn__lines_next(&rows));
    cn__free(best);
    return CN_OK;
}

static cn_tensor *extremes(const char *function, const cn_tensor *x, int axis, int keepdims, int largest)
{
    cn__axes axes;
    char text[CN_SHAPE_TEXT_BYTES];
    int64_t shape[CN_MAX_NDIM];
    if (cn__axes_read(function, x, 1, &axis, &axes) < 0) return NULL;
    axis = axes.list[0];
    if (x->shape[axis] == 0)
        return cn__fail_null(CN_EINVAL, "%s: axis %d of shape %s is empty", function, axis,
                             cn__shape_text(text, x->ndim, x->shape));
    int ndim = cn__reduced_shape(x, &axes, keepdims, shape);
    cn_tensor *positions = cn_tensor_create(CN_INT64, ndim, shape);
    if (!positions || positions->size == 0) return positions;
    int64_t *out = (int64_t *)(void *)positions->data;
    int status = (axis == x->ndim - 1 ? positions_in_lines : positions_in_rows)(function, x, axis, largest, out);
    if (status < 0) cn_tensor_destroy(&positions);
    return positions;
}

/* x as one long row if no axis is named. Its view is destroyed with the tensor, or here if nothing records it. */
static const cn_tensor *flat_if(const cn_tensor *x, int *axis, int *flattened)
{
    *flattened = x && *axis == CN_NO_AXIS;
    if (!*flattened) return x;
    *axis = 0;
    return cn_tensor_reshape(x, 1, (const int64_t[]){-1});
}

static cn_tensor *shape_of_ones(cn_tensor *one, int ndim)
{
    if (!one) return NULL;
    one->ndim = ndim;
    for (int i = 0; i < ndim; i++) one->shape[i] = 1;
    cn__strides_fill(one->strides, ndim, one->shape, cn_dtype_size(one->dtype));
    return one;
}

static cn_tensor *extremes_of(const char *function, const cn_tensor *x, int axis, int keepdims, int largest)
{
    int flattened;
    if (!x) return cn__pass_null(function);
    cn__recorder *paused = cn__record_pause();
    const cn_tensor *seen = flat_if(x, &axis, &flattened);
    cn__record_resume(paused);
    cn_tensor *positions = seen ? extremes(function, seen, axis, keepdims && !flattened, largest) : NULL;
    if (flattened) cn_tensor_destroy((cn_tensor **)&seen);
    return flattened && keepdims ? shape_of_ones(positions, x->ndim) : positions;
}

cn_tensor *cn_tensor_argmax(const cn_tensor *x, int axis, int keepdims)
{
    return extremes_of("cn_tensor_argmax", x, axis, keepdims, 1);
}

cn_tensor *cn_tensor_argmin(const cn_tensor *x, int axis, int keepdims)
{
    return extremes_of("cn_tensor_argmin", x, axis, keepdims, 0);
}

/* --- running sums and products --- */

typedef void (*run_line)(cn_dtype computed, int64_t n, number *line);

static void running_sum(cn_dtype computed, int64_t n, number *line)
{
    for (int64_t i = 1; i < n; i++) {
        if (computed == CN_FLOAT64) line[i].r += line[i - 1].r;
        else line[i].u += line[i - 1].u;
    }
}

static void running_product(cn_dtype computed, int64_t n, number *line)
{
    for (int64_t i = 1; i < n; i++) {
        if (computed == CN_FLOAT64) line[i].r *= line[i - 1].r;
        else line[i].u *= line[i - 1].u;
    }
}

static cn_tensor *run_lines(const char *function, const cn_tensor *x, int axis, run_line run)
{
    cn_dtype dtype = cn__sum_dtype(cn__value_dtype(x)), computed = computed_in(x);
    cn_tensor *output = cn__tensor_create_raw(dtype, x->ndim, x->shape);
    if (!output || output->size == 0) return output;
    number *line = cn__alloc_raw((size_t)x->shape[axis], sizeof *line, function);
    if (!line) {
        cn_tensor_destroy(&output);
        return NULL;
    }
    cn__lines l;
    cn__lines_begin(&l, x, axis);
    do {
        cn__lines_read(&l, computed, line);
        run(computed, l.n, line);
        cn__scatter_row(computed, line, l.n, dtype, output->data + cn__lines_offset(&l, output), output->strides[axis]);
    } while (cn__lines_next(&l));
    cn__free(line);
    return output;
}

static cn_tensor *running(const char *function, const cn_tensor *x, int axis, run_line run, cn__op op)
{
    int flattened;
    if (!x) return cn__pass_null(function);
    const cn_tensor *seen = flat_if(x, &axis, &flattened);
    if (!seen) return NULL;
    axis = cn__axis_of(function, seen, axis);
    cn_tensor *output = axis >= 0 ? run_lines(function, seen, axis, run) : NULL;
    output = cn__record(output,
                        &(cn__operation){.op = op, .n_inputs = 1, .inputs = &seen, .n_axes = 1, .axes = {axis}});
    if (flattened) cn_tensor_destroy((cn_tensor **)&seen);
    return output;
}

cn_tensor *cn_tensor_cumsum(const cn_tensor *x, int axis)
{
    return running("cn_tensor_cumsum", x, axis, running_sum, CN__OP_cumsum);
}

cn_tensor *cn_tensor_cumprod(const cn_tensor *x, int axis)
{
    return running("cn_tensor_cumprod", x, axis, running_product, CN__OP_cumprod);
}
