/* The three products of a dense layer (kernels/dense.h) with operands rounded to bfloat16 and sums in float32, as
 * Keras's policy mixed_bfloat16 has them. Variables, gradients and results stay float32. */
#ifndef CN_KERNELS_DENSE_BF16_H
#define CN_KERNELS_DENSE_BF16_H

#include "kernels/bf16.h"
#include "kernels/dense.h"

#define cn__dense_forward_bf16 CN_T(cn__dense_forward_bf16)
#define cn__dense_forward_bf16_bytes CN_T(cn__dense_forward_bf16_bytes)
#define cn__dense_backward_input_bf16 CN_T(cn__dense_backward_input_bf16)
#define cn__dense_backward_kernel_bf16 CN_T(cn__dense_backward_kernel_bf16)
#define cn__dense_backward_bias_bf16 CN_T(cn__dense_backward_bias_bf16)
#define cn__dense_backward_kernel_bf16_bytes CN_T(cn__dense_backward_kernel_bf16_bytes)

void cn__dense_forward_bf16(const cn__dense *d, const cn__bf16 *bf16, const real *x, real *y);
void cn__dense_backward_input_bf16(const cn__dense *d, const cn__bf16 *bf16, const real *dy, real *dx);
void cn__dense_backward_kernel_bf16(const cn__dense *d, const cn__bf16 *bf16, const real *x, const real *dy,
                                    const cn__sink *sink);
/* Sums in float32, of numbers that are rounded only if they stand in tiles. */
void cn__dense_backward_bias_bf16(const cn__dense *d, const cn__bf16 *bf16, const real *dy, const cn__sink *sink);

/* The two products with inputs that are bytes; on tiles (cn__gather_math.halves):
 *   y[b][o] = fma(sum_i code[b][i] bf16(kernel[i][o]), scale, bias[o]), then the rest of `finish`
 *   g[i][o] = sum_b code[b][i] bf16(dy[b][o] scale)
 * Codes are exact in bfloat16, so an input such as code / 255 is not rounded at all, where Keras rounds it. Elsewhere
 * over lists: exact sums of short whole numbers (kernels/exact.h), and of very few non-zeros as in float32. */
void cn__dense_forward_bf16_bytes(const cn__dense *d, const cn__bf16 *bf16, const cn__batch *x,
                                  const cn__finish *finish, real *y);
void cn__dense_backward_kernel_bf16_bytes(const cn__dense *d, const cn__bf16 *bf16, const cn__batch *x, const real *dy,
                                          const cn__sink *sink);

#endif
