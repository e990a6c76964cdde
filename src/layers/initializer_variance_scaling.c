#include "layers/initializer.h"

#include "base/error.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

void cn__fans(int ndim, const int64_t *shape, double *fan_in, double *fan_out)
{
    double receptive_field = 1;
    for (int i = 0; i < ndim - 2; i++) receptive_field *= (double)shape[i];
    if (ndim == 0) {
        *fan_in = *fan_out = 1;
    } else if (ndim == 1) {
        *fan_in = *fan_out = (double)shape[0];
    } else {
        *fan_in = (double)shape[ndim - 2] * receptive_field;
        *fan_out = (double)shape[ndim - 1] * receptive_field;
    }
}

static double truncated(cn__random *random)
{
    double x;
    do x = cn__random_normal(random);
    while (x < -2 || x > 2);
    return x;
}

int cn__variance_scaling(double scale, const char *mode, const char *distribution, cn__random *random, int ndim,
                         const int64_t *shape, double *values)
{
    double fan_in, fan_out, n;
    cn__fans(ndim, shape, &fan_in, &fan_out);
    if (!strcmp(mode, "fan_in")) n = fan_in;
    else if (!strcmp(mode, "fan_out")) n = fan_out;
    else if (!strcmp(mode, "fan_avg")) n = (fan_in + fan_out) / 2;
    else return cn__fail(CN_EINVAL, "variance_scaling: mode is fan_in, fan_out or fan_avg, got \"%.32s\"", mode);
    if (!(scale > 0)) return cn__fail(CN_EINVAL, "variance_scaling: scale must be positive, got %g", scale);
    double variance = scale / (n > 1 ? n : 1);
    int64_t count = 1;
    for (int i = 0; i < ndim; i++) count *= shape[i];
    if (!strcmp(distribution, "uniform")) {
        double limit = sqrt(3 * variance);
        for (int64_t i = 0; i < count; i++) values[i] = (2 * cn__random_uniform(random) - 1) * limit;
    } else if (!strcmp(distribution, "truncated_normal")) {
        /* A normal cut at two standard deviations has this standard deviation left. */
        double deviation = sqrt(variance) / 0.87962566103423978;
        for (int64_t i = 0; i < count; i++) values[i] = deviation * truncated(random);
    } else if (!strcmp(distribution, "untruncated_normal")) {
        for (int64_t i = 0; i < count; i++) values[i] = sqrt(variance) * cn__random_normal(random);
    } else {
        return cn__fail(CN_EINVAL,
                        "variance_scaling: distribution is uniform, truncated_normal or untruncated_normal, got "
                        "\"%.32s\"", distribution);
    }
    return CN_OK;
}

static int fill(const cn__initializer_options *options, cn__random *random, int ndim, const int64_t *shape,
                double *values)
{
    return cn__variance_scaling(options->scale, options->mode, options->distribution, random, ndim, shape, values);
}

static const cn__field fields[] = {
    {"scale", CN__FIELD_REAL, offsetof(cn__initializer_options, scale)},
    {"mode", CN__FIELD_TEXT, offsetof(cn__initializer_options, mode)},
    {"distribution", CN__FIELD_TEXT, offsetof(cn__initializer_options, distribution)},
    {"seed", CN__FIELD_INT64, offsetof(cn__initializer_options, seed)},
};

const cn__initializer_class cn__initializer_variance_scaling = {
    .name = "variance_scaling",
    .fields = fields,
    .n_fields = 4,
    .defaults = {.seed = -1, .scale = 1, .mode = "fan_in", .distribution = "truncated_normal"},
    .fill = fill,
};
