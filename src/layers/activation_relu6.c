#include "layers/engine_activation.h"

/* y = min(max(z, 0), 6) */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    const real *z = z_;
    real *y = y_;
    (void)options;
    for (int64_t i = 0; i < rows * columns; i++) y[i] = z[i] <= 0 ? 0 : z[i] > 6 ? 6 : z[i];
}

static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z,
                     const void *y_, const void *dy_, void *dz_)
{
    const real *y = y_, *dy = dy_;
    real *dz = dz_;
    (void)options;
    (void)z;
    for (int64_t i = 0; i < rows * columns; i++) dz[i] = y[i] > 0 && y[i] < 6 ? dy[i] : 0;
}

const cn__activation_math CN_T(cn__activation_relu6_math) = {forward, backward};

#if CN_ONCE
const cn__activation_class cn__activation_relu6 = {.name = "relu6"};
#endif
