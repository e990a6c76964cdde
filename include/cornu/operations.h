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

/* --- scopes and numbers ---------------------------------------------------------------------------------------- */

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

CN_API cn_tensor *cn_tensor_fmod(const cn_tensor *a, const cn_tensor *b);         /* the rest of a / b, signed as a */
CN_API cn_tensor *cn_tensor_fmax(const cn_tensor *a, const cn_tensor *b);         /* the larger; a number beats NaN */
CN_API cn_tensor *cn_tensor_fmin(const cn_tensor *a, const cn_tensor *b);         /* the smaller; a number beats NaN */
CN_API cn_tensor *cn_tensor_copysign(const cn_tensor *a, const cn_tensor *b);     /* |a| with the sign of b */
CN_API cn_tensor *cn_tensor_logaddexp(const cn_tensor *a, const cn_tensor *b);    /* log(e^a + e^b) */

/* Bit by bit; for integers and bools only. Shifts by more places than there are, or by negative ones, leave 0, or -1 of
 * negative numbers shifted right. */
CN_API cn_tensor *cn_tensor_bitwise_and(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_bitwise_or(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_bitwise_xor(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_invert(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_left_shift(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_right_shift(const cn_tensor *a, const cn_tensor *b);

/* a += b and its like: the result is stored in a, whose shape and dtype stay; b broadcasts to a. Errors: CN_ESHAPE;
 * CN_EDTYPE when the result is of another kind than a, such as floats added to integers; CN_EINVAL (scaled and
 * broadcast views cannot be written). A tape does not hear of changes in place. */
CN_API int cn_tensor_add_inplace(cn_tensor *a, const cn_tensor *b);
CN_API int cn_tensor_subtract_inplace(cn_tensor *a, const cn_tensor *b);
CN_API int cn_tensor_multiply_inplace(cn_tensor *a, const cn_tensor *b);
CN_API int cn_tensor_divide_inplace(cn_tensor *a, const cn_tensor *b);
CN_API int cn_tensor_floor_divide_inplace(cn_tensor *a, const cn_tensor *b);
CN_API int cn_tensor_remainder_inplace(cn_tensor *a, const cn_tensor *b);
CN_API int cn_tensor_power_inplace(cn_tensor *a, const cn_tensor *b);

/* --- element-wise functions of one operand --------------------------------------------------------------------- */

CN_API cn_tensor *cn_tensor_negative(const cn_tensor *x);   /* -x; not for bools */
CN_API cn_tensor *cn_tensor_absolute(const cn_tensor *x);   /* |x| */
CN_API cn_tensor *cn_tensor_sign(const cn_tensor *x);       /* -1, 0, 1; NaN stays; not for bools */
CN_API cn_tensor *cn_tensor_square(const cn_tensor *x);     /* x * x */
CN_API cn_tensor *cn_tensor_reciprocal(const cn_tensor *x); /* 1 / x, for integers in integers */
CN_API cn_tensor *cn_tensor_floor(const cn_tensor *x);      /* rounded down; integers stay as they are */
CN_API cn_tensor *cn_tensor_ceil(const cn_tensor *x);       /* rounded up */
CN_API cn_tensor *cn_tensor_trunc(const cn_tensor *x);      /* rounded towards zero */
CN_API cn_tensor *cn_tensor_rint(const cn_tensor *x);       /* rounded to nearest, halves to even; gives floats */

CN_API cn_tensor *cn_tensor_relu(const cn_tensor *x);       /* maximum(x, 0) */

/* e^x / sum of e^x along the axis, after taking away the largest x, so that nothing overflows. */
CN_API cn_tensor *cn_tensor_softmax(const cn_tensor *x, int axis);

/* minimum(maximum(x, low), high). */
CN_API cn_tensor *cn_tensor_clip(const cn_tensor *x, const cn_tensor *low, const cn_tensor *high);

/* Rounded to that many decimals, -300 ... 300, halves to even; negative: to tens, hundreds, ... Integers stay
 * integers. */
CN_API cn_tensor *cn_tensor_round(const cn_tensor *x, int decimals);

/* These give floats: of integers of 8 bits and bools float16, of 16 bits float32, of others float64. exp,
 * log and tanh in float32 are the library's own (1, 1 and 1.5 units in the last place at most, the same bits on every
 * machine); the others are the C library's in double, rounded once. Outside a function's domain: NaN. */
CN_API cn_tensor *cn_tensor_sqrt(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_cbrt(const cn_tensor *x);    /* the cube root */
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
CN_API cn_tensor *cn_tensor_degrees(const cn_tensor *x); /* of radians */
CN_API cn_tensor *cn_tensor_radians(const cn_tensor *x); /* of degrees */
CN_API cn_tensor *cn_tensor_sigmoid(const cn_tensor *x); /* 1 / (1 + e^-x) */

/* --- comparisons, logic, tests: they give bools ---------------------------------------------------------------- */

CN_API cn_tensor *cn_tensor_equal(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_not_equal(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_less(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_less_equal(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_greater(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_greater_equal(const cn_tensor *a, const cn_tensor *b);

/* 1 if both have the same shape and equal elements (array_equal: NaN equals nothing), or elements no further apart than
 * atol + rtol |b| (allclose; infinities must be equal). 0 if not, a negative status for NULL. */
CN_API int cn_tensor_array_equal(const cn_tensor *a, const cn_tensor *b);
CN_API int cn_tensor_allclose(const cn_tensor *a, const cn_tensor *b, double rtol, double atol);

/* A number counts as true unless it is 0. */
CN_API cn_tensor *cn_tensor_logical_and(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_logical_or(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_logical_xor(const cn_tensor *a, const cn_tensor *b);
CN_API cn_tensor *cn_tensor_logical_not(const cn_tensor *x);

CN_API cn_tensor *cn_tensor_isnan(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_isinf(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_isfinite(const cn_tensor *x);
CN_API cn_tensor *cn_tensor_signbit(const cn_tensor *x); /* the sign, also of -0 and NaN */

/* a where the condition is not 0, b elsewhere; all three broadcast. (NumPy's where with the condition alone is
 * cn_tensor_nonzero.) */
CN_API cn_tensor *cn_tensor_where(const cn_tensor *condition, const cn_tensor *a, const cn_tensor *b);

/* --- sums and their like over axes ----------------------------------------------------------------------------- */

/* Axes are numbered from 0, or from -1 backwards: CN_AXES(0, -1), CN_EVERY_AXIS. With keepdims 1 the axes stay,
 * with one entry each. */
#define CN_AXES(...) (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), (const int[]) { __VA_ARGS__ }
#define CN_EVERY_AXIS 0, NULL

/* Order of sums and products: the elements that go into a result are numbered in row-major order; number i is added
 * to partial sum i mod 8; the eight are added in pairs, ((0+1)+(2+3))+((4+5)+(6+7)). Floats are added in float64
 * and rounded once, so the last bits may be better than NumPy's. Bools and integers are added in 64 bits and give
 * int64, unsigned ones uint64. Nothing gives 0, and a product of nothing 1. */
CN_API cn_tensor *cn_tensor_sum(const cn_tensor *x, int n_axes, const int *axes, int keepdims);
CN_API cn_tensor *cn_tensor_prod(const cn_tensor *x, int n_axes, const int *axes, int keepdims);

/* The largest and smallest, NaN if there is one; of x's dtype. Error: CN_EINVAL (there is nothing to choose from). */
CN_API cn_tensor *cn_tensor_max(const cn_tensor *x, int n_axes, const int *axes, int keepdims);
CN_API cn_tensor *cn_tensor_min(const cn_tensor *x, int n_axes, const int *axes, int keepdims);

/* Whether any, or every, element is other than 0. They give bools. */
CN_API cn_tensor *cn_tensor_any(const cn_tensor *x, int n_axes, const int *axes, int keepdims);
CN_API cn_tensor *cn_tensor_all(const cn_tensor *x, int n_axes, const int *axes, int keepdims);

/* Sum / count, of x's dtype for floats, else float64. Nothing gives NaN. */
CN_API cn_tensor *cn_tensor_mean(const cn_tensor *x, int n_axes, const int *axes, int keepdims);

/* Sum of (x - mean)^2 / (count - ddof), in float64, and its root; dtypes as mean's. ddof 1 estimates from a sample. */
CN_API cn_tensor *cn_tensor_var(const cn_tensor *x, int n_axes, const int *axes, double ddof, int keepdims);
CN_API cn_tensor *cn_tensor_std(const cn_tensor *x, int n_axes, const int *axes, double ddof, int keepdims);

/* The element of a tensor that has only one, as a double; NaN and an error message otherwise. Source: ndarray.item. */
CN_API double cn_item(const cn_tensor *x);

/* Over all elements: a scalar. */
#define cn_sum(x) cn_tensor_sum(x, CN_EVERY_AXIS, 0)
#define cn_mean(x) cn_tensor_mean(x, CN_EVERY_AXIS, 0)
#define cn_max(x) cn_tensor_max(x, CN_EVERY_AXIS, 0)
#define cn_min(x) cn_tensor_min(x, CN_EVERY_AXIS, 0)

/* --- along one axis -------------------------------------------------------------------------------------------- */

#define CN_NO_AXIS INT32_MIN /* Python's axis=None: the elements as one long row, row-major */

/* Position of the largest and smallest along the axis, the first one on ties; NaN counts as both. int64. cn_argmax
 * (tensor.h) is that along the last axis. */
CN_API cn_tensor *cn_tensor_argmax(const cn_tensor *x, int axis, int keepdims);
CN_API cn_tensor *cn_tensor_argmin(const cn_tensor *x, int axis, int keepdims);

/* Running sums and products, of sum's dtype; floats are added in order in float64, each result rounded once. */
CN_API cn_tensor *cn_tensor_cumsum(const cn_tensor *x, int axis);
CN_API cn_tensor *cn_tensor_cumprod(const cn_tensor *x, int axis);

/* In ascending order, NaN last; argsort gives positions (int64), equal numbers in their order (NumPy's
 * kind="stable"). */
CN_API cn_tensor *cn_tensor_sort(const cn_tensor *x, int axis);
CN_API cn_tensor *cn_tensor_argsort(const cn_tensor *x, int axis);

/* --- products of matrices -------------------------------------------------------------------------------------- */

/* Floats: each sum in ascending order with one fused multiply-add per term, the same bits on every instruction set (for
 * float64: on machines with the same C library). float16 is computed in float32. Integers wrap round. */

/* Of the last two axes; those before them broadcast. A vector on the left counts as a row, on the right as a
 * column, and that axis is dropped again. Scalars are refused. Source: numpy.matmul. */
CN_API cn_tensor *cn_tensor_matmul(const cn_tensor *a, const cn_tensor *b);
#define cn_matmul(a, b) cn_tensor_matmul(a, b)

/* The sum over a's last axis and b's last but one (or only one): (a, b, c, d) . (d, e) gives (a, b, c, e), vectors
 * give a scalar; a scalar multiplies. Source: numpy.dot. */
CN_API cn_tensor *cn_tensor_dot(const cn_tensor *a, const cn_tensor *b);
#define cn_dot(a, b) cn_tensor_dot(a, b)

/* The sum over n pairs of axes; left over are a's other axes, then b's. Both lists NULL: a's last n axes with b's first
 * n (numpy.tensordot with an integer). */
CN_API cn_tensor *cn_tensor_tensordot(const cn_tensor *a, const cn_tensor *b, int n, const int *axes_a,
                                      const int *axes_b);

/* Einstein's notation for one operand (b NULL) or two: "ij,jk->ik" is a matrix product, "ii" a trace, "ij->ji" a
 * transpose, "ii->i" a diagonal, "...ij,...jk->...ik" a product of stacks. Letters that the result lacks are summed
 * over. "..." stands for all axes without a letter, which broadcast; so do axes of one entry with the same letter.
 * Without "->" the result has the axes of "...", then the letters that occur once, in alphabetical order. The dtype is
 * the promoted one.
 * Source: numpy.einsum. */
CN_API cn_tensor *cn_tensor_einsum(const char *equation, const cn_tensor *a, const cn_tensor *b);

/* Every element of a times every one of b, both flattened: shape (size of a, size of b). */
CN_API cn_tensor *cn_tensor_outer(const cn_tensor *a, const cn_tensor *b);

/* --- other shapes ---------------------------------------------------------------------------------------------- */

/* These six are views. */

/* A new axis of one entry, at that place of the result (-1: behind all others). */
CN_API cn_tensor *cn_tensor_expand_dims(const cn_tensor *x, int axis);

/* Axes of one entry dropped; axes NULL: all such. Error: CN_EINVAL (a named axis has more). */
CN_API cn_tensor *cn_tensor_squeeze(const cn_tensor *x, int n_axes, const int *axes);

/* The entries of these axes in reverse order. */
CN_API cn_tensor *cn_tensor_flip(const cn_tensor *x, int n_axes, const int *axes);

/* Two axes exchanged. */
CN_API cn_tensor *cn_tensor_swapaxes(const cn_tensor *x, int axis1, int axis2);

/* Axes of one entry, and missing ones in front, stretched to that shape; such a view is read-only. */
CN_API cn_tensor *cn_tensor_broadcast_to(const cn_tensor *x, int ndim, const int64_t *shape);

/* The diagonal of the last two axes, `offset` to the right of the main one, as the last axis. */
CN_API cn_tensor *cn_tensor_diagonal(const cn_tensor *x, int64_t offset);

/* Tensors one behind the other along an axis, or along a new axis of n entries: cn_tensor_stack(CN_TENSORS(a, b),
 * 0). The dtype is the promoted one. */
#define CN_TENSORS(...)                                                                                             \
    (int)(sizeof((const cn_tensor *[]){__VA_ARGS__}) / sizeof(cn_tensor *)), (const cn_tensor *[]) { __VA_ARGS__ }
CN_API cn_tensor *cn_tensor_concatenate(int n, const cn_tensor *const *tensors, int axis);
CN_API cn_tensor *cn_tensor_stack(int n, const cn_tensor *const *tensors, int axis);

/* Equal parts along an axis, as views, into parts[0 ... sections-1]. Returns 0 or a status. Error: CN_ESHAPE (sections
 * does not divide the axis). */
CN_API int cn_tensor_split(const cn_tensor *x, int sections, int axis, cn_tensor **parts);

/* Whole copies side by side, repetitions[i] along axis i, aligned at the last axis as in NumPy:
 * cn_tensor_tile(x, CN_SHAPE(2, 1)). */
CN_API cn_tensor *cn_tensor_tile(const cn_tensor *x, int n, const int64_t *repetitions);

/* Every entry along the axis `repeats` times in a row; CN_NO_AXIS flattens. */
CN_API cn_tensor *cn_tensor_repeat(const cn_tensor *x, int64_t repeats, int axis);

/* Entries moved by `shift` places along the axis; what leaves one end comes in at the other. CN_NO_AXIS moves
 * through the flattened tensor and keeps the shape. */
CN_API cn_tensor *cn_tensor_roll(const cn_tensor *x, int64_t shift, int axis);

/* widths[i][0] entries of `value` before and widths[i][1] behind axis i; widths has ndim rows. */
CN_API cn_tensor *cn_tensor_pad(const cn_tensor *x, const int64_t (*widths)[2], double value);

/* The same with a border made from what is inside, one axis after the other; mode is one of numpy.pad's:
 *
 *   "edge"        the outermost entry again                 a a [a b c] c c
 *   "reflect"     mirrored at the outermost entry           c b [a b c] b a
 *   "symmetric"   mirrored behind it                        b a [a b c] c b
 *   "wrap"        from the other end                        b c [a b c] a b
 *   "maximum", "minimum", "mean"  of the line; a mean of integers is rounded to nearest, halves to even
 *   "linear_ramp" in equal steps down to 0
 *   "constant", or NULL           0
 *
 * Errors: CN_EINVAL (a border around an empty axis), CN_ENAME (with the nearest known name). */
CN_API cn_tensor *cn_tensor_pad_mode(const cn_tensor *x, const int64_t (*widths)[2], const char *mode);

/* --- choosing and writing parts -------------------------------------------------------------------------------- */

/* The entries at these positions (integers, negative ones counted from the end) of an axis; their shape takes the
 * place of the axis. CN_NO_AXIS takes from the flattened tensor. Source: numpy.take. */
CN_API cn_tensor *cn_tensor_take(const cn_tensor *x, const cn_tensor *indices, int axis);

/* The same with a position for every line of its own; indices has x's shape but on the axis. */
CN_API cn_tensor *cn_tensor_take_along_axis(const cn_tensor *x, const cn_tensor *indices, int axis);

/* x[mask]: where the bools, whose shape is that of x's first axes, are true. Shape (how many, the other axes). */
CN_API cn_tensor *cn_tensor_boolean_mask(const cn_tensor *x, const cn_tensor *mask);

/* Positions of the elements that are not 0, row-major: int64 of shape (ndim, how many); row i is NumPy's
 * nonzero(x)[i]. */
CN_API cn_tensor *cn_tensor_nonzero(const cn_tensor *x);

/* The different numbers in ascending order; all NaNs count as one. */
CN_API cn_tensor *cn_tensor_unique(const cn_tensor *x);

/* How often 0, 1, 2, ... occur among integers >= 0; at least minlength entries, int64. */
CN_API cn_tensor *cn_tensor_bincount(const cn_tensor *x, int64_t minlength);

/* target[...] = values: cn_tensor_assign(cn_slice(x, {0, 10}), cn_int(0)). Values broadcast to the target's shape
 * and are converted as cn_astype does. With a mask: where it is not 0. Return 0 or a status. Errors: CN_ESHAPE;
 * CN_EINVAL (scaled and broadcast views cannot be written). A tape does not hear of it. */
CN_API int cn_tensor_assign(cn_tensor *target, const cn_tensor *values);
CN_API int cn_tensor_assign_where(cn_tensor *target, const cn_tensor *mask, const cn_tensor *values);

/* --- making ---------------------------------------------------------------------------------------------------- */

/* One number everywhere, converted from double: cn_full(CN_FLOAT32, 0.5, 3, 4); of shape (): cn_scalar(CN_INT64,
 * 12). */
CN_API cn_tensor *cn_tensor_full(cn_dtype dtype, int ndim, const int64_t *shape, double value);
#define cn_full(dtype, value, ...) cn_tensor_full(dtype, CN_SHAPE(__VA_ARGS__), value)
#define cn_ones(dtype, ...) cn_tensor_full(dtype, CN_SHAPE(__VA_ARGS__), 1)
#define cn_scalar(dtype, value) cn_tensor_full(dtype, 0, NULL, value)

/* start, start + step, ... before stop. Error: CN_EINVAL (step 0, or endless). */
CN_API cn_tensor *cn_tensor_arange(cn_dtype dtype, double start, double stop, double step);

/* num numbers from start to stop, both included, at equal distances. */
CN_API cn_tensor *cn_tensor_linspace(cn_dtype dtype, double start, double stop, int64_t num);

/* Ones on a diagonal, `diagonal` to the right of the main one, zeros elsewhere. */
CN_API cn_tensor *cn_tensor_eye(cn_dtype dtype, int64_t rows, int64_t columns, int64_t diagonal);

/* --- random numbers -------------------------------------------------------------------------------------------- */

/* Counter-based (Philox4x32-10): call number `calls` draws stream number `calls` of the seed, so its numbers depend
 * on seed, number of the call and shape only, on every machine. Make one with {.seed = 42}; it owns nothing. One
 * thread at a time. */
typedef struct cn_generator {
    uint64_t seed;
    uint32_t calls; /* so far; counts up */
} cn_generator;

/* Floats in [low, high): low + (high - low) u, u a multiple of 2^-53 for float64 and of 2^-24 for others; rounding may
 * give high itself. */
CN_API cn_tensor *cn_random_uniform(cn_generator *generator, double low, double high, cn_dtype dtype, int ndim,
                                    const int64_t *shape);

/* Floats with that mean and standard deviation >= 0, by Marsaglia's polar method. */
CN_API cn_tensor *cn_random_normal(cn_generator *generator, double mean, double stddev, cn_dtype dtype, int ndim,
                                   const int64_t *shape);

/* Integers from low to high - 1, all equally likely. */
CN_API cn_tensor *cn_random_integers(cn_generator *generator, int64_t low, int64_t high, cn_dtype dtype, int ndim,
                                     const int64_t *shape);

/* 0 ... n-1 in random order, int64. Rows in random order are
 * cn_tensor_take(x, cn_random_permutation(&generator, cn_len(x)), 0). */
CN_API cn_tensor *cn_random_permutation(cn_generator *generator, int64_t n);

#ifdef __cplusplus
}
#endif
#endif
