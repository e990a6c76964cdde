/* float16: 1 sign, 5 exponent, 10 fraction bits (IEEE 754 binary16). No C compiler of ours computes with it everywhere,
 * so it is stored as uint16_t and computed with as float. */
#ifndef CN_TENSOR_HALF_H
#define CN_TENSOR_HALF_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float cn__half_value(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = half >> 10 & 31u, fraction = half & 0x3ffu;
    float value;
    if (exponent == 0) { /* zero, or fraction x 2^-24 */
        value = (float)fraction * 0x1p-24f;
        return sign ? -value : value;
    }
    uint32_t bits = sign | (exponent == 31 ? 255u : exponent + 112u) << 23 | fraction << 13;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The nearest half, ties to even: straight from double, since rounding to float on the way could round twice. */
static inline uint16_t cn__half_from(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 48 & 0x8000u);
    double magnitude = fabs(number);
    if (!(magnitude < 65520.0)) return (uint16_t)(sign | (magnitude != magnitude ? 0x7e00u : 0x7c00u));
    /* Adding and taking away 2^52 times the distance between neighbouring halves rounds to a multiple of it. */
    int exponent = (int)(bits >> 52 & 2047u) - 1023;
    if (exponent < -14) exponent = -14;
    uint64_t magic_bits = (uint64_t)(exponent - 10 + 52 + 1023) << 52;
    double magic;
    memcpy(&magic, &magic_bits, sizeof magic);
    double rounded = magnitude + magic;
    uint64_t rounded_bits;
    memcpy(&rounded_bits, &rounded, sizeof rounded_bits);
    uint32_t steps = (uint32_t)(rounded_bits - magic_bits); /* in units of that distance: 0 ... 2048 */
    /* A carry out of the fraction raises the exponent, as it should. */
    return (uint16_t)(sign | (((uint32_t)(exponent + 14) << 10) + steps));
}

#endif
