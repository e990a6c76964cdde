/* exp, log, tanh, 1/sqrt and their kin of our own, written in plain arithmetic so that every engine and compiler gives
 * the same bits, and so that the compiler can vectorize loops over them.
 *
 *   function   error at most (tests/unit/test_functions.c: every 251st float32 number, CORNU_EXHAUSTIVE=1 for all)
 *   exp        1 ulp       0 below -87.34 (no subnormal results), infinity above 88.73
 *   log        1 ulp       for x > 0 and normal; -infinity for 0, NaN below
 *   tanh       1.5 ulp       keeps the sign of 0
 *   rsqrt      1 ulp       for 2^-125 <= x, finite; unspecified elsewhere
 *   expm1      2 ulp       e^x - 1, also near 0; -1 below -17.4, infinity above 88.72
 *   log1p      3 ulp       log(1 + x) for x >= 0, also near 0
 *   erf        1.5 ulp     keeps the sign of 0
 *   sigmoid    3 ulp       1 / (1 + e^-x); 0 below -88.7
 * NaN gives NaN. Polynomials are minimax fits of relative error (Remez), rounded to float32. In the float64 engine the
 * functions are the C library's: it is the yardstick, not part of the promise. */
#ifndef CN_KERNELS_FUNCTIONS_H
#define CN_KERNELS_FUNCTIONS_H

#include "kernels/real.h"

#include <string.h>

#if CN_REAL_BITS == 64

static inline real cn__exp(real x) { return exp(x); }
static inline real cn__log(real x) { return log(x); }
static inline real cn__tanh(real x) { return tanh(x); }
static inline real cn__rsqrt(real x) { return 1 / sqrt(x); }
static inline real cn__expm1(real x) { return expm1(x); }
static inline real cn__log1p(real x) { return log1p(x); }
static inline real cn__erf(real x) { return erf(x); }

#else

static inline float cn__from_bits(int32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline int32_t cn__to_bits(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* x = n log 2 + r, |r| <= log 2 / 2; e^r by a polynomial of degree 6, times 2^n. Cody and Waite's two-part log 2. */
static inline float cn__exp(float x)
{
    const float low = -87.33654f, high = 88.72283f;
    float bounded = x > low ? (x < high ? x : high) : low; /* NaN becomes low, so that all below stays in range */
    float shifted = fmaf(bounded, 1.44269504f, 12582912.0f); /* 1.5 * 2^23: rounds to a whole number */
    float n = shifted - 12582912.0f;
    float r = fmaf(n, -0.693145752f, bounded);
    r = fmaf(n, -1.42860677e-6f, r);
    float p = 1.38145406e-3f;
    p = fmaf(p, r, 8.36874545e-3f);
    p = fmaf(p, r, 4.16683890e-2f);
    p = fmaf(p, r, 1.66665211e-1f);
    p = fmaf(p, r, 0.499999940f);
    p = fmaf(p, r, 1.0f);
    p = fmaf(p, r, 1.0f);
    /* 2^n in two factors, since n = 128 has no float */
    int32_t whole = cn__to_bits(shifted) - cn__to_bits(12582912.0f);
    int32_t half = whole >> 1;
    float result = p * cn__from_bits((half + 127) << 23) * cn__from_bits((whole - half + 127) << 23);
    result = x < low ? 0.0f : result;
    result = x > high ? (float)INFINITY : result;
    return x != x ? x : result;
}

/* x = 2^e * m, m in [sqrt(1/2), sqrt(2)); with f = m - 1 and s = f / (2 + f):
 * log m = 2 atanh(s) = f - f^2/2 + s (f^2/2 + s^2 P(s^2)). Unsigned, so that negative arguments overflow nothing. */
static inline float cn__log(float x)
{
    uint32_t bits = (uint32_t)cn__to_bits(x);
    int32_t e = (int32_t)(bits - 0x3f3504f3u) >> 23;
    float m = cn__from_bits((int32_t)(bits - ((uint32_t)e << 23)));
    float f = m - 1.0f;
    float s = f / (2.0f + f), s2 = s * s;
    float p = 0.235835686f;
    p = fmaf(p, s2, 0.285372376f);
    p = fmaf(p, s2, 0.400003374f);
    p = fmaf(p, s2, 0.666666627f);
    float t = 0.5f * f * f;
    float n = (float)e;
    float tail = fmaf(s, fmaf(s2, p, t), n * -2.12194440e-4f);
    float result = (f - (t - tail)) + n * 0.693359375f;
    result = x > 0.0f ? result : (x == 0.0f ? -(float)INFINITY : (float)NAN);
    result = x == (float)INFINITY ? x : result;
    return result;
}

/* |x| < 0.625: x + x^3 P(x^2); else 1 - 2/(e^{2|x|} + 1). */
static inline float cn__tanh(float x)
{
    float a = fabsf(x), x2 = x * x;
    float p = -5.70498872e-3f;
    p = fmaf(p, x2, 2.06390887e-2f);
    p = fmaf(p, x2, -5.37397155e-2f);
    p = fmaf(p, x2, 1.33314422e-1f);
    p = fmaf(p, x2, -3.33332819e-1f);
    float near = fmaf(p * x2, x, x);
    float far = 1.0f - 2.0f / (cn__exp(2.0f * (a > 20.0f ? 20.0f : a)) + 1.0f);
    float result = copysignf(a < 0.625f ? near : far, x);
    return x != x ? x : result;
}

/* An integer first guess (wrong by up to 7 %), a parabola in x y^2 fitted to the inverse root (2.5e-5 left), and a step
 * of Newton's iteration: no estimate instruction, whose bits differ between makers of CPUs. All of it from x / 2, which
 * takes an operation less. */
static inline float cn__rsqrt(float x)
{
    float h = 0.5f * x;
    float y = cn__from_bits((int32_t)(0x5ef70000u - ((uint32_t)cn__to_bits(h) >> 1)));
    float r = h * y * y;
    y = y * fmaf(fmaf(r, 4 * 0.3789431f, 2 * -1.2589499f), r, 1.8800031f);
    return fmaf(y, fmaf(-(h * y), y, 0.5f), y);
}

/* As exp, with 1 taken away before the multiplication by 2^n: 2^n (e^r - 1) + (2^n - 1). */
static inline float cn__expm1(float x)
{
    const float low = -17.4f, high = 80.0f;
    float bounded = x > low ? (x < high ? x : high) : low;
    float shifted = fmaf(bounded, 1.44269504f, 12582912.0f);
    float n = shifted - 12582912.0f;
    float r = fmaf(n, -0.693145752f, bounded);
    r = fmaf(n, -1.42860677e-6f, r);
    float p = 1.38145406e-3f;
    p = fmaf(p, r, 8.36874545e-3f);
    p = fmaf(p, r, 4.16683890e-2f);
    p = fmaf(p, r, 1.66665211e-1f);
    p = fmaf(p, r, 0.499999940f);
    p = fmaf(p * r, r, r);
    float power = cn__from_bits((cn__to_bits(shifted) - cn__to_bits(12582912.0f) + 127) << 23);
    float result = fmaf(power, p, power - 1.0f);
    result = x > low ? result : -1.0f;
    result = x >= high ? cn__exp(x) : result;
    return x != x ? x : (x == 0.0f ? x : result);
}

/* What rounding of 1 + x lost is put right to first order: log(w) * x / (w - 1), w = 1 + x rounded (Kahan). */
static inline float cn__log1p(float x)
{
    float w = 1.0f + x, lost = w - 1.0f;
    float result = cn__log(w) * (x / (lost == 0.0f ? 1.0f : lost));
    result = lost == 0.0f ? x : result;
    return w == (float)INFINITY ? w : result;
}

/* |x| < 0.9375: x + x P(x^2); beyond: 1 - e^Q(|x|), where Q fits log(1 - erf). */
static inline float cn__erf(float x)
{
    float a = fabsf(x), s = x * x;
    float p = 8.26745891e-5f;
    p = fmaf(p, s, -8.11807462e-4f);
    p = fmaf(p, s, 5.19882981e-3f);
    p = fmaf(p, s, -2.68584974e-2f);
    p = fmaf(p, s, 1.12836793e-1f);
    p = fmaf(p, s, -3.76126319e-1f);
    p = fmaf(p, s, 1.28379166e-1f);
    float near = fmaf(p, x, x), t = a < 4.0f ? a : 4.0f;
    float q = 1.93901462e-4f;
    q = fmaf(q, t, -3.02317040e-3f);
    q = fmaf(q, t, 2.21466720e-2f);
    q = fmaf(q, t, -1.03764363e-1f);
    q = fmaf(q, t, -6.37373745e-1f);
    q = fmaf(q, t, -1.12756133f);
    q = fmaf(q, t, -2.23494295e-4f);
    float far = 1.0f - cn__exp(q);
    float result = copysignf(a < 0.9375f ? near : far, x);
    return x != x ? x : result;
}

#endif

static inline real cn__sigmoid(real x) { return 1 / (1 + cn__exp(-x)); }
#endif
