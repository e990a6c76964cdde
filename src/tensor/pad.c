/* Borders around tensors. A constant border is one operation; the other modes of numpy.pad are put together from take,
 * concatenate and reductions, one axis after the other. */
#include <cornu/operations.h>

#include "base/error.h"
#include "base/suggest.h"
#include "tensor/assign.h"
#include "tensor/dtype_rules.h"
#include "tensor/record.h"

#include <string.h>

/* The shape with its borders; both numbers of widths are at least 0. */
static int padded_shape(const char *function, const cn_tensor *x, const int64_t (*widths)[2], int64_t *shape)
{
    if (x->ndim > 0 && !widths) return cn__fail(CN_EINVAL, "%s: the widths are NULL", function);
    for (int i = 0; i < x->ndim; i++)
        if (widths[i][0] < 0 || widths[i][1] < 0 || __builtin_add_overflow(x->shape[i], widths[i][0], &shape[i]) ||
            __builtin_add_overflow(shape[i], widths[i][1], &shape[i]))
            return cn__fail(CN_EINVAL, "%s: widths %lld and %lld on axis %d; use 0 or more", function,
                            (long long)widths[i][0], (long long)widths[i][1], i);
    return CN_OK;
}

cn_tensor *cn_tensor_pad(const cn_tensor *x, const int64_t (*widths)[2], double value)
{
    if (!x) return cn__pass_null("cn_tensor_pad");
    int64_t shape[CN_MAX_NDIM];
    cn__operation operation = {.op = CN__OP_pad, .n_inputs = 1, .inputs = &x};
    if (padded_shape("cn_tensor_pad", x, widths, shape) < 0) return NULL;
    if (x->ndim > 0) memcpy(operation.numbers, widths, (size_t)x->ndim * sizeof *widths);
    cn_tensor *output = cn__tensor_create_raw(cn__value_dtype(x), x->ndim, shape);
    if (!output) return NULL;
    cn__copy_into(output, cn_float(value));
    if (x->size > 0) {
        cn_tensor part = cn__tensor_outline(output);
        for (int i = 0; i < x->ndim; i++) {
            part.data += widths[i][0] * part.strides[i];
            part.shape[i] = x->shape[i];
        }
        cn__copy_into(&part, x);
    }
    return cn__record(output, &operation);
}

/* --- borders made of what is inside --- */

/* Where the entry at position p, maybe outside of 0 ... n-1, comes from. */
typedef int64_t (*source_of)(int64_t p, int64_t n);

static int64_t modulo(int64_t p, int64_t n)
{
    return (p % n + n) % n;
}

static int64_t edge(int64_t p, int64_t n)
{
    return p < 0 ? 0 : p < n ? p : n - 1;
}

static int64_t reflect(int64_t p, int64_t n)
{
    if (n == 1) return 0;
    p = modulo(p, 2 * n - 2);
    return p < n ? p : 2 * n - 2 - p;
}

static int64_t symmetric(int64_t p, int64_t n)
{
    p = modulo(p, 2 * n);
    return p < n ? p : 2 * n - 1 - p;
}

static cn_tensor *pad_from(source_of from, const cn_tensor *x, int axis, const int64_t widths[2])
{
    int64_t n = x->shape[axis], length = n + widths[0] + widths[1];
    cn_tensor *positions = cn__tensor_create_raw(CN_INT64, 1, &length);
    for (int64_t i = 0; positions && i < length; i++)
        ((int64_t *)(void *)positions->data)[i] = from(i - widths[0], n);
    return cn_tensor_take(x, positions, axis);
}

/* --- borders made of one entry for each line --- */

typedef cn_tensor *(*border_of)(const cn_tensor *x, int axis);

static cn_tensor *largest(const cn_tensor *x, int axis)
{
    return cn_tensor_max(x, 1, &axis, 1);
}

static cn_tensor *smallest(const cn_tensor *x, int axis)
{
    return cn_tensor_min(x, 1, &axis, 1);
}

/* Bools are no numbers to be rounded: what is not 0 is true. */
static int is_whole(const cn_tensor *x)
{
    cn_dtype dtype = cn__value_dtype(x);
    return dtype != CN_BOOL && !cn__is_real(dtype);
}

static cn_tensor *average(const cn_tensor *x, int axis)
{
    const cn_tensor *mean = cn_tensor_mean(x, 1, &axis, 1);
    return cn_astype(is_whole(x) ? cn_tensor_rint(mean) : mean, cn__value_dtype(x));
}

static cn_tensor *pad_with(border_of border, const cn_tensor *x, int axis, const int64_t widths[2])
{
    const cn_tensor *one = border(x, axis);
    return cn_tensor_concatenate(3, (const cn_tensor *[]){cn_tensor_repeat(one, widths[0], axis), x,
                                                          cn_tensor_repeat(one, widths[1], axis)}, axis);
}

/* --- borders that go down to 0 --- */

/* width entries: 0, 1/width, 2/width, ... of the entry at `position`, or the same backwards. */
static cn_tensor *ramp(const cn_tensor *x, int axis, int64_t position, int64_t width, int backwards)
{
    int64_t shape[CN_MAX_NDIM];
    for (int i = 0; i < x->ndim; i++) shape[i] = i == axis ? width : 1;
    cn_tensor *count = cn_tensor_arange(CN_FLOAT64, 0, (double)width, 1);
    if (backwards) count = cn_tensor_flip(count, 1, (const int[]){0});
    const cn_tensor *entry = cn_tensor_take(x, cn_tensor_full(CN_INT64, 1, (const int64_t[]){1}, (double)position),
                                            axis);
    const cn_tensor *step = cn_tensor_divide(cn_astype(entry, CN_FLOAT64), cn_float((double)width));
    cn_tensor *values = cn_tensor_multiply(step, cn_tensor_reshape(count, x->ndim, shape));
    return cn_astype(is_whole(x) ? cn_tensor_floor(values) : values, cn__value_dtype(x));
}

static cn_tensor *pad_with_ramps(const cn_tensor *x, int axis, const int64_t widths[2])
{
    return cn_tensor_concatenate(3, (const cn_tensor *[]){ramp(x, axis, 0, widths[0], 0), x,
                                                          ramp(x, axis, -1, widths[1], 1)}, axis);
}

/* --- modes --- */

static const struct {
    const char *name;
    source_of from;
    border_of border;
} modes[] = {
    {"constant", NULL, NULL},       {"edge", edge, NULL},     {"reflect", reflect, NULL},
    {"symmetric", symmetric, NULL}, {"wrap", modulo, NULL},   {"maximum", NULL, largest},
    {"minimum", NULL, smallest},    {"mean", NULL, average},  {"linear_ramp", NULL, NULL},
};
enum { N_MODES = sizeof modes / sizeof *modes };

static const cn_tensor *pad_axis(int mode, const cn_tensor *x, int axis, const int64_t widths[2])
{
    if (widths[0] == 0 && widths[1] == 0) return x;
    if (x->shape[axis] == 0)
        return cn__fail_null(CN_EINVAL,
                             "cn_tensor_pad_mode: axis %d is empty, so %s has nothing to fill its border with",
                             axis, modes[mode].name);
    if (modes[mode].from) return pad_from(modes[mode].from, x, axis, widths);
    return modes[mode].border ? pad_with(modes[mode].border, x, axis, widths) : pad_with_ramps(x, axis, widths);
}

cn_tensor *cn_tensor_pad_mode(const cn_tensor *x, const int64_t (*widths)[2], const char *mode)
{
    const char *names[N_MODES];
    int64_t shape[CN_MAX_NDIM];
    int m = 0;
    if (!x) return cn__pass_null("cn_tensor_pad_mode");
    for (int i = 0; i < N_MODES; i++) names[i] = modes[i].name;
    while (m < N_MODES && strcmp(names[m], mode ? mode : "constant")) m++;
    if (m == N_MODES) {
        cn__fail_unknown("mode of padding", mode, names, N_MODES);
        return NULL;
    }
    if (m == 0) return cn_tensor_pad(x, widths, 0);
    if (padded_shape("cn_tensor_pad_mode", x, widths, shape) < 0) return NULL;
    cn_scope *scope = cn_scope_begin();
    const cn_tensor *padded = scope ? x : NULL;
    for (int i = 0; padded && i < x->ndim; i++) padded = pad_axis(m, padded, i, widths[i]);
    cn_tensor *result = padded == x ? cn_copy(x) : (cn_tensor *)padded;
    if (result) cn__record_disown(result);
    cn_scope_end(&scope);
    if (result) cn__record_made(result);
    return result;
}
