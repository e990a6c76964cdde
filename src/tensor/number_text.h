/* Numbers as decimal text, as NumPy and Python write them. Independent of the program's locale. */
#ifndef CN_TENSOR_NUMBER_TEXT_H
#define CN_TENSOR_NUMBER_TEXT_H

#define CN_NUMBER_TEXT_BYTES 352 /* the longest double without an exponent has 309 digits before its point */

/* Finite |number| = 0.d1 d2 d3 ... x 10^point. Zero is one digit 0 with point 1. */
typedef struct cn__decimal {
    int negative;
    int point;
    int n_digits;
    char digits[CN_NUMBER_TEXT_BYTES];
} cn__decimal;

/* The shortest digits that a reader rounds to this very number, which is a double, float or float16 (bits 64, 32, 16).
 * Among several of the same length, the nearest. */
void cn__decimal_shortest(cn__decimal *decimal, double number, int bits);

/* The exact number rounded to `digits` significant digits, at least 1. */
void cn__decimal_significant(cn__decimal *decimal, double number, int digits);

/* The exact number rounded to `places` digits behind the point, for |number| < 1e300. */
void cn__decimal_fixed(cn__decimal *decimal, double number, int places);

/* Digits behind the point that are not trailing zeros: 2 for 1.50 -> "1.5" is 1, for 3 it is 0. */
int cn__decimal_places(const cn__decimal *decimal);

/* "-12.5", "3." with exactly `places` digits behind the point; missing ones are zeros, others must not be there.
 * Returns the length. */
int cn__decimal_positional(const cn__decimal *decimal, int places, char text[CN_NUMBER_TEXT_BYTES]);

/* "-1.25e+01", "3.e-10" with `places` digits behind the point and at least `exponent_digits` in the exponent. */
int cn__decimal_scientific(const cn__decimal *decimal, int places, int exponent_digits,
                           char text[CN_NUMBER_TEXT_BYTES]);

/* Python's str() of a NumPy scalar: "0.1", "1e+16", "nan", "-inf". */
int cn__number_str(double number, int bits, char text[CN_NUMBER_TEXT_BYTES]);

#endif
