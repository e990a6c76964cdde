#include "layers/initializer.h"

#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"

#include <math.h>

/* Vector i against all before it, twice (once is not enough in floating point), then to length 1. */
static void orthonormalize(double *q, int64_t i, int64_t length)
{
    double *v = q + i * length, norm = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t j = 0; j < i; j++) {
            const double *u = q + j * length;
            double dot = 0;
            for (int64_t k = 0; k < length; k++) dot += u[k] * v[k];
            for (int64_t k = 0; k < length; k++) v[k] -= dot * u[k];
        }
    }
    for (int64_t k = 0; k < length; k++) norm += v[k] * v[k];
    norm = sqrt(norm);
    for (int64_t k = 0; k < length; k++) v[k] /= norm;
}

/* A random orthogonal matrix times gain: rows = product of all axes but the last. Gram and Schmidt on normal vectors
 * gives Q of the QR decomposition with a positive diagonal of R, which is what Keras's sign correction makes. */
static int fill(const cn__initializer_options *options, cn__random *random, int ndim, const int64_t *shape,
                double *values)
{
    if (ndim < 2) return cn__fail(CN_EINVAL, "orthogonal: needs weights with at least two axes, this one has %d", ndim);
    int64_t rows = 1, columns = shape[ndim - 1];
    for (int i = 0; i < ndim - 1; i++) rows *= shape[i];
    /* Vectors of the longer side are made orthonormal; there are as many as the shorter side is long. */
    int64_t length = rows > columns ? rows : columns, count = rows > columns ? columns : rows;
    double *q = cn__alloc((size_t)(length * count), sizeof *q, "an orthogonal matrix");
    if (!q) return CN_ENOMEM;
    for (int64_t i = 0; i < length * count; i++) q[i] = cn__random_normal(random);
    for (int64_t i = 0; i < count; i++) orthonormalize(q, i, length);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++)
            values[r * columns + c] = options->gain * (rows > columns ? q[c * length + r] : q[r * length + c]);
    cn__free(q);
    return 0;
}

static const cn__field fields[] = {
    {"gain", CN__FIELD_REAL, offsetof(cn__initializer_options, gain)},
    {"seed", CN__FIELD_INT64, offsetof(cn__initializer_options, seed)},
};

const cn__initializer_class cn__initializer_orthogonal = {
    .name = "orthogonal", .fields = fields, .n_fields = 2, .defaults = {.seed = -1, .gain = 1}, .fill = fill};
