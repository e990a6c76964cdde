/* Exact sums (kernels/exact.h) on multiply-adds of pairs: CPUs multiply two 16-bit numbers by two others and add both
 * products in 32 bits. A whole number q is two digits,
 *
 *   q = high 2^bits + low    -2^(bits-1) <= low < 2^(bits-1)      bits   12 for weights, 16 for gradients
 *
 * and two terms stand side by side in a cn__wholes, the earlier one in the lower half of each number, as do the two
 * codes by which they are multiplied. So many entries can be added up before a sum could pass 2^31:
 *
 *   weights     2 * 255 * 2^11 * 2048 < 2^31
 *   gradients   2 * 255 * 2^15 * 128  < 2^31
 *
 * Short numbers (mixed_bfloat16) are one digit, which counts as a low one:
 *
 *   weights     2 * 255 * 2^14 * 256  < 2^31
 *   gradients   2 * 255 * 2^15 * 128  < 2^31
 */
#ifndef CN_KERNELS_DIGIT_PAIRS_H
#define CN_KERNELS_DIGIT_PAIRS_H

#include "kernels/batch.h"
#include "kernels/exact.h"

#if defined(CN_ISA_AVX512) || defined(CN_ISA_AVX2) || defined(__SSE2__)
#include <immintrin.h>
#endif

#if defined(CN_ISA_AVX512)
#define CN__WHOLES 16
#elif defined(CN_ISA_AVX2)
#define CN__WHOLES 8
#else
#define CN__WHOLES 4
#endif

typedef int32_t cn__wholes __attribute__((vector_size(CN__WHOLES * sizeof(int32_t))));
typedef uint32_t cn__shiftable __attribute__((vector_size(CN__WHOLES * sizeof(uint32_t))));

typedef float cn__floats __attribute__((vector_size(CN__WHOLES * sizeof(float)), aligned(4), may_alias));

typedef struct cn__digits_of_two {
    cn__wholes low, high;
} cn__digits_of_two;

#define CN__WEIGHT_BITS 12
#define CN__WEIGHT_ENTRIES 2048
#define CN__GRADIENT_BITS 16
#define CN__GRADIENT_ENTRIES 128
#define CN__SHORT_WEIGHT_ENTRIES 256

#define CN__INLINE_PAIRS static inline __attribute__((always_inline))

/* a. Compilers that unroll a loop over entries would multiply ahead and run out of registers; not across this. */
CN__INLINE_PAIRS cn__wholes cn__keep_here(cn__wholes a)
{
#if defined(CN_ISA_AVX512)
    __asm__("" : "+v"(a));
#elif defined(CN_ISA_AVX2) || defined(__SSE2__)
    __asm__("" : "+x"(a));
#endif
    return a;
}

/* sums + the products of both halves */
CN__INLINE_PAIRS cn__wholes cn__add_pairs(cn__wholes sums, const cn__wholes *digits, cn__wholes codes)
{
#if defined(CN_ISA_AVX512)
    return sums + (cn__wholes)_mm512_madd_epi16((__m512i)*digits, (__m512i)codes);
#elif defined(CN_ISA_AVX2)
    return sums + (cn__wholes)_mm256_madd_epi16((__m256i)*digits, (__m256i)codes);
#elif defined(__SSE2__)
    return sums + (cn__wholes)_mm_madd_epi16((__m128i)*digits, (__m128i)codes);
#else
    const cn__wholes low = (cn__wholes)((cn__shiftable)*digits << 16) >> 16, high = *digits >> 16;
    return sums + low * (codes & 0xffff) + high * (codes >> 16);
#endif
}

#define CN__FIRST_CODES ((int)0x80038002) /* 0, second code, 0, first code, of the first of two entries */
#define CN__SECOND_CODES ((int)0x80078006)

/* Both codes of an entry, everywhere. */
CN__INLINE_PAIRS cn__wholes cn__codes_of(const cn__ink *entry)
{
#if defined(CN_ISA_AVX512) || defined(CN_ISA_AVX2)
    int32_t all;
    memcpy(&all, entry, sizeof all);
#endif
#if defined(CN_ISA_AVX512)
    return (cn__wholes)_mm512_shuffle_epi8(_mm512_set1_epi32(all), _mm512_set1_epi32(CN__FIRST_CODES));
#elif defined(CN_ISA_AVX2)
    return (cn__wholes)_mm256_shuffle_epi8(_mm256_set1_epi32(all), _mm256_set1_epi32(CN__FIRST_CODES));
#else
    return (int32_t)(entry->codes[0] | (uint32_t)entry->codes[1] << 16) - (cn__wholes){0};
#endif
}

/* The same of two entries that follow each other. */
typedef struct cn__codes_of_entries {
    cn__wholes first, second;
} cn__codes_of_entries;

CN__INLINE_PAIRS cn__codes_of_entries cn__codes_of_two(const cn__ink *entries)
{
#if defined(CN_ISA_AVX512) || defined(CN_ISA_AVX2)
    int64_t all;
    memcpy(&all, entries, sizeof all);
#endif
#if defined(CN_ISA_AVX512)
    const __m512i both = _mm512_set1_epi64(all);
    return (cn__codes_of_entries){(cn__wholes)_mm512_shuffle_epi8(both, _mm512_set1_epi32(CN__FIRST_CODES)),
                                  (cn__wholes)_mm512_shuffle_epi8(both, _mm512_set1_epi32(CN__SECOND_CODES))};
#elif defined(CN_ISA_AVX2)
    const __m256i both = _mm256_set1_epi64x(all);
    return (cn__codes_of_entries){(cn__wholes)_mm256_shuffle_epi8(both, _mm256_set1_epi32(CN__FIRST_CODES)),
                                  (cn__wholes)_mm256_shuffle_epi8(both, _mm256_set1_epi32(CN__SECOND_CODES))};
#else
    return (cn__codes_of_entries){cn__codes_of(entries), cn__codes_of(entries + 1)};
#endif
}

/* The lower halves of a, and those of b above them. */
CN__INLINE_PAIRS cn__wholes cn__halves(cn__wholes a, cn__wholes b_above)
{
#if defined(CN_ISA_AVX512)
    return (cn__wholes)_mm512_mask_blend_epi16(0xaaaaaaaa, (__m512i)a, (__m512i)b_above);
#elif defined(CN_ISA_AVX2)
    return (cn__wholes)_mm256_blend_epi16((__m256i)a, (__m256i)b_above, 0xaa);
#else
    return (a & 0xffff) | (b_above & ~0xffff);
#endif
}

CN__INLINE_PAIRS cn__wholes cn__shifted_up(cn__wholes a, const int by)
{
    return (cn__wholes)((cn__shiftable)a << by);
}

CN__INLINE_PAIRS cn__digits_of_two cn__digits_of(cn__wholes a, cn__wholes b, const int bits)
{
    const int32_t half = 1 << (bits - 1);
    const cn__wholes a_low = bits == 16 ? a : cn__shifted_up(a, 32 - bits) >> (32 - bits);
    const cn__wholes b_low = cn__shifted_up(b, 32 - bits) >> (16 - bits);
    return (cn__digits_of_two){cn__halves(a_low, b_low),
                               cn__halves((a + half) >> bits, cn__shifted_up(b + half, 16 - bits))};
}

CN__INLINE_PAIRS cn__wholes cn__short_digits_of(cn__wholes a, cn__wholes b)
{
    return cn__halves(a, cn__shifted_up(b, 16));
}

/* What cn__whole_numbers gives, without vectors. Not inline: compilers took seconds for its many copies. */
__attribute__((noinline, unused)) static cn__wholes cn__some_whole_numbers(const float *w, int64_t n,
                                                                           const cn__exact_scale *scale)
{
    /* with a scale that was only guessed, q may be anything, or none */
    cn__wholes q = {0};
    for (int64_t i = 0; scale->most > 0 && i < CN__WHOLES && i < n; i++) {
        const double whole = cn__exact_whole(w[i], scale);
        q[i] = whole >= INT32_MIN ? (int32_t)whole : INT32_MIN;
    }
    return q;
}

/* q of n numbers, of which CN__WHOLES are looked at; all 0 if their group has an infinity or a NaN. */
CN__INLINE_PAIRS cn__wholes cn__whole_numbers(const float *w, int64_t n, const cn__exact_scale *scale)
{
    /* a NaN, as 0 times an infinity is one, becomes the second operand of a minimum, which is 0 then */
#if defined(CN_ISA_AVX512)
    const __mmask16 some = (__mmask16)(n >= 16 ? 0xffff : n > 0 ? (1u << n) - 1 : 0);
    const __m512 up = _mm512_mul_ps(_mm512_maskz_loadu_ps(some, w), _mm512_set1_ps(scale->up));
    return (cn__wholes)_mm512_cvtps_epi32(_mm512_min_ps(up, _mm512_set1_ps(scale->most)));
#else
#if defined(CN_ISA_AVX2)
    if (n >= CN__WHOLES) {
        const __m256 up = _mm256_mul_ps(_mm256_loadu_ps(w), _mm256_set1_ps(scale->up));
        return (cn__wholes)_mm256_cvtps_epi32(_mm256_min_ps(up, _mm256_set1_ps(scale->most)));
    }
#endif
    return cn__some_whole_numbers(w, n, scale);
#endif
}

/* The magnitudes of n numbers, or those of `peaks` where they are larger. */
CN__INLINE_PAIRS cn__wholes cn__larger_magnitudes(cn__wholes peaks, const float *w, int64_t n)
{
    cn__wholes m = {0};
    if (n >= CN__WHOLES) memcpy(&m, w, sizeof m); /* one instruction, if the size is known */
    else if (n > 0) memcpy(&m, w, (size_t)n * sizeof *w);
    m &= 0x7fffffff;
#if defined(CN_ISA_AVX512)
    return (cn__wholes)_mm512_max_epi32((__m512i)m, (__m512i)peaks);
#elif defined(CN_ISA_AVX2)
    return (cn__wholes)_mm256_max_epi32((__m256i)m, (__m256i)peaks);
#else
    const cn__wholes larger = m > peaks;
    return (m & larger) | (peaks & ~larger);
#endif
}

/* s of sums, which are high 2^bits + low. */
CN__INLINE_PAIRS void cn__store_values(cn__wholes low, cn__wholes high, const int bits, const cn__exact_kind kind,
                                       const cn__exact_scale *scale, float *values)
{
    const int more = kind.low - bits;
    const int32_t of_above = (1 << more) - 1, of_low = (1 << bits) - 1;
    const cn__wholes above = high + (low >> bits), upper = above >> more;
    const cn__wholes rest = cn__shifted_up(above & of_above, bits) | (low & of_low);
#if defined(CN_ISA_AVX512)
    const __m512 small = _mm512_mul_ps(_mm512_cvtepi32_ps((__m512i)rest), _mm512_set1_ps(scale->rest));
    _mm512_storeu_ps(values, _mm512_fmadd_ps(_mm512_cvtepi32_ps((__m512i)upper), _mm512_set1_ps(scale->high), small));
#elif defined(CN_ISA_AVX2)
    const __m256 small = _mm256_mul_ps(_mm256_cvtepi32_ps((__m256i)rest), _mm256_set1_ps(scale->rest));
    _mm256_storeu_ps(values, _mm256_fmadd_ps(_mm256_cvtepi32_ps((__m256i)upper), _mm256_set1_ps(scale->high), small));
#else
    for (int i = 0; i < CN__WHOLES; i++)
        values[i] = fmaf((float)upper[i], scale->high, (float)rest[i] * scale->rest);
#endif
}

/* The same of short numbers. */
CN__INLINE_PAIRS void cn__store_short_values(cn__wholes low, const cn__exact_scale *scale, float *values)
{
    *(cn__floats *)values = __builtin_convertvector(low, cn__floats) * scale->rest;
}

#endif
