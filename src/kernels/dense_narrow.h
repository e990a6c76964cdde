/* Products of a dense layer of at most CN__VEC outputs, whose kernel's rows are padded to whole vectors. One vector
 * holds a row of y, so the kernel is read where it lies, and for the gradient of the input sixteen rows of it are
 * turned at a time: copies in blocks (kernels/matmul.h) would take longer than the products. Same order of sums
 * (kernels/dense.h). */
#ifndef CN_KERNELS_DENSE_NARROW_H
#define CN_KERNELS_DENSE_NARROW_H

#include "kernels/dense.h"

#define cn__dense_is_narrow CN_T(cn__dense_is_narrow)
#define cn__dense_narrow_parts CN_T(cn__dense_narrow_parts)
#define cn__dense_narrow_forward CN_T(cn__dense_narrow_forward)
#define cn__dense_narrow_backward_input CN_T(cn__dense_narrow_backward_input)

/* 1 if the two products can be used. */
int cn__dense_is_narrow(const cn__dense *d);

/* How many pieces the team gets of each; 1 when it is not worth waking. */
void cn__dense_narrow_parts(const cn__dense *d, int64_t *forward, int64_t *backward_input);

void cn__dense_narrow_forward(const cn__dense *d, const real *x, real *y);
void cn__dense_narrow_backward_input(const cn__dense *d, const real *dy, real *dx);

#endif
