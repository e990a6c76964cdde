/* dx = dy . kernel^T on Intel's tiles from the lasting copy of the kernel (kernels/bf16.h), which the forward product
 * wants in pairs of rows. Memory then delivers two bytes for each weight instead of four, and nothing is rounded again.
 * Computed as (kernel . dy^T)^T, so that the turning is done on dx, which is smaller. The same bits as
 * cn__amx_matmul_run gives: one chain of tile instructions for each sum, in ascending order of outputs. */
#ifndef CN_KERNELS_AMX_INPUT_GRADIENT_H
#define CN_KERNELS_AMX_INPUT_GRADIENT_H

#include "kernels/amx_matmul.h"
#include "kernels/bf16.h"
#include "kernels/dense.h"

#if CN__AMX
#define cn__amx_input_gradient CN_T(cn__amx_input_gradient)
/* The copy is fresh. */
void cn__amx_input_gradient(const cn__dense *d, const cn__bf16 *bf16, const float *dy, float *dx);
#endif

#endif
