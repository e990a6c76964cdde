#include "autodiff/embed.h"

#include "tensor/record.h"

#include <cornu/operations.h>
#include <string.h>

cn_tensor *cn__embed(const cn_tensor *part, int ndim, const int64_t *shape, int n_ranges, const cn_range *ranges)
{
    if (!part) return NULL;
    cn__operation operation = {.op = CN__OP_embed, .n_inputs = 1, .inputs = &part, .n_ranges = n_ranges};
    if (n_ranges) memcpy(operation.ranges, ranges, (size_t)n_ranges * sizeof *ranges);

    cn__recorder *paused = cn__record_pause();
    cn_tensor *whole = cn_tensor_create(cn__value_dtype(part), ndim, shape);
    cn_tensor *place = whole ? cn_tensor_slice(whole, n_ranges, ranges) : NULL;
    if (!place || cn_tensor_add_inplace(place, part) < 0) cn_tensor_destroy(&whole);
    cn__record_resume(paused);
    return cn__record(whole, &operation);
}

/* --- scatter_add --- */

/* Row-major sizes: `before` the axis, along it, behind it. */
typedef struct layout {
    int64_t before, along, behind;
} layout;

static layout layout_of(int ndim, const int64_t *shape, int axis)
{
    layout l = {1, shape[axis], 1};
    for (int i = 0; i < axis; i++) l.before *= shape[i];
    for (int i = axis + 1; i < ndim; i++) l.behind *= shape[i];
    return l;
}

/* take: entry k of the indices is a whole row of numbers behind it. */
static void add_rows(double *whole, layout l, int64_t n, const int64_t *indices, const double *part)
{
    for (int64_t i = 0; i < l.before; i++)
        for (int64_t k = 0; k < n; k++) {
            int64_t at = indices[k] < 0 ? indices[k] + l.along : indices[k];
            double *row = whole + (i * l.along + at) * l.behind;
            for (int64_t j = 0; j < l.behind; j++) row[j] += *part++;
        }
}

/* take_along_axis: every number has an index of its own; n is the length of their axis. */
static void add_numbers(double *whole, layout l, int64_t n, const int64_t *indices, const double *part)
{
    for (int64_t i = 0; i < l.before; i++)
        for (int64_t k = 0; k < n; k++)
            for (int64_t j = 0; j < l.behind; j++, indices++) {
                int64_t at = *indices < 0 ? *indices + l.along : *indices;
                whole[(i * l.along + at) * l.behind + j] += *part++;
            }
}

/* The sums are taken in double and rounded once. */
static cn_tensor *scatter_add(const cn_tensor *part, const cn_tensor *indices, int axis, int is_along, int ndim,
                              const int64_t *shape)
{
    cn_tensor *whole = cn_tensor_create(CN_FLOAT64, ndim, shape), *numbers = cn_astype(part, CN_FLOAT64),
              *positions = cn_astype(indices, CN_INT64), *rounded = NULL;
    if (whole && numbers && positions) {
        const void *i = positions->data, *p = numbers->data;
        void *w = whole->data;
        if (is_along) add_numbers(w, layout_of(ndim, shape, axis), indices->shape[axis], i, p);
        else add_rows(w, layout_of(ndim, shape, axis), indices->size, i, p);
        rounded = cn_astype(whole, cn__value_dtype(part));
    }
    cn_tensor_destroy(&whole);
    cn_tensor_destroy(&numbers);
    cn_tensor_destroy(&positions);
    return rounded;
}

cn_tensor *cn__scatter_add(const cn_tensor *part, const cn_tensor *indices, int axis, int is_along, int ndim,
                           const int64_t *shape)
{
    if (!part) return NULL;
    cn__recorder *paused = cn__record_pause();
    cn_tensor *whole = scatter_add(part, indices, axis, is_along, ndim, shape);
    cn__record_resume(paused);
    const cn_tensor *inputs[] = {part, indices};
    return cn__record(whole, &(cn__operation){.op = CN__OP_scatter_add, .n_inputs = 2, .inputs = inputs, .n_axes = 1,
                                              .axes = {axis}, .keepdims = is_along});
}
