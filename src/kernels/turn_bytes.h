/* Sixteen lines of 64 bytes, turned. */
#ifndef CN_KERNELS_TURN_BYTES_H
#define CN_KERNELS_TURN_BYTES_H

#include <immintrin.h>

/* Afterwards lane L of v[j] holds byte 16 L + j of each line. */
static inline void cn__turn_bytes(__m512i v[16])
{
    __m512i t[16];
    for (int i = 0; i < 8; i++) {
        t[2 * i] = _mm512_unpacklo_epi8(v[i], v[i + 8]);
        t[2 * i + 1] = _mm512_unpackhi_epi8(v[i], v[i + 8]);
    }
    for (int i = 0; i < 8; i++) {
        v[2 * i] = _mm512_unpacklo_epi8(t[i], t[i + 8]);
        v[2 * i + 1] = _mm512_unpackhi_epi8(t[i], t[i + 8]);
    }
    for (int i = 0; i < 8; i++) {
        t[2 * i] = _mm512_unpacklo_epi8(v[i], v[i + 8]);
        t[2 * i + 1] = _mm512_unpackhi_epi8(v[i], v[i + 8]);
    }
    for (int i = 0; i < 8; i++) {
        v[2 * i] = _mm512_unpacklo_epi8(t[i], t[i + 8]);
        v[2 * i + 1] = _mm512_unpackhi_epi8(t[i], t[i + 8]);
    }
}

#endif
