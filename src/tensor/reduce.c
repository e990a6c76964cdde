#include "tensor/reduce.h"

#include <cornu/operations.h>

#include "base/error.h"
#include "base/memory.h"
#include "tensor/dtype_rules.h"
#include "tensor/record.h"

#include <math.h>

/* --- axes --- */

int cn__axis_read(const char *function, int axis, int ndim, const char *shape_text)
{
    int counted = axis < 0 ? axis + ndim : axis;
    if (counted >= 0 && counted < ndim) return counted;
    if (ndim == 0) return cn__fail(CN_EINVAL, "%s: axis %d is out of range: a scalar has no axes", function, axis);
    return cn__fail(CN_EINVAL, "%s: axis %d is out of range for shape %s; use %d ... %d", function, axis, shape_text,
                    -ndim, ndim - 1);
}

int cn__axis_of(const char *function, const cn_tensor *x, int axis)
{
    char text[CN_SHAPE_TEXT_BYTES];
    return cn__axis_read(function, axis, x->ndim, cn__shape_text(text, x->ndim, x->shape));
}

int cn__axes_read(const char *function, const cn_tensor *x, int n_axes, const int *axes, cn__axes *out)
{
    char text[CN_SHAPE_TEXT_BYTES];
    *out = (cn__axes){.n = 0};
    if (axes && (n_axes < 0 || n_axes > x->ndim))
        return cn__fail(CN_EINVAL, "%s: %d axes are named, but shape %s has %d", function, n_axes,
                        cn__shape_text(text, x->ndim, x->shape), x->ndim);
    for (int i = 0; i < (axes ? n_axes : x->ndim); i++) {
        int axis = axes ? cn__axis_of(function, x, axes[i]) : i;
        if (axis < 0) return axis;
        if (out->named[axis]) return cn__fail(CN_EINVAL, "%s: axis %d is named twice", function, axis);
        out->named[axis] = 1;
    }
    for (int axis = 0; axis < x->ndim; axis++)
        if (out->named[axis]) out->list[out->n++] = axis;
    return 0;
}

int cn__reduced_shape(const cn_tensor *x, const cn__axes *axes, int keepdims, int64_t *shape)
{
    int ndim = 0;
    for (int i = 0; i < x->ndim; i++)
        if (!axes->named[i]) shape[ndim++] = x->shape[i];
        else if (keepdims) shape[ndim++] = 1;
    return ndim;
}

static int64_t count_of(const cn_tensor *x, const cn__axes *axes)
{
    int64_t count = 1;
    for (int i = 0; i < axes->n; i++) count *= x->shape[axes->list[i]];
    return count;
}

/* --- recording --- */

static cn_tensor *record(cn_tensor *output, cn__op op, const cn_tensor *x, const cn__axes *axes, int keepdims,
                         double ddof)
{
    cn__operation operation = {.op = op, .n_inputs = 1, .inputs = &x, .n_axes = axes->n, .keepdims = keepdims != 0,
                               .real = ddof};
    for (int i = 0; i < axes->n; i++) operation.axes[i] = axes->list[i];
    return cn__record(output, &operation);
}

/* --- sum, prod, max, min, any, all, mean --- */

typedef struct reduction {
    const char *function;
    cn__fold fold;
    int truth;  /* elements count as 0 or 1: any and all */
    int grows;  /* integers grow to 64 bits: sum and prod */
    int mean;   /* divided by how many there are */
    cn__op op;
} reduction;

static cn_dtype result_dtype(const reduction *r, cn_dtype dtype)
{
    if (r->truth) return CN_BOOL;
    if (r->mean) return cn__is_real(dtype) ? dtype : CN_FLOAT64;
    return r->grows ? cn__sum_dtype(dtype) : dtype;
}

/* Folds numbers already in `computed`, or converts on the way. */
static cn_dtype computed_dtype(const reduction *r, cn_dtype dtype)
{
    if (r->mean || cn__is_real(dtype)) return CN_FLOAT64;
    return dtype == CN_UINT64 || (r->grows && cn__is_unsigned(dtype)) ? CN_UINT64 : CN_INT64;
}

static cn_tensor *fold(const reduction *r, const cn_tensor *x, const cn__axes *axes, int keepdims)
{
    int64_t shape[CN_MAX_NDIM], count = count_of(x, axes);
    int ndim = cn__reduced_shape(x, axes, keepdims, shape);
    cn_dtype dtype = cn__value_dtype(x), computed = computed_dtype(r, dtype);
    cn_tensor *output = cn__tensor_create_raw(result_dtype(r, dtype), ndim, shape);
    double *results = NULL;
    if (output) results = cn__alloc_raw((size_t)output->size, sizeof *results, "the results of a reduction");
    if (!results) {
        cn_tensor_destroy(&output);
        return NULL;
    }
    cn__fold_axes(r->fold, x, axes, computed, results);
    for (int64_t i = 0; r->mean && i < output->size; i++) results[i] /= (double)count;
    cn__convert_row(computed, 1, (const char *)results, sizeof *results, output->size, output->dtype, output->data);
    cn__free(results);
    return output;
}

static cn_tensor *reduce(const reduction *r, const cn_tensor *x, int n_axes, const int *axes, int keepdims)
{
    cn__axes read;
    char text[CN_SHAPE_TEXT_BYTES];
    if (!x) return cn__pass_null(r->function);
    if (cn__axes_read(r->function, x, n_axes, axes, &read) < 0) return NULL;
    int needs_one = (r->fold == CN__FOLD_MAX || r->fold == CN__FOLD_MIN) && !r->truth;
    if (needs_one && count_of(x, &read) == 0)
        return cn__fail_null(CN_EINVAL, "%s: shape %s has nothing to choose from along the axes", r->function,
                             cn__shape_text(text, x->ndim, x->shape));
    cn_tensor *truths = NULL, *output;
    if (r->truth) { /* NaN and 0.5 are true, which a conversion to integers would not say */
        cn__recorder *paused = cn__record_pause();
        truths = cn_tensor_not_equal(x, cn_int(0));
        cn__record_resume(paused);
        if (!truths) return NULL;
    }
    output = fold(r, truths ? truths : x, &read, keepdims);
    cn_tensor_destroy(&truths);
    return r->op == CN__OP_COUNT ? output : record(output, r->op, x, &read, keepdims, 0);
}

#define DEFINE_REDUCTION(name, ...)                                                                                 \
    cn_tensor *cn_tensor_##name(const cn_tensor *x, int n_axes, const int *axes, int keepdims)                      \
    {                                                                                                               \
        static const reduction r = {.function = "cn_tensor_" #name, __VA_ARGS__};                                   \
        return reduce(&r, x, n_axes, axes, keepdims);                                                               \
    }
DEFINE_REDUCTION(sum, .fold = CN__FOLD_SUM, .grows = 1, .op = CN__OP_sum)
DEFINE_REDUCTION(prod, .fold = CN__FOLD_PROD, .grows = 1, .op = CN__OP_prod)
DEFINE_REDUCTION(max, .fold = CN__FOLD_MAX, .op = CN__OP_max)
DEFINE_REDUCTION(min, .fold = CN__FOLD_MIN, .op = CN__OP_min)
DEFINE_REDUCTION(mean, .fold = CN__FOLD_SUM, .mean = 1, .op = CN__OP_mean)
DEFINE_REDUCTION(any, .fold = CN__FOLD_SUM, .truth = 1, .op = CN__OP_COUNT)
DEFINE_REDUCTION(all, .fold = CN__FOLD_MIN, .truth = 1, .op = CN__OP_COUNT)

/* --- var, std --- */

/* Mean of the squared distances from the mean, everything in float64. The parts belong to a scope. */
static cn_tensor *variance(const cn_tensor *x, const cn__axes *axes, double ddof, int keepdims, int root)
{
    cn_dtype dtype = cn__value_dtype(x);
    double count = (double)count_of(x, axes) - ddof;
    cn_tensor *wide = cn_astype(x, CN_FLOAT64);
    cn_tensor *distance = cn_tensor_subtract(wide, cn_tensor_mean(wide, axes->n, axes->list, 1));
    cn_tensor *sum = cn_tensor_sum(cn_tensor_square(distance), axes->n, axes->list, keepdims);
    cn_tensor *result = cn_tensor_divide(sum, cn_float(count > 0 ? count : 0));
    if (root) result = cn_tensor_sqrt(result);
    return cn_astype(result, cn__is_real(dtype) ? dtype : CN_FLOAT64);
}

static cn_tensor *spread(const char *function, cn__op op, const cn_tensor *x, int n_axes, const int *axes, double ddof,
                         int keepdims)
{
    cn__axes read;
    if (!x) return cn__pass_null(function);
    if (cn__axes_read(function, x, n_axes, axes, &read) < 0) return NULL;
    cn__recorder *paused = cn__record_pause();
    cn_scope *scope = cn_scope_begin();
    cn_tensor *result = scope ? variance(x, &read, ddof, keepdims, op == CN__OP_std) : NULL;
    if (result) cn__record_disown(result);
    cn_scope_end(&scope);
    cn__record_resume(paused);
    return record(result, op, x, &read, keepdims, ddof);
}

cn_tensor *cn_tensor_var(const cn_tensor *x, int n_axes, const int *axes, double ddof, int keepdims)
{
    return spread("cn_tensor_var", CN__OP_var, x, n_axes, axes, ddof, keepdims);
}

cn_tensor *cn_tensor_std(const cn_tensor *x, int n_axes, const int *axes, double ddof, int keepdims)
{
    return spread("cn_tensor_std", CN__OP_std, x, n_axes, axes, ddof, keepdims);
}
