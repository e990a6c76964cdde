/* The words of cn__philox (base/random.h), sixteen counters side by side so that the compiler can use vectors. */
#ifndef CN_KERNELS_PHILOX_H
#define CN_KERNELS_PHILOX_H

#include <stdint.h>

#define CN__PHILOX_COUNTERS 16
#define CN__PHILOX_WORDS (4 * CN__PHILOX_COUNTERS)

/* words[4 * i + k] is word k at index `index + i`, for i below CN__PHILOX_COUNTERS. */
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
