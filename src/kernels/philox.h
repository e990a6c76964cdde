/* The words of cn__philox (base/random.h), sixteen counters side by side so that the compiler can use vectors. */
#ifndef CN_KERNELS_PHILOX_H
#define CN_KERNELS_PHILOX_H

#include <stdint.h>

#define CN__PHILOX_COUNTERS 16
#define CN__PHILOX_WORDS (4 * CN__PHILOX_COUNTERS)

/* words[4 * i + k] is word k at index `index + i`, for i below CN__PHILOX_COUNTERS. */
#if defined(CN_ISA_AVX512)
#include <immintrin.h>

/* The upper and lower halves of 16 products. */
static inline void cn__philox_multiply(__m512i c, uint32_t factor, __m512i *high, __m512i *low)
{
    __m512i f = _mm512_set1_epi64(factor);
    __m512i even = _mm512_mul_epu32(c, f), odd = _mm512_mul_epu32(_mm512_srli_epi64(c, 32), f);
    *high = _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd);
    *low = _mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
}

/* The four words of each counter side by side. */
static inline void cn__philox_store(__m512i c0, __m512i c1, __m512i c2, __m512i c3, uint32_t *words)
{
    __m512i a = _mm512_unpacklo_epi32(c0, c1), b = _mm512_unpackhi_epi32(c0, c1);
    __m512i c = _mm512_unpacklo_epi32(c2, c3), d = _mm512_unpackhi_epi32(c2, c3);
    __m512i q0 = _mm512_unpacklo_epi64(a, c), q1 = _mm512_unpackhi_epi64(a, c); /* counters 0, 4, 8, 12; 1, 5, ... */
    __m512i q2 = _mm512_unpacklo_epi64(b, d), q3 = _mm512_unpackhi_epi64(b, d);
    __m512i low01 = _mm512_shuffle_i32x4(q0, q1, 0x44), high01 = _mm512_shuffle_i32x4(q0, q1, 0xee);
    __m512i low23 = _mm512_shuffle_i32x4(q2, q3, 0x44), high23 = _mm512_shuffle_i32x4(q2, q3, 0xee);
    _mm512_storeu_si512(words, _mm512_shuffle_i32x4(low01, low23, 0x88));
    _mm512_storeu_si512(words + 16, _mm512_shuffle_i32x4(low01, low23, 0xdd));
    _mm512_storeu_si512(words + 32, _mm512_shuffle_i32x4(high01, high23, 0x88));
    _mm512_storeu_si512(words + 48, _mm512_shuffle_i32x4(high01, high23, 0xdd));
}

static inline void cn__philox_words(uint64_t seed, uint32_t purpose, uint32_t stream, uint64_t index,
                                    uint32_t words[CN__PHILOX_WORDS])
{
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32), low[CN__PHILOX_COUNTERS], high[CN__PHILOX_COUNTERS];
    for (int i = 0; i < CN__PHILOX_COUNTERS; i++) {
        low[i] = (uint32_t)(index + (uint64_t)i);
        high[i] = (uint32_t)((index + (uint64_t)i) >> 32);
    }
    __m512i c0 = _mm512_loadu_si512(low), c1 = _mm512_loadu_si512(high);
    __m512i c2 = _mm512_set1_epi32((int)stream), c3 = _mm512_set1_epi32((int)purpose);
    for (int round = 0; round < 10; round++) {
        __m512i high0, low0, high1, low1;
        cn__philox_multiply(c0, 0xD2511F53u, &high0, &low0);
        cn__philox_multiply(c2, 0xCD9E8D57u, &high1, &low1);
        c0 = _mm512_xor_si512(_mm512_xor_si512(high1, c1), _mm512_set1_epi32((int)k0));
        c2 = _mm512_xor_si512(_mm512_xor_si512(high0, c3), _mm512_set1_epi32((int)k1));
        c1 = low1;
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    cn__philox_store(c0, c1, c2, c3, words);
}

#else

static inline void cn__philox_words(uint64_t seed, uint32_t purpose, uint32_t stream, uint64_t index,
                                    uint32_t words[CN__PHILOX_WORDS])
{
    uint32_t c0[CN__PHILOX_COUNTERS], c1[CN__PHILOX_COUNTERS], c2[CN__PHILOX_COUNTERS], c3[CN__PHILOX_COUNTERS];
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int i = 0; i < CN__PHILOX_COUNTERS; i++) {
        c0[i] = (uint32_t)(index + (uint64_t)i);
        c1[i] = (uint32_t)((index + (uint64_t)i) >> 32);
        c2[i] = stream;
        c3[i] = purpose;
    }
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < CN__PHILOX_COUNTERS; i++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c0[i], p1 = (uint64_t)0xCD9E8D57u * c2[i];
            c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;
            c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
            c1[i] = (uint32_t)p1;
            c3[i] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int i = 0; i < CN__PHILOX_COUNTERS; i++) {
        words[4 * i] = c0[i];
        words[4 * i + 1] = c1[i];
        words[4 * i + 2] = c2[i];
        words[4 * i + 3] = c3[i];
    }
}
#endif

#endif
