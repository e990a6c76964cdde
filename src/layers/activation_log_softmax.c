#include "kernels/row.h"
#include "layers/engine_activation.h"

/* y = z - max z - log sum e^(z - max z); the sum as softmax takes it (kernels/row.h) */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    (void)options;
    for (int64_t r = 0; r < rows; r++) {
        const real *z = (const real *)z_ + r * columns;
        real *y = (real *)y_ + r * columns, top = cn__row_max(columns, z), lanes[CN__LANES] = {0};
        for (int64_t i = 0; i < columns; i++) lanes[i % CN__LANES] += cn__exp(z[i] - top);
        real log_sum = cn__log(cn__add_lanes(lanes));
        for (int64_t i = 0; i < columns; i++) y[i] = z[i] - top - log_sum;
    }
}

/* dz_i = dy_i - e^(y_i) sum_j dy_j */
static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z,
                     const void *y_, const void *dy_, void *dz_)
{
    (void)options;
    (void)z;
    for (int64_t r = 0; r < rows; r++) {
        const real *y = (const real *)y_ + r * columns, *dy = (const real *)dy_ + r * columns;
        real *dz = (real *)dz_ + r * columns, sum = cn__row_sum(columns, dy);
        for (int64_t i = 0; i < columns; i++) dz[i] = dy[i] - cn__exp(y[i]) * sum;
    }
}

const cn__activation_math CN_T(cn__activation_log_softmax_math) = {forward, backward};

#if CN_ONCE
const cn__activation_class cn__activation_log_softmax = {
    .name = "log_softmax",
    .fields = cn__activation_axis,
    .n_fields = 1,
    .defaults = {.axis = -1},
    .by_row = 1,
    .check = cn__activation_check_axis,
};
#endif
