/* Sixteen numbers of a row of the gradient from a list of its column's non-zeros (kernels/batch.h), as exact sums: the
 * row of a column that seldom has ink and stands in no tile. */
#ifndef CN_KERNELS_AMX_BYTES_RARE_H
#define CN_KERNELS_AMX_BYTES_RARE_H

#include "kernels/amx_digits.h"

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

#endif
