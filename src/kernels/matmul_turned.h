/* A matrix product of few rows in which neighbours in memory are terms of B, as in an input gradient, whose B is the
 * turned kernel. Copying B in the order of the usual plan would take a fifth of the time; here each column of B is read
 * where it lies, one element after the other, and multiplied by vectors of A's rows, which are copied turned. The
 * result comes out turned as well, but is small. */
#ifndef CN_KERNELS_MATMUL_TURNED_H
#define CN_KERNELS_MATMUL_TURNED_H

#include "kernels/matmul.h"
#include "kernels/matmul_cut.h"
#include "kernels/matmul_pack.h"

#define CN__TURNED_LINE 16      /* numbers in a line of a cache */
#define CN__TURNED_COLUMNS 6    /* at a time: twelve sums, two for A and one for an element of B are AVX2's registers */
#define CN__TURNED_TERMS 1024   /* of 64 rows are half of a small level 2 */
#define CN__TURNED_RESULTS 1024 /* columns that wait to be turned back */
#if defined(CN_ISA_AVX2)
#define CN__TURNED_MOST 128     /* rows */
#else
#define CN__TURNED_MOST 0       /* never: not measured there */
#endif
#define CN__TURNED_LEAST 128    /* terms */

/* Some columns of B, k terms each, times 16 rows of A. `ask`: the columns behind them, of which memory is asked for. */
static inline __attribute__((always_inline)) void cn__turned_tile(const int columns, int64_t k, const real *b,
                                                                  int64_t b_column, const real *a, const real *ask,
                                                                  real *sums, int64_t stride, int first)
{
    vec sum[CN__TURNED_COLUMNS];
    const real *column[CN__TURNED_COLUMNS];
    CN__UNROLL(8)
    for (int c = 0; c < columns; c++) {
        column[c] = b + c * b_column;
        sum[c] = first ? vec_zero() : vec_load(sums + c * stride);
    }
    for (int64_t i = 0; i < k;) {
        const int64_t pause = cn__smaller(k, i + CN__TURNED_LINE);
        CN__UNROLL(8)
        for (int c = 0; c < columns; c++) __builtin_prefetch(ask + c * b_column + i, 0, 2);
        for (; i + 4 <= pause; i += 4) {
            CN__UNROLL(4)
            for (int u = 0; u < 4; u++) {
                const vec rows = vec_keep(vec_load(a + (i + u) * CN__VEC));
                CN__UNROLL(8)
                for (int c = 0; c < columns; c++) sum[c] = vec_fma_at(column[c] + i + u, rows, sum[c]);
            }
        }
        for (; i < pause; i++) {
            const vec rows = vec_keep(vec_load(a + i * CN__VEC));
            CN__UNROLL(8)
            for (int c = 0; c < columns; c++) sum[c] = vec_fma_at(column[c] + i, rows, sum[c]);
        }
    }
    CN__UNROLL(8)
    for (int c = 0; c < columns; c++) vec_store(sums + c * stride, sum[c]);
}

static void cn__turned_whole(int64_t k, const real *b, int64_t b_column, const real *a, const real *ask, real *sums,
                             int64_t stride, int first)
{
    cn__turned_tile(CN__TURNED_COLUMNS, k, b, b_column, a, ask, sums, stride, first);
}

static void cn__turned_rest(int64_t k, const real *b, int64_t b_column, const real *a, const real *ask, real *sums,
                            int64_t stride, int first)
{
    cn__turned_tile(1, k, b, b_column, a, ask, sums, stride, first);
}

/* Columns of results become pieces of C's rows. */
static void cn__turn_back(const real *sums, int64_t stride, int64_t rows, int64_t columns, real *c, int64_t c_row)
{
    int64_t j = 0;
    for (; j + CN__TRANSPOSE <= columns; j += CN__TRANSPOSE)
        cn__pack_turned(CN__TRANSPOSE, rows, sums + j * stride, stride, c + j, c_row);
    for (; j < columns; j++)
        for (int64_t r = 0; r < rows; r++) c[r * c_row + j] = sums[j * stride + r];
}

/* Rows that fill vectors, mostly. */
#define CN__TURNED_BLANK 4

static int cn__matmul_is_turned(const cn__matmul *p)
{
    const int64_t padded = cn__quotient_up(p->m, CN__VEC) * CN__VEC;
    return p->b_row == 1 && p->b_column != 1 && p->a_column == 1 && p->m <= CN__TURNED_MOST &&
           padded <= p->m + CN__TURNED_BLANK && p->k >= CN__TURNED_LEAST &&
           (size_t)(padded * (p->k + CN__TURNED_RESULTS)) * sizeof(real) <= CN__MATMUL_SCRATCH;
}

/* Columns `begin` to `end` of C. `a_is_copied`: the scratch memory still has it from other columns. */
static void cn__matmul_turned(const cn__matmul *p, int64_t begin, int64_t end, int a_is_copied, real *scratch)
{
    const int64_t padded = cn__quotient_up(p->m, CN__VEC) * CN__VEC;
    real *sums = scratch + padded * p->k;
    if (!a_is_copied) cn__pack_b(p->k, p->m, CN__VEC, p->a, p->a_column, p->a_row, scratch);
    for (int64_t n0 = begin; n0 < end; n0 += CN__TURNED_RESULTS) {
        const int64_t n = cn__smaller(CN__TURNED_RESULTS, end - n0);
        for (int64_t k0 = 0; k0 < p->k; k0 += CN__TURNED_TERMS) {
            const int64_t k = cn__smaller(CN__TURNED_TERMS, p->k - k0);
            for (int64_t j = 0, columns; j < n; j += columns) {
                const int is_whole = j + CN__TURNED_COLUMNS <= n;
                columns = is_whole ? CN__TURNED_COLUMNS : 1;
                const real *b = p->b + (n0 + j) * p->b_column + k0;
                for (int64_t r = 0; r < p->m; r += CN__VEC) {
                    const real *ask = r == 0 ? b + columns * p->b_column : b;
                    const real *a = scratch + r * p->k + k0 * CN__VEC;
                    real *sum = sums + j * padded + r;
                    if (is_whole) cn__turned_whole(k, b, p->b_column, a, ask, sum, padded, k0 == 0);
                    else cn__turned_rest(k, b, p->b_column, a, ask, sum, padded, k0 == 0);
                }
            }
        }
        cn__turn_back(sums, padded, p->m, n, p->c + n0, p->c_row);
    }
}

#endif
