#include "layers/engine_activation.h"

/* y = (z + sqrt(z^2 + b)) / 2 */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    const real *z = z_;
    real *y = y_;
    const real b = (real)options->b;
    for (int64_t i = 0; i < rows * columns; i++) y[i] = (z[i] + SQRT(z[i] * z[i] + b)) / 2;
}

static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_,
                     const void *y, const void *dy_, void *dz_)
{
    const real *z = z_, *dy = dy_;
    real *dz = dz_;
    const real b = (real)options->b;
    (void)y;
    for (int64_t i = 0; i < rows * columns; i++) {
        real root = SQRT(z[i] * z[i] + b);
        dz[i] = dy[i] * (1 + (root > 0 ? z[i] / root : 0)) / 2;
    }
}

const cn__activation_math CN_T(cn__activation_squareplus_math) = {forward, backward};

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"b", CN__FIELD_REAL, offsetof(cn__activation_options, b)},
};

static int check(const char *owner, const cn__activation_options *options)
{
    if (options->b >= 0 && options->b <= 1e30) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: b must be a number of at least 0, got %g", owner, options->b);
}

const cn__activation_class cn__activation_squareplus = {
    .name = "squareplus",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.b = 4},
    .needs_input = 1,
    .check = check,
};
#endif
