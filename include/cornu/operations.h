/* Operations on tensors, with NumPy's names, rules and results.
 *
 * Operands broadcast as in NumPy: shapes are aligned at their last axes, and axes that are missing or have one entry
 * stretch. The dtype of a result is NumPy 2's (float32 and float64 give float64; uint8 and int32 give int32; integers
 * divided give float64; sqrt of int64 gives float64, of uint8 float16). Integers wrap round when a result does not fit,
 * and their division by zero gives 0; floats give infinity or NaN. A scaled view counts as the numbers it shows.
 *
 * Numbers. Wherever an operand may be a tensor it may be a number: cn_tensor_multiply(cn_int(2), x). Such a number
 * counts as Python's do: cn_int adapts to the dtype of the other operand, cn_float makes integers float64 and leaves
 * floats as they are.
 *
 * Ownership. What comes back is a new tensor that you destroy, or a view (said where) that goes with its tensor. Calls
 * that are nested need a scope, to which everything belongs that is made on this thread while it is open:
 *
 *     cn_scope *scope = cn_scope_begin();
 *     cn_tensor *loss = cn_keep(cn_mean(cn_tensor_square(cn_tensor_subtract(y, x))));
 *     cn_scope_end(&scope);
 *     ...
 *     cn_tensor_destroy(&loss);
 *
 * While a gradient tape records (tape.h) the tape is such a scope.
 *
 * Failures. A NULL operand is passed on, so only the last call of a chain has to be checked. Errors of all functions:
 * CN_ENOMEM; CN_ESHAPE (shapes do not fit; the sentence names both and the axis); CN_EDTYPE (a dtype that the operation
 * does not take); CN_EINVAL (an axis or position that is not there, an argument out of range).
 *
 * Threads. Operations only read their operands, so several threads may use the same ones. */
#ifndef CORNU_OPERATIONS_H
#define CORNU_OPERATIONS_H

#include <cornu/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- scopes and numbers ------------------------------------------------------------------------------------------- */

typedef struct cn_scope cn_scope;

/* From now on every tensor made on this thread belongs to the scope. Scopes nest; close the inner one first.
 * NULL when there is no memory. */
CN_API cn_scope *cn_scope_begin(void);

/* Destroys what belongs to the scope, and the scope. Accepts NULL and a pointer to NULL; sets it to NULL. */
CN_API void cn_scope_end(cn_scope **scope);

/* Takes a tensor out of the scope or tape it belongs to: now you destroy it. Returns it; NULL is passed on.
 * Error: CN_EINVAL (a view, which goes with the tensor it looks at). */
CN_API cn_tensor *cn_keep(cn_tensor *tensor);

/* Python's numbers, to be written where they are used: nobody destroys them, and the 64th call on the same thread uses
 * the place of the first again. Never NULL. An integer that the other operand's dtype cannot hold is refused with
 * CN_EINVAL. */
CN_API const cn_tensor *cn_int(int64_t value);
CN_API const cn_tensor *cn_float(double value);

/* --- element-wise arithmetic -------------------------------------------------------------------------------------- */

CN_API cn_tensor *cn_tensor_add(const cn_tensor *a, const cn_tensor *b);          /* a + b; bools: or */
CN_API cn_tensor *cn_tensor_subtract(const cn_tensor *a, const cn_tensor *b);     /* a - b; not for bools */
CN_API cn_tensor *cn_tensor_multiply(const cn_tensor *a, const cn_tensor *b);     /* a * b; bools: and */
CN_API cn_tensor *cn_tensor_divide(const cn_tensor *a, const cn_tensor *b);       /* a / b; integers give float64 */
CN_API cn_tensor *cn_tensor_floor_divide(const cn_tensor *a, const cn_tensor *b); /* a // b, rounded down */
CN_API cn_tensor *cn_tensor_remainder(const cn_tensor *a, const cn_tensor *b);    /* a % b, with the sign of b */
CN_API cn_tensor *cn_tensor_power(const cn_tensor *a, const cn_tensor *b);        /* a ** b; integers: b >= 0 */
CN_API cn_tensor *cn_tensor_maximum(const cn_tensor *a, const cn_tensor *b);      /* the larger; NaN if either is */
CN_API cn_tensor *cn_tensor_minimum(const cn_tensor *a, const cn_tensor *b);      /* the smaller; NaN if either is */
CN_API cn_tensor *cn_tensor_arctan2(const cn_tensor *a, const cn_tensor *b);      /* angle of the point (b, a) */
CN_API cn_tensor *cn_tensor_hypot(const cn_tensor *a, const cn_tensor *b);        /* sqrt(a^2 + b^2) */

/* a += b and its like: the result is stored in a, whose shape and dtype stay; b broadcasts to a. Errors: CN_ESHAPE;
 * CN_EDTYPE when the result is of another kind than a, such as floats added to integers; CN_EINVAL (scaled and broadcast
 * views cannot be written). A tape does not hear of changes in place. */
CN_API int cn_tensor_add_inplace(cn_tensor *a, const cn_tensor *b);
CN_API int cn_tensor_subtract_inplace(cn_tensor *a, const cn_tensor *b);
CN_API int cn_tensor_multiply_inplace(cn_tensor *a, const cn_tensor *b);
CN_API int cn_tensor_divide_inplace(cn_tensor *a, const cn_tensor *b);
CN_API int cn_tensor_floor_divide_inplace(cn_tensor *a, const cn_tensor *b);
CN_API int cn_tensor_remainder_inplace(cn_tensor *a, const cn_tensor *b);
CN_API int cn_tensor_power_inplace(cn_tensor *a, const cn_tensor *b);

/* --- element-wise functions of one operand -------------------------------------------------------------------------- */

CN_API cn_tensor *cn_tensor_negative(const cn_tensor *x);   /* -x; not for bools */
CN_API cn_tensor *cn_tensor_absolute(const cn_tensor *x);   /* |x| */
CN_API cn_tensor *cn_tensor_sign(const cn_tensor *x);       /* -1, 0, 1; NaN stays; not for bools */
CN_API cn_tensor *cn_tensor_square(const cn_tensor *x);     /* x * x */
CN_API cn_tensor *cn_tensor_reciprocal(const cn_tensor *x); /* 1 / x, for integers in integers */
CN_API cn_tensor *cn_tensor_floor(const cn_tensor *x);      /* rounded down; integers stay as they are */
CN_API cn_tensor *cn_tensor_ceil(const cn_tensor *x);       /* rounded up */
CN_API cn_tensor *cn_tensor_trunc(const cn_tensor *x);      /* rounded towards zero */
CN_API cn_tensor *cn_tensor_rint(const cn_tensor *x);       /* rounded to nearest, halves to even; gives floats */

/* These give floats: of integers of 8 bits and bools float16, of 16 bits float32, of others float64. In float32 the
 * result is the C library's double, rounded once. Outside a function's domain: NaN. */
CN_API cn_tensor *cn_tensor_sqrt(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_exp(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_exp2(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_expm1(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_log(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_log2(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_log10(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_log1p(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_sin(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_cos(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_tan(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_arcsin(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_arccos(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_arctan(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_sinh(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_cosh(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_tanh(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_arcsinh(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_arccosh(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_arctanh(const cn_tensor *x);

/* --- comparisons, logic, tests: they give bools -------------------------------------------------------------------- */

CN_API cn_tensor *cn_tensor_equal(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_not_equal(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_less(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_less_equal(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_greater(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_greater_equal(const cn_tensor *a, const cn_tensor *b);

/* A number counts as true unless it is 0. */
CN_API cn_tensor *cn_tensor_logical_and(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_logical_or(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_logical_xor(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_logical_not(const cn_tensor *x);

CN_API cn_tensor *cn_tensor_isnan(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_isinf(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_isfinite(const cn_tensor *x);

#ifdef __cplusplus
}
#endif
#endif
