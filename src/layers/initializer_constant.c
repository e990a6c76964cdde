#include "layers/initializer.h"

#include <stddef.h>

/* All `value`. */
static int fill(const cn__initializer_options *options, cn__random *random, int ndim, const int64_t *shape,
                double *values)
{
    int64_t count = 1;
    for (int i = 0; i < ndim; i++) count *= shape[i];
    (void)random;
    for (int64_t i = 0; i < count; i++) values[i] = options->value;
    return 0;
}

static const cn__field fields[] = {
    {"value", CN__FIELD_REAL, offsetof(cn__initializer_options, value)},
};

const cn__initializer_class cn__initializer_constant = {
    .name = "constant", .fields = fields, .n_fields = 1, .fill = fill};
