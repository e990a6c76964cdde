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

/* Rows r, r+4, r+8 and r+12, four numbers of each. Inserting from memory keeps the one shuffle port free. */
static inline vec cn__four_rows(const real *const *row, int r, int64_t k)
{
    vec v = _mm512_castps128_ps512(_mm_loadu_ps(row[r] + k));
    v = _mm512_insertf32x4(v, _mm_loadu_ps(row[r + 4] + k), 1);
    v = _mm512_insertf32x4(v, _mm_loadu_ps(row[r + 8] + k), 2);
    return _mm512_insertf32x4(v, _mm_loadu_ps(row[r + 12] + k), 3);
}

static inline void cn__transpose(const real *const row[CN__TRANSPOSE], int64_t k, real *out, int64_t step)
{
#pragma GCC unroll 4
    for (int c = 0; c < CN__TRANSPOSE; c += 4) {
        vec a = cn__four_rows(row, 0, k + c), b = cn__four_rows(row, 1, k + c);
        vec d = cn__four_rows(row, 2, k + c), e = cn__four_rows(row, 3, k + c);
        vec ab_low = _mm512_unpacklo_ps(a, b), ab_high = _mm512_unpackhi_ps(a, b);
        vec de_low = _mm512_unpacklo_ps(d, e), de_high = _mm512_unpackhi_ps(d, e);
        _mm512_storeu_ps(out + c * step, _mm512_shuffle_ps(ab_low, de_low, 0x44));
        _mm512_storeu_ps(out + (c + 1) * step, _mm512_shuffle_ps(ab_low, de_low, 0xee));
        _mm512_storeu_ps(out + (c + 2) * step, _mm512_shuffle_ps(ab_high, de_high, 0x44));
        _mm512_storeu_ps(out + (c + 3) * step, _mm512_shuffle_ps(ab_high, de_high, 0xee));
    }
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
#pragma GCC unroll 2
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

#endif
