#include "base/sha256.h"

#include <string.h>

static const uint32_t round_constant[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static inline uint32_t read_big_endian(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* One round with the eight letters of FIPS 180-4 in their places. Instead of moving the letters along, the caller
 * rotates the arguments, which saves eight moves a round. */
#define ROUND(a, b, c, d, e, f, g, h, t)                                                                            \
    do {                                                                                                            \
        uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) +                    \
                      round_constant[t] + w[(t) & 15];                                                              \
        d += t1;                                                                                                    \
        h = t1 + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));                        \
    } while (0)

#define EIGHT_ROUNDS(t)                                                                                             \
    do {                                                                                                            \
        ROUND(a, b, c, d, e, f, g, h, (t) + 0);                                                                     \
        ROUND(h, a, b, c, d, e, f, g, (t) + 1);                                                                     \
        ROUND(g, h, a, b, c, d, e, f, (t) + 2);                                                                     \
        ROUND(f, g, h, a, b, c, d, e, (t) + 3);                                                                     \
        ROUND(e, f, g, h, a, b, c, d, (t) + 4);                                                                     \
        ROUND(d, e, f, g, h, a, b, c, (t) + 5);                                                                     \
        ROUND(c, d, e, f, g, h, a, b, (t) + 6);                                                                     \
        ROUND(b, c, d, e, f, g, h, a, (t) + 7);                                                                     \
    } while (0)

static void add_blocks(uint32_t state[8], const unsigned char *p, size_t n_blocks)
{
    uint32_t w[16]; /* the last sixteen words of the message schedule; word t lives at t mod 16 */
    for (; n_blocks > 0; n_blocks--, p += 64) {
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
        for (int i = 0; i < 16; i++) w[i] = read_big_endian(p + 4 * i);
        EIGHT_ROUNDS(0);
        EIGHT_ROUNDS(8);
        for (int t = 16; t < 64; t += 16) {
            for (int i = 0; i < 16; i++) {
                uint32_t s0 = w[(i + 1) & 15], s1 = w[(i + 14) & 15];
                w[i] += (rotate(s0, 7) ^ rotate(s0, 18) ^ s0 >> 3) + w[(i + 9) & 15] +
                        (rotate(s1, 17) ^ rotate(s1, 19) ^ s1 >> 10);
            }
            EIGHT_ROUNDS(t);
            EIGHT_ROUNDS(t + 8);
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;
        state[4] += e, state[5] += f, state[6] += g, state[7] += h;
    }
}

void cn__sha256_begin(cn__sha256 *hash)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(hash->state, start, sizeof start);
    hash->bytes = 0;
}

void cn__sha256_add(cn__sha256 *hash, const void *data, size_t size)
{
    const unsigned char *p = data;
    size_t kept = (size_t)(hash->bytes % 64);
    hash->bytes += size;
    if (kept > 0) {
        size_t wanted = 64 - kept, taken = size < wanted ? size : wanted;
        if (taken > 0) memcpy(hash->block + kept, p, taken);
        if (taken < wanted) return;
        add_blocks(hash->state, hash->block, 1);
        p += taken;
        size -= taken;
    }
    add_blocks(hash->state, p, size / 64);
    if (size % 64 > 0) memcpy(hash->block, p + size / 64 * 64, size % 64);
}

void cn__sha256_end(cn__sha256 *hash, char digest[65])
{
    uint64_t bits = hash->bytes * 8;
    size_t kept = (size_t)(hash->bytes % 64);
    unsigned char tail[128] = {0};
    memcpy(tail, hash->block, kept);
    tail[kept] = 0x80;
    size_t n_blocks = kept + 1 + 8 > 64 ? 2 : 1;
    for (size_t i = 0; i < 8; i++) tail[n_blocks * 64 - 1 - i] = (unsigned char)(bits >> 8 * i);
    add_blocks(hash->state, tail, n_blocks);
    for (size_t i = 0; i < 64; i++) digest[i] = "0123456789abcdef"[hash->state[i / 8] >> (28 - i % 8 * 4) & 15];
    digest[64] = '\0';
}
