/* What is done line by line along one axis: positions of extremes, running sums, sorting. */
#include <cornu/operations.h>

#include "base/error.h"
#include "base/memory.h"
#include "tensor/dtype_rules.h"
#include "tensor/record.h"
#include "tensor/reduce.h"

#include <math.h>
#include <stdlib.h>
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
    cn__convert_row(l->x->dtype, l->x->scale, cn__tensor_element(&l->outer, l->index), l->stride, l->n, l->computed, l->line);
}

static int lines_next(lines *l)
{
    return cn__next_index(&l->outer, l->outer.ndim, l->index);
}

/* --- argmax, argmin --- */

static int beats(const lines *l, number a, number b, int largest)
{
    if (l->computed == CN_INT64) return largest ? a.i > b.i : a.i < b.i;
    if (l->computed == CN_UINT64) return largest ? a.u > b.u : a.u < b.u;
    return largest ? !(a.r <= b.r) : !(a.r >= b.r); /* NaN beats all */
}

static int64_t extreme(const lines *l, int largest)
{
    int64_t best = 0;
    for (int64_t i = 1; i < l->n; i++) {
        if (l->computed == CN_FLOAT64 && isnan(l->line[best].r)) break; /* the first NaN counts */
        if (beats(l, l->line[i], l->line[best], largest)) best = i;
    }
    return best;
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

/* Equal numbers stay in their order, NaN goes to the end. */
typedef struct place {
    number value;
    int64_t position;
} place;

#define DEFINE_ORDER(name, field)                                                                                   \
    static int name(const void *a, const void *b)                                                                   \
    {                                                                                                               \
        const place *x = a, *y = b;                                                                                 \
        if (x->value.field < y->value.field) return -1;                                                             \
        if (x->value.field > y->value.field) return 1;                                                              \
        return (x->position > y->position) - (x->position < y->position);                                           \
    }
DEFINE_ORDER(order_integers, i)
DEFINE_ORDER(order_unsigned, u)
DEFINE_ORDER(order_numbers, r)

static int order_reals(const void *a, const void *b)
{
    int nan_a = isnan(((const place *)a)->value.r) != 0, nan_b = isnan(((const place *)b)->value.r) != 0;
    return nan_a == nan_b ? order_numbers(a, b) : nan_a - nan_b;
}

static void sort_places(const lines *l, place *places)
{
    for (int64_t i = 0; i < l->n; i++) places[i] = (place){l->line[i], i};
    qsort(places, (size_t)l->n, sizeof *places,
          l->computed == CN_INT64 ? order_integers : l->computed == CN_UINT64 ? order_unsigned : order_reals);
}

static void sorted(const lines *l, number *out)
{
    place *places = (place *)(void *)(out + l->n);
    sort_places(l, places);
    for (int64_t i = 0; i < l->n; i++) out[i] = places[i].value;
}

static void sorted_positions(const lines *l, number *out)
{
    place *places = (place *)(void *)(out + l->n);
    sort_places(l, places);
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
        changed = cn__alloc_raw((size_t)l.n, sizeof *changed + sizeof(place), "a line of a tensor");
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
    if (axis >= 0) output = change_lines(o->function, seen, axis, dtype, o->positions ? CN_INT64 : CN_DTYPE_COUNT, o->change);
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
