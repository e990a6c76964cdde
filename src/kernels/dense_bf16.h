/* The three products of a dense layer (kernels/dense.h) with operands rounded to bfloat16 and sums in float32, as
 * Keras's policy mixed_bfloat16 has them. Variables, gradients and results stay float32. */
#ifndef CN_KERNELS_DENSE_BF16_H
#define CN_KERNELS_DENSE_BF16_H

#include "kernels/bf16.h"
#include "kernels/dense.h"

#define cn__dense_forward_bf16 CN_T(cn__dense_forward_bf16)
#define cn__dense_backward_input_bf16 CN_T(cn__dense_backward_input_bf16)
#define cn__dense_backward_kernel_bf16 CN_T(cn__dense_backward_kernel_bf16)

void cn__dense_forward_bf16(const cn__dense *d, const cn__bf16 *bf16, const real *x, real *y);
void cn__dense_backward_input_bf16(const cn__dense *d, const cn__bf16 *bf16, const real *dy, real *dx);
void cn__dense_backward_kernel_bf16(const cn__dense *d, const cn__bf16 *bf16, const real *x, const real *dy,
                                    const cn__sink *sink);

#endif
