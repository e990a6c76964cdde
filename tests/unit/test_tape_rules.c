/* Every gradient rule against central differences in float64, and so are second derivatives: each rule is itself made
 * of recorded operations. The last cases have a wrong gradient and must be found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "autodiff/tape.h"

#include <cornu/cornu.h>
#include <math.h>
#include <stdio.h>

enum { MOST_INPUTS = 3 };

typedef cn_tensor *(*function)(cn_tensor *const *x);

typedef struct rule {
    const char *name;
    function f;
    double low, high;   /* inputs are drawn from here */
    int n_inputs;
    struct {
        int ndim;
        int64_t shape[4];
    } inputs[MOST_INPUTS];
} rule;

/* Repeatable numbers in 0 ... 1, no two near each other. */
static double number(int64_t i)
{
    double x = 0.53 + (double)i * 0.6180339887498949;
    return x - floor(x);
}

static cn_tensor *numbers(int ndim, const int64_t *shape, double low, double high, int64_t seed)
{
    cn_tensor *t = cn_tensor_create(CN_FLOAT64, ndim, shape);
    assert_non_null(t);
    double *values = cn_data(t);
    for (int64_t i = 0; i < cn_size(t); i++) values[i] = low + (high - low) * number(seed + i);
    return t;
}

/* sum(f(x) * weights) with weights that differ, so that gradients do not cancel by symmetry. */
static cn_tensor *score(const rule *r, cn_tensor *const *x)
{
    cn_tensor *y = r->f(x);
    if (!y) fail_msg("%s: %s", r->name, cn_error_message());
    cn_tensor *weights = numbers(cn_ndim(y), cn_shape(y), 0.5, 2, 1000);
    cn_tensor *sum = cn_sum(cn_tensor_multiply(y, weights));
    assert_non_null(sum);
    return sum;
}

static double value(cn_tensor *scalar)
{
    return *(double *)cn_data(scalar);
}

/* The operations that were compared with differences. */
static int is_met[CN__OP_COUNT];

static void note_operations(const cn_tape *tape)
{
    for (int i = 0; i < tape->n; i++) is_met[tape->entries[i]->operation.op] = 1;
}

/* The first derivative, recorded by outer tapes, and weighted to a scalar for the second. */
static cn_tensor *slope(const rule *r, cn_tensor *const *x, cn_tensor **gradients)
{
    cn_tape *tape = cn_tape_create(NULL);
    cn_tensor *target = score(r, x);
    note_operations(tape);
    if (cn_tape_gradient(tape, target, r->n_inputs, x, gradients) < 0) fail_msg("%s: %s", r->name, cn_error_message());
    cn_tensor *sum = NULL;
    for (int i = 0; i < r->n_inputs; i++) {
        if (!gradients[i]) continue;
        cn_tensor *weights = numbers(cn_ndim(gradients[i]), cn_shape(gradients[i]), 0.5, 2, 2000 + i);
        cn_tensor *part = cn_sum(cn_tensor_multiply(gradients[i], weights));
        sum = sum ? cn_tensor_add(sum, part) : part;
    }
    if (sum) sum = cn_keep(sum);
    for (int i = 0; i < r->n_inputs; i++)
        if (gradients[i]) cn_keep(gradients[i]);
    cn_tape_destroy(&tape);
    return sum;
}

static double score_number(const rule *r, cn_tensor *const *x)
{
    cn_scope *scope = cn_scope_begin();
    double result = value(score(r, x));
    cn_scope_end(&scope);
    return result;
}

static double slope_number(const rule *r, cn_tensor *const *x)
{
    cn_scope *scope = cn_scope_begin();
    cn_tensor *gradients[MOST_INPUTS], *sum = slope(r, x, gradients);
    double result = sum ? value(sum) : 0;
    cn_tensor_destroy(&sum);
    for (int i = 0; i < r->n_inputs; i++) cn_tensor_destroy(&gradients[i]);
    cn_scope_end(&scope);
    return result;
}

/* Largest difference between a gradient (NULL: zeros) and central differences of `f`, relative to the largest slope. */
static double worst(const rule *r, cn_tensor *const *x, cn_tensor *const *gradients,
                    double (*f)(const rule *, cn_tensor *const *))
{
    const double h = 1e-5;
    double off = 0, largest = 1;
    for (int i = 0; i < r->n_inputs; i++) {
        double *at = cn_data(x[i]);
        for (int64_t k = 0; k < cn_size(x[i]); k++) {
            double before = at[k];
            at[k] = before + h;
            double up = f(r, x);
            at[k] = before - h;
            double down = f(r, x);
            at[k] = before;
            double measured = (up - down) / (2 * h), given = gradients[i] ? ((double *)cn_data(gradients[i]))[k] : 0;
            largest = fmax(largest, fabs(measured));
            off = isfinite(given) ? fmax(off, fabs(measured - given)) : HUGE_VAL;
        }
    }
    return off / largest;
}

static int is_right(const rule *r)
{
    cn_tensor *x[MOST_INPUTS] = {NULL}, *first[MOST_INPUTS], *second[MOST_INPUTS] = {NULL};
    for (int i = 0; i < r->n_inputs; i++) {
        cn_tensor *start = numbers(r->inputs[i].ndim, r->inputs[i].shape, r->low, r->high, 37 * i);
        x[i] = cn_variable(start);
        cn_tensor_destroy(&start);
    }
    cn_tape *outer = cn_tape_create(NULL);
    cn_tensor *sum = slope(r, x, first);
    if (sum && cn_tape_gradient(outer, sum, r->n_inputs, x, second) < 0)
        fail_msg("%s: %s", r->name, cn_error_message());
    cn_tape_stop(outer);
    note_operations(outer); /* what gradients are made of */
    double off = worst(r, x, first, score_number), off_again = worst(r, x, second, slope_number);
    cn_tensor_destroy(&sum);
    for (int i = 0; i < r->n_inputs; i++) cn_tensor_destroy(&first[i]);
    cn_tape_destroy(&outer);
    for (int i = 0; i < r->n_inputs; i++) cn_tensor_destroy(&x[i]);
    int right = off < 1e-8 && off_again < 1e-7;
    if (!right) print_message("%s: off by %.3g, second derivative by %.3g\n", r->name, off, off_again);
    return right;
}

/* --- the operations --- */

#define UNARY(name)                                                                                                 \
    static cn_tensor *f_##name(cn_tensor *const *x) { return cn_tensor_##name(x[0]); }
#define BINARY(name)                                                                                                \
    static cn_tensor *f_##name(cn_tensor *const *x) { return cn_tensor_##name(x[0], x[1]); }
BINARY(add) BINARY(subtract) BINARY(multiply) BINARY(divide) BINARY(power) BINARY(maximum) BINARY(minimum)
BINARY(arctan2) BINARY(hypot) BINARY(remainder)
UNARY(negative) UNARY(absolute) UNARY(sign) UNARY(square) UNARY(sqrt) UNARY(reciprocal) UNARY(exp) UNARY(exp2)
UNARY(expm1) UNARY(log) UNARY(log2) UNARY(log10) UNARY(log1p) UNARY(sin) UNARY(cos) UNARY(tan) UNARY(arcsin)
UNARY(arccos) UNARY(arctan) UNARY(sinh) UNARY(cosh) UNARY(tanh) UNARY(arcsinh) UNARY(arccosh) UNARY(arctanh)
UNARY(sigmoid) UNARY(floor)
BINARY(matmul) BINARY(dot) BINARY(outer)

/* Operations with more arguments, and compositions. */
#define GIVES(name, expression)                                                                                     \
    static cn_tensor *f_##name(cn_tensor *const *x) { return expression; }

static const cn_tensor *positions(void)
{
    return cn_tensor_from(CN_INT64, CN_SHAPE(2, 2), (const int64_t[]){2, 0, -1, 2});
}

static const cn_tensor *positions_along(void)
{
    return cn_tensor_from(CN_INT64, CN_SHAPE(2, 2), (const int64_t[]){2, 0, 1, 1});
}

/* Sorting and choosing tell numbers apart, so theirs are kept apart. */
static const cn_tensor *condition(void)
{
    return cn_tensor_from(CN_UINT8, CN_SHAPE(2, 3), (const uint8_t[]){1, 0, 1, 1, 0, 0});
}

GIVES(reshape, cn_tensor_square(cn_reshape(x[0], 3, -1)))
GIVES(reshape_copy, cn_tensor_square(cn_reshape(cn_transpose(x[0]), -1)))
GIVES(slice, cn_tensor_square(cn_slice(x[0], {-1, CN_END, -1}, {0, CN_END, 2})))
GIVES(slice_twice, cn_tensor_multiply(cn_slice(x[0], CN_ALL, {0, 2}), cn_slice(x[0], CN_ALL, {1, 3})))
GIVES(slice_empty, cn_tensor_square(cn_slice(x[0], {1, 1})))
GIVES(index, cn_tensor_square(cn_index(x[0], -1)))
GIVES(index_all, cn_tensor_square(cn_index(x[0], 1, 2)))
GIVES(transpose, cn_tensor_square(cn_tensor_transpose(x[0], (const int[]){2, 0, 1})))
GIVES(scale, cn_tensor_square(cn_scale(x[0], -3)))
GIVES(copy, cn_tensor_square(cn_copy(x[0])))
GIVES(expand, cn_tensor_square(cn_tensor_expand_dims(x[0], 1)))
GIVES(squeeze, cn_tensor_square(cn_tensor_squeeze(x[0], 0, NULL)))
GIVES(flip, cn_tensor_square(cn_tensor_flip(x[0], CN_AXES(1))))
GIVES(broadcast_to, cn_tensor_square(cn_tensor_broadcast_to(x[0], CN_SHAPE(4, 2, 3))))
GIVES(diagonal, cn_tensor_square(cn_tensor_diagonal(x[0], 1)))
GIVES(diagonal_below, cn_tensor_square(cn_tensor_diagonal(x[0], -1)))
GIVES(concatenate, cn_tensor_square(cn_tensor_concatenate(CN_TENSORS(x[0], x[1], x[0]), 1)))
GIVES(stack, cn_tensor_square(cn_tensor_stack(CN_TENSORS(x[0], x[1], x[0]), -1)))
GIVES(tile, cn_tensor_square(cn_tensor_tile(x[0], CN_SHAPE(2, 1, 3))))
GIVES(repeat, cn_tensor_square(cn_tensor_repeat(x[0], 3, 0)))
GIVES(repeat_flat, cn_tensor_square(cn_tensor_repeat(x[0], 2, CN_NO_AXIS)))
GIVES(roll, cn_tensor_square(cn_tensor_roll(x[0], 2, 1)))
GIVES(roll_flat, cn_tensor_square(cn_tensor_roll(x[0], -2, CN_NO_AXIS)))
GIVES(pad, cn_tensor_square(cn_tensor_pad(x[0], (const int64_t[][2]){{1, 0}, {2, 1}}, 7)))
GIVES(take, cn_tensor_square(cn_tensor_take(x[0], positions(), 1)))
GIVES(take_flat, cn_tensor_square(cn_tensor_take(x[0], positions(), CN_NO_AXIS)))
GIVES(take_along, cn_tensor_square(cn_tensor_take_along_axis(x[0], positions_along(), 1)))
GIVES(where, cn_tensor_square(cn_tensor_where(condition(), x[0], x[1])))
GIVES(sort, cn_tensor_square(cn_tensor_sort(x[0], 0)))
GIVES(sum, cn_tensor_square(cn_tensor_sum(x[0], CN_AXES(1), 0)))
GIVES(sum_kept, cn_tensor_square(cn_tensor_sum(x[0], CN_AXES(0, 2), 1)))
GIVES(mean, cn_tensor_square(cn_tensor_mean(x[0], CN_AXES(-1), 0)))
GIVES(mean_all, cn_tensor_square(cn_mean(x[0])))
GIVES(max, cn_tensor_square(cn_tensor_max(x[0], CN_AXES(1), 0)))
GIVES(min, cn_tensor_square(cn_tensor_min(x[0], CN_AXES(0), 1)))
GIVES(prod, cn_tensor_prod(x[0], CN_AXES(0, 2), 0))
GIVES(prod_all, cn_tensor_prod(x[0], CN_EVERY_AXIS, 0))
GIVES(prod_zeros, cn_tensor_prod(cn_tensor_multiply(x[0], condition()), CN_AXES(0), 0))
GIVES(var, cn_tensor_var(x[0], CN_AXES(1), 1, 0))
GIVES(std, cn_tensor_std(x[0], CN_EVERY_AXIS, 0, 1))
GIVES(cumsum, cn_tensor_square(cn_tensor_cumsum(x[0], 1)))
GIVES(cumsum_flat, cn_tensor_square(cn_tensor_cumsum(x[0], CN_NO_AXIS)))
GIVES(fmod, cn_tensor_fmod(x[0], x[1]))
GIVES(fmax, cn_tensor_fmax(x[0], x[1]))
GIVES(fmin, cn_tensor_fmin(x[0], x[1]))
GIVES(copysign,
      cn_tensor_square(cn_tensor_add(cn_tensor_copysign(x[0], cn_tensor_subtract(condition(), cn_float(0.5))), x[0])))
GIVES(logaddexp, cn_tensor_logaddexp(x[0], x[1]))
GIVES(cbrt, cn_tensor_cbrt(x[0]))
GIVES(degrees, cn_tensor_square(cn_tensor_degrees(x[0])))
GIVES(radians, cn_tensor_square(cn_tensor_radians(x[0])))
GIVES(cumprod, cn_tensor_square(cn_tensor_cumprod(x[0], 1)))
GIVES(cumprod_zeros, cn_tensor_square(cn_tensor_cumprod(cn_tensor_multiply(x[0], condition()), 0)))
GIVES(cumprod_flat, cn_tensor_cumprod(x[0], CN_NO_AXIS))
GIVES(pad_edge, cn_tensor_square(cn_tensor_pad_mode(x[0], (const int64_t[][2]){{1, 0}, {2, 1}}, "edge")))
GIVES(pad_reflect, cn_tensor_square(cn_tensor_pad_mode(x[0], (const int64_t[][2]){{1, 3}, {2, 1}}, "reflect")))
GIVES(pad_symmetric, cn_tensor_square(cn_tensor_pad_mode(x[0], (const int64_t[][2]){{1, 3}, {2, 1}}, "symmetric")))
GIVES(pad_wrap, cn_tensor_square(cn_tensor_pad_mode(x[0], (const int64_t[][2]){{0, 3}, {2, 0}}, "wrap")))
GIVES(pad_maximum, cn_tensor_square(cn_tensor_pad_mode(x[0], (const int64_t[][2]){{0, 3}, {2, 0}}, "maximum")))
GIVES(pad_mean, cn_tensor_square(cn_tensor_pad_mode(x[0], (const int64_t[][2]){{1, 1}, {2, 0}}, "mean")))
GIVES(pad_ramp, cn_tensor_square(cn_tensor_pad_mode(x[0], (const int64_t[][2]){{2, 3}, {2, 1}}, "linear_ramp")))
GIVES(tensordot_number, cn_tensor_tensordot(x[0], x[1], 2, NULL, NULL))
GIVES(einsum_dots, cn_tensor_einsum("...ij,...jk->...ik", x[0], x[1]))
GIVES(einsum_dots_implicit, cn_tensor_einsum("i...,...i", x[0], x[1]))
GIVES(einsum_stretched, cn_tensor_einsum("ij,ij->i", x[0], x[1]))
GIVES(einsum_stretched_summed, cn_tensor_einsum("ij,jk->ik", x[0], x[1]))
GIVES(einsum_dots_diagonal, cn_tensor_square(cn_tensor_einsum("...ii->...i", x[0], NULL)))
GIVES(tensordot, cn_tensor_tensordot(x[0], x[1], 2, (const int[]){2, 0}, (const int[]){0, 2}))
GIVES(tensordot_none, cn_tensor_tensordot(x[0], x[1], 0, NULL, NULL))
GIVES(einsum_matmul, cn_tensor_einsum("ij,jk->ik", x[0], x[1]))
GIVES(einsum_batch, cn_tensor_einsum("bij, bkj -> kbi", x[0], x[1]))
GIVES(einsum_own, cn_tensor_einsum("ija,jk->k", x[0], x[1]))
GIVES(einsum_implicit, cn_tensor_einsum("ba,bc", x[0], x[1]))
GIVES(einsum_trace, cn_tensor_square(cn_tensor_einsum("ii", x[0], NULL)))
GIVES(einsum_diagonal, cn_tensor_square(cn_tensor_einsum("aba->ba", x[0], NULL)))
GIVES(einsum_both, cn_tensor_einsum("ii,ij->j", x[0], x[1]))
GIVES(float32, cn_astype(cn_tensor_square(cn_astype(x[0], CN_FLOAT64)), CN_FLOAT64))

/* Chapter 2's pieces. */
GIVES(relu, cn_tensor_maximum(x[0], cn_float(0)))
GIVES(row_softmax, cn_tensor_divide(cn_tensor_exp(x[0]), cn_tensor_sum(cn_tensor_exp(x[0]), CN_AXES(-1), 1)))
GIVES(distance, cn_tensor_sqrt(cn_sum(cn_tensor_square(cn_tensor_subtract(x[0], x[1])))))
GIVES(dense, cn_tensor_tanh(cn_tensor_add(cn_tensor_matmul(x[0], x[1]), x[2])))
GIVES(twice, cn_tensor_multiply(x[0], cn_tensor_multiply(x[0], x[0])))

#define ONE(...) .n_inputs = 1, .inputs = {__VA_ARGS__}
#define TWO(...) .n_inputs = 2, .inputs = {__VA_ARGS__}
#define THREE(...) .n_inputs = 3, .inputs = {__VA_ARGS__}
#define SHAPE(n, ...) {n, {__VA_ARGS__}}

static const rule rules[] = {
    {"add", f_add, -1, 1, TWO(SHAPE(2, 2, 3), SHAPE(1, 3))},
    {"subtract", f_subtract, -1, 1, TWO(SHAPE(2, 2, 1), SHAPE(3, 4, 1, 3))},
    {"multiply", f_multiply, -1, 1, TWO(SHAPE(3, 2, 1, 3), SHAPE(2, 4, 1))},
    {"multiply by a scalar", f_multiply, -1, 1, TWO(SHAPE(0, 0), SHAPE(2, 2, 2))},
    {"divide", f_divide, 1, 2, TWO(SHAPE(2, 2, 3), SHAPE(2, 2, 1))},
    {"power", f_power, 0.5, 2, TWO(SHAPE(2, 2, 3), SHAPE(1, 3))},
    {"maximum", f_maximum, -1, 1, TWO(SHAPE(2, 3, 4), SHAPE(1, 4))},
    {"minimum", f_minimum, -1, 1, TWO(SHAPE(2, 3, 4), SHAPE(2, 3, 1))},
    {"arctan2", f_arctan2, 0.2, 1, TWO(SHAPE(2, 2, 3), SHAPE(2, 2, 3))},
    {"hypot", f_hypot, 0.2, 1, TWO(SHAPE(2, 2, 3), SHAPE(1, 3))},
    {"remainder", f_remainder, 1, 4, TWO(SHAPE(2, 2, 3), SHAPE(1, 3))},
    {"negative", f_negative, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"absolute", f_absolute, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"sign", f_sign, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"square", f_square, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"sqrt", f_sqrt, 0.5, 2, ONE(SHAPE(2, 2, 3))},
    {"reciprocal", f_reciprocal, 0.5, 2, ONE(SHAPE(2, 2, 3))},
    {"exp", f_exp, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"exp2", f_exp2, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"expm1", f_expm1, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"log", f_log, 0.5, 2, ONE(SHAPE(2, 2, 3))},
    {"log2", f_log2, 0.5, 2, ONE(SHAPE(2, 2, 3))},
    {"log10", f_log10, 0.5, 2, ONE(SHAPE(2, 2, 3))},
    {"log1p", f_log1p, -0.5, 2, ONE(SHAPE(2, 2, 3))},
    {"sin", f_sin, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"cos", f_cos, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"tan", f_tan, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"arcsin", f_arcsin, -0.7, 0.7, ONE(SHAPE(2, 2, 3))},
    {"arccos", f_arccos, -0.7, 0.7, ONE(SHAPE(2, 2, 3))},
    {"arctan", f_arctan, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"sinh", f_sinh, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"cosh", f_cosh, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"tanh", f_tanh, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"sigmoid", f_sigmoid, -2, 2, ONE(SHAPE(2, 2, 3))},
    {"arcsinh", f_arcsinh, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"arccosh", f_arccosh, 1.5, 3, ONE(SHAPE(2, 2, 3))},
    {"arctanh", f_arctanh, -0.7, 0.7, ONE(SHAPE(2, 2, 3))},
    {"floor", f_floor, 0.1, 0.9, ONE(SHAPE(2, 2, 3))},
    {"matmul", f_matmul, -1, 1, TWO(SHAPE(2, 2, 3), SHAPE(2, 3, 4))},
    {"matmul of stacks", f_matmul, -1, 1, TWO(SHAPE(3, 2, 2, 3), SHAPE(4, 2, 1, 3, 2))},
    {"matmul, vector left", f_matmul, -1, 1, TWO(SHAPE(1, 3), SHAPE(3, 2, 3, 2))},
    {"matmul, vector right", f_matmul, -1, 1, TWO(SHAPE(3, 2, 2, 3), SHAPE(1, 3))},
    {"matmul of vectors", f_matmul, -1, 1, TWO(SHAPE(1, 3), SHAPE(1, 3))},
    {"dot", f_dot, -1, 1, TWO(SHAPE(2, 2, 3), SHAPE(3, 2, 3, 2))},
    {"dot with a vector", f_dot, -1, 1, TWO(SHAPE(3, 2, 2, 3), SHAPE(1, 3))},
    {"dot of vectors", f_dot, -1, 1, TWO(SHAPE(1, 3), SHAPE(1, 3))},
    {"dot with a scalar", f_dot, -1, 1, TWO(SHAPE(0, 0), SHAPE(2, 2, 2))},
    {"outer", f_outer, -1, 1, TWO(SHAPE(1, 3), SHAPE(2, 2, 2))},
    {"reshape", f_reshape, -1, 1, ONE(SHAPE(2, 2, 6))},
    {"reshape of a tensor with gaps", f_reshape_copy, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"slice", f_slice, -1, 1, ONE(SHAPE(3, 3, 5, 2))},
    {"two slices of one", f_slice_twice, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"empty slice", f_slice_empty, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"index", f_index, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"index of one element", f_index_all, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"transpose", f_transpose, -1, 1, ONE(SHAPE(3, 2, 3, 4))},
    {"scale", f_scale, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"copy", f_copy, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"expand_dims", f_expand, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"squeeze", f_squeeze, -1, 1, ONE(SHAPE(3, 2, 1, 3))},
    {"flip", f_flip, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"broadcast_to", f_broadcast_to, -1, 1, ONE(SHAPE(2, 2, 1))},
    {"diagonal", f_diagonal, -1, 1, ONE(SHAPE(3, 2, 3, 4))},
    {"diagonal below", f_diagonal_below, -1, 1, ONE(SHAPE(2, 4, 3))},
    {"concatenate", f_concatenate, -1, 1, TWO(SHAPE(2, 2, 3), SHAPE(2, 2, 1))},
    {"stack", f_stack, -1, 1, TWO(SHAPE(2, 2, 3), SHAPE(2, 2, 3))},
    {"tile", f_tile, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"repeat", f_repeat, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"repeat of all elements", f_repeat_flat, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"roll", f_roll, -1, 1, ONE(SHAPE(2, 2, 5))},
    {"roll of all elements", f_roll_flat, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"pad", f_pad, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"take", f_take, -1, 1, ONE(SHAPE(3, 2, 3, 2))},
    {"take from all elements", f_take_flat, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"take_along_axis", f_take_along, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"where", f_where, -1, 1, TWO(SHAPE(1, 3), SHAPE(2, 2, 1))},
    {"sort", f_sort, -1, 1, ONE(SHAPE(2, 4, 2))},
    {"sum", f_sum, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"sum, axes kept", f_sum_kept, -1, 1, ONE(SHAPE(3, 2, 3, 2))},
    {"mean", f_mean, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"mean of all", f_mean_all, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"max", f_max, -1, 1, ONE(SHAPE(2, 3, 4))},
    {"min", f_min, -1, 1, ONE(SHAPE(2, 3, 4))},
    {"prod", f_prod, -1, 1, ONE(SHAPE(3, 2, 3, 3))},
    {"prod of all", f_prod_all, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"prod with zeros", f_prod_zeros, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"var", f_var, -1, 1, ONE(SHAPE(2, 2, 4))},
    {"std", f_std, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"cumsum", f_cumsum, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"cumsum of all", f_cumsum_flat, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"fmod", f_fmod, 1, 4, TWO(SHAPE(2, 2, 3), SHAPE(1, 3))},
    {"fmax", f_fmax, -1, 1, TWO(SHAPE(2, 2, 3), SHAPE(1, 3))},
    {"fmin", f_fmin, -1, 1, TWO(SHAPE(2, 2, 3), SHAPE(1, 3))},
    {"copysign", f_copysign, 0.2, 1, ONE(SHAPE(2, 2, 3))},
    {"logaddexp", f_logaddexp, -1, 1, TWO(SHAPE(2, 2, 3), SHAPE(1, 3))},
    {"cbrt", f_cbrt, 0.2, 1, ONE(SHAPE(2, 2, 3))},
    {"degrees", f_degrees, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"radians", f_radians, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"cumprod", f_cumprod, -1, 1, ONE(SHAPE(2, 2, 4))},
    {"cumprod with zeros", f_cumprod_zeros, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"cumprod of all", f_cumprod_flat, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"pad, edge", f_pad_edge, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"pad, reflect", f_pad_reflect, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"pad, symmetric", f_pad_symmetric, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"pad, wrap", f_pad_wrap, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"pad, maximum", f_pad_maximum, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"pad, mean", f_pad_mean, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"pad, linear ramp", f_pad_ramp, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"tensordot by a number", f_tensordot_number, -1, 1, TWO(SHAPE(3, 2, 3, 4), SHAPE(3, 3, 4, 2))},
    {"einsum, dots", f_einsum_dots, -1, 1, TWO(SHAPE(3, 2, 2, 3), SHAPE(4, 2, 1, 3, 2))},
    {"einsum, dots without an arrow", f_einsum_dots_implicit, -1, 1, TWO(SHAPE(2, 2, 3), SHAPE(3, 4, 1, 2))},
    {"einsum, stretched", f_einsum_stretched, -1, 1, TWO(SHAPE(2, 2, 1), SHAPE(2, 1, 3))},
    {"einsum, stretched and summed", f_einsum_stretched_summed, -1, 1, TWO(SHAPE(2, 2, 1), SHAPE(2, 3, 2))},
    {"einsum, dots and a diagonal", f_einsum_dots_diagonal, -1, 1, ONE(SHAPE(3, 2, 3, 3))},
    {"tensordot", f_tensordot, -1, 1, TWO(SHAPE(3, 2, 3, 4), SHAPE(3, 4, 2, 2))},
    {"tensordot over nothing", f_tensordot_none, -1, 1, TWO(SHAPE(1, 2), SHAPE(2, 2, 2))},
    {"einsum, matrix product", f_einsum_matmul, -1, 1, TWO(SHAPE(2, 2, 3), SHAPE(2, 3, 2))},
    {"einsum of stacks", f_einsum_batch, -1, 1, TWO(SHAPE(3, 2, 2, 3), SHAPE(3, 2, 4, 3))},
    {"einsum with letters of one only", f_einsum_own, -1, 1, TWO(SHAPE(3, 2, 3, 2), SHAPE(2, 3, 2))},
    {"einsum without an arrow", f_einsum_implicit, -1, 1, TWO(SHAPE(2, 3, 2), SHAPE(2, 3, 2))},
    {"einsum, trace", f_einsum_trace, -1, 1, ONE(SHAPE(2, 3, 3))},
    {"einsum, diagonal", f_einsum_diagonal, -1, 1, ONE(SHAPE(3, 3, 2, 3))},
    {"einsum, diagonal and sum", f_einsum_both, -1, 1, TWO(SHAPE(2, 3, 3), SHAPE(2, 3, 2))},
    {"conversion", f_float32, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"relu", f_relu, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"softmax", f_row_softmax, -1, 1, ONE(SHAPE(2, 2, 3))},
    {"distance", f_distance, -1, 1, TWO(SHAPE(2, 2, 3), SHAPE(1, 3))},
    {"dense layer", f_dense, -1, 1, THREE(SHAPE(2, 4, 3), SHAPE(2, 3, 2), SHAPE(1, 2))},
    {"a cube", f_twice, -1, 1, ONE(SHAPE(2, 2, 3))},
};

static void rules_agree_with_differences(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) wrong += !is_right(&rules[i]);
    assert_int_equal(wrong, 0);
}

static void every_operation_has_a_rule_that_was_compared(void **state)
{
    (void)state;
    for (int op = 0; op < CN__OP_COUNT; op++) {
        cn__gradient_rule found;
        if (cn__gradient_find((cn__op)op, &found) < 0) fail_msg("%s", cn_error_message());
        if (found && !is_met[op] && op != CN__OP_custom) /* its rule is its user's: test_tape.c */
            fail_msg("no case for %s", cn__op_name((cn__op)op));
    }
}

/* --- the checker is checked --- */

/* The gradient of x^2, but half of it; and 2x, which as a constant has no slope of its own. */
static int half(void *context, const cn_tensor *g, const cn_tensor *output, int n, const cn_tensor *const *inputs,
                cn_tensor **gradients)
{
    (void)context, (void)output, (void)n;
    gradients[0] = cn_tensor_multiply(g, inputs[0]);
    return CN_OK;
}

static int without_slope(void *context, const cn_tensor *g, const cn_tensor *output, int n,
                         const cn_tensor *const *inputs, cn_tensor **gradients)
{
    (void)context, (void)output, (void)n;
    gradients[0] = cn_tensor_multiply(g, cn_stop_gradient(cn_tensor_multiply(inputs[0], cn_int(2))));
    return CN_OK;
}

static cn_tensor *f_half(cn_tensor *const *x)
{
    return cn_custom_gradient(cn_tensor_square(x[0]), 1, (const cn_tensor *const *)x, half, NULL);
}

static cn_tensor *f_without_slope(cn_tensor *const *x)
{
    return cn_custom_gradient(cn_tensor_square(x[0]), 1, (const cn_tensor *const *)x, without_slope, NULL);
}

static void wrong_rules_are_found(void **state)
{
    (void)state;
    assert_false(is_right(&(rule){"half a gradient", f_half, -1, 1, ONE(SHAPE(2, 2, 3))}));
    assert_false(is_right(&(rule){"no second derivative", f_without_slope, -1, 1, ONE(SHAPE(2, 2, 3))}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_agree_with_differences),
        cmocka_unit_test(every_operation_has_a_rule_that_was_compared), /* behind the one that compares */
        cmocka_unit_test(wrong_rules_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
