#include "layers/engine_activation.h"

/* y = z above 0, else negative_slope z */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    const real *z = z_;
    real *y = y_;
    const real slope = (real)options->negative_slope;
    for (int64_t i = 0; i < rows * columns; i++) y[i] = z[i] > 0 ? z[i] : slope * z[i];
}

static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_,
                     const void *y, const void *dy_, void *dz_)
{
    const real *z = z_, *dy = dy_;
    real *dz = dz_;
    const real slope = (real)options->negative_slope;
    (void)y;
    for (int64_t i = 0; i < rows * columns; i++) dz[i] = z[i] > 0 ? dy[i] : slope * dy[i];
}

const cn__activation_math CN_T(cn__activation_leaky_relu_math) = {forward, backward};

#if CN_ONCE
static const cn__field fields[] = {
    {"negative_slope", CN__FIELD_REAL, offsetof(cn__activation_options, negative_slope)},
};

const cn__activation_class cn__activation_leaky_relu = {
    .name = "leaky_relu",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.negative_slope = 0.2},
    .needs_input = 1,
};
#endif
