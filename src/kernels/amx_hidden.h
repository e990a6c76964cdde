/* mixed_bfloat16 on tiles: the numbers of a hidden layer with relu, which reads bytes, before a last one of few
 * outputs. They need not become float32 rows on their way, as all that reads them rounds them anyway.
 *
 *   outputs    left tiles (kernels/amx_pack.h) of 16 samples x 32 units: tile (sample / 16, unit / 32) of units / 32 a
 *              row
 *   gradients  right tiles of 32 samples, in pairs, x 16 units: tile (sample / 32, unit / 16) of units / 16 a row;
 *              relu's derivative has been applied
 *
 * The units are a multiple of 32. Samples count up to one, too: behind the batch there are zeros. So both take two
 * bytes a number, and those of the samples from r on, if r is a multiple of 32, begin at number r * units.
 *
 * Here are the products of the last layer, and the gradient of the hidden layer's bias. */
#ifndef CN_KERNELS_AMX_HIDDEN_H
#define CN_KERNELS_AMX_HIDDEN_H

#include "kernels/amx_matmul.h"
#include "kernels/bf16.h"

#if CN__AMX
#define cn__amx_hidden_forward CN_T(cn__amx_hidden_forward)
#define cn__amx_hidden_backward_input CN_T(cn__amx_hidden_backward_input)
#define cn__amx_hidden_bias CN_T(cn__amx_hidden_bias)
/* y (rows, outputs) of the last layer, whose lasting copy of the kernel is up to date. On the calling thread alone. */
void cn__amx_hidden_forward(const cn__dense *last, const cn__bf16 *bf16, float *y);
/* The gradients in tiles from dy (rows, outputs) of the last layer. On the calling thread alone. */
void cn__amx_hidden_backward_input(const cn__dense *last, const cn__bf16 *bf16, const float *dy);
/* As cn__dense_backward_bias, from gradients in tiles. */
void cn__amx_hidden_bias(const cn__dense *hidden, const uint16_t *gradients, const cn__sink *sink);
#endif
#endif
