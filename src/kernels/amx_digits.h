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

#define CN__INLINE static inline __attribute__((always_inline))

/* How bytes of four terms come side by side: shuffles that move some of them and leave the others as they are. */
typedef struct cn__byte_moves {
    __m512i up1, down1, up2, down2;
    __mmask64 odd, even, high, low;
} cn__byte_moves;

CN__INLINE cn__byte_moves cn__byte_moves_all(void)
{
    cn__byte_moves m = {
        .up1 = _mm512_set4_epi32(0x0e0d0c0c, 0x0a090808, 0x06050404, 0x02010000),
        .down1 = _mm512_set4_epi32(0x0f0f0e0d, 0x0b0b0a09, 0x07070605, 0x03030201),
        .up2 = _mm512_set4_epi32(0x0d0c0d0c, 0x09080908, 0x05040504, 0x01000100),
        .down2 = _mm512_set4_epi32(0x0f0e0f0e, 0x0b0a0b0a, 0x07060706, 0x03020302),
        .odd = 0xaaaaaaaaaaaaaaaa,
        .even = 0x5555555555555555,
        .high = 0xcccccccccccccccc,
        .low = 0x3333333333333333,
    };
    __asm__("" : "+k"(m.odd), "+k"(m.even), "+k"(m.high), "+k"(m.low)); /* gcc would load them again and again */
    return m;
}

/* Digits of a right factor with sixteen columns stand in tiles (digit, step) of 64 terms, four terms of a column side
 * by side. This puts four terms into a line of each digit's tile. */
CN__INLINE void cn__store_digits(const cn__byte_moves *m, const __m512i q[4], uint8_t *line, int64_t tiles_apart,
                                 const int digits)
{
    __m512i even01 = _mm512_mask_shuffle_epi8(q[0], m->odd, q[1], m->up1);
    __m512i odd01 = _mm512_mask_shuffle_epi8(q[1], m->even, q[0], m->down1);
    __m512i even23 = _mm512_mask_shuffle_epi8(q[2], m->odd, q[3], m->up1);
    __m512i odd23 = _mm512_mask_shuffle_epi8(q[3], m->even, q[2], m->down1);
    _mm512_store_si512(line, _mm512_mask_shuffle_epi8(even01, m->high, even23, m->up2));
    _mm512_store_si512(line + tiles_apart, _mm512_mask_shuffle_epi8(odd01, m->high, odd23, m->up2));
    _mm512_store_si512(line + 2 * tiles_apart, _mm512_mask_shuffle_epi8(even23, m->low, even01, m->down2));
    if (digits == 4)
        _mm512_store_si512(line + 3 * tiles_apart, _mm512_mask_shuffle_epi8(odd23, m->low, odd01, m->down2));
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

/* What is needed for four terms, where the compiler can keep it in registers. */
typedef struct cn__digit_reader {
    __m512 up, most;
    __m512i peak;
    cn__byte_moves moves;
} cn__digit_reader;

CN__INLINE __m512i cn__whole_number(cn__digit_reader *r, __m512 w)
{
    r->peak = _mm512_max_epu32(r->peak, cn__magnitude(w));
    return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_mul_ps(w, r->up), r->most));
}

CN__INLINE const float *cn__term(const cn__digit_columns *c, const uint16_t *index, int64_t t)
{
    return c->w + (index ? index[t] : t) * c->stride;
}

/* Four terms from t on; the last ones may be fewer. */
CN__INLINE void cn__read_four(cn__digit_reader *r, const cn__digit_columns *c, const uint16_t *index, int64_t t,
                              uint8_t *line, int64_t apart, const int digits)
{
    const __m512i q[4] = {cn__whole_number(r, _mm512_maskz_loadu_ps(c->some, cn__term(c, index, t))),
                          cn__whole_number(r, _mm512_maskz_loadu_ps(c->some, cn__term(c, index, t + 1))),
                          cn__whole_number(r, _mm512_maskz_loadu_ps(c->some, cn__term(c, index, t + 2))),
                          cn__whole_number(r, _mm512_maskz_loadu_ps(c->some, cn__term(c, index, t + 3)))};
    cn__store_digits(&r->moves, q, line, apart, digits);
}

CN__INLINE void cn__read_last(cn__digit_reader *r, const cn__digit_columns *c, const uint16_t *index, int64_t t,
                              uint8_t *line, int64_t apart, const int digits)
{
    __m512i q[4];
    for (int i = 0; i < 4; i++)
        q[i] = cn__whole_number(r, t + i < c->terms ? _mm512_maskz_loadu_ps(c->some, cn__term(c, index, t + i))
                                                    : _mm512_setzero_ps());
    cn__store_digits(&r->moves, q, line, apart, digits);
}

/* The largest magnitude among all terms and others, or one of the same exponent; of the terms in use, the digits on the
 * given scale too. `index` is c's. */
CN__INLINE uint32_t cn__read_columns(const cn__digit_columns *columns, const uint16_t *index,
                                     const cn__exact_scale *scale, uint8_t *tiles, const int digits)
{
    const cn__digit_columns c = *columns;
    const int64_t apart = c.steps * CN__TILE_BYTES, whole = c.terms / 4 * 4;
    cn__digit_reader r = {_mm512_set1_ps(scale->up), _mm512_set1_ps(scale->most), cn__peak_of_others(columns),
                          cn__byte_moves_all()};
    for (int64_t t = 0; t < whole; t += 4) {
        if (!c.used || c.used[t / 64] >> t % 64 & 15) cn__read_four(&r, &c, index, t, tiles + t * 16, apart, digits);
        else r.peak = cn__peak_of_rows(&c, index, t, t + 4, r.peak);
    }
    if (whole < c.terms) cn__read_last(&r, &c, index, whole, tiles + whole * 16, apart, digits);
    return _mm512_reduce_max_epu32(r.peak);
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
