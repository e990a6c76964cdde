/* Copies of float32 matrices as tiles of bfloat16: 1 KiB each, 16 rows of 64 bytes.
 *   rows    the tile of a left factor:  row r holds 32 neighbouring k of its line r
 *   pairs   the tile of a right factor: row p holds k = 2p and 2p+1 of 16 neighbouring columns, pair by pair
 * As 32-bit words, one is the transpose of the other. Numbers outside the matrix count as 0. Packing returns
 * one bit for each line of the tile: 0 where the line has nothing but zeros. (pack_rows says it of all lines at
 * once.) */
#ifndef CN_KERNELS_AMX_PACK_H
#define CN_KERNELS_AMX_PACK_H

#include "kernels/transpose.h"

#define TILE_LINES 16                  /* rows of a left tile, columns of a right one */
#define TILE_K 32                      /* terms of a sum in one tile */
#define TILE_NUMBERS (TILE_LINES * TILE_K)

static inline __mmask16 first_of_16(int64_t n)
{
    if (n >= 16) return 0xffff;
    return (__mmask16)(n > 0 ? (1u << n) - 1 : 0);
}

static inline __m512i round_two(__m512 low, __m512 high)
{
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

static inline __m512 rounded(__m512 x)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(x)), 16));
}

/* The first and the second of each pair of neighbours. */
static inline __m512 even_of_pairs(__m512i pairs)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
}

static inline __m512 odd_of_pairs(__m512i pairs)
{
    return _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32((int)0xffff0000)));
}

/* a0 a1 ... a15 b0 ... b15 becomes a0 b0 a1 b1 ... */
static inline __m512i interleaving(void)
{
    return _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7,
                            22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
}

/* For two registers of 32: a0 b0 a1 b1 ... of the numbers from `first` on. */
static inline __m512i interleaving_halves(int first)
{
    const __m512i from_zero = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8, 39, 7,
                                               38, 6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
    return _mm512_add_epi16(from_zero, _mm512_set1_epi16((short)first));
}

/* `from` points at line 0, k 0; lines are `stride` apart. */
static inline uint16_t pack_rows(const float *from, int64_t stride, int64_t lines, int64_t terms, uint16_t *tile)
{
    __mmask16 low = first_of_16(terms), high = first_of_16(terms - 16);
    if (lines > TILE_LINES) lines = TILE_LINES;
    int64_t r = 0;
    __m512i any = _mm512_setzero_si512();
    for (; r < lines; r++, from += stride) {
        __m512i row = round_two(_mm512_maskz_loadu_ps(low, from), _mm512_maskz_loadu_ps(high, from + 16));
        any = _mm512_or_si512(any, row);
        _mm512_store_si512(tile + r * TILE_K, row);
    }
    for (; r < TILE_LINES; r++) _mm512_store_si512(tile + r * TILE_K, _mm512_setzero_si512());
    return _mm512_test_epi32_mask(any, any) ? 0xffff : 0;
}

/* `from` points at k 0, column 0; the k are `stride` apart. With an index, k is row index[k] and the next one follows.
 * Each number is multiplied by `scale` first. */
static inline uint16_t pack_pairs(const float *from, int64_t stride, const uint16_t *index, int64_t columns,
                                  int64_t terms, float scale, uint16_t *tile)
{
    const __m512i interleave = interleaving();
    const __m512 factor = _mm512_set1_ps(scale);
    __mmask16 some = first_of_16(columns);
    __m512i any = _mm512_setzero_si512();
    for (int64_t k = 0; k < TILE_K; k += 2) {
        const float *pair = from + (index && k < terms ? index[k] : k) * stride;
        __m512 even = k < terms ? _mm512_maskz_loadu_ps(some, pair) : _mm512_setzero_ps();
        __m512 odd = k + 1 < terms ? _mm512_maskz_loadu_ps(some, pair + stride) : _mm512_setzero_ps();
        __m512i row = _mm512_permutexvar_epi16(interleave, round_two(_mm512_mul_ps(even, factor),
                                                                     _mm512_mul_ps(odd, factor)));
        any = _mm512_or_si512(any, row);
        _mm512_store_si512(tile + k * TILE_LINES, row);
    }
    return _mm512_test_epi32_mask(any, any);
}

static inline void transpose_words(const uint16_t *from, uint16_t *tile)
{
    const float *row[TILE_LINES];
    for (int r = 0; r < TILE_LINES; r++) row[r] = (const float *)(const void *)(from + r * TILE_K);
    cn__transpose(row, 0, (float *)(void *)tile, TILE_LINES);
}

#endif
