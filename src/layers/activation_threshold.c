#include "layers/engine_activation.h"

/* y = z above the threshold, else default_value */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    const real *z = z_;
    real *y = y_;
    const real threshold = (real)options->threshold;
    const real value = (real)options->default_value;
    for (int64_t i = 0; i < rows * columns; i++) y[i] = z[i] <= threshold ? value : z[i];
}

static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_,
                     const void *y, const void *dy_, void *dz_)
{
    const real *z = z_, *dy = dy_;
    real *dz = dz_;
    const real threshold = (real)options->threshold;
    (void)y;
    for (int64_t i = 0; i < rows * columns; i++) dz[i] = z[i] > threshold ? dy[i] : 0;
}

const cn__activation_math CN_T(cn__activation_threshold_math) = {forward, backward};

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"threshold", CN__FIELD_REAL, offsetof(cn__activation_options, threshold)},
    {"default_value", CN__FIELD_REAL, offsetof(cn__activation_options, default_value)},
};

static int check(const char *owner, const cn__activation_options *options)
{
    if (fabs(options->threshold) <= 1e30 && fabs(options->default_value) <= 1e30) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: needs two numbers, such as threshold(0.1, 0): up to the first it gives the second",
                    owner);
}

const cn__activation_class cn__activation_threshold = {
    .name = "threshold",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.threshold = NAN, .default_value = NAN},
    .needs_input = 1,
    .check = check,
};
#endif
