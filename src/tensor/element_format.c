/* Source: IntegerFormat and FloatingFormat in numpy/_core/arrayprint.py, with the options precision=8 and
 * floatmode="maxprec" that NumPy starts with. */
#include "tensor/element_format.h"

#include "tensor/half.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PRECISION 8 /* digits behind the point */

static int64_t integer_value(const cn_tensor *tensor, const char *element)
{
    int64_t value;
    cn__convert_row(tensor->dtype, 1, element, 0, 1, CN_INT64, &value);
    return value;
}

static int integer_text(const cn_tensor *tensor, const char *element, int width, char *text, size_t bytes)
{
    int64_t value = integer_value(tensor, element);
    if (tensor->dtype == CN_UINT64) return snprintf(text, bytes, "%*llu", width, (unsigned long long)value);
    return snprintf(text, bytes, "%*lld", width, (long long)value);
}

/* Rounded to the type that is shown. */
static double real_value(const cn__element_format *format, const char *element)
{
    double value = cn__tensor_value(format->tensor, element);
    if (format->bits == 16) return (double)cn__half_value(cn__half_from(value));
    return format->bits == 32 ? (double)(float)value : value;
}

/* The shortest digits if they reach the point and fit behind it, otherwise as many as fit: NumPy writes 99999992. for
 * the float32 that 9999999e1 would bring back. */
static void positional_decimal(cn__decimal *decimal, double value, int bits)
{
    cn__decimal_shortest(decimal, value, bits);
    if (cn__decimal_places(decimal) > PRECISION) cn__decimal_fixed(decimal, value, PRECISION);
    else if (decimal->n_digits < decimal->point) cn__decimal_fixed(decimal, value, 0);
}

int cn__has_dots(const cn__element_format *format, int axis)
{
    return format->summarised && format->tensor->shape[axis] > 2 * CN_EDGE_ITEMS;
}

/* The next position that is shown; 0 after the last. */
static int next_shown(const cn__element_format *format, int64_t *index)
{
    for (int axis = format->tensor->ndim - 1; axis >= 0; axis--) {
        int64_t n = format->tensor->shape[axis];
        index[axis]++;
        if (cn__has_dots(format, axis) && index[axis] == CN_EDGE_ITEMS) index[axis] = n - CN_EDGE_ITEMS;
        if (index[axis] < n) return 1;
        index[axis] = 0;
    }
    return 0;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static void measure_integers(cn__element_format *format)
{
    int64_t index[CN_MAX_NDIM] = {0};
    do {
        const char *element = cn__tensor_element(format->tensor, index);
        format->width = larger(format->width, integer_text(format->tensor, element, 0, NULL, 0));
    } while (next_shown(format, index));
}

/* NumPy writes all numbers with an exponent as soon as one is very large or small, or they differ widely. */
static int wants_exponent(double smallest, double largest, int bits)
{
    if (largest == 0) return 0;
    if (largest >= 1e8) return 1;
    if (bits == 32) return (float)smallest < 1e-4f || (float)largest / (float)smallest > 1000;
    return smallest < 1e-4 || largest / smallest > 1000;
}

/* Columns that one finite number takes on either side of the point. */
static void measure_real(cn__element_format *format, double value)
{
    char written[CN_NUMBER_TEXT_BYTES];
    cn__decimal decimal;
    if (format->scientific) {
        cn__decimal_shortest(&decimal, value, format->bits);
        int places = decimal.n_digits - 1 > PRECISION ? PRECISION : decimal.n_digits - 1;
        if (decimal.n_digits > PRECISION + 1) {
            cn__decimal_significant(&decimal, value, PRECISION + 1);
            while (places > 0 && decimal.digits[places] == '0') places--;
        }
        int n = cn__decimal_scientific(&decimal, places, 2, written);
        int exponent_digits = n - (int)(strchr(written, 'e') - written) - 2;
        format->precision = larger(format->precision, places);
        format->exponent_digits = larger(format->exponent_digits, exponent_digits);
        format->pad_left = larger(format->pad_left, decimal.negative ? 2 : 1);
    } else {
        positional_decimal(&decimal, value, format->bits);
        int places = cn__decimal_places(&decimal);
        int n = cn__decimal_positional(&decimal, places, written);
        format->pad_right = larger(format->pad_right, places);
        format->pad_left = larger(format->pad_left, n - 1 - places);
    }
}

static void measure_reals(cn__element_format *format)
{
    double smallest = INFINITY, largest = 0;
    int any_finite = 0, any_not_finite = 0, negative_infinity = 0;
    int64_t index[CN_MAX_NDIM] = {0};
    do {
        double value = real_value(format, cn__tensor_element(format->tensor, index)), magnitude = fabs(value);
        if (isfinite(value)) any_finite = 1;
        else any_not_finite = 1;
        if (value == -INFINITY) negative_infinity = 1;
        if (!isfinite(value) || value == 0) continue;
        if (magnitude < smallest) smallest = magnitude;
        if (magnitude > largest) largest = magnitude;
    } while (next_shown(format, index));

    format->scientific = wants_exponent(smallest, largest, format->bits);
    do { /* next_shown has put index back to the beginning */
        double value = real_value(format, cn__tensor_element(format->tensor, index));
        if (isfinite(value)) measure_real(format, value);
    } while (next_shown(format, index));
    if (any_finite && format->scientific) format->pad_right = format->exponent_digits + 2 + format->precision;
    if (any_not_finite) {
        int right = format->pad_right + 1;
        format->pad_left = larger(format->pad_left, 3 + negative_infinity - right);
    }
}

static void write_real(const cn__element_format *format, double value, char text[CN_NUMBER_TEXT_BYTES])
{
    char written[CN_NUMBER_TEXT_BYTES];
    cn__decimal decimal;
    int left = 0, right = 0; /* spaces */
    if (!isfinite(value)) {
        left = format->pad_left + format->pad_right + 1 - cn__number_str(value, format->bits, written);
    } else if (format->scientific) {
        /* Numbers with fewer digits than the longest are filled up with digits of their exact value, not zeros. */
        cn__decimal_shortest(&decimal, value, format->bits);
        if (decimal.n_digits != format->precision + 1)
            cn__decimal_significant(&decimal, value, format->precision + 1);
        cn__decimal_scientific(&decimal, format->precision, format->exponent_digits, written);
        left = format->pad_left - (decimal.negative ? 2 : 1);
    } else {
        positional_decimal(&decimal, value, format->bits);
        int places = cn__decimal_places(&decimal);
        int before_point = cn__decimal_positional(&decimal, places, written) - 1 - places;
        left = format->pad_left - before_point;
        right = format->pad_right - places;
    }
    size_t bytes = strlen(written);
    memset(text, ' ', (size_t)left);
    memcpy(text + left, written, bytes);
    memset(text + left + bytes, ' ', (size_t)right);
    text[(size_t)(left + right) + bytes] = '\0';
}

cn__element_format cn__element_format_of(const cn_tensor *tensor, int summarised)
{
    cn_dtype dtype = cn__value_dtype(tensor);
    cn__element_format format = {.tensor = tensor, .summarised = summarised};
    format.bits = cn__is_real(dtype) ? (int)cn_dtype_size(dtype) * 8 : 0;
    format.is_bool = dtype == CN_BOOL;
    if (format.bits) measure_reals(&format);
    else if (!format.is_bool) measure_integers(&format);
    return format;
}

void cn__element_text(const cn__element_format *format, const char *element, char text[CN_NUMBER_TEXT_BYTES])
{
    if (format->bits) write_real(format, real_value(format, element), text);
    else if (format->is_bool) /* as wide as "False", but not alone */
        snprintf(text, CN_NUMBER_TEXT_BYTES, "%*s", format->tensor->ndim ? 5 : 0, *element ? "True" : "False");
    else integer_text(format->tensor, element, format->width, text, CN_NUMBER_TEXT_BYTES);
}
