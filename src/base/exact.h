/* Double-precision functions that give the same bits on every machine, unlike the C library's, which differ by version
 * and by CPU. For code that is not hot: initializers, schedules, Adam's powers. */
#ifndef CN_BASE_EXACT_H
#define CN_BASE_EXACT_H

/* Natural logarithm, x > 0 and normal; error below 2 units in the last place. */
double cn__exact_log(double x);

/* e^x, error below 2 units in the last place; 0 below -708, infinity above 709. */
double cn__exact_exp(double x);

/* x to the power y, x >= 0; the relative error grows with |y log x|, to some 1e-14 for results near 1e+-30. 0^0 is
 * 1. */
double cn__exact_real_power(double x, double y);

/* cos(pi x) for x in 0 ... 1. */
double cn__exact_cos_pi(double x);

/* Sine and cosine of a number of whole turns; error below 1e-15. */
void cn__exact_turn(double turns, double *sine, double *cosine);

/* x to the whole power n >= 0, by squaring. */
double cn__exact_power(double x, unsigned long n);

#endif
