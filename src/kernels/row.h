/* Sums and maxima over a row, and softmax. Every sum runs over sixteen lanes: lane l adds elements l, l+16, ... in
 * ascending order; then lanes l and l+8, l and l+4, l and l+2, 0 and 1 are added. That is one instruction's width on
 * some CPUs and several on others, and the same bits on all. */
#ifndef CN_KERNELS_ROW_H
#define CN_KERNELS_ROW_H

#include "kernels/functions.h"

#define CN__LANES 16

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

/* The same for CN__LANES rows of at most CN__LANES numbers side by side: a row of ten would not fill a register. */
static inline void cn__rows_softmax(int64_t n, const real *z, real *p)
{
    real e[CN__LANES][CN__LANES], sum[CN__LANES][CN__LANES] = {{0}}, top[CN__LANES];
    for (int64_t i = 0; i < n; i++)
        for (int r = 0; r < CN__LANES; r++) e[i][r] = z[r * n + i];
    for (int r = 0; r < CN__LANES; r++) top[r] = e[0][r];
    for (int64_t i = 1; i < n; i++)
        for (int r = 0; r < CN__LANES; r++) top[r] = e[i][r] <= top[r] ? top[r] : e[i][r];
    for (int64_t i = 0; i < n; i++)
        for (int r = 0; r < CN__LANES; r++) sum[i][r] = e[i][r] = cn__exp(e[i][r] - top[r]);
    for (int half = CN__LANES / 2; half; half /= 2)
        for (int l = 0; l < half; l++)
            for (int r = 0; r < CN__LANES; r++) sum[l][r] += sum[l + half][r];
    for (int64_t i = 0; i < n; i++)
        for (int r = 0; r < CN__LANES; r++) p[r * n + i] = e[i][r] / sum[0][r];
}

#endif
