#include "kernels/row.h"
#include "layers/engine_activation.h"

/* y = max(z - tau, 0) with tau such that each row sums to 1 (Martins and Astudillo 2016): the point of the simplex that
 * is nearest to z. tau is found by dropping what lies below the mean surplus until nothing does (Michelot 1986), which
 * ends after at most `columns` rounds; each round adds in ascending order. Keras 3.15 takes another tau where more than
 * one number survives, and its rows then do not sum to 1. */
static void forward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z_, void *y_)
{
    (void)options;
    for (int64_t r = 0; r < rows; r++) {
        const real *z = (const real *)z_ + r * columns;
        real *y = (real *)y_ + r * columns, top = cn__row_max(columns, z);
        real tau = -(real)INFINITY;
        for (int64_t kept = columns + 1;;) {
            real sum = 0;
            int64_t n = 0;
            for (int64_t i = 0; i < columns; i++) {
                if (!(z[i] - top > tau)) continue;
                sum += z[i] - top;
                n++;
            }
            if (n == kept || n == 0) break;
            kept = n;
            tau = (sum - 1) / (real)n;
        }
        tau = top == top ? tau : (real)NAN;
        for (int64_t i = 0; i < columns; i++) {
            real above = z[i] - top - tau;
            y[i] = above <= 0 ? 0 : above;
        }
    }
}

/* dz_i = dy_i - mean of dy where y > 0, and 0 elsewhere */
static void backward(const cn__activation_options *options, int64_t rows, int64_t columns, const void *z,
                     const void *y_, const void *dy_, void *dz_)
{
    (void)options;
    (void)z;
    for (int64_t r = 0; r < rows; r++) {
        const real *y = (const real *)y_ + r * columns, *dy = (const real *)dy_ + r * columns;
        real *dz = (real *)dz_ + r * columns, sum = 0;
        int64_t n = 0;
        for (int64_t i = 0; i < columns; i++) {
            if (!(y[i] > 0)) continue;
            sum += dy[i];
            n++;
        }
        real mean = n ? sum / (real)n : 0;
        for (int64_t i = 0; i < columns; i++) dz[i] = y[i] > 0 ? dy[i] - mean : 0;
    }
}

const cn__activation_math CN_T(cn__activation_sparsemax_math) = {forward, backward};

#if CN_ONCE
const cn__activation_class cn__activation_sparsemax = {
    .name = "sparsemax",
    .fields = cn__activation_axis,
    .n_fields = 1,
    .defaults = {.axis = -1},
    .by_row = 1,
    .check = cn__activation_check_axis,
};
#endif
