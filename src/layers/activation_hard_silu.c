#include "layers/engine_activation.h"

static inline real clip(real x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* y = z clip(z / 6 + 1/2, 0, 1) */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    const real *z = z_;
    real *y = y_;
    (void)options;
    for (int64_t i = 0; i < rows * columns; i++) y[i] = z[i] * clip(z[i] / 6 + REAL(0.5));
}

static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_,
                     const void *y, const void *dy_, void *dz_)
{
    const real *z = z_, *dy = dy_;
    real *dz = dz_;
    (void)options;
    (void)y;
    for (int64_t i = 0; i < rows * columns; i++) {
        real slope = z[i] >= 3 ? 1 : (2 * z[i] + 3) / 6;
        dz[i] = z[i] <= -3 ? 0 : dy[i] * slope;
    }
}

const cn__activation_math CN_T(cn__activation_hard_silu_math) = {forward, backward};

#if CN_ONCE
const cn__activation_class cn__activation_hard_silu = {.name = "hard_silu", .alias = "hard_swish", .needs_input = 1};
#endif
