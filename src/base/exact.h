/* Double-precision functions that give the same bits on every machine, unlike the C library's, which differ by version
 * and by CPU. For code that is not hot: initializers, schedules, Adam's powers. */
#ifndef CN_BASE_EXACT_H
#define CN_BASE_EXACT_H

/* Natural logarithm, x > 0 and normal; error below 2 units in the last place. */
double cn__exact_log(double x);

/* x to the whole power n >= 0, by squaring. */
double cn__exact_power(double x, unsigned long n);

#endif
