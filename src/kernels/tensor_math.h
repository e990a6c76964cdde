/* What tensor operations ask of an engine. float and double pass through void *, so that one struct describes both. */
#ifndef CN_KERNELS_TENSOR_MATH_H
#define CN_KERNELS_TENSOR_MATH_H

#include "base/cpu.h"
#include "base/pool.h"

typedef enum cn__map { CN__MAP_EXP, CN__MAP_LOG, CN__MAP_TANH, CN__MAP_COUNT } cn__map;

typedef struct cn__tensor_math {
    cn__isa isa;
    int bits;

    /* C = A . B with any strides in elements (src/kernels/matmul.h), by a team, or without one (pool NULL) for
     * products too small for copies of their operands. The same bits either way: one fused multiply-add per term in
     * ascending k. */
    void (*matmul)(cn__pool *pool, int64_t m, int64_t n, int64_t k, const void *a, int64_t a_row, int64_t a_column,
                   const void *b, int64_t b_row, int64_t b_column, void *c, int64_t c_row);

    /* z[i] = f(x[i]), with the bounds of src/kernels/functions.h, subnormal numbers included. */
    void (*maps[CN__MAP_COUNT])(int64_t n, const void *x, void *z);

    /* Place of the largest and the smallest of n >= 1 numbers, the first one on ties; NaN counts as both. */
    int64_t (*first_largest)(int64_t n, const void *x), (*first_smallest)(int64_t n, const void *x);
} cn__tensor_math;

/* The engine of the machine for floats of 32 or 64 bits, or what CORNU_ISA asks for at the first call. NULL with a
 * sentence if that is unknown. */
const cn__tensor_math *cn__tensor_math_find(int bits);

#endif
