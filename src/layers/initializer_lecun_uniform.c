#include "layers/initializer.h"

/* U(-L, L), L = sqrt(3 / fan_in). Source: LeCun et al., Efficient BackProp, 1998. */
static int fill(const cn__initializer_options *options, cn__random *random, int ndim, const int64_t *shape,
                double *values)
{
    return cn__variance_scaling(options, 1, "fan_in", "uniform", random, ndim, shape, values);
}

const cn__initializer_class cn__initializer_lecun_uniform = {
    .name = "lecun_uniform", .fields = cn__initializer_scaling, .n_fields = 3, .defaults = {.seed = -1}, .fill = fill};
