#include "tensor/number_text.h"

#include "tensor/half.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* printf writes the decimal point of the program's locale, which may be several bytes; only its digits are used here,
 * and strtod reads printf's text back in the same locale. */

static void from_exponent_text(cn__decimal *decimal, const char *text)
{
    decimal->negative = text[0] == '-';
    decimal->n_digits = 0;
    for (; *text && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9') decimal->digits[decimal->n_digits++] = *text;
    decimal->point = *text ? atoi(text + 1) + 1 : 1;
}

static int reads_back(const char *text, double number, int bits)
{
    if (bits == 16) return cn__half_from(strtod(text, NULL)) == cn__half_from(number);
    return bits == 32 ? strtof(text, NULL) == (float)number : strtod(text, NULL) == number;
}

/* Adds 1 to the last digit of the mantissa. Returns 0 if that would carry: then fewer digits would have done. */
static int increment_last_digit(char *text)
{
    char *last = strchr(text, 'e');
    if (!last || last == text || last[-1] == '9') return 0;
    last[-1]++;
    return 1;
}

void cn__decimal_shortest(cn__decimal *decimal, double number, int bits)
{
    char text[64];
    /* The numbers below a power of two lie half as far away as those above, so the nearest decimal can miss where the
     * one above it hits. */
    int exponent;
    int power_of_two = fabs(frexp(number, &exponent)) == 0.5;
    for (int n = 1; n <= 17; n++) {
        snprintf(text, sizeof text, "%.*e", n - 1, number);
        if (reads_back(text, number, bits)) break;
        if (power_of_two && increment_last_digit(text) && reads_back(text, number, bits)) break;
    }
    from_exponent_text(decimal, text);
}

void cn__decimal_significant(cn__decimal *decimal, double number, int digits)
{
    char text[64];
    snprintf(text, sizeof text, "%.*e", digits > 40 ? 39 : digits - 1, number);
    from_exponent_text(decimal, text);
}

void cn__decimal_fixed(cn__decimal *decimal, double number, int places)
{
    char text[CN_NUMBER_TEXT_BYTES];
    snprintf(text, sizeof text, "%.*f", places, number);
    decimal->negative = text[0] == '-';
    decimal->n_digits = 0;
    for (const char *c = text; *c; c++)
        if (*c >= '0' && *c <= '9') decimal->digits[decimal->n_digits++] = *c;
    decimal->point = decimal->n_digits - places;
    /* 0.00012 begins with zeros, which are no digits of a decimal. */
    int zeros = 0;
    while (zeros < decimal->n_digits - 1 && decimal->digits[zeros] == '0') zeros++;
    memmove(decimal->digits, decimal->digits + zeros, (size_t)(decimal->n_digits - zeros));
    decimal->n_digits -= zeros;
    decimal->point -= zeros;
}

int cn__decimal_places(const cn__decimal *decimal)
{
    int n = decimal->n_digits;
    while (n > 0 && decimal->digits[n - 1] == '0') n--;
    int places = n - decimal->point;
    return n > 0 && places > 0 ? places : 0;
}

/* Digit at a place counted from the first one; zeros surround the digits that are there. */
static char digit_at(const cn__decimal *decimal, int place)
{
    return (char)(place >= 0 && place < decimal->n_digits ? decimal->digits[place] : '0');
}

int cn__decimal_positional(const cn__decimal *decimal, int places, char text[CN_NUMBER_TEXT_BYTES])
{
    int used = 0;
    if (decimal->negative) text[used++] = '-';
    if (decimal->point <= 0) text[used++] = '0';
    for (int i = 0; i < decimal->point; i++) text[used++] = digit_at(decimal, i);
    text[used++] = '.';
    for (int i = 0; i < places; i++) text[used++] = digit_at(decimal, decimal->point + i);
    text[used] = '\0';
    return used;
}

int cn__decimal_scientific(const cn__decimal *decimal, int places, int exponent_digits,
                           char text[CN_NUMBER_TEXT_BYTES])
{
    int used = 0;
    if (decimal->negative) text[used++] = '-';
    text[used++] = digit_at(decimal, 0);
    text[used++] = '.';
    for (int i = 0; i < places; i++) text[used++] = digit_at(decimal, 1 + i);
    int exponent = decimal->point - 1;
    used += snprintf(text + used, CN_NUMBER_TEXT_BYTES - (size_t)used, "e%c%0*d", exponent < 0 ? '-' : '+',
                     exponent_digits, abs(exponent));
    return used;
}

int cn__number_str(double number, int bits, char text[CN_NUMBER_TEXT_BYTES])
{
    if (isnan(number)) return snprintf(text, CN_NUMBER_TEXT_BYTES, "nan");
    if (isinf(number)) return snprintf(text, CN_NUMBER_TEXT_BYTES, number < 0 ? "-inf" : "inf");
    cn__decimal decimal;
    cn__decimal_shortest(&decimal, number, bits);
    double magnitude = fabs(number);
    if (magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e16)) {
        int places = cn__decimal_places(&decimal);
        return cn__decimal_positional(&decimal, places > 0 ? places : 1, text);
    }
    int places = decimal.n_digits - 1;
    int used = cn__decimal_scientific(&decimal, places, 2, text);
    if (places > 0) return used;
    /* 1.e+16 is written 1e+16 */
    char *point = strchr(text, '.');
    memmove(point, point + 1, strlen(point));
    return used - 1;
}
