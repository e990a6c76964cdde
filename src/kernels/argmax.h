/* Index of the largest entry of a row; the first one on ties. */
#ifndef CN_KERNELS_ARGMAX_H
#define CN_KERNELS_ARGMAX_H

#include "kernels/real.h"

static inline int64_t cn__row_argmax(int64_t n, const real *x)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (x[i] > x[best]) best = i;
    return best;
}

#endif
