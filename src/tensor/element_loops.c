/* The loops of the element-wise operations, and the table of them. A loop for int64 also serves all narrower integers,
 * which wrap round when the result is cut to their size. */
#include "tensor/elementwise.h"

#include "kernels/tensor_math.h"

#include <math.h>
#include <string.h>

/* --- how a loop is made of an expression in a and b --- */

#define UNARY_LOOP(name, type, given, expression)                                                                   \
    static void name(int64_t n, const void *const *in, const int64_t *step, void *out)                              \
    {                                                                                                               \
        const type *x = in[0];                                                                                      \
        given *z = out;                                                                                             \
        if (step[0] == 0) {                                                                                         \
            const type a = x[0];                                                                                    \
            const given value = (given)(expression);                                                                \
            for (int64_t i = 0; i < n; i++) z[i] = value;                                                           \
            return;                                                                                                 \
        }                                                                                                           \
        for (int64_t i = 0; i < n; i++) {                                                                           \
            const type a = x[i];                                                                                    \
            z[i] = (given)(expression);                                                                             \
        }                                                                                                           \
    }

#define BINARY_LOOP(name, type, given, expression)                                                                  \
    static void name(int64_t n, const void *const *in, const int64_t *step, void *out)                              \
    {                                                                                                               \
        const type *x = in[0], *y = in[1];                                                                          \
        given *z = out;                                                                                             \
        if (step[0] && step[1]) {                                                                                   \
            for (int64_t i = 0; i < n; i++) {                                                                       \
                const type a = x[i], b = y[i];                                                                      \
                z[i] = (given)(expression);                                                                         \
            }                                                                                                       \
        } else if (step[0]) {                                                                                       \
            const type b = y[0];                                                                                    \
            for (int64_t i = 0; i < n; i++) {                                                                       \
                const type a = x[i];                                                                                \
                z[i] = (given)(expression);                                                                         \
            }                                                                                                       \
        } else {                                                                                                    \
            const type a = x[0];                                                                                    \
            for (int64_t i = 0; i < n; i++) {                                                                       \
                const type b = y[step[1] * i];                                                                      \
                z[i] = (given)(expression);                                                                         \
            }                                                                                                       \
        }                                                                                                           \
    }

/* The five loops of an operation are called NAME_bool, _i64, _u64, _f32, _f64. */
#define BOOLS(shape, name, expression) shape##_LOOP(name##_bool, uint8_t, uint8_t, expression)
/* Unsigned arithmetic serves both, since it wraps round where C forbids signed numbers to. */
#define BOTH(shape, name, expression)                                                                               \
    shape##_LOOP(both_##name##_u64, uint64_t, uint64_t, expression)
#define EACH(shape, name, expression)                                                                               \
    shape##_LOOP(each_##name##_i64, int64_t, int64_t, expression)                                                   \
    shape##_LOOP(each_##name##_u64, uint64_t, uint64_t, expression)
#define REALS(shape, name, expression)                                                                              \
    shape##_LOOP(real_##name##_f32, float, float, expression)                                                       \
    shape##_LOOP(real_##name##_f64, double, double, expression)
#define TEST_REALS(shape, name, expression)                                                                         \
    shape##_LOOP(test_##name##_f32, float, uint8_t, expression)                                                     \
    shape##_LOOP(test_##name##_f64, double, uint8_t, expression)
#define TEST_ALL(shape, name, expression)                                                                           \
    shape##_LOOP(bool_##name##_bool, uint8_t, uint8_t, expression)                                                  \
    shape##_LOOP(each_##name##_i64, int64_t, uint8_t, expression)                                                   \
    shape##_LOOP(each_##name##_u64, uint64_t, uint8_t, expression)                                                  \
    TEST_REALS(shape, name, expression)

/* --- functions that C does not have --- */

/* Rounds down where C rounds towards zero; division by zero gives 0, as in NumPy. */
static inline int64_t floor_quotient(int64_t a, int64_t b)
{
    if (b == 0) return 0;
    if (b == -1) return (int64_t)(0 - (uint64_t)a);
    int64_t quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

static inline int64_t floor_remainder(int64_t a, int64_t b)
{
    if (b == 0 || b == -1) return 0;
    int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

static inline uint64_t unsigned_power(uint64_t base, uint64_t exponent)
{
    uint64_t power = 1;
    for (; exponent; exponent >>= 1) {
        if (exponent & 1) power *= base;
        base *= base;
    }
    return power;
}

/* Python's rules for the signs of x // y and x % y. Source: float_divmod in Objects/floatobject.c of CPython. */
#define DEFINE_REAL_DIVISION(suffix, type, FMOD, FLOOR, COPYSIGN)                                                   \
    static inline type real_remainder_of_##suffix(type a, type b)                                                   \
    {                                                                                                               \
        type rest = FMOD(a, b);                                                                                     \
        if (b == 0) return rest;                                                                                    \
        if (rest == 0) return COPYSIGN(0, b);                                                                       \
        return (rest < 0) != (b < 0) ? rest + b : rest;                                                             \
    }                                                                                                               \
    static inline type real_floor_quotient_of_##suffix(type a, type b)                                              \
    {                                                                                                               \
        if (b == 0) return a / b;                                                                                   \
        type rest = FMOD(a, b), quotient = (a - rest) / b;                                                          \
        if (rest != 0 && (rest < 0) != (b < 0)) quotient -= 1;                                                      \
        if (quotient == 0) return COPYSIGN(0, a / b);                                                               \
        type whole = FLOOR(quotient);                                                                               \
        return quotient - whole > (type)0.5 ? whole + 1 : whole;                                                    \
    }
DEFINE_REAL_DIVISION(f32, float, fmodf, floorf, copysignf)
DEFINE_REAL_DIVISION(f64, double, fmod, floor, copysign)

/* --- arithmetic --- */

UNARY_LOOP(bool_same_bool, uint8_t, uint8_t, a)
BINARY_LOOP(bool_or_bool, uint8_t, uint8_t, a | b)
BINARY_LOOP(bool_and_bool, uint8_t, uint8_t, a & b)

BOTH(BINARY, add, a + b)
BOTH(BINARY, subtract, a - b)
BOTH(BINARY, multiply, a * b)
BOTH(BINARY, power, unsigned_power(a, b))
BOTH(BINARY, bitwise_and, a & b)
BOTH(BINARY, bitwise_or, a | b)
BOTH(BINARY, bitwise_xor, a ^ b)
BOTH(BINARY, left_shift, b < 64 ? a << b : 0) /* a negative b is a large one here: NumPy gives 0 for both */
BOTH(UNARY, invert, ~a)
BOTH(UNARY, negative, 0 - a)
BOTH(UNARY, square, a * a)
BOTH(UNARY, same, a)

BINARY_LOOP(each_floor_divide_i64, int64_t, int64_t, floor_quotient(a, b))
BINARY_LOOP(each_floor_divide_u64, uint64_t, uint64_t, b ? a / b : 0)
BINARY_LOOP(each_remainder_i64, int64_t, int64_t, floor_remainder(a, b))
BINARY_LOOP(each_remainder_u64, uint64_t, uint64_t, b ? a % b : 0)
/* The sign of a. */
BINARY_LOOP(each_fmod_i64, int64_t, int64_t, b == 0 || b == -1 ? 0 : a % b)
BINARY_LOOP(each_fmod_u64, uint64_t, uint64_t, b ? a % b : 0)
BINARY_LOOP(each_right_shift_i64, int64_t, int64_t, b >= 0 && b < 64 ? a >> b : a < 0 ? -1 : 0)
BINARY_LOOP(each_right_shift_u64, uint64_t, uint64_t, b < 64 ? a >> b : 0)
EACH(BINARY, maximum, a > b ? a : b)
EACH(BINARY, minimum, a < b ? a : b)
UNARY_LOOP(each_absolute_i64, int64_t, int64_t, a < 0 ? 0 - (uint64_t)a : (uint64_t)a)
UNARY_LOOP(each_absolute_u64, uint64_t, uint64_t, a)
UNARY_LOOP(each_sign_i64, int64_t, int64_t, (a > 0) - (a < 0))
UNARY_LOOP(each_sign_u64, uint64_t, uint64_t, a > 0)
/* 1 / 0 is what the C library of NumPy's machines makes of infinity: the smallest number. */
UNARY_LOOP(each_reciprocal_i64, int64_t, int64_t, a == 1 || a == -1 ? a : a == 0 ? INT64_MIN : 0)
UNARY_LOOP(each_reciprocal_u64, uint64_t, uint64_t, a == 1)

REALS(BINARY, add, a + b)
REALS(BINARY, subtract, a - b)
REALS(BINARY, multiply, a * b)
REALS(BINARY, divide, a / b)
BINARY_LOOP(real_floor_divide_f32, float, float, real_floor_quotient_of_f32(a, b))
BINARY_LOOP(real_floor_divide_f64, double, double, real_floor_quotient_of_f64(a, b))
BINARY_LOOP(real_remainder_f32, float, float, real_remainder_of_f32(a, b))
BINARY_LOOP(real_remainder_f64, double, double, real_remainder_of_f64(a, b))
/* A NaN on either side stays. */
REALS(BINARY, maximum, a >= b || a != a ? a : b)
REALS(BINARY, minimum, a <= b || a != a ? a : b)
/* A number beats NaN. */
REALS(BINARY, fmax, a >= b || b != b ? a : b)
REALS(BINARY, fmin, a <= b || b != b ? a : b)
BINARY_LOOP(real_fmod_f32, float, float, fmodf(a, b))
BINARY_LOOP(real_fmod_f64, double, double, fmod(a, b))
BINARY_LOOP(real_copysign_f32, float, float, copysignf(a, b))
BINARY_LOOP(real_copysign_f64, double, double, copysign(a, b))
REALS(UNARY, negative, -a)
UNARY_LOOP(real_absolute_f32, float, float, fabsf(a))
UNARY_LOOP(real_absolute_f64, double, double, fabs(a))
REALS(UNARY, sign, a > 0 ? 1 : a < 0 ? -1 : a == 0 ? 0 : a)
REALS(UNARY, square, a * a)
REALS(UNARY, reciprocal, 1 / a)

/* --- functions: in double, rounded once to float, so that the C library's last bit is not seen in float32 --- */

REALS(BINARY, any_power, pow((double)a, (double)b))
REALS(BINARY, arctan2, atan2((double)a, (double)b))
REALS(BINARY, hypot, hypot((double)a, (double)b))
REALS(UNARY, floor, floor((double)a))
REALS(UNARY, ceil, ceil((double)a))
REALS(UNARY, trunc, trunc((double)a))
REALS(UNARY, rint, rint((double)a))
REALS(UNARY, sqrt, sqrt((double)a))
REALS(UNARY, exp2, exp2((double)a))
REALS(UNARY, expm1, expm1((double)a))
REALS(UNARY, log2, log2((double)a))
REALS(UNARY, log10, log10((double)a))
REALS(UNARY, log1p, log1p((double)a))
REALS(UNARY, sin, sin((double)a))
REALS(UNARY, cos, cos((double)a))
REALS(UNARY, tan, tan((double)a))
REALS(UNARY, arcsin, asin((double)a))
REALS(UNARY, arccos, acos((double)a))
REALS(UNARY, arctan, atan((double)a))
REALS(UNARY, sinh, sinh((double)a))
REALS(UNARY, cosh, cosh((double)a))
REALS(UNARY, arcsinh, asinh((double)a))
REALS(UNARY, arccosh, acosh((double)a))
REALS(UNARY, arctanh, atanh((double)a))

REALS(UNARY, cbrt, cbrt((double)a))
REALS(UNARY, degrees, (double)a * (180 / 3.14159265358979323846))
REALS(UNARY, radians, (double)a * (3.14159265358979323846 / 180))

/* log(e^a + e^b) without an exponential that overflows; equal infinities have no difference. */
static inline double log_of_sum(double a, double b)
{
    if (a == b) return a + 0.69314718055994530942;
    return (a > b ? a : b) + log1p(exp(-fabs(a - b)));
}
REALS(BINARY, logaddexp, log_of_sum((double)a, (double)b))

/* Whichever of the two forms has no exponential that overflows. */
static inline double sigmoid(double a)
{
    double e = exp(-fabs(a));
    return (a < 0 ? e : 1) / (1 + e);
}
REALS(UNARY, sigmoid, sigmoid((double)a))

/* Squares are what powers mostly are, and pow is slow. */
#define SQUARES_APART(suffix, type)                                                                                 \
    static void real_power_##suffix(int64_t n, const void *const *in, const int64_t *step, void *out)               \
    {                                                                                                               \
        int squares = step[1] == 0 && n > 0 && *(const type *)in[1] == 2;                                           \
        (squares ? real_square_##suffix : real_any_power_##suffix)(n, in, step, out);                               \
    }
SQUARES_APART(f32, float)
SQUARES_APART(f64, double)

/* --- functions of the engines: our own in float32, the same bits on every instruction set --- */

static void map_row(cn__map map, int bits, int64_t n, const void *const *in, const int64_t *step, void *out)
{
    const cn__tensor_math *math = cn__tensor_math_find(bits); /* elementwise.c has made sure that there is one */
    size_t bytes = (size_t)bits / 8;
    if (step[0] || n == 0) {
        math->maps[map](n, in[0], out);
        return;
    }
    math->maps[map](1, in[0], out);
    for (int64_t i = 1; i < n; i++) memcpy((char *)out + (size_t)i * bytes, out, bytes);
}

#define MAPPED(name, map)                                                                                           \
    static void real_##name##_f32(int64_t n, const void *const *in, const int64_t *step, void *out)                 \
    {                                                                                                               \
        map_row(map, 32, n, in, step, out);                                                                         \
    }                                                                                                               \
    static void real_##name##_f64(int64_t n, const void *const *in, const int64_t *step, void *out)                 \
    {                                                                                                               \
        map_row(map, 64, n, in, step, out);                                                                         \
    }
MAPPED(exp, CN__MAP_EXP)
MAPPED(log, CN__MAP_LOG)
MAPPED(tanh, CN__MAP_TANH)

/* --- comparisons and tests --- */

TEST_ALL(BINARY, equal, a == b)
TEST_ALL(BINARY, not_equal, a != b)
TEST_ALL(BINARY, less, a < b)
TEST_ALL(BINARY, less_equal, a <= b)
TEST_ALL(BINARY, greater, a > b)
TEST_ALL(BINARY, greater_equal, a >= b)
TEST_ALL(BINARY, logical_and, a != 0 && b != 0)
TEST_ALL(BINARY, logical_or, a != 0 || b != 0)
TEST_ALL(BINARY, logical_xor, (a != 0) != (b != 0))
TEST_ALL(UNARY, logical_not, a == 0)
TEST_REALS(UNARY, signbit, signbit(a) != 0)
TEST_REALS(UNARY, isnan, isnan(a) != 0)
TEST_REALS(UNARY, isinf, isinf(a) != 0)
TEST_REALS(UNARY, isfinite, isfinite(a) != 0)

/* --- the table --- */

/* Names of loops that do not exist, so that every line of the list can be written alike. */
#define none_bool NULL
#define none_i64 NULL
#define none_u64 NULL
#define none_f32 NULL
#define none_f64 NULL
#define both_bitwise_and_i64 both_bitwise_and_u64
#define both_bitwise_or_i64 both_bitwise_or_u64
#define both_bitwise_xor_i64 both_bitwise_xor_u64
#define both_left_shift_i64 both_left_shift_u64
#define both_invert_i64 both_invert_u64
#define both_add_i64 both_add_u64
#define both_subtract_i64 both_subtract_u64
#define both_multiply_i64 both_multiply_u64
#define both_power_i64 both_power_u64
#define both_negative_i64 both_negative_u64
#define both_square_i64 both_square_u64
#define both_same_i64 both_same_u64

const cn__elementwise cn__elementwise_table[CN__ELEMENTWISE_COUNT] = {
#define LINE(name, n, rule, op, bools, integers, reals)                                                             \
    {"cn_tensor_" #name, n, CN__RULE_##rule, op,                                                                    \
     {bools##_bool, integers##_i64, integers##_u64, reals##_f32, reals##_f64}},
    CN__ELEMENTWISE_LIST(LINE)
#undef LINE
};
