/* Turning a square of numbers, CN__TRANSPOSE on a side, inside registers. */
#ifndef CN_KERNELS_TRANSPOSE_H
#define CN_KERNELS_TRANSPOSE_H

#include "kernels/vector.h"

/* cn__transpose(row, k, out, step): out[c * step + r] = row[r][k + c]. Columns are written in ascending order of c, all
 * CN__TRANSPOSE rows of each, so with a smaller step the surplus of one column is overwritten by the next. */

/* cn__copy_group(to, from) copies CN__TRANSPOSE numbers, cn__copy_some fewer. */

#if defined(CN_ISA_AVX512)
#define CN__TRANSPOSE 16

static inline void cn__copy_group(real *to, const real *from) { vec_store(to, vec_load(from)); }
static inline void cn__copy_some(real *to, const real *from, int n) { vec_store_n(to, vec_load_n(from, n), n); }

/* Every row is read once, a whole cache line: rows whose distance is a power of two share so few places in the level-1
 * cache that a second reading would not find them. */
static inline void cn__transpose(const real *const row[CN__TRANSPOSE], int64_t k, real *out, int64_t step)
{
    vec pair[16], quad[16]; /* two, four rows interleaved within each quarter of a register */
    CN__UNROLL(8)
    for (int r = 0; r < 16; r += 2) {
        vec a = vec_load(row[r] + k), b = vec_load(row[r + 1] + k);
        pair[r] = _mm512_unpacklo_ps(a, b);
        pair[r + 1] = _mm512_unpackhi_ps(a, b);
    }
    CN__UNROLL(4)
    for (int r = 0; r < 16; r += 4) {
        quad[r] = _mm512_shuffle_ps(pair[r], pair[r + 2], 0x44);
        quad[r + 1] = _mm512_shuffle_ps(pair[r], pair[r + 2], 0xee);
        quad[r + 2] = _mm512_shuffle_ps(pair[r + 1], pair[r + 3], 0x44);
        quad[r + 3] = _mm512_shuffle_ps(pair[r + 1], pair[r + 3], 0xee);
    }
    vec column[16];
    CN__UNROLL(4)
    for (int c = 0; c < 4; c++) {
        vec even_low = _mm512_shuffle_f32x4(quad[c], quad[c + 4], 0x88);       /* quarters 0 and 2 of rows 0 ... 7 */
        vec even_high = _mm512_shuffle_f32x4(quad[c + 8], quad[c + 12], 0x88); /* and of rows 8 ... 15 */
        vec odd_low = _mm512_shuffle_f32x4(quad[c], quad[c + 4], 0xdd);
        vec odd_high = _mm512_shuffle_f32x4(quad[c + 8], quad[c + 12], 0xdd);
        column[c] = _mm512_shuffle_f32x4(even_low, even_high, 0x88);
        column[c + 4] = _mm512_shuffle_f32x4(odd_low, odd_high, 0x88);
        column[c + 8] = _mm512_shuffle_f32x4(even_low, even_high, 0xdd);
        column[c + 12] = _mm512_shuffle_f32x4(odd_low, odd_high, 0xdd);
    }
    CN__UNROLL(16)
    for (int c = 0; c < 16; c++) vec_store(out + c * step, column[c]);
}

#elif defined(CN_ISA_AVX2)
#define CN__TRANSPOSE 8

static inline void cn__copy_group(real *to, const real *from) { _mm256_storeu_ps(to, _mm256_loadu_ps(from)); }
static inline void cn__copy_some(real *to, const real *from, int n)
{
    for (int i = 0; i < n; i++) to[i] = from[i];
}

static inline __m256 cn__two_rows(const real *const *row, int r, int64_t k)
{
    __m256 v = _mm256_castps128_ps256(_mm_loadu_ps(row[r] + k));
    return _mm256_insertf128_ps(v, _mm_loadu_ps(row[r + 4] + k), 1);
}

static inline void cn__transpose(const real *const row[CN__TRANSPOSE], int64_t k, real *out, int64_t step)
{
    CN__UNROLL(2)
    for (int c = 0; c < CN__TRANSPOSE; c += 4) {
        __m256 a = cn__two_rows(row, 0, k + c), b = cn__two_rows(row, 1, k + c);
        __m256 d = cn__two_rows(row, 2, k + c), e = cn__two_rows(row, 3, k + c);
        __m256 ab_low = _mm256_unpacklo_ps(a, b), ab_high = _mm256_unpackhi_ps(a, b);
        __m256 de_low = _mm256_unpacklo_ps(d, e), de_high = _mm256_unpackhi_ps(d, e);
        _mm256_storeu_ps(out + c * step, _mm256_shuffle_ps(ab_low, de_low, 0x44));
        _mm256_storeu_ps(out + (c + 1) * step, _mm256_shuffle_ps(ab_low, de_low, 0xee));
        _mm256_storeu_ps(out + (c + 2) * step, _mm256_shuffle_ps(ab_high, de_high, 0x44));
        _mm256_storeu_ps(out + (c + 3) * step, _mm256_shuffle_ps(ab_high, de_high, 0xee));
    }
}

#else
#define CN__TRANSPOSE 8

static inline void cn__copy_some(real *to, const real *from, int n)
{
    for (int i = 0; i < n; i++) to[i] = from[i];
}
static inline void cn__copy_group(real *to, const real *from) { cn__copy_some(to, from, CN__TRANSPOSE); }

static inline void cn__transpose(const real *const row[CN__TRANSPOSE], int64_t k, real *out, int64_t step)
{
    for (int c = 0; c < CN__TRANSPOSE; c++)
        for (int r = 0; r < CN__TRANSPOSE; r++) out[c * step + r] = row[r][k + c];
}
#endif

/* CN__VEC rows of n <= CN__VEC numbers, without gaps, as columns with a vector each: column[i][r] = rows[r * n + i]. */
static inline void cn__rows_to_columns(int64_t n, const real *rows, real column[CN__VEC][CN__VEC])
{
#if CN__TRANSPOSE == CN__VEC
    const real *row[CN__VEC];
    for (int r = 0; r < CN__VEC; r++) {
        row[r] = column[r];
        vec_store(column[r], vec_load_n(rows + r * n, (int)n));
    }
    cn__transpose(row, 0, column[0], CN__VEC);
#else
    for (int64_t i = 0; i < n; i++)
        for (int r = 0; r < CN__VEC; r++) column[i][r] = rows[r * n + i];
#endif
}

/* And back. */
static inline void cn__columns_to_rows(int64_t n, real column[CN__VEC][CN__VEC], real *rows)
{
#if CN__TRANSPOSE == CN__VEC
    _Alignas(64) real turned[CN__VEC][CN__VEC];
    const real *from[CN__VEC];
    for (int i = 0; i < CN__VEC; i++) from[i] = column[i];
    cn__transpose(from, 0, turned[0], CN__VEC);
    for (int r = 0; r < CN__VEC; r++) vec_store_n(rows + r * n, vec_load(turned[r]), (int)n);
#else
    for (int r = 0; r < CN__VEC; r++)
        for (int64_t i = 0; i < n; i++) rows[r * n + i] = column[i][r];
#endif
}

#endif
