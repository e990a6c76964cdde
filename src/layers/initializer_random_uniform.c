#include "layers/initializer.h"

#include "base/error.h"

#include <stddef.h>

/* Uniform in [minval, maxval). */
static int fill(const cn__initializer_options *options, cn__random *random, int ndim, const int64_t *shape,
                double *values)
{
    int64_t count = 1;
    if (!(options->minval <= options->maxval))
        return cn__fail(CN_EINVAL, "random_uniform: minval must not be above maxval, got %g and %g", options->minval,
                        options->maxval);
    for (int i = 0; i < ndim; i++) count *= shape[i];
    for (int64_t i = 0; i < count; i++)
        values[i] = options->minval + (options->maxval - options->minval) * cn__random_uniform(random);
    return 0;
}

static const cn__field fields[] = {
    {"minval", CN__FIELD_REAL, offsetof(cn__initializer_options, minval)},
    {"maxval", CN__FIELD_REAL, offsetof(cn__initializer_options, maxval)},
    {"seed", CN__FIELD_INT64, offsetof(cn__initializer_options, seed)},
};

const cn__initializer_class cn__initializer_random_uniform = {
    .name = "random_uniform", .alias = "uniform", .fields = fields, .n_fields = 3,
    .defaults = {.seed = -1, .minval = -0.05, .maxval = 0.05}, .fill = fill};
