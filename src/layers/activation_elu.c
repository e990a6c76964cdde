#include "kernels/functions.h"
#include "layers/engine_activation.h"

/* y = z above 0, else alpha (e^z - 1) */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    const real *z = z_;
    real *y = y_;
    const real alpha = (real)options->alpha;
    for (int64_t i = 0; i < rows * columns; i++) y[i] = z[i] > 0 ? z[i] : alpha * cn__expm1(z[i]);
}

static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_,
                     const void *y_, const void *dy_, void *dz_)
{
    const real *z = z_, *y = y_, *dy = dy_;
    real *dz = dz_;
    const real alpha = (real)options->alpha;
    for (int64_t i = 0; i < rows * columns; i++) dz[i] = z[i] > 0 ? dy[i] : dy[i] * (y[i] + alpha);
}

const cn__activation_math CN_T(cn__activation_elu_math) = {forward, backward};

#if CN_ONCE
static const cn__field fields[] = {
    {"alpha", CN__FIELD_REAL, offsetof(cn__activation_options, alpha)},
};

const cn__activation_class cn__activation_elu = {
    .name = "elu",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.alpha = 1},
    .needs_input = 1,
};
#endif
