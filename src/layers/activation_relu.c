#include "layers/engine_activation.h"

/* y = max_value from there on, z above threshold, negative_slope (z - threshold) below.
 * Plain: y = max(z, 0). NaN stays NaN; -0 becomes 0, so that a skipped zero and a computed one are the same bits. */
static void bounded(const cn__activation_options *options, int64_t n, const real *z, real *y)
{
    const real slope = (real)options->negative_slope, most = (real)options->max_value,
               threshold = (real)options->threshold;
    for (int64_t i = 0; i < n; i++) y[i] = z[i] >= most ? most : z[i] <= threshold ? slope * (z[i] - threshold) : z[i];
}

static int is_plain(const cn__activation_options *options)
{
    return options->negative_slope == 0 && options->threshold == 0 && options->max_value == (double)INFINITY;
}

static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    const real *z = z_;
    real *y = y_;
    if (!is_plain(options)) {
        bounded(options, rows * columns, z, y);
        return;
    }
    for (int64_t i = 0; i < rows * columns; i++) y[i] = z[i] <= 0 ? 0 : z[i];
}

static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_,
                     const void *y_, const void *dy_, void *dz_)
{
    const real *z = z_, *y = y_, *dy = dy_;
    const real slope = (real)options->negative_slope, most = (real)options->max_value,
               threshold = (real)options->threshold;
    real *dz = dz_;
    if (!is_plain(options)) {
        for (int64_t i = 0; i < rows * columns; i++)
            dz[i] = z[i] >= most ? 0 : z[i] <= threshold ? slope * dy[i] : dy[i];
        return;
    }
    for (int64_t i = 0; i < rows * columns; i++) {
        const real g = dy[i]; /* loaded in any case, or clang makes no vectors of it */
        dz[i] = y[i] > 0 ? g : 0;
    }
}

const cn__activation_math CN_T(cn__activation_relu_math) = {forward, backward};

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"negative_slope", CN__FIELD_REAL, offsetof(cn__activation_options, negative_slope)},
    {"max_value", CN__FIELD_REAL, offsetof(cn__activation_options, max_value)},
    {"threshold", CN__FIELD_REAL, offsetof(cn__activation_options, threshold)},
};

/* As the layer ReLU of Keras checks them. */
static int check(const char *owner, const cn__activation_options *options)
{
    if (!(options->negative_slope >= 0 && options->negative_slope <= 1e30))
        return cn__fail(CN_EINVAL, "%s: negative_slope must be a number of at least 0, got %g", owner,
                        options->negative_slope);
    if (!(options->threshold >= 0 && options->threshold <= 1e30))
        return cn__fail(CN_EINVAL, "%s: threshold must be a number of at least 0, got %g", owner, options->threshold);
    if (!(options->max_value >= 0))
        return cn__fail(CN_EINVAL, "%s: max_value must be at least 0, got %g; leave it out for no bound", owner,
                        options->max_value);
    return CN_OK;
}

const cn__activation_class cn__activation_relu = {
    .name = "relu",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.max_value = INFINITY},
    .arguments_need_input = 1,
    .check = check,
};
#endif
