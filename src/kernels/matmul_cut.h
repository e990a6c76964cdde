/* Whole numbers for cutting a matrix product into pieces. */
#ifndef CN_KERNELS_MATMUL_CUT_H
#define CN_KERNELS_MATMUL_CUT_H

#include <stdint.h>

/* Rows of C that one thread is to compute. What they need of B, if that is a single block, may have been copied. */
typedef struct cn__matmul_rows {
    int64_t begin, end;
    int b_is_copied;
} cn__matmul_rows;

static inline int64_t cn__smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t cn__quotient_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* The size of equal pieces, each at most `limit` and a multiple of `unit`, so that no piece is much smaller. */
static inline int64_t cn__even_piece(int64_t whole, int64_t limit, int64_t unit)
{
    return cn__quotient_up(cn__quotient_up(whole, cn__quotient_up(whole, limit)), unit) * unit;
}

#endif
