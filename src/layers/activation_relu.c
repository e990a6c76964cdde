#include "layers/engine_activation.h"

/* y = max(z, 0). NaN stays NaN; -0 becomes 0, so that a skipped zero and a computed one are the same bits. */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    (void)options;
    const real *z = z_;
    real *y = y_;
    for (int64_t i = 0; i < rows * columns; i++) y[i] = z[i] <= 0 ? 0 : z[i];
}

static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z,
                     const void *y_, const void *dy_, void *dz_)
{
    (void)options;
    const real *y = y_, *dy = dy_;
    real *dz = dz_;
    (void)z;
    for (int64_t i = 0; i < rows * columns; i++) dz[i] = y[i] > 0 ? dy[i] : 0;
}

const cn__activation_math CN_T(cn__activation_relu_math) = {forward, backward};

#if CN_ONCE
const cn__activation_class cn__activation_relu = {.name = "relu"};
#endif
