#include "layers/initializer.h"

#include <stddef.h>

#include "base/error.h"

/* gain on the diagonal, 0 elsewhere. */
static int fill(const cn__initializer_options *options, cn__random *random, int ndim, const int64_t *shape,
                double *values)
{
    (void)random;
    if (ndim != 2) return cn__fail(CN_EINVAL, "identity: fits weights with two axes, this one has %d", ndim);
    for (int64_t r = 0; r < shape[0]; r++)
        for (int64_t c = 0; c < shape[1]; c++) values[r * shape[1] + c] = r == c ? options->gain : 0;
    return 0;
}

static const cn__field fields[] = {
    {"gain", CN__FIELD_REAL, offsetof(cn__initializer_options, gain)},
};

const cn__initializer_class cn__initializer_identity = {
    .name = "identity", .fields = fields, .n_fields = 1, .defaults = {.gain = 1}, .fill = fill};
