/* The two products of a dense layer with a batch of very few non-zeros (`used` in kernels/batch.h). Same definition as
 * all sums over bytes: kernels/exact.h. Only in float32 engines. */
#ifndef CN_KERNELS_DENSE_SPARSE_H
#define CN_KERNELS_DENSE_SPARSE_H

#include "kernels/dense.h"

#define cn__dense_sparse_forward CN_T(cn__dense_sparse_forward)
#define cn__dense_sparse_backward_kernel CN_T(cn__dense_sparse_backward_kernel)
void cn__dense_sparse_forward(const cn__dense *d, const cn__batch *x, const cn__finish *finish, real *y);
void cn__dense_sparse_backward_kernel(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink);

#endif
