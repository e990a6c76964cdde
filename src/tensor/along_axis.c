/* What is done line by line along one axis: positions of extremes, running sums, sorting. */
#include <cornu/operations.h>

#include "base/error.h"
#include "base/memory.h"
#include "tensor/dtype_rules.h"
#include "tensor/record.h"
#include "tensor/reduce.h"

#include <math.h>
#include <string.h>

/* A line, read as one of three types. */
typedef union number {
    int64_t i;
    uint64_t u;
    double r;
} number;

typedef struct lines {
    const char *function;
    const cn_tensor *x;
    cn_tensor outer;       /* the tensor without the axis: one element per line */
    int64_t index[CN_MAX_NDIM];
    int64_t n, stride;     /* elements in a line, bytes between them */
    cn_dtype computed;
    number *line;
} lines;

static int lines_begin(lines *l, const char *function, const cn_tensor *x, int axis)
{
    *l = (lines){.function = function, .x = x, .outer = cn__tensor_outline(x)};
    cn_dtype dtype = cn__value_dtype(x);
    l->computed = cn__is_real(dtype) ? CN_FLOAT64 : dtype == CN_UINT64 ? CN_UINT64 : CN_INT64;
    l->n = x->shape[axis];
    l->stride = x->strides[axis];
    l->outer.shape[axis] = 1;
    l->outer.size = l->n ? x->size / l->n : 0;
    l->line = cn__alloc_raw((size_t)l->n, sizeof *l->line, "a line of a tensor");
    return l->line ? 0 : CN_ENOMEM;
}

static void line_read(lines *l)
{
    cn__convert_row(l->x->dtype, l->x->scale, cn__tensor_element(&l->outer, l->index), l->stride, l->n, l->computed,
                    l->line);
}

static int lines_next(lines *l)
{
    return cn__next_index(&l->outer, l->outer.ndim, l->index);
}

/* --- argmax, argmin --- */

/* The first of those that no other beats. */
#define DEFINE_EXTREME(name, type, field, beats)                                                                    \
    static int64_t name(const lines *l)                                                                             \
    {                                                                                                               \
        int64_t position = 0;                                                                                       \
        type best = l->line[0].field;                                                                               \
        for (int64_t i = 1; i < l->n; i++) {                                                                        \
            type next = l->line[i].field;                                                                           \
            if (!(next beats best)) continue;                                                                       \
            best = next;                                                                                            \
            position = i;                                                                                           \
        }                                                                                                           \
        return position;                                                                                            \
    }
DEFINE_EXTREME(largest_integer, int64_t, i, >)
DEFINE_EXTREME(largest_unsigned, uint64_t, u, >)
DEFINE_EXTREME(largest_real, double, r, >)
DEFINE_EXTREME(smallest_integer, int64_t, i, <)
DEFINE_EXTREME(smallest_unsigned, uint64_t, u, <)
DEFINE_EXTREME(smallest_real, double, r, <)

static int64_t extreme(const lines *l, int largest)
{
    if (l->computed == CN_INT64) return (largest ? largest_integer : smallest_integer)(l);
    if (l->computed == CN_UINT64) return (largest ? largest_unsigned : smallest_unsigned)(l);
    for (int64_t i = 0; i < l->n; i++)
        if (isnan(l->line[i].r)) return i; /* the first NaN beats all */
    return (largest ? largest_real : smallest_real)(l);
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
    lines l;
    int ndim = cn__reduced_shape(x, &axes, keepdims, shape);
    cn_tensor *positions = cn_tensor_create(CN_INT64, ndim, shape);
    if (!positions || positions->size == 0) return positions;
    if (lines_begin(&l, function, x, axis) < 0) {
        cn_tensor_destroy(&positions);
        return NULL;
    }
    int64_t *position = (int64_t *)(void *)positions->data;
    do {
        line_read(&l);
        *position++ = extreme(&l, largest);
    } while (lines_next(&l));
    cn__free(l.line);
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

/* --- lines that become lines --- */

typedef void (*change_line)(const lines *l, number *out);

static void running_sum(const lines *l, number *out)
{
    number sum = {.u = 0};
    if (l->computed == CN_FLOAT64) sum.r = 0;
    for (int64_t i = 0; i < l->n; i++) {
        if (l->computed == CN_FLOAT64) sum.r += l->line[i].r;
        else sum.u += l->line[i].u;
        out[i] = sum;
    }
}

static void running_product(const lines *l, number *out)
{
    number product = {.u = 1};
    if (l->computed == CN_FLOAT64) product.r = 1;
    for (int64_t i = 0; i < l->n; i++) {
        if (l->computed == CN_FLOAT64) product.r *= l->line[i].r;
        else product.u *= l->line[i].u;
        out[i] = product;
    }
}

/* Whatever is sorted is first given a key of 64 bits that grows with it: equal numbers have equal keys, NaN the
 * largest. */
typedef struct place {
    uint64_t key;
    int64_t position;
} place;

static uint64_t key_of(cn_dtype computed, number value)
{
    uint64_t bits, top = (uint64_t)1 << 63;
    if (computed == CN_UINT64) return value.u;
    if (computed == CN_INT64) return value.u ^ top;
    if (isnan(value.r)) return UINT64_MAX;
    double plain = value.r + 0.0; /* -0 counts as 0 */
    memcpy(&bits, &plain, sizeof bits);
    return bits & top ? ~bits : bits | top;
}

static void insertion_sort(place *p, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        place moved = p[i];
        int64_t k = i;
        for (; k > 0 && p[k - 1].key > moved.key; k--) p[k] = p[k - 1];
        p[k] = moved;
    }
}

/* Stable: of equals the left run's comes first. */
static void merge(const place *left, int64_t n_left, const place *right, int64_t n_right, place *out)
{
    const place *end_left = left + n_left, *end_right = right + n_right;
    while (left < end_left && right < end_right) {
        int take_right = right->key < left->key;
        *out++ = take_right ? *right : *left;
        right += take_right;
        left += !take_right;
    }
    while (left < end_left) *out++ = *left++;
    while (right < end_right) *out++ = *right++;
}

#define RUN 16

/* Sorts the line's places, of which there is room for twice as many; returns where they are. */
static const place *sort_places(const lines *l, place *places)
{
    place *from = places, *to = places + l->n;
    for (int64_t i = 0; i < l->n; i++) from[i] = (place){key_of(l->computed, l->line[i]), i};
    for (int64_t i = 0; i < l->n; i += RUN) insertion_sort(from + i, l->n - i < RUN ? l->n - i : RUN);
    for (int64_t run = RUN; run < l->n; run *= 2) {
        for (int64_t i = 0; i < l->n; i += 2 * run) {
            int64_t n_left = l->n - i < run ? l->n - i : run, n_right = l->n - i - n_left;
            merge(from + i, n_left, from + i + n_left, n_right < run ? n_right : run, to + i);
        }
        place *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

static void sorted(const lines *l, number *out)
{
    const place *places = sort_places(l, (place *)(void *)(out + l->n));
    for (int64_t i = 0; i < l->n; i++) out[i] = l->line[places[i].position];
}

static void sorted_positions(const lines *l, number *out)
{
    const place *places = sort_places(l, (place *)(void *)(out + l->n));
    for (int64_t i = 0; i < l->n; i++) out[i].i = places[i].position;
}

/* A tensor of the same shape and of `dtype`; `given` is the dtype of what `change` writes, CN_DTYPE_COUNT: as read. */
static cn_tensor *change_lines(const char *function, const cn_tensor *x, int axis, cn_dtype dtype, cn_dtype given,
                               change_line change)
{
    lines l;
    cn_tensor *output = cn__tensor_create_raw(dtype, x->ndim, x->shape);
    if (!output || output->size == 0) return output;
    number *changed = NULL;
    if (lines_begin(&l, function, x, axis) == 0)
        changed = cn__alloc_raw((size_t)l.n, sizeof *changed + 2 * sizeof(place), "a line of a tensor");
    if (!changed) {
        cn__free(l.line);
        cn_tensor_destroy(&output);
        return NULL;
    }
    if (given == CN_DTYPE_COUNT) given = l.computed;
    do {
        int64_t offset = 0;
        for (int i = 0; i < x->ndim; i++) offset += l.index[i] * output->strides[i];
        line_read(&l);
        change(&l, changed);
        cn__scatter_row(given, changed, l.n, dtype, output->data + offset, output->strides[axis]);
    } while (lines_next(&l));
    cn__free(changed);
    cn__free(l.line);
    return output;
}

typedef struct line_operation {
    const char *function;
    change_line change;
    int grows, positions;
    cn__op op;
} line_operation;

static cn_tensor *apply(const line_operation *o, const cn_tensor *x, int axis)
{
    int flattened;
    if (!x) return cn__pass_null(o->function);
    const cn_tensor *seen = flat_if(x, &axis, &flattened);
    if (!seen) return NULL;
    axis = cn__axis_of(o->function, seen, axis);
    cn_tensor *output = NULL;
    cn_dtype dtype = cn__value_dtype(x);
    if (o->positions) dtype = CN_INT64;
    else if (o->grows) dtype = cn__sum_dtype(dtype);
    cn_dtype given = o->positions ? CN_INT64 : CN_DTYPE_COUNT;
    if (axis >= 0) output = change_lines(o->function, seen, axis, dtype, given, o->change);
    if (o->op != CN__OP_COUNT)
        output = cn__record(output, &(cn__operation){.op = o->op, .n_inputs = 1, .inputs = &seen, .n_axes = 1,
                                                     .axes = {axis}});
    if (flattened) cn_tensor_destroy((cn_tensor **)&seen);
    return output;
}

#define DEFINE_LINE_OPERATION(name, ...)                                                                            \
    cn_tensor *cn_tensor_##name(const cn_tensor *x, int axis)                                                       \
    {                                                                                                               \
        static const line_operation o = {.function = "cn_tensor_" #name, __VA_ARGS__};                              \
        return apply(&o, x, axis);                                                                                  \
    }
DEFINE_LINE_OPERATION(cumsum, .change = running_sum, .grows = 1, .op = CN__OP_cumsum)
DEFINE_LINE_OPERATION(cumprod, .change = running_product, .grows = 1, .op = CN__OP_COUNT)
DEFINE_LINE_OPERATION(sort, .change = sorted, .op = CN__OP_sort)
DEFINE_LINE_OPERATION(argsort, .change = sorted_positions, .positions = 1, .op = CN__OP_COUNT)
