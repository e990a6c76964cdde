#include "layers/engine_activation.h"

/* y = 0 up to -1, (z + 1)^2 / 4 up to 1, then z */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    const real *z = z_;
    real *y = y_;
    (void)options;
    for (int64_t i = 0; i < rows * columns; i++) y[i] = z[i] <= -1 ? 0 : z[i] >= 1 ? z[i] : (z[i] + 1) * (z[i] + 1) / 4;
}

static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_,
                     const void *y, const void *dy_, void *dz_)
{
    const real *z = z_, *dy = dy_;
    real *dz = dz_;
    (void)options;
    (void)y;
    for (int64_t i = 0; i < rows * columns; i++) dz[i] = z[i] <= -1 ? 0 : z[i] >= 1 ? dy[i] : dy[i] * (z[i] + 1) / 2;
}

const cn__activation_math CN_T(cn__activation_sparse_plus_math) = {forward, backward};

#if CN_ONCE
const cn__activation_class cn__activation_sparse_plus = {.name = "sparse_plus", .needs_input = 1};
#endif
