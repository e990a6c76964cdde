/* z = f(x, y) element by element: dx = dz * df/dx. In each rule X and Y are the inputs, Z the output, G its
 * gradient. */
#include "autodiff/tape.h"

#include <cornu/operations.h>
#include <math.h>

#define X (b->operation->inputs[0])
#define Y (b->operation->inputs[1])
#define Z (b->output)
#define G (b->g)

/* Names as short as the formulas they stand in. */
#define sum2 cn_tensor_add
#define less cn_tensor_subtract
#define times cn_tensor_multiply
#define over cn_tensor_divide
#define minus cn_tensor_negative
#define square cn_tensor_square
#define root cn_tensor_sqrt
#define num cn_float

/* The gradient where a condition holds, 0 elsewhere. */
static cn_tensor *where(const cn_tensor *condition, const cn_tensor *g)
{
    return cn_tensor_where(condition, g, num(0));
}

static int of_add(const cn__backward *b)
{
    CN__GIVE(b, 0, G);
    CN__GIVE(b, 1, G);
    return 0;
}

static int of_subtract(const cn__backward *b)
{
    CN__GIVE(b, 0, G);
    CN__GIVE(b, 1, minus(G));
    return 0;
}

static int of_multiply(const cn__backward *b)
{
    CN__GIVE(b, 0, times(G, Y));
    CN__GIVE(b, 1, times(G, X));
    return 0;
}

static int of_divide(const cn__backward *b)
{
    CN__GIVE(b, 0, over(G, Y));
    CN__GIVE(b, 1, minus(times(G, over(over(X, Y), Y))));
    return 0;
}

/* The logarithm is 0 where x is not positive, as TensorFlow has it: x^y may be constant 0 there, with a slope of 0. */
static int of_power(const cn__backward *b)
{
    CN__GIVE(b, 0, times(G, times(Y, cn_tensor_power(X, less(Y, num(1))))));
    if (!b->wanted[1]) return 0;
    const cn_tensor *is_positive = cn_tensor_greater(X, num(0));
    const cn_tensor *log = cn_tensor_log(cn_tensor_where(is_positive, X, num(1)));
    CN__GIVE(b, 1, times(G, times(Z, log)));
    return 0;
}

/* Where both are equal the first one has the gradient, as in TensorFlow. */
static int of_maximum(const cn__backward *b)
{
    CN__GIVE(b, 0, where(cn_tensor_greater_equal(X, Y), G));
    CN__GIVE(b, 1, where(cn_tensor_less(X, Y), G));
    return 0;
}

static int of_minimum(const cn__backward *b)
{
    CN__GIVE(b, 0, where(cn_tensor_less_equal(X, Y), G));
    CN__GIVE(b, 1, where(cn_tensor_greater(X, Y), G));
    return 0;
}

/* z = atan2(x, y) */
static int of_arctan2(const cn__backward *b)
{
    const cn_tensor *share = over(G, sum2(square(X), square(Y)));
    CN__GIVE(b, 0, times(share, Y));
    CN__GIVE(b, 1, minus(times(share, X)));
    return 0;
}

static int of_hypot(const cn__backward *b)
{
    CN__GIVE(b, 0, times(G, over(X, Z)));
    CN__GIVE(b, 1, times(G, over(Y, Z)));
    return 0;
}

/* x - y * floor(x / y) */
static int of_remainder(const cn__backward *b)
{
    CN__GIVE(b, 0, G);
    CN__GIVE(b, 1, minus(times(G, cn_tensor_floor(over(X, Y)))));
    return 0;
}

/* x - y * trunc(x / y) */
static int of_fmod(const cn__backward *b)
{
    CN__GIVE(b, 0, G);
    CN__GIVE(b, 1, minus(times(G, cn_tensor_trunc(over(X, Y)))));
    return 0;
}

/* To x where it is the result, NaN in y included; to y otherwise. */
static int of_f_extreme(const cn__backward *b, const cn_tensor *is_x)
{
    const cn_tensor *to_x = cn_tensor_logical_or(is_x, cn_tensor_isnan(Y));
    CN__GIVE(b, 0, where(to_x, G));
    CN__GIVE(b, 1, where(cn_tensor_logical_not(to_x), G));
    return 0;
}

static int of_fmax(const cn__backward *b)
{
    return of_f_extreme(b, cn_tensor_greater_equal(X, Y));
}

static int of_fmin(const cn__backward *b)
{
    return of_f_extreme(b, cn_tensor_less_equal(X, Y));
}

/* |x| with the sign of y, of which only the sign counts. */
static int of_copysign(const cn__backward *b)
{
    CN__GIVE(b, 0, times(G, times(cn_tensor_sign(X), cn_tensor_sign(Z))));
    return 0;
}

static int of_logaddexp(const cn__backward *b)
{
    CN__GIVE(b, 0, times(G, cn_tensor_exp(less(X, Z))));
    CN__GIVE(b, 1, times(G, cn_tensor_exp(less(Y, Z))));
    return 0;
}

static int of_where(const cn__backward *b)
{
    const cn_tensor *condition = b->operation->inputs[0];
    CN__GIVE(b, 1, where(condition, G));
    CN__GIVE(b, 2, where(cn_tensor_logical_not(condition), G));
    return 0;
}

/* Functions of one operand: one formula each. */
#define RULE(name, slope)                                                                                           \
    static int of_##name(const cn__backward *b)                                                                     \
    {                                                                                                               \
        CN__GIVE(b, 0, slope);                                                                                      \
        return 0;                                                                                                   \
    }
RULE(negative, minus(G))
RULE(absolute, times(G, cn_tensor_sign(X)))
RULE(sign, times(G, num(0)))
RULE(square, times(G, times(X, num(2))))
RULE(sqrt, over(G, times(Z, num(2))))
RULE(reciprocal, minus(times(G, square(Z))))
RULE(exp, times(G, Z))
RULE(exp2, times(G, times(Z, num(log(2)))))
RULE(expm1, times(G, sum2(Z, num(1))))
RULE(log, over(G, X))
RULE(log2, over(G, times(X, num(log(2)))))
RULE(log10, over(G, times(X, num(log(10)))))
RULE(log1p, over(G, sum2(X, num(1))))
RULE(sin, times(G, cn_tensor_cos(X)))
RULE(cos, minus(times(G, cn_tensor_sin(X))))
RULE(tan, times(G, sum2(square(Z), num(1))))
RULE(arcsin, over(G, root(less(num(1), square(X)))))
RULE(arccos, minus(over(G, root(less(num(1), square(X))))))
RULE(arctan, over(G, sum2(square(X), num(1))))
RULE(sinh, times(G, cn_tensor_cosh(X)))
RULE(cosh, times(G, cn_tensor_sinh(X)))
RULE(tanh, times(G, less(num(1), square(Z))))
RULE(arcsinh, over(G, root(sum2(square(X), num(1)))))
RULE(arccosh, over(G, root(less(square(X), num(1)))))
RULE(sigmoid, times(G, times(Z, less(num(1), Z))))
RULE(cbrt, over(G, times(num(3), square(Z))))
RULE(degrees, times(G, num(180 / 3.14159265358979323846)))
RULE(radians, times(G, num(3.14159265358979323846 / 180)))
RULE(arctanh, over(G, less(num(1), square(X))))
RULE(scale, times(G, num(b->operation->real)))
RULE(astype, G)

/* floor, ceil, trunc and round are flat nearly everywhere: no gradient, as in TensorFlow. */
const cn__gradient_line cn__gradient_elementwise[] = {
    {CN__OP_add, of_add},
    {CN__OP_subtract, of_subtract},
    {CN__OP_multiply, of_multiply},
    {CN__OP_divide, of_divide},
    {CN__OP_power, of_power},
    {CN__OP_maximum, of_maximum},
    {CN__OP_minimum, of_minimum},
    {CN__OP_arctan2, of_arctan2},
    {CN__OP_hypot, of_hypot},
    {CN__OP_remainder, of_remainder},
    {CN__OP_fmod, of_fmod},
    {CN__OP_fmax, of_fmax},
    {CN__OP_fmin, of_fmin},
    {CN__OP_copysign, of_copysign},
    {CN__OP_logaddexp, of_logaddexp},
    {CN__OP_cbrt, of_cbrt},
    {CN__OP_degrees, of_degrees},
    {CN__OP_radians, of_radians},
    {CN__OP_where, of_where},
    {CN__OP_negative, of_negative},
    {CN__OP_absolute, of_absolute},
    {CN__OP_sign, of_sign},
    {CN__OP_square, of_square},
    {CN__OP_sqrt, of_sqrt},
    {CN__OP_reciprocal, of_reciprocal},
    {CN__OP_exp, of_exp},
    {CN__OP_exp2, of_exp2},
    {CN__OP_expm1, of_expm1},
    {CN__OP_log, of_log},
    {CN__OP_log2, of_log2},
    {CN__OP_log10, of_log10},
    {CN__OP_log1p, of_log1p},
    {CN__OP_sin, of_sin},
    {CN__OP_cos, of_cos},
    {CN__OP_tan, of_tan},
    {CN__OP_arcsin, of_arcsin},
    {CN__OP_arccos, of_arccos},
    {CN__OP_arctan, of_arctan},
    {CN__OP_sinh, of_sinh},
    {CN__OP_cosh, of_cosh},
    {CN__OP_tanh, of_tanh},
    {CN__OP_sigmoid, of_sigmoid},
    {CN__OP_arcsinh, of_arcsinh},
    {CN__OP_arccosh, of_arccosh},
    {CN__OP_arctanh, of_arctanh},
    {CN__OP_scale, of_scale},
    {CN__OP_astype, of_astype},
    {CN__OP_floor, NULL},
    {CN__OP_ceil, NULL},
    {CN__OP_trunc, NULL},
    {CN__OP_round, NULL},
    {CN__OP_COUNT, NULL},
};
