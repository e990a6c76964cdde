#include "kernels/functions.h"
#include "layers/engine_activation.h"

/* y = 1 / (1 + e^-z) */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    (void)options;
    const real *z = z_;
    real *y = y_;
    for (int64_t i = 0; i < rows * columns; i++) y[i] = 1 / (1 + cn__exp(-z[i]));
}

/* dy/dz = y (1 - y) */
static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z,
                     const void *y_, const void *dy_, void *dz_)
{
    (void)options;
    const real *y = y_, *dy = dy_;
    real *dz = dz_;
    (void)z;
    for (int64_t i = 0; i < rows * columns; i++) dz[i] = dy[i] * (y[i] * (1 - y[i]));
}

const cn__activation_math CN_T(cn__activation_sigmoid_math) = {forward, backward};

#if CN_ONCE
const cn__activation_class cn__activation_sigmoid = {.name = "sigmoid"};
#endif
