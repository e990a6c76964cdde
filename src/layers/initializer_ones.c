#include "layers/initializer.h"

#include <stddef.h>

/* All 1. */
static int fill(const cn__initializer_options *options, cn__random *random, int ndim, const int64_t *shape,
                double *values)
{
    int64_t count = 1;
    for (int i = 0; i < ndim; i++) count *= shape[i];
    (void)options;
    (void)random;
    for (int64_t i = 0; i < count; i++) values[i] = 1;
    return 0;
}

const cn__initializer_class cn__initializer_ones = {
    .name = "ones", .alias = "one", .fill = fill};
