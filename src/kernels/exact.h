/* Exact sums for inputs that are bytes.
 *
 * A sum of products of bytes and float32 numbers, s = scale sum_k code[k] w[k], is not made in float32. The numbers w
 * of a group (sixteen neighbouring outputs with all their terms, those too whose codes are 0) become whole numbers on
 * one scale:
 *
 *   e     the smallest exponent with |w| < 2^e for all of them, at least -60
 *   q     w 2^(bits-e), rounded to nearest, ties to even; weights: at most 2^bits - 1
 *   S     sum_k code[k] q[k], exactly
 *   s     fma((float)high, 2^low c, (float)rest c)   high = floor(S / 2^low), rest = S - 2^low high,
 *                                                    c = (float)(scale 2^(e-bits))
 *
 *                        bits   low   mixed_bfloat16 without tiles: bits   low
 *   weights   (forward)    23    16                                 14     0
 *   gradients (backward)   30    24                                 15     0
 *
 * S has no order: any kernel, vector width, number of threads or choice between lists of non-zeros and tiles gives the
 * same bits. And it is mostly nearer to the truth than a float32 sum: a weight is off by 2^-24 of the group's largest
 * power of two at most, a gradient by 2^-31, once, where a float32 sum rounds after each of its terms. (Gradients get
 * more bits because they differ more in size.) A group with an infinity or a NaN gives NaN, as 0 times either does, and
 * so may one whose 2^low c is above float32's range.
 *
 * The short ones are for mixed_bfloat16: down to a 64th of the group's largest number they are at least as exact as
 * bfloat16, whose numbers have eight bits, and of smaller ones they lose less than 2^-14 of the largest.
 *
 * So q depends on the weights alone and may serve many batches. Only where inputs are nearly all blank (cn__batch's
 * mostly_blank) is e taken over the terms that the batch uses: there, reading the others would take longer than the
 * whole product.
 *
 * At most CN__EXACT_TERMS terms: then neither 2^53 nor, byte by byte, 2^31 is passed. */
#ifndef CN_KERNELS_EXACT_H
#define CN_KERNELS_EXACT_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define CN__EXACT_TERMS 32768
#define CN__EXACT_GROUP 16 /* outputs */
#define CN__EXACT_LEAST -60

typedef struct cn__exact_kind {
    int bits, low;
} cn__exact_kind;
#define CN__EXACT_WEIGHTS ((cn__exact_kind){23, 16})
#define CN__EXACT_GRADIENTS ((cn__exact_kind){30, 24})
#define CN__EXACT_SHORT_WEIGHTS ((cn__exact_kind){14, 0})
#define CN__EXACT_SHORT_GRADIENTS ((cn__exact_kind){15, 0})

/* The scale of a group. */
typedef struct cn__exact_scale {
    float up;         /* q = round(w up) */
    float most;       /* largest q */
    float high, rest; /* s = fma(high part of S, high, low part of S * rest); NaN if there is an infinity or a NaN */
} cn__exact_scale;

/* e, from the bits of the largest |w|, which grow with it. */
static inline int cn__exact_exponent(uint32_t peak)
{
    int e = (int)(peak >> 23) - 126; /* 2^(e-1) <= |w| < 2^e */
    return e < CN__EXACT_LEAST ? CN__EXACT_LEAST : e;
}

static inline cn__exact_scale cn__exact_scale_of(cn__exact_kind kind, uint32_t peak, double scale)
{
    if (peak >= 0x7f800000u) return (cn__exact_scale){0, 0, NAN, NAN};
    int e = cn__exact_exponent(peak);
    float c = (float)(scale * ldexp(1, e - kind.bits));
    return (cn__exact_scale){ldexpf(1, kind.bits - e), ldexpf(1, kind.bits) - (float)(kind.bits < 24),
                             ldexpf(c, kind.low), c};
}

static inline uint32_t cn__exact_magnitude(float w)
{
    uint32_t bits;
    memcpy(&bits, &w, sizeof bits);
    return bits & 0x7fffffffu;
}

/* q, as a double. Adding and taking away 1.5 2^52 rounds to a whole number. */
static inline double cn__exact_whole(float w, const cn__exact_scale *scale)
{
    const double shift = 6755399441055744.0;
    double q = ((double)w * (double)scale->up + shift) - shift;
    return q > (double)scale->most ? (double)scale->most : q;
}

/* s from S. */
static inline float cn__exact_value(double sum, cn__exact_kind kind, const cn__exact_scale *scale)
{
    double high = floor(sum * (1.0 / (double)(1 << kind.low))), rest = sum - high * (double)(1 << kind.low);
    return fmaf((float)high, scale->high, (float)rest * scale->rest);
}

#endif
