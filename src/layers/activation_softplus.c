#include "kernels/functions.h"
#include "layers/engine_activation.h"

/* y = log(1 + e^z), without overflow */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    const real *z = z_;
    real *y = y_;
    (void)options;
    for (int64_t i = 0; i < rows * columns; i++) y[i] = (z[i] <= 0 ? 0 : z[i]) + cn__log1p(cn__exp(-(real)fabs(z[i])));
}

static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_,
                     const void *y, const void *dy_, void *dz_)
{
    const real *z = z_, *dy = dy_;
    real *dz = dz_;
    (void)options;
    (void)y;
    for (int64_t i = 0; i < rows * columns; i++) dz[i] = dy[i] * cn__sigmoid(z[i]);
}

const cn__activation_math CN_T(cn__activation_softplus_math) = {forward, backward};

#if CN_ONCE
const cn__activation_class cn__activation_softplus = {.name = "softplus", .needs_input = 1};
#endif
