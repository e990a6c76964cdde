/* Sixteen numbers of a row of the gradient from a list of its column's non-zeros (kernels/batch.h), as exact sums: the
 * row of a column that seldom has ink and stands in no tile. */
#ifndef CN_KERNELS_AMX_BYTES_RARE_H
#define CN_KERNELS_AMX_BYTES_RARE_H

#include "kernels/amx_digits.h"
#include "kernels/rmsprop.h"

/* n entries, each a sample and its code; the sixteen numbers of dy for a sample begin at dy[sample * stride]. */
typedef struct cn__rare_list {
    const cn__ink *entries;
    int64_t n, stride;
    const real *dy;
} cn__rare_list;

static inline __m512i cn__rare_whole(const cn__rare_list *list, const cn__ink *entry, __mmask16 some, __m512 up)
{
    return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_maskz_loadu_ps(some, list->dy + entry->index * list->stride), up));
}

/* Sums of whole numbers in 64 bits. */
static inline __m512 cn__rare_value_of_long(const cn__rare_list *list, __mmask16 some, const cn__exact_scale *scale)
{
    const __m512i low = _mm512_set1_epi64(0xffffff);
    __m512i sum[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    for (const cn__ink *entry = list->entries, *end = entry + list->n; entry < end; entry++) {
        const __m512i q = cn__rare_whole(list, entry, some, _mm512_set1_ps(scale->up));
        const __m512i code = _mm512_set1_epi64(entry->codes[0]);
        sum[0] = _mm512_add_epi64(sum[0], _mm512_mul_epi32(_mm512_cvtepi32_epi64(_mm512_castsi512_si256(q)), code));
        sum[1] = _mm512_add_epi64(sum[1],
                                  _mm512_mul_epi32(_mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(q, 1)), code));
    }
    __m256 value[2];
    for (int h = 0; h < 2; h++) {
        __m256 high = _mm512_cvtepi64_ps(_mm512_srai_epi64(sum[h], (unsigned)CN__EXACT_GRADIENTS.low));
        __m256 rest = _mm512_cvtepi64_ps(_mm512_and_si512(sum[h], low));
        value[h] = _mm256_fmadd_ps(high, _mm256_set1_ps(scale->high), _mm256_mul_ps(rest, _mm256_set1_ps(scale->rest)));
    }
    return _mm512_insertf32x8(_mm512_castps256_ps512(value[0]), value[1], 1);
}

/* q is 2^16 upper + lower, where lower has a sign, too, and both fit 16 bits: so many products of each fit 32. */
#define CN__RARE_SHORT 256

static inline __m512 cn__rare_value_of_short(const cn__rare_list *list, __mmask16 some, const cn__exact_scale *scale)
{
    const __m512i half = _mm512_set1_epi32(0x8000), word = _mm512_set1_epi32(0xffff), low = _mm512_set1_epi32(0xffffff);
    const __m512 up = _mm512_set1_ps(scale->up);
    __m512i lower = _mm512_setzero_si512(), upper = _mm512_setzero_si512();
    for (const cn__ink *entry = list->entries, *end = entry + list->n; entry < end; entry++) {
        const __m512i q = cn__rare_whole(list, entry, some, up), code = _mm512_set1_epi32(entry->codes[0]);
        lower = _mm512_add_epi32(lower, _mm512_madd_epi16(q, code));
        upper = _mm512_add_epi32(upper, _mm512_madd_epi16(_mm512_add_epi32(q, half), _mm512_slli_epi32(code, 16)));
    }
    upper = _mm512_add_epi32(upper, _mm512_srai_epi32(lower, 16));
    __m512i rest = _mm512_and_si512(cn__choose_bits(word, lower, _mm512_slli_epi32(upper, 16)), low);
    return cn__digits_value(_mm512_srai_epi32(upper, 8), rest, scale);
}

static inline __m512 cn__rare_value(const cn__rare_list *list, __mmask16 some, const cn__exact_scale *scale)
{
    return list->n > CN__RARE_SHORT ? cn__rare_value_of_long(list, some, scale)
                                    : cn__rare_value_of_short(list, some, scale);
}

/* --- a row of a whole strip, in registers: seldom are there many entries, and a loop over one or two of them for each
 * sixteen outputs is mostly guessing where it ends ----------------------------------------------------------------- */

#define CN__RARE_GROUPS (CN__IDLE_COLUMNS / CN__EXACT_GROUP)

/* As cn__rare_value_of_short, for all groups. */
CN__INLINE void cn__rare_values(const cn__rare_list *list, const cn__exact_scale *scales,
                                __m512 gradient[CN__RARE_GROUPS])
{
    const __m512i half = _mm512_set1_epi32(0x8000), word = _mm512_set1_epi32(0xffff), low = _mm512_set1_epi32(0xffffff);
    __m512i lower[CN__RARE_GROUPS], upper[CN__RARE_GROUPS];
    CN__UNROLL(8)
    for (int k = 0; k < CN__RARE_GROUPS; k++) lower[k] = upper[k] = _mm512_setzero_si512();
    for (const cn__ink *entry = list->entries, *end = entry + list->n; entry < end; entry++) {
        const __m512i code = _mm512_set1_epi32(entry->codes[0]), above = _mm512_slli_epi32(code, 16);
        const real *dy = list->dy + entry->index * list->stride;
        CN__UNROLL(8)
        for (int k = 0; k < CN__RARE_GROUPS; k++) {
            const __m512 up = _mm512_set1_ps(scales[k].up);
            const __m512i q = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(dy + k * CN__EXACT_GROUP), up));
            lower[k] = _mm512_add_epi32(lower[k], _mm512_madd_epi16(q, code));
            upper[k] = _mm512_add_epi32(upper[k], _mm512_madd_epi16(_mm512_add_epi32(q, half), above));
        }
    }
    CN__UNROLL(8)
    for (int k = 0; k < CN__RARE_GROUPS; k++) {
        const __m512i all = _mm512_add_epi32(upper[k], _mm512_srai_epi32(lower[k], 16));
        const __m512i rest = _mm512_and_si512(cn__choose_bits(word, lower[k], _mm512_slli_epi32(all, 16)), low);
        gradient[k] = cn__digits_value(_mm512_srai_epi32(all, 8), rest, &scales[k]);
    }
}

/* The exponents of the largest of sixteen magnitudes, for all groups: byte k of the result is that of group k. */
CN__INLINE uint64_t cn__rare_exponents_of(const __m512 w[CN__RARE_GROUPS])
{
    __m512i e[CN__RARE_GROUPS];
    CN__UNROLL(8)
    for (int k = 0; k < CN__RARE_GROUPS; k++) e[k] = _mm512_srli_epi32(cn__magnitude(w[k]), 23);
    /* in each lane of 128 bits four bytes of each of four groups */
    const __m512i first = _mm512_packus_epi16(_mm512_packus_epi32(e[0], e[1]), _mm512_packus_epi32(e[2], e[3]));
    const __m512i last = _mm512_packus_epi16(_mm512_packus_epi32(e[4], e[5]), _mm512_packus_epi32(e[6], e[7]));
    const __m512i halves =
        _mm512_max_epu8(_mm512_shuffle_i64x2(first, last, 0x44), _mm512_shuffle_i64x2(first, last, 0xee));
    /* lanes 0 and 1 are of the first four, 2 and 3 of the last */
    const __m256i lanes = _mm256_max_epu8(_mm512_castsi512_si256(_mm512_shuffle_i64x2(halves, halves, 0x08)),
                                          _mm512_castsi512_si256(_mm512_shuffle_i64x2(halves, halves, 0x0d)));
    const __m256i pairs = _mm256_max_epu8(lanes, _mm256_srli_epi32(lanes, 16));
    const __m256i bytes = _mm256_max_epu8(pairs, _mm256_srli_epi32(pairs, 8));
    return (uint64_t)_mm_cvtsi128_si64(_mm256_cvtepi32_epi8(bytes));
}

/* Where a row stands, and what it has missed. */
typedef struct cn__rare_row {
    float *weight, *velocity;
    int64_t missed;
    uint8_t *exponents; /* of its groups, exponents_apart bytes from one to the next; NULL: nobody wants them */
    int64_t exponents_apart;
} cn__rare_row;

/* Through the updates that the row has missed and through that of its entries. */
CN__INLINE void cn__rare_move(const cn__rare_row *row, const cn__rare_list *list, const cn__exact_scale *scales,
                              const cn__rmsprop *update)
{
    const cn__rmsprop u = *update;
    __m512 gradient[CN__RARE_GROUPS], v[CN__RARE_GROUPS], w[CN__RARE_GROUPS];
    cn__rare_values(list, scales, gradient);
    CN__UNROLL(8)
    for (int k = 0; k < CN__RARE_GROUPS; k++) v[k] = _mm512_loadu_ps(row->velocity + k * CN__EXACT_GROUP);
    for (int64_t i = 0; i < row->missed; i++)
        CN__UNROLL(8)
        for (int k = 0; k < CN__RARE_GROUPS; k++) v[k] = cn__rmsprop_decayed(&u, v[k]);
    CN__UNROLL(8)
    for (int k = 0; k < CN__RARE_GROUPS; k++) {
        v[k] = cn__rmsprop_average_of(&u, gradient[k], v[k]);
        w[k] = cn__rmsprop_moved(&u, _mm512_loadu_ps(row->weight + k * CN__EXACT_GROUP), gradient[k], v[k]);
        _mm512_storeu_ps(row->velocity + k * CN__EXACT_GROUP, v[k]);
        _mm512_storeu_ps(row->weight + k * CN__EXACT_GROUP, w[k]);
    }
    if (!row->exponents) return;
    uint64_t exponents = cn__rare_exponents_of(w);
    CN__UNROLL(8)
    for (int k = 0; k < CN__RARE_GROUPS; k++, exponents >>= 8)
        row->exponents[k * row->exponents_apart] = (uint8_t)exponents;
}

#endif
