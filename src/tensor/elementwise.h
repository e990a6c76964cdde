/* Element-wise operations: a table with a line each, driven by one broadcasting loop. */
#ifndef CN_TENSOR_ELEMENTWISE_H
#define CN_TENSOR_ELEMENTWISE_H

#include "tensor/record.h"
#include "tensor/tensor.h"

/* z[i] = f(x[i], y[i]) for n elements. in[k] is operand k, step[k] is 1, or 0 if all its elements are the first one. */
typedef void (*cn__loop)(int64_t n, const void *const *in, const int64_t *step, void *out);

/* The dtype that an operation computes in and gives, from the promoted dtype of its operands. */
typedef enum cn__rule {
    CN__RULE_SAME,     /* the promoted one */
    CN__RULE_NO_BOOL,  /* the same, bools refused: NumPy has no minus for them */
    CN__RULE_BOOL_INT8,/* the same, bools become int8 */
    CN__RULE_WHOLE,    /* the same, floats refused */
    CN__RULE_SHIFT,    /* the same, bools become int8, floats refused */
    CN__RULE_REAL,     /* the smallest float that holds it: int8 gives float16, int64 float64 */
    CN__RULE_DIVIDE,   /* float64 unless it is a float */
    CN__RULE_COMPARE,  /* computed in the promoted one, gives bool */
    CN__RULE_REAL_TEST /* computed in a float, gives bool */
} cn__rule;

typedef struct cn__elementwise {
    const char *function; /* for messages */
    int n_operands;
    cn__rule rule;
    cn__op op;            /* CN__OP_COUNT: not written down by tapes */
    cn__loop loops[5];    /* cn__loop_number(); NULL where the rule never asks for it */
} cn__elementwise;

/* name, operands, rule, what tapes call it, loops for bool, integers, reals (element_loops.c) */
#define CN__ELEMENTWISE_LIST(X)                                                                                     \
    X(add, 2, SAME, CN__OP_add, bool_or, both_add, real_add)                                                        \
    X(subtract, 2, NO_BOOL, CN__OP_subtract, none, both_subtract, real_subtract)                                    \
    X(multiply, 2, SAME, CN__OP_multiply, bool_and, both_multiply, real_multiply)                                   \
    X(divide, 2, DIVIDE, CN__OP_divide, none, none, real_divide)                                                    \
    X(floor_divide, 2, BOOL_INT8, CN__OP_COUNT, none, each_floor_divide, real_floor_divide)                         \
    X(remainder, 2, BOOL_INT8, CN__OP_remainder, none, each_remainder, real_remainder)                              \
    X(power, 2, BOOL_INT8, CN__OP_power, none, both_power, real_power)                                              \
    X(maximum, 2, SAME, CN__OP_maximum, bool_or, each_maximum, real_maximum)                                        \
    X(minimum, 2, SAME, CN__OP_minimum, bool_and, each_minimum, real_minimum)                                       \
    X(arctan2, 2, REAL, CN__OP_arctan2, none, none, real_arctan2)                                                   \
    X(hypot, 2, REAL, CN__OP_hypot, none, none, real_hypot)                                                         \
    X(fmod, 2, BOOL_INT8, CN__OP_fmod, none, each_fmod, real_fmod)                                                  \
    X(fmax, 2, SAME, CN__OP_fmax, bool_or, each_maximum, real_fmax)                                                 \
    X(fmin, 2, SAME, CN__OP_fmin, bool_and, each_minimum, real_fmin)                                                \
    X(copysign, 2, REAL, CN__OP_copysign, none, none, real_copysign)                                                \
    X(logaddexp, 2, REAL, CN__OP_logaddexp, none, none, real_logaddexp)                                             \
    X(bitwise_and, 2, WHOLE, CN__OP_COUNT, bool_and, both_bitwise_and, none)                                        \
    X(bitwise_or, 2, WHOLE, CN__OP_COUNT, bool_or, both_bitwise_or, none)                                           \
    X(bitwise_xor, 2, WHOLE, CN__OP_COUNT, bool_not_equal, both_bitwise_xor, none)                                  \
    X(left_shift, 2, SHIFT, CN__OP_COUNT, none, both_left_shift, none)                                              \
    X(right_shift, 2, SHIFT, CN__OP_COUNT, none, each_right_shift, none)                                            \
    X(invert, 1, WHOLE, CN__OP_COUNT, bool_logical_not, both_invert, none)                                          \
    X(negative, 1, NO_BOOL, CN__OP_negative, none, both_negative, real_negative)                                    \
    X(absolute, 1, SAME, CN__OP_absolute, bool_same, each_absolute, real_absolute)                                  \
    X(sign, 1, NO_BOOL, CN__OP_sign, none, each_sign, real_sign)                                                    \
    X(square, 1, BOOL_INT8, CN__OP_square, none, both_square, real_square)                                          \
    X(reciprocal, 1, BOOL_INT8, CN__OP_reciprocal, none, each_reciprocal, real_reciprocal)                          \
    X(floor, 1, SAME, CN__OP_floor, bool_same, both_same, real_floor)                                               \
    X(ceil, 1, SAME, CN__OP_ceil, bool_same, both_same, real_ceil)                                                  \
    X(trunc, 1, SAME, CN__OP_trunc, bool_same, both_same, real_trunc)                                               \
    X(rint, 1, REAL, CN__OP_round, none, none, real_rint)                                                           \
    X(sqrt, 1, REAL, CN__OP_sqrt, none, none, real_sqrt)                                                            \
    X(exp, 1, REAL, CN__OP_exp, none, none, real_exp)                                                               \
    X(exp2, 1, REAL, CN__OP_exp2, none, none, real_exp2)                                                            \
    X(expm1, 1, REAL, CN__OP_expm1, none, none, real_expm1)                                                         \
    X(log, 1, REAL, CN__OP_log, none, none, real_log)                                                               \
    X(log2, 1, REAL, CN__OP_log2, none, none, real_log2)                                                            \
    X(log10, 1, REAL, CN__OP_log10, none, none, real_log10)                                                         \
    X(log1p, 1, REAL, CN__OP_log1p, none, none, real_log1p)                                                         \
    X(sin, 1, REAL, CN__OP_sin, none, none, real_sin)                                                               \
    X(cos, 1, REAL, CN__OP_cos, none, none, real_cos)                                                               \
    X(tan, 1, REAL, CN__OP_tan, none, none, real_tan)                                                               \
    X(arcsin, 1, REAL, CN__OP_arcsin, none, none, real_arcsin)                                                      \
    X(arccos, 1, REAL, CN__OP_arccos, none, none, real_arccos)                                                      \
    X(arctan, 1, REAL, CN__OP_arctan, none, none, real_arctan)                                                      \
    X(sinh, 1, REAL, CN__OP_sinh, none, none, real_sinh)                                                            \
    X(cosh, 1, REAL, CN__OP_cosh, none, none, real_cosh)                                                            \
    X(tanh, 1, REAL, CN__OP_tanh, none, none, real_tanh)                                                            \
    X(arcsinh, 1, REAL, CN__OP_arcsinh, none, none, real_arcsinh)                                                   \
    X(arccosh, 1, REAL, CN__OP_arccosh, none, none, real_arccosh)                                                   \
    X(arctanh, 1, REAL, CN__OP_arctanh, none, none, real_arctanh)                                                   \
    X(cbrt, 1, REAL, CN__OP_cbrt, none, none, real_cbrt)                                                            \
    X(degrees, 1, REAL, CN__OP_degrees, none, none, real_degrees)                                                   \
    X(radians, 1, REAL, CN__OP_radians, none, none, real_radians)                                                   \
    X(sigmoid, 1, REAL, CN__OP_sigmoid, none, none, real_sigmoid)                                                   \
    X(equal, 2, COMPARE, CN__OP_COUNT, bool_equal, each_equal, test_equal)                                          \
    X(not_equal, 2, COMPARE, CN__OP_COUNT, bool_not_equal, each_not_equal, test_not_equal)                          \
    X(less, 2, COMPARE, CN__OP_COUNT, bool_less, each_less, test_less)                                              \
    X(less_equal, 2, COMPARE, CN__OP_COUNT, bool_less_equal, each_less_equal, test_less_equal)                      \
    X(greater, 2, COMPARE, CN__OP_COUNT, bool_greater, each_greater, test_greater)                                  \
    X(greater_equal, 2, COMPARE, CN__OP_COUNT, bool_greater_equal, each_greater_equal, test_greater_equal)          \
    X(logical_and, 2, COMPARE, CN__OP_COUNT, bool_logical_and, each_logical_and, test_logical_and)                  \
    X(logical_or, 2, COMPARE, CN__OP_COUNT, bool_logical_or, each_logical_or, test_logical_or)                      \
    X(logical_xor, 2, COMPARE, CN__OP_COUNT, bool_logical_xor, each_logical_xor, test_logical_xor)                  \
    X(logical_not, 1, COMPARE, CN__OP_COUNT, bool_logical_not, each_logical_not, test_logical_not)                  \
    X(signbit, 1, REAL_TEST, CN__OP_COUNT, none, none, test_signbit)                                                \
    X(isnan, 1, REAL_TEST, CN__OP_COUNT, none, none, test_isnan)                                                    \
    X(isinf, 1, REAL_TEST, CN__OP_COUNT, none, none, test_isinf)                                                    \
    X(isfinite, 1, REAL_TEST, CN__OP_COUNT, none, none, test_isfinite)

typedef enum cn__elementwise_id {
#define CN__ELEMENTWISE_ENUM(name, n, rule, op, b, i, r) CN__ELEMENTWISE_##name,
    CN__ELEMENTWISE_LIST(CN__ELEMENTWISE_ENUM)
#undef CN__ELEMENTWISE_ENUM
    CN__ELEMENTWISE_COUNT
} cn__elementwise_id;

extern const cn__elementwise cn__elementwise_table[CN__ELEMENTWISE_COUNT];

/* Comparisons of uint64 with signed integers, which no common dtype could hold; exact. */
int cn__differ_in_sign(cn__elementwise_id id, const cn_tensor *const *operands);
cn_tensor *cn__compare_signs(cn__elementwise_id id, const cn_tensor *const *operands);

/* A new tensor of the broadcast shape. NULL operands are passed on. */
cn_tensor *cn__elementwise_apply(cn__elementwise_id id, const cn_tensor *const *operands);

/* operands[0] = f(operands...), of its own shape and dtype: += and its like. Errors: CN_ESHAPE, CN_EDTYPE (the
 * result is of a kind that the dtype does not hold, as NumPy's same_kind), CN_EINVAL (a scaled or broadcast view). */
int cn__elementwise_inplace(const char *function, cn__elementwise_id id, cn_tensor *target, const cn_tensor *operand);

#endif
