/* A matrix product of few rows in which neighbours in memory are terms of B, as in an input gradient, whose B is the
 * turned kernel. Copying B in the order of the usual plan would take a fifth of the time; here each column of B is read
 * where it lies, one element after the other, and multiplied by vectors of A's rows, which are copied turned. The
 * result comes out turned as well, but is small. */
#ifndef CN_KERNELS_MATMUL_TURNED_H
#define CN_KERNELS_MATMUL_TURNED_H

#include "kernels/matmul.h"

/* Whether that is faster for a product; its loops only suit those. */
#define cn__matmul_is_turned CN_T(cn__matmul_is_turned)
int cn__matmul_is_turned(const cn__matmul *p);

/* Columns `begin` to `end` of C. `a_is_copied`: the thread's scratch memory still has it from other columns of the same
 * product. */
#define cn__matmul_turned CN_T(cn__matmul_turned)
void cn__matmul_turned(const cn__matmul *p, int64_t begin, int64_t end, int a_is_copied, int thread);

/* Pieces of so many columns waste nothing: twelve sums, two vectors' halves for A and an element of B are AVX2's
 * registers. */
#define CN__TURNED_COLUMNS 6

#endif
