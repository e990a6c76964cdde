#include "base/exact.h"

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

double cn__exact_power(double x, unsigned long n)
{
    double power = 1;
    for (; n; n >>= 1) {
        if (n & 1) power *= x;
        x *= x;
    }
    return power;
}
