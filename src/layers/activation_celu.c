#include "kernels/functions.h"
#include "layers/engine_activation.h"

/* y = max(z, 0) + alpha (e^(min(z, 0) / alpha) - 1). Its sign is that of z. */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    const real *z = z_;
    real *y = y_;
    const real alpha = (real)options->alpha;
    for (int64_t i = 0; i < rows * columns; i++) y[i] = z[i] > 0 ? z[i] : alpha * cn__expm1(z[i] / alpha);
}

static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z,
                     const void *y_, const void *dy_, void *dz_)
{
    const real *y = y_, *dy = dy_;
    real *dz = dz_;
    const real alpha = (real)options->alpha;
    (void)z;
    for (int64_t i = 0; i < rows * columns; i++) dz[i] = y[i] > 0 ? dy[i] : dy[i] * (y[i] / alpha + 1);
}

const cn__activation_math CN_T(cn__activation_celu_math) = {forward, backward};

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"alpha", CN__FIELD_REAL, offsetof(cn__activation_options, alpha)},
};

static int check(const char *owner, const cn__activation_options *options)
{
    if (options->alpha > 0 && options->alpha <= 1e30) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: alpha must be a number above 0, got %g", owner, options->alpha);
}

const cn__activation_class cn__activation_celu = {
    .name = "celu",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.alpha = 1},
    .check = check,
};
#endif
