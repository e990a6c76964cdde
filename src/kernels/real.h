/* The type of number that an engine computes with, and the name of the engine.
 *
 * src/kernels, src/layers/{layer,activation}_*.c and src/train/{optimizer,loss,metric}_*.c are compiled once per engine
 * (cmake/engines.cmake). Names shared between files of one engine go through CN_T, which appends the engine's name. */
#ifndef CN_KERNELS_REAL_H
#define CN_KERNELS_REAL_H

#include "kernels/unroll.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#if CN_REAL_BITS == 64
typedef double real;
typedef int64_t real_bits;
#define REAL(x) x
#define FMA(a, b, c) ((a) * (b) + (c)) /* the yardstick promises no bits, so it need not wait for fma() where no
                                        * instruction does it */
#define SQRT(x) sqrt(x)
#else
typedef float real;
typedef int32_t real_bits;
#define REAL(x) x##f
#define FMA(a, b, c) fmaf(a, b, c) /* one rounding: a single instruction where the engine's instruction set has it */
#define SQRT(x) sqrtf(x)
#endif

#define CN__JOIN_(a, b) a##_##b
#define CN__JOIN(a, b) CN__JOIN_(a, b)
#define CN_T(name) CN__JOIN(name, CN_ENGINE)

#endif
