#include "layers/initializer.h"

#include <stddef.h>

/* Uniform in [minval, maxval). */
static int fill(const cn__initializer_options *options, cn__random *random, int ndim, const int64_t *shape,
                double *values)
{
    int64_t count = 1;
    for (int i = 0; i < ndim; i++) count *= shape[i];
    for (int64_t i = 0; i < count; i++)
        values[i] = options->minval + (options->maxval - options->minval) * cn__random_uniform(random);
    return 0;
}

static const cn__field fields[] = {
    {"minval", CN__FIELD_REAL, offsetof(cn__initializer_options, minval)},
    {"maxval", CN__FIELD_REAL, offsetof(cn__initializer_options, maxval)},
};

const cn__initializer_class cn__initializer_random_uniform = {
    .name = "random_uniform", .alias = "uniform", .fields = fields, .n_fields = 2, .defaults = {.minval = -0.05, .maxval = 0.05}, .fill = fill};
