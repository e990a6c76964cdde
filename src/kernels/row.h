/* Sums and maxima over a row, and softmax. Every sum runs over sixteen lanes: lane l adds elements l, l+16, ... in
 * ascending order; then lanes l and l+8, l and l+4, l and l+2, 0 and 1 are added. That is one instruction's width on
 * some CPUs and several on others, and the same bits on all. */
#ifndef CN_KERNELS_ROW_H
#define CN_KERNELS_ROW_H

#include "kernels/functions.h"
#include "kernels/transpose.h"

#define CN__LANES 16
_Static_assert(CN__LANES == CN__VEC, "a lane for each row of a vector");

static inline real cn__add_lanes(real lanes[CN__LANES])
{
    for (int half = CN__LANES / 2; half; half /= 2)
        for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];
    return lanes[0];
}

static inline real cn__row_sum(int64_t n, const real *x)
{
    real lanes[CN__LANES] = {0};
    int64_t i = 0;
    for (; i + CN__LANES <= n; i += CN__LANES)
        for (int l = 0; l < CN__LANES; l++) lanes[l] += x[i + l];
    for (int l = 0; i + l < n; l++) lanes[l] += x[i + l];
    return cn__add_lanes(lanes);
}

static inline real cn__row_dot(int64_t n, const real *x, const real *y)
{
    real lanes[CN__LANES] = {0};
    int64_t i = 0;
    for (; i + CN__LANES <= n; i += CN__LANES)
        for (int l = 0; l < CN__LANES; l++) lanes[l] = FMA(x[i + l], y[i + l], lanes[l]);
    for (int l = 0; i + l < n; l++) lanes[l] = FMA(x[i + l], y[i + l], lanes[l]);
    return cn__add_lanes(lanes);
}

/* NaN in, NaN out. n > 0. */
static inline real cn__row_max(int64_t n, const real *x)
{
    real best = x[0];
    for (int64_t i = 1; i < n; i++) best = x[i] <= best ? best : x[i];
    return best;
}

/* p = e^(z - max z) / sum; returns log sum e^z. p may be z. */
static inline real cn__row_softmax(int64_t n, const real *z, real *p)
{
    real top = cn__row_max(n, z);
    for (int64_t i = 0; i < n; i++) p[i] = cn__exp(z[i] - top);
    real sum = cn__row_sum(n, p);
    for (int64_t i = 0; i < n; i++) p[i] /= sum;
    return top + cn__log(sum);
}

/* The same for CN__LANES rows of n <= CN__LANES numbers side by side, x[i][r] being number i of row r: a row of ten
 * would not fill a register. */
static inline void cn__lanes_sum(int64_t n, real x[CN__LANES][CN__LANES], real sum[CN__LANES])
{
    _Alignas(64) real lanes[CN__LANES][CN__LANES] = {{0}};
    for (int64_t i = 0; i < n; i++)
        for (int r = 0; r < CN__LANES; r++) lanes[i][r] += x[i][r];
    for (int half = CN__LANES / 2; half; half /= 2)
        for (int l = 0; l < half; l++)
            for (int r = 0; r < CN__LANES; r++) lanes[l][r] += lanes[l + half][r];
    for (int r = 0; r < CN__LANES; r++) sum[r] = lanes[0][r];
}

static inline void cn__lanes_softmax(int64_t n, real z[CN__LANES][CN__LANES], real p[CN__LANES][CN__LANES],
                                     real log_sum[CN__LANES])
{
    _Alignas(64) real sum[CN__LANES], top[CN__LANES];
    for (int r = 0; r < CN__LANES; r++) top[r] = z[0][r];
    for (int64_t i = 1; i < n; i++)
        for (int r = 0; r < CN__LANES; r++) top[r] = z[i][r] <= top[r] ? top[r] : z[i][r];
    for (int64_t i = 0; i < n; i++)
        for (int r = 0; r < CN__LANES; r++) p[i][r] = cn__exp(z[i][r] - top[r]);
    cn__lanes_sum(n, p, sum);
    for (int64_t i = 0; i < n; i++)
        for (int r = 0; r < CN__LANES; r++) p[i][r] /= sum[r];
    for (int r = 0; r < CN__LANES; r++) log_sum[r] = top[r] + cn__log(sum[r]);
}

/* cn__row_softmax of several rows; log_sum: a number for each. */
static inline void cn__rows_softmax(int64_t rows, int64_t n, const real *z, real *p, real *log_sum)
{
    int64_t row = 0;
    for (; n <= CN__LANES && row + CN__LANES <= rows; row += CN__LANES) {
        _Alignas(64) real column[CN__LANES][CN__LANES];
        cn__rows_to_columns(n, z + row * n, column);
        cn__lanes_softmax(n, column, column, log_sum + row);
        cn__columns_to_rows(n, column, p + row * n);
    }
    for (; row < rows; row++) log_sum[row] = cn__row_softmax(n, z + row * n, p + row * n);
}

#endif
