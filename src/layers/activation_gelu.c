#include "kernels/functions.h"
#include "layers/engine_activation.h"

#define ROOT_HALF ((real)0.70710678118654752)      /* sqrt(1/2) */
#define DENSITY_AT_0 ((real)0.39894228040143268)   /* 1 / sqrt(2 pi) */
#define SLOPE ((real)0.79788456080286536)          /* sqrt(2 / pi) */
#define CUBIC ((real)0.044715)

/* y = z P(z), P the distribution function of the normal distribution, (1 + erf(z / sqrt 2)) / 2; approximately
 * (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3))) / 2 (Hendrycks and Gimpel 2016). */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    const real *z = z_;
    real *y = y_;
    if (options->approximate)
        for (int64_t i = 0; i < rows * columns; i++)
            y[i] = REAL(0.5) * z[i] * (1 + cn__tanh(SLOPE * (z[i] + CUBIC * (z[i] * z[i] * z[i]))));
    else
        for (int64_t i = 0; i < rows * columns; i++) y[i] = REAL(0.5) * z[i] * (1 + cn__erf(z[i] * ROOT_HALF));
}

/* dy/dz = P(z) + z P'(z) */
static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_,
                     const void *y, const void *dy_, void *dz_)
{
    const real *z = z_, *dy = dy_;
    real *dz = dz_;
    (void)y;
    for (int64_t i = 0; i < rows * columns; i++) {
        real square = z[i] * z[i];
        if (options->approximate) {
            real t = cn__tanh(SLOPE * (z[i] + CUBIC * (square * z[i])));
            real inner = SLOPE * (1 + 3 * CUBIC * square);
            dz[i] = dy[i] * (REAL(0.5) * (1 + t) + REAL(0.5) * z[i] * (1 - t * t) * inner);
        } else {
            real density = DENSITY_AT_0 * cn__exp(REAL(-0.5) * square);
            dz[i] = dy[i] * (REAL(0.5) * (1 + cn__erf(z[i] * ROOT_HALF)) + z[i] * density);
        }
    }
}

const cn__activation_math CN_T(cn__activation_gelu_math) = {forward, backward};

#if CN_ONCE
static const cn__field fields[] = {
    {"approximate", CN__FIELD_INT, offsetof(cn__activation_options, approximate)},
};

const cn__activation_class cn__activation_gelu = {
    .name = "gelu",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .needs_input = 1,
};
#endif
