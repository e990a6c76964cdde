/* Exact sums (kernels/exact.h) on Intel's tiles: TDPBUSD and TDPBUUD multiply 16x64 bytes by 64x16 and add in 32 bits.
 * A whole number q is four bytes, so four products make one exact one. Only in the AVX-512 engine, and only to be
 * called where cn__cpu_amx_int8 says yes. */
#ifndef CN_KERNELS_AMX_BYTES_H
#define CN_KERNELS_AMX_BYTES_H

#include "kernels/dense.h"

#if defined(CN_ISA_AVX512) && CN_REAL_BITS == 32
#define CN__AMX_BYTES 1
#define cn__amx_bytes_forward CN_T(cn__amx_bytes_forward)
#define cn__amx_bytes_backward_kernel CN_T(cn__amx_bytes_backward_kernel)

#define cn__amx_bytes_digits CN_T(cn__amx_bytes_digits)

/* Fills digits for the whole kernel of d. */
void cn__amx_bytes_digits(const cn__dense *d, const cn__digits *digits);
void cn__amx_bytes_forward(const cn__dense *d, const cn__batch *x, const cn__finish *finish, real *y);
void cn__amx_bytes_backward_kernel(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink);
#else
#define CN__AMX_BYTES 0
#endif
#endif
