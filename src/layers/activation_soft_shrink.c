#include "layers/engine_activation.h"

/* y is z nearer to 0 by the threshold, and 0 where |z| is at most that */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    const real *z = z_;
    real *y = y_;
    const real threshold = (real)options->threshold;
    for (int64_t i = 0; i < rows * columns; i++) {
        real beyond = (real)fabs(z[i]) - threshold;
        y[i] = beyond <= 0 ? 0 : z[i] > 0 ? beyond : -beyond;
    }
}

static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z,
                     const void *y_, const void *dy_, void *dz_)
{
    const real *y = y_, *dy = dy_;
    real *dz = dz_;
    (void)options;
    (void)z;
    for (int64_t i = 0; i < rows * columns; i++) dz[i] = y[i] != 0 ? dy[i] : 0;
}

const cn__activation_math CN_T(cn__activation_soft_shrink_math) = {forward, backward};

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"threshold", CN__FIELD_REAL, offsetof(cn__activation_options, threshold)},
};

static int check(const char *owner, const cn__activation_options *options)
{
    if (options->threshold >= 0 && options->threshold <= 1e30) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: threshold must be a number of at least 0, got %g", owner, options->threshold);
}

const cn__activation_class cn__activation_soft_shrink = {
    .name = "soft_shrink",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.threshold = 0.5},
    .check = check,
};
#endif
