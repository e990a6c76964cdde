/* y = x . kernel for a single row, walking the non-zeros of x: what a prediction for one sample needs. */
#ifndef CN_KERNELS_DENSE_ROW_H
#define CN_KERNELS_DENSE_ROW_H

#include "kernels/dense.h"

#define cn__dense_forward_row CN_T(cn__dense_forward_row)

/* d->rows is 1. Same order of sums as cn__dense_forward. */
void cn__dense_forward_row(const cn__dense *d, const real *x, real *y);

#endif
