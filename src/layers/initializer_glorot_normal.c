#include "layers/initializer.h"

/* Truncated normal, variance 2 / (fan_in + fan_out). Source: Glorot and Bengio, AISTATS 2010. */
static int fill(const cn__initializer_options *options, cn__random *random, int ndim, const int64_t *shape,
                double *values)
{
    return cn__variance_scaling(options, 1, "fan_avg", "truncated_normal", random, ndim, shape, values);
}

const cn__initializer_class cn__initializer_glorot_normal = {
    .name = "glorot_normal", .fields = cn__initializer_scaling, .n_fields = 3, .defaults = {.seed = -1}, .fill = fill};
