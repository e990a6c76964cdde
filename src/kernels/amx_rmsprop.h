/* The common cases of cn__amx_matmul with a sink that updates by RMSprop (kernels/rmsprop.h). The gradient has the same
 * bits.
 *   cn__amx_rmsprop_run         of a batch of bytes (cn__gather_math.halves), in registers from the tile to the weight
 *   cn__amx_rmsprop_narrow_run  of a kernel with at most 16 columns, turned, so that its long side fills the tiles */
#ifndef CN_KERNELS_AMX_RMSPROP_H
#define CN_KERNELS_AMX_RMSPROP_H

#include "kernels/amx_matmul.h"

#if CN__AMX
#define cn__amx_rmsprop_serves CN_T(cn__amx_rmsprop_serves)
#define cn__amx_rmsprop_run CN_T(cn__amx_rmsprop_run)
#define cn__amx_rmsprop_narrow_serves CN_T(cn__amx_rmsprop_narrow_serves)
#define cn__amx_rmsprop_narrow_run CN_T(cn__amx_rmsprop_narrow_run)
int cn__amx_rmsprop_serves(const cn__amx_matmul *p);
void cn__amx_rmsprop_run(const cn__amx_matmul *p);
int cn__amx_rmsprop_narrow_serves(const cn__amx_matmul *p);
void cn__amx_rmsprop_narrow_run(const cn__amx_matmul *p);
#endif
#endif
