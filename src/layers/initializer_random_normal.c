#include "layers/initializer.h"

#include <stddef.h>

/* Normal. */
static int fill(const cn__initializer_options *options, cn__random *random, int ndim, const int64_t *shape,
                double *values)
{
    int64_t count = 1;
    for (int i = 0; i < ndim; i++) count *= shape[i];
    for (int64_t i = 0; i < count; i++) values[i] = options->mean + options->stddev * cn__random_normal(random);
    return 0;
}

static const cn__field fields[] = {
    {"mean", CN__FIELD_REAL, offsetof(cn__initializer_options, mean)},
    {"stddev", CN__FIELD_REAL, offsetof(cn__initializer_options, stddev)},
    {"seed", CN__FIELD_INT64, offsetof(cn__initializer_options, seed)},
};

const cn__initializer_class cn__initializer_random_normal = {
    .name = "random_normal", .alias = "normal", .fields = fields, .n_fields = 3,
    .defaults = {.seed = -1, .stddev = 0.05}, .fill = fill};
