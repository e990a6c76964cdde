#include "layers/initializer.h"

/* U(-L, L), L = sqrt(6 / (fan_in + fan_out)). Source: Glorot and Bengio, AISTATS 2010. */
static int fill(const cn__initializer_options *options, cn__random *random, int ndim, const int64_t *shape,
                double *values)
{
    return cn__variance_scaling(options, 1, "fan_avg", "uniform", random, ndim, shape, values);
}

const cn__initializer_class cn__initializer_glorot_uniform = {
    .name = "glorot_uniform", .fields = cn__initializer_scaling, .n_fields = 3, .defaults = {.seed = -1}, .fill = fill};
