#include "kernels/matmul_turned.h"

#include "kernels/matmul_cut.h"
#include "kernels/matmul_pack.h"

#if defined(CN_ISA_AVX2)
#define MOST_ROWS 128
#else
#define MOST_ROWS 0 /* never: not measured there */
#endif
#define BLANK_LANES 4   /* of the last vector, at most, that have no row */
#define LEAST_TERMS 128
#define TERMS 1024      /* of 64 rows are half of a small level 2 */
#define RESULTS 1024    /* columns that wait to be turned back */

/* Some columns of B, k terms each, times a vector of A's rows. `ask`: the columns behind them, of which memory is asked
 * for; that there may be none does no harm. */
static inline __attribute__((always_inline)) void sum_columns(const int columns, int64_t k, const real *b,
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
        const int64_t pause = cn__smaller(k, i + CN__LINE);
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

static void sum_whole(int64_t k, const real *b, int64_t b_column, const real *a, const real *ask, real *sums,
                      int64_t stride, int first)
{
    sum_columns(CN__TURNED_COLUMNS, k, b, b_column, a, ask, sums, stride, first);
}

static void sum_one(int64_t k, const real *b, int64_t b_column, const real *a, const real *ask, real *sums,
                    int64_t stride, int first)
{
    sum_columns(1, k, b, b_column, a, ask, sums, stride, first);
}

/* Columns of results become pieces of C's rows. */
static void turn_back(const real *sums, int64_t stride, int64_t rows, int64_t columns, real *c, int64_t c_row)
{
    int64_t j = 0;
    for (; j + CN__TRANSPOSE <= columns; j += CN__TRANSPOSE)
        cn__pack_turned(CN__TRANSPOSE, rows, sums + j * stride, stride, c + j, c_row);
    for (; j < columns; j++)
        for (int64_t r = 0; r < rows; r++) c[r * c_row + j] = sums[j * stride + r];
}

/* Rows in whole vectors. */
static int64_t padded_rows(const cn__matmul *p)
{
    return cn__quotient_up(p->m, CN__VEC) * CN__VEC;
}

int cn__matmul_is_turned(const cn__matmul *p)
{
    const int64_t padded = padded_rows(p);
    return p->b_row == 1 && p->b_column != 1 && p->a_column == 1 && p->n > CN__VEC && p->m <= MOST_ROWS &&
           padded <= p->m + BLANK_LANES && p->k >= LEAST_TERMS &&
           (size_t)(padded * (p->k + RESULTS)) * sizeof(real) <= CN__MATMUL_SCRATCH;
}

void cn__matmul_turned(const cn__matmul *p, int64_t begin, int64_t end, int a_is_copied, int thread)
{
    const int64_t padded = padded_rows(p);
    real *scratch = cn__pool_scratch(p->pool, thread), *sums = scratch + padded * p->k;
    if (!a_is_copied) cn__pack_b(p->k, p->m, CN__VEC, p->a, p->a_column, p->a_row, scratch);
    for (int64_t n0 = begin; n0 < end; n0 += RESULTS) {
        const int64_t n = cn__smaller(RESULTS, end - n0);
        for (int64_t k0 = 0; k0 < p->k; k0 += TERMS) {
            const int64_t k = cn__smaller(TERMS, p->k - k0);
            for (int64_t j = 0, columns; j < n; j += columns) {
                const int is_whole = j + CN__TURNED_COLUMNS <= n;
                columns = is_whole ? CN__TURNED_COLUMNS : 1;
                const real *b = p->b + (n0 + j) * p->b_column + k0;
                for (int64_t r = 0; r < p->m; r += CN__VEC) {
                    const real *ask = r == 0 ? b + columns * p->b_column : b;
                    const real *a = scratch + r * p->k + k0 * CN__VEC;
                    real *sum = sums + j * padded + r;
                    if (is_whole) sum_whole(k, b, p->b_column, a, ask, sum, padded, k0 == 0);
                    else sum_one(k, b, p->b_column, a, ask, sum, padded, k0 == 0);
                }
            }
        }
        turn_back(sums, padded, p->m, n, p->c + n0, p->c_row);
    }
}
