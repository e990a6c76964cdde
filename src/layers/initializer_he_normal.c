#include "layers/initializer.h"

/* Truncated normal, variance 2 / fan_in. Source: He et al., ICCV 2015. */
static int fill(const cn__initializer_options *options, cn__random *random, int ndim, const int64_t *shape,
                double *values)
{
    return cn__variance_scaling(options, 2, "fan_in", "truncated_normal", random, ndim, shape, values);
}

const cn__initializer_class cn__initializer_he_normal = {
    .name = "he_normal", .fields = cn__initializer_scaling, .n_fields = 3, .defaults = {.seed = -1}, .fill = fill};
