#include "base/exact.h"

#include <math.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* x = 2^e * m with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s), s = (m-1)/(m+1), |s| < 0.1716, as a power series:
 * s^2 < 0.0295, so twelve terms leave less than 2^-60. */
double cn__exact_log(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52) - 1023;
    bits = (bits & 0x000FFFFFFFFFFFFFu) | 0x3FF0000000000000u;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        exponent++;
    }
    double s = (m - 1) / (m + 1), s2 = s * s, sum = 0;
    for (int k = 25; k >= 3; k -= 2) sum = (sum + 1.0 / k) * s2;
    const double log2_high = 0x1.62e42fee00000p-1, log2_low = 0x1.a39ef35793c76p-33;
    return exponent * log2_high + (2 * s + (2 * s * sum + exponent * log2_low));
}

/* x = n log 2 + r with |r| <= log 2 / 2; e^r as a power series of 15 terms, times 2^n. */
double cn__exact_exp(double x)
{
    if (x != x) return x;
    if (x < -708) return 0;
    if (x > 709) return (double)INFINITY;
    const double log2_high = 0x1.62e42fee00000p-1, log2_low = 0x1.a39ef35793c76p-33;
    double n = floor(x * 1.4426950408889634 + 0.5), r = (x - n * log2_high) - n * log2_low, sum = 1;
    for (int k = 15; k >= 1; k--) sum = 1 + sum * r / k;
    uint64_t bits = (uint64_t)((int64_t)n + 1022) << 52; /* 2^(n-1): n = 1024 would be out of range */
    double power;
    memcpy(&power, &bits, sizeof power);
    return sum * power * 2;
}

double cn__exact_real_power(double x, double y)
{
    if (y == 0 || x == 1) return 1;
    if (x == 0) return y > 0 ? 0 : (double)INFINITY;
    if (y == 1) return x;
    return cn__exact_exp(y * cn__exact_log(x));
}

/* Around 1/2 the cosine is a sine; both as power series for angles of at most pi / 4. */
double cn__exact_cos_pi(double x)
{
    if (x > 0.5) return -cn__exact_cos_pi(1 - x);
    int is_sine = x > 0.25;
    double angle = 3.141592653589793 * (is_sine ? 0.5 - x : x), square = angle * angle, sum = 1;
    for (int k = 20; k >= 2; k -= 2) sum = 1 - sum * square / ((k + is_sine) * (k + is_sine - 1));
    return is_sine ? angle * sum : sum;
}

/* Reduced to at most an eighth of a turn, where the power series need ten terms to be exact. */
void cn__exact_turn(double turns, double *sine, double *cosine)
{
    double quarters = floor(4 * turns + 0.5), x = (turns - quarters / 4) * 6.283185307179586, square = x * x;
    double s = 0, c = 0;
    for (int k = 20; k >= 2; k -= 2) {
        c = (1 - c) * square / (k * (k - 1));
        s = (1 - s) * square / (k * (k + 1));
    }
    s = x * (1 - s);
    c = 1 - c;
    int quarter = (int)(quarters - 4 * floor(quarters / 4));
    *sine = quarter == 0 ? s : quarter == 1 ? c : quarter == 2 ? -s : -c;
    *cosine = quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s;
}

double cn__exact_power(double x, unsigned long n)
{
    double power = 1;
    for (; n; n >>= 1) {
        if (n & 1) power *= x;
        x *= x;
    }
    return power;
}
