/* What the two products over tiles of bytes share (amx_bytes_forward.c, amx_bytes_gradient.c): digits of whole numbers
 * in tiles, the loop over tiles, and numbers from sums of digits. */
#ifndef CN_KERNELS_AMX_DIGITS_H
#define CN_KERNELS_AMX_DIGITS_H

#include "kernels/amx_bytes.h"
#include "kernels/amx_tiles.h"
#include "kernels/exact.h"

#include <immintrin.h>

/* Whole numbers are digits to the base 256, of which the highest has a sign: three of a weight, four of a gradient.
 * They are multiplied in squares of tiles. */
#define CN__SQUARE 32 /* two tiles side by side */

#define CN__MOST_TILE_STEPS (CN__BATCH_MOST_COLUMNS / CN__TILE_STEP)

static inline __mmask16 cn__first_of_16(int64_t n)
{
    if (n >= 16) return 0xffff;
    return (__mmask16)(n > 0 ? (1u << n) - 1 : 0);
}

/* Where m has a 1, a; elsewhere b. */
static inline __m512i cn__choose_bits(__m512i m, __m512i a, __m512i b)
{
    return _mm512_ternarylogic_epi32(m, a, b, 0xca);
}

/* Digits of a right factor with sixteen columns stand in tiles (digit, step) of 64 terms, four terms of a column side
 * by side. This puts four terms into a line of each digit's tile. */
static inline void cn__store_digits(const __m512i q[4], uint8_t *line, int64_t tiles_apart, const int digits)
{
    const __m512i bytes = _mm512_set1_epi32(0x00ff00ff), words = _mm512_set1_epi32(0x0000ffff);
    __m512i even01 = cn__choose_bits(bytes, q[0], _mm512_slli_epi32(q[1], 8));
    __m512i odd01 = cn__choose_bits(bytes, _mm512_srli_epi32(q[0], 8), q[1]);
    __m512i even23 = cn__choose_bits(bytes, q[2], _mm512_slli_epi32(q[3], 8));
    __m512i odd23 = cn__choose_bits(bytes, _mm512_srli_epi32(q[2], 8), q[3]);
    _mm512_store_si512(line, cn__choose_bits(words, even01, _mm512_slli_epi32(even23, 16)));
    _mm512_store_si512(line + tiles_apart, cn__choose_bits(words, odd01, _mm512_slli_epi32(odd23, 16)));
    _mm512_store_si512(line + 2 * tiles_apart, cn__choose_bits(words, _mm512_srli_epi32(even01, 16), even23));
    if (digits == 4)
        _mm512_store_si512(line + 3 * tiles_apart, cn__choose_bits(words, _mm512_srli_epi32(odd01, 16), odd23));
}

static inline __m512i cn__magnitude(__m512 w)
{
    return _mm512_and_si512(_mm512_castps_si512(w), _mm512_set1_epi32(0x7fffffff));
}

/* Sixteen columns of a right factor, whose rows are `stride` apart. Term t is row index[t] (index NULL: row t); bit t
 * of used[t / 64] tells whether it is multiplied by anything but 0 (used NULL: all are), and if not, its digits may be
 * anything. The rows in `others` are no terms, but belong to the group whose scale is wanted; their exponents, if they
 * are kept, are read or filled in. */
typedef struct cn__digit_columns {
    const float *w;
    int64_t stride, terms, steps;
    __mmask16 some;
    const uint16_t *index;
    const uint64_t *used;
    const uint16_t *others;
    int64_t n_others;
    uint8_t *exponents;
    int are_known;
} cn__digit_columns;

static inline __m512i cn__peak_of_rows(const cn__digit_columns *c, const uint16_t *index, int64_t begin, int64_t end,
                                       __m512i peak)
{
    for (int64_t t = begin; t < end; t++) {
        const float *w = c->w + (index ? index[t] : t) * c->stride;
        peak = _mm512_max_epu32(peak, cn__magnitude(_mm512_maskz_loadu_ps(c->some, w)));
    }
    return peak;
}

/* The exponent bits of the largest of sixteen magnitudes. */
static inline uint8_t cn__exponent_of(__m512i magnitudes)
{
    return (uint8_t)(_mm512_reduce_max_epu32(magnitudes) >> 23);
}

/* Of the others: the exponent decides. */
static inline __m512i cn__peak_of_others(const cn__digit_columns *c)
{
    if (!c->exponents) return cn__peak_of_rows(c, c->others, 0, c->n_others, _mm512_setzero_si512());
    for (int64_t i = 0; i < c->n_others && !c->are_known; i++)
        c->exponents[i] = cn__exponent_of(cn__peak_of_rows(c, c->others, i, i + 1, _mm512_setzero_si512()));
    uint8_t most = 0;
    for (int64_t i = 0; i < c->n_others; i++) most = c->exponents[i] > most ? c->exponents[i] : most;
    return _mm512_set1_epi32((int)most << 23);
}

/* The largest magnitude among all terms and others, or one of the same exponent; of the terms in use, the digits on the
 * given scale too. */
static inline uint32_t cn__read_columns(const cn__digit_columns *c, const uint16_t *index, const cn__exact_scale *scale,
                                        uint8_t *tiles, const int digits)
{
    const __m512 up = _mm512_set1_ps(scale->up), most = _mm512_set1_ps(scale->most);
    const int64_t apart = c->steps * CN__TILE_BYTES;
    __m512i peak = cn__peak_of_others(c);
    for (int64_t t = 0; t < c->terms; t += 4) {
        unsigned use = c->used ? (unsigned)(c->used[t / 64] >> t % 64) & 15 : 15;
        if (!use) {
            peak = cn__peak_of_rows(c, index, t, t + 4 < c->terms ? t + 4 : c->terms, peak);
            continue;
        }
        __m512i q[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            const int is_there = t + i < c->terms;
            const float *w = c->w + (!is_there ? 0 : index ? index[t + i] : t + i) * c->stride;
            __m512 v = _mm512_maskz_loadu_ps(is_there ? c->some : 0, w);
            peak = _mm512_max_epu32(peak, cn__magnitude(v));
            q[i] = _mm512_cvtps_epi32(_mm512_min_ps(_mm512_mul_ps(v, up), most));
        }
        cn__store_digits(q, tiles + t * 16, apart, digits);
    }
    return _mm512_reduce_max_epu32(peak);
}

static inline uint64_t cn__inked_columns(const cn__batch *x, int64_t step)
{
    uint64_t inked = 0;
    for (int64_t s = 0; s < cn__tile_steps(x->rows); s++) inked |= x->inked[s * cn__tile_steps(x->columns) + step];
    return inked;
}

/* Four accumulators, two tiles a on the left and two tiles b on the right, so that each tile loaded is used twice. Tile
 * instructions leave the vector units idle: `between` is work for them after each instruction. */
#define CN__BEGIN_TILES()                                                                                              \
    _tile_zero(0);                                                                                                     \
    _tile_zero(1);                                                                                                     \
    _tile_zero(2);                                                                                                     \
    _tile_zero(3);

/* At one place, in bytes. */
#define CN__MULTIPLY_PLACE(at, first, second, between)                                                                 \
    _tile_loadd(6, b0 + (at), 64);                                                                                     \
    between;                                                                                                           \
    _tile_loadd(4, a0 + (at), 64);                                                                                     \
    between;                                                                                                           \
    _tile_loadd(7, b1 + (at), 64);                                                                                     \
    between;                                                                                                           \
    _tile_loadd(5, a1 + (at), 64);                                                                                     \
    between;                                                                                                           \
    first(0, 4, 6);                                                                                                    \
    between;                                                                                                           \
    second(1, 4, 7);                                                                                                   \
    between;                                                                                                           \
    first(2, 5, 6);                                                                                                    \
    between;                                                                                                           \
    second(3, 5, 7);                                                                                                   \
    between;

/* `steps` are n places of tiles: blank ones are left out. `behind` is work after each place. */
#define CN__MULTIPLY_TILES(first, second, between, behind)                                                             \
    CN__BEGIN_TILES()                                                                                                  \
    for (int64_t i = 0; i < n; i++) {                                                                                  \
        CN__MULTIPLY_PLACE(steps[i], first, second, between)                                                           \
        behind;                                                                                                        \
    }

/* high + rest are the sums of whole numbers. Digits that overflow their byte are carried into the next one. */
static inline __m512 cn__digits_value(__m512i high, __m512i rest, const cn__exact_scale *scale)
{
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(high), _mm512_set1_ps(scale->high),
                           _mm512_mul_ps(_mm512_cvtepi32_ps(rest), _mm512_set1_ps(scale->rest)));
}

#endif
