#include "kernels/functions.h"
#include "layers/engine_activation.h"

#define SCALE ((real)1.0507009873554805)
#define ALPHA ((real)1.6732632423543772)

/* y = scale z above 0, else scale alpha (e^z - 1): the constants keep mean 0 and variance 1 (Klambauer et al. 2017) */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    const real *z = z_;
    real *y = y_;
    (void)options;
    for (int64_t i = 0; i < rows * columns; i++) y[i] = z[i] > 0 ? SCALE * z[i] : SCALE * ALPHA * cn__expm1(z[i]);
}

static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z,
                     const void *y_, const void *dy_, void *dz_)
{
    const real *y = y_, *dy = dy_;
    real *dz = dz_;
    (void)options;
    (void)z;
    for (int64_t i = 0; i < rows * columns; i++) dz[i] = y[i] > 0 ? dy[i] * SCALE : dy[i] * (y[i] + SCALE * ALPHA);
}

const cn__activation_math CN_T(cn__activation_selu_math) = {forward, backward};

#if CN_ONCE
const cn__activation_class cn__activation_selu = {.name = "selu"};
#endif
