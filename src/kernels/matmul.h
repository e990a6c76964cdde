/* C = A . B for matrices with any strides, each sum in ascending order of k with one fused multiply-add per term.
 *   A (M,K): element (m,k) at a[m * a_row + k * a_column];  B (K,N) likewise;  C (M,N): row m at c + m * c_row. */
#ifndef CN_KERNELS_MATMUL_H
#define CN_KERNELS_MATMUL_H

#include "base/pool.h"
#include "kernels/dense_choice.h"
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

/* By the whole team; a product too small to be worth waking it is computed by the caller. */
#define cn__matmul_run CN_T(cn__matmul_run)
void cn__matmul_run(const cn__matmul *p);

/* The same by one thread of the team alone, for use inside a loop body. It works in the first CN__MATMUL_SCRATCH bytes
 * of the thread's scratch memory; the rest is the caller's. */
#define cn__matmul_alone CN_T(cn__matmul_alone)
void cn__matmul_alone(const cn__matmul *p, int thread);
#define CN__MATMUL_SCRATCH ((size_t)3 << 20)

/* How cn__matmul_run computes, and into how many parts it cuts the work for the team. */
#define cn__matmul_choice CN_T(cn__matmul_choice)
cn__product cn__matmul_choice(const cn__matmul *p, int64_t *parts);
/* The same for cn__matmul_alone. */
#define cn__matmul_alone_choice CN_T(cn__matmul_alone_choice)
cn__product cn__matmul_alone_choice(const cn__matmul *p);

/* Products of fewer multiply-adds than this are faster on one thread: waking another takes some microseconds. */
#define CN__MATMUL_TEAM 100000

#endif
