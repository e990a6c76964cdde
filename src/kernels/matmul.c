#include "kernels/matmul.h"

#include "kernels/vector.h"

#include <string.h>

/* The usual plan (Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008): B is copied in
 * panels of TILE_N columns and A in panels of TILE_M rows, so that the innermost loop reads both in order; it holds a
 * TILE_M x TILE_N piece of C in registers. Blocks of A stay in the level-2 cache, panels of B in level 1.
 * K is cut into blocks of BLOCK_K; between two blocks C waits in memory, which does not change the order of its sum.
 *
 *   tile      registers
 *   14 x 32   28 of 32 AVX-512 registers for C, 2 for B, 1 for a broadcast element of A
 *    6 x 16   12 of 16 AVX2 registers for C, 2 for B, 1 for A */
#if defined(CN_ISA_AVX512)
#define TILE_M 14
#define TILE_V 2 /* vectors: TILE_N / 16 */
#elif defined(CN_ISA_AVX2)
#define TILE_M 6
#define TILE_V 1
#else
#define TILE_M 4
#define TILE_V 1
#endif
#define TILE_N (TILE_V * CN__VEC)
#define BLOCK_K 384
#define BLOCK_M (TILE_M * 16)
#define BLOCK_N 1024

#define PACKED_A ((size_t)BLOCK_M * BLOCK_K)
#define PACKED_B ((size_t)BLOCK_N * BLOCK_K)
_Static_assert((PACKED_A + PACKED_B) * sizeof(real) <= CN_POOL_SCRATCH, "the scratch memory of a thread is too small");

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Panels of TILE_M rows, k by k; missing rows become zeros. */
static void pack_a(const cn__matmul *p, int64_t m0, int64_t m, int64_t k0, int64_t k, real *packed)
{
    for (int64_t panel = 0; panel < m; panel += TILE_M) {
        int64_t rows = smaller(TILE_M, m - panel);
        for (int64_t r = 0; r < rows; r++) {
            const real *a = p->a + (m0 + panel + r) * p->a_row + k0 * p->a_column;
            for (int64_t i = 0; i < k; i++) packed[i * TILE_M + r] = a[i * p->a_column];
        }
        for (int64_t r = rows; r < TILE_M; r++)
            for (int64_t i = 0; i < k; i++) packed[i * TILE_M + r] = 0;
        packed += TILE_M * k;
    }
}

static void pack_b(const cn__matmul *p, int64_t k0, int64_t k, int64_t n0, int64_t n, real *packed)
{
    for (int64_t panel = 0; panel < n; panel += TILE_N) {
        int64_t columns = smaller(TILE_N, n - panel);
        const real *b = p->b + k0 * p->b_row + (n0 + panel) * p->b_column;
        if (p->b_column == 1) {
            for (int64_t i = 0; i < k; i++) {
                memcpy(packed + i * TILE_N, b + i * p->b_row, (size_t)columns * sizeof(real));
                for (int64_t c = columns; c < TILE_N; c++) packed[i * TILE_N + c] = 0;
            }
        } else {
            for (int64_t c = 0; c < TILE_N; c++)
                for (int64_t i = 0; i < k; i++)
                    packed[i * TILE_N + c] = c < columns ? b[i * p->b_row + c * p->b_column] : 0;
        }
        packed += TILE_N * k;
    }
}

/* C (rows x columns of a whole tile) += A panel . B panel; `first`: C starts at 0 and is not read. */
static void multiply_tile(int64_t k, const real *a, const real *b, real *c, int64_t c_row, int rows, int columns,
                          int first)
{
    vec sum[TILE_M][TILE_V];
    int whole = rows == TILE_M && columns == TILE_N;
#pragma GCC unroll 16
    for (int r = 0; r < TILE_M; r++)
#pragma GCC unroll 4
        for (int v = 0; v < TILE_V; v++) sum[r][v] = vec_zero();
    if (!first && whole) {
#pragma GCC unroll 16
        for (int r = 0; r < TILE_M; r++)
#pragma GCC unroll 4
            for (int v = 0; v < TILE_V; v++) sum[r][v] = vec_load(c + r * c_row + v * CN__VEC);
    } else if (!first) {
        real copy[TILE_M][TILE_N] = {{0}};
        for (int r = 0; r < rows; r++) memcpy(copy[r], c + r * c_row, (size_t)columns * sizeof(real));
        for (int r = 0; r < TILE_M; r++)
            for (int v = 0; v < TILE_V; v++) sum[r][v] = vec_load(copy[r] + v * CN__VEC);
    }
    for (int64_t i = 0; i < k; i++) {
        vec column[TILE_V];
#pragma GCC unroll 4
        for (int v = 0; v < TILE_V; v++) column[v] = vec_load(b + i * TILE_N + v * CN__VEC);
#pragma GCC unroll 16
        for (int r = 0; r < TILE_M; r++) {
            vec element = vec_set(a[i * TILE_M + r]);
#pragma GCC unroll 4
            for (int v = 0; v < TILE_V; v++) sum[r][v] = vec_fma(element, column[v], sum[r][v]);
        }
    }
    if (whole) {
#pragma GCC unroll 16
        for (int r = 0; r < TILE_M; r++)
#pragma GCC unroll 4
            for (int v = 0; v < TILE_V; v++) vec_store(c + r * c_row + v * CN__VEC, sum[r][v]);
    } else {
        real copy[TILE_M][TILE_N];
        for (int r = 0; r < TILE_M; r++)
            for (int v = 0; v < TILE_V; v++) vec_store(copy[r] + v * CN__VEC, sum[r][v]);
        for (int r = 0; r < rows; r++) memcpy(c + r * c_row, copy[r], (size_t)columns * sizeof(real));
    }
}

static void multiply_part(const cn__matmul *p, real *scratch, int64_t m_begin, int64_t m_end, int64_t n_begin,
                          int64_t n_end)
{
    real *packed_a = scratch, *packed_b = scratch + PACKED_A;
    for (int64_t n0 = n_begin; n0 < n_end; n0 += BLOCK_N) {
        int64_t n = smaller(BLOCK_N, n_end - n0);
        for (int64_t k0 = 0; k0 < p->k; k0 += BLOCK_K) {
            int64_t k = smaller(BLOCK_K, p->k - k0);
            pack_b(p, k0, k, n0, n, packed_b);
            for (int64_t m0 = m_begin; m0 < m_end; m0 += BLOCK_M) {
                int64_t m = smaller(BLOCK_M, m_end - m0);
                pack_a(p, m0, m, k0, k, packed_a);
                for (int64_t j = 0; j < n; j += TILE_N)
                    for (int64_t i = 0; i < m; i += TILE_M)
                        multiply_tile(k, packed_a + i * k, packed_b + j * k, p->c + (m0 + i) * p->c_row + n0 + j,
                                      p->c_row, (int)smaller(TILE_M, m - i), (int)smaller(TILE_N, n - j), k0 == 0);
            }
        }
    }
}

/* Tiles along the cut side are handed out whole. */
static void multiply_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__matmul *p = context;
    multiply_part(p, cn__pool_scratch(p->pool, thread), begin * TILE_M, smaller(end * TILE_M, p->m), 0, p->n);
}

static void multiply_columns(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__matmul *p = context;
    multiply_part(p, cn__pool_scratch(p->pool, thread), 0, p->m, begin * TILE_N, smaller(end * TILE_N, p->n));
}

static int fill_when_empty(const cn__matmul *p)
{
    if (p->k > 0) return 0;
    for (int64_t r = 0; r < p->m; r++) memset(p->c + r * p->c_row, 0, (size_t)p->n * sizeof(real));
    return 1;
}

void cn__matmul_alone(const cn__matmul *p, int thread)
{
    if (!fill_when_empty(p)) multiply_part(p, cn__pool_scratch(p->pool, thread), 0, p->m, 0, p->n);
}

void cn__matmul_run(const cn__matmul *p)
{
    if (fill_when_empty(p)) return;
    int64_t row_tiles = (p->m + TILE_M - 1) / TILE_M, column_tiles = (p->n + TILE_N - 1) / TILE_N;
    cn__matmul copy = *p;
    if (row_tiles >= column_tiles)
        cn__parallel(p->pool, row_tiles, multiply_rows, &copy);
    else
        cn__parallel(p->pool, column_tiles, multiply_columns, &copy);
}
