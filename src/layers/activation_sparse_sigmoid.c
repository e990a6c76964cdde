#include "layers/engine_activation.h"

/* y = clip((z + 1) / 2, 0, 1) */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    const real *z = z_;
    real *y = y_;
    (void)options;
    for (int64_t i = 0; i < rows * columns; i++) y[i] = z[i] <= -1 ? 0 : z[i] >= 1 ? 1 : (z[i] + 1) / 2;
}

static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z,
                     const void *y_, const void *dy_, void *dz_)
{
    const real *y = y_, *dy = dy_;
    real *dz = dz_;
    (void)options;
    (void)z;
    for (int64_t i = 0; i < rows * columns; i++) dz[i] = y[i] > 0 && y[i] < 1 ? dy[i] / 2 : 0;
}

const cn__activation_math CN_T(cn__activation_sparse_sigmoid_math) = {forward, backward};

#if CN_ONCE
const cn__activation_class cn__activation_sparse_sigmoid = {.name = "sparse_sigmoid"};
#endif
