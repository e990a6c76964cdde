#include "kernels/row.h"
#include "layers/engine_activation.h"

static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    (void)options;
    const real *z = z_;
    real *y = y_, log_sum[CN__LANES];
    for (int64_t r = 0, n; r < rows; r += n) {
        n = rows - r < CN__LANES ? rows - r : CN__LANES;
        cn__rows_softmax(n, columns, z + r * columns, y + r * columns, log_sum);
    }
}

/* dz_i = y_i (dy_i - sum_j dy_j y_j) */
static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z,
                     const void *y_, const void *dy_, void *dz_)
{
    (void)options;
    (void)z;
    for (int64_t r = 0; r < rows; r++) {
        const real *y = (const real *)y_ + r * columns, *dy = (const real *)dy_ + r * columns;
        real *dz = (real *)dz_ + r * columns, dot = cn__row_dot(columns, y, dy);
        for (int64_t i = 0; i < columns; i++) dz[i] = y[i] * (dy[i] - dot);
    }
}

const cn__activation_math CN_T(cn__activation_softmax_math) = {forward, backward};

#if CN_ONCE
const cn__activation_class cn__activation_softmax = {
    .name = "softmax",
    .fields = cn__activation_axis,
    .n_fields = 1,
    .defaults = {.axis = -1},
    .by_row = 1,
    .check = cn__activation_check_axis,
};
#endif
