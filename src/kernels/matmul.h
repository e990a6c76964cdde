/* C = A . B for matrices with any strides, each sum in ascending order of k with one fused multiply-add per term.
 *   A (M,K): element (m,k) at a[m * a_row + k * a_column];  B (K,N) likewise;  C (M,N): row m at c + m * c_row. */
#ifndef CN_KERNELS_MATMUL_H
#define CN_KERNELS_MATMUL_H

#include "base/pool.h"
#include "kernels/real.h"

typedef struct cn__matmul {
    cn__pool *pool;
    int64_t m, n, k;
    const real *a;
    int64_t a_row, a_column;
    const real *b;
    int64_t b_row, b_column;
    real *c;
    int64_t c_row;
} cn__matmul;

#define cn__matmul_run CN_T(cn__matmul_run)
void cn__matmul_run(const cn__matmul *p);

/* The same by one thread of the team alone, for use inside a loop body. */
#define cn__matmul_alone CN_T(cn__matmul_alone)
void cn__matmul_alone(const cn__matmul *p, int thread);

#endif
