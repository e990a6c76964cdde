/* Operations on whole tensors: what numpy_operations.txt cannot say: order of sums, random numbers, what is refused and
 * how, running out of memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "refused.h"

#include "base/memory.h"
#include "tensor/tensor.h"

#include <cornu/error.h>
#include <cornu/operations.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t live_at_start;
static cn_scope *scope; /* of the test that runs */

static int begin(void **state)
{
    (void)state;
    live_at_start = cn__memory_live_blocks();
    cn_error_clear();
    scope = cn_scope_begin();
    return scope == NULL;
}

static int end(void **state)
{
    (void)state;
    cn_scope_end(&scope);
    for (int i = 0; i < 64; i++) cn_int(i); /* numbers let go of their views */
    return cn__memory_live_blocks() != live_at_start;
}

static cn_tensor *counting(cn_dtype dtype, int ndim, const int64_t *shape)
{
    int64_t size = 1;
    for (int i = 0; i < ndim; i++) size *= shape[i];
    return cn_tensor_reshape(cn_tensor_arange(dtype, 0, (double)size, 1), ndim, shape);
}

static void assert_values(const cn_tensor *tensor, const char *dtype, const char *shape, int n, const double *values)
{
    if (!tensor) fail_msg("%s", cn_error_message());
    char text[CN_SHAPE_TEXT_BYTES];
    int64_t index[CN_MAX_NDIM] = {0};
    assert_string_equal(cn_dtype_name(cn_dtype_of(tensor)), dtype);
    assert_string_equal(cn__shape_text(text, cn_ndim(tensor), cn_shape(tensor)), shape);
    assert_int_equal(cn_size(tensor), n);
    for (int i = 0; i < n; i++, cn__next_index(tensor, tensor->ndim, index)) {
        double value = cn_tensor_get(tensor, index);
        if (!(value == values[i])) fail_msg("element %d is %.17g, not %.17g", i, value, values[i]);
    }
}
#define VALUES(...) (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (const double[]) { __VA_ARGS__ }

/* --- making --- */

static void tensors_made_of_a_rule(void **state)
{
    (void)state;
    assert_values(cn_full(CN_INT8, -3, 2, 2), "int8", "(2, 2)", VALUES(-3, -3, -3, -3));
    assert_values(cn_ones(CN_BOOL, 3), "bool", "(3,)", VALUES(1, 1, 1));
    assert_values(cn_scalar(CN_FLOAT16, 0.1), "float16", "()", VALUES(0.0999755859375));
    assert_values(cn_tensor_arange(CN_INT32, 3, -4, -2), "int32", "(4,)", VALUES(3, 1, -1, -3));
    assert_values(cn_tensor_arange(CN_INT32, 3, 3, 1), "int32", "(0,)", 0, NULL);
    assert_values(cn_tensor_arange(CN_FLOAT64, 0, 0.3, 0.1), "float64", "(3,)", VALUES(0, 0.1, 0.2));
    assert_values(cn_tensor_linspace(CN_FLOAT64, 0, 1, 5), "float64", "(5,)", VALUES(0, 0.25, 0.5, 0.75, 1));
    assert_values(cn_tensor_linspace(CN_FLOAT32, 0, 0.1, 4), "float32", "(4,)",
                  VALUES((double)(float)0.0, (double)(float)(0.1 / 3), (double)(float)(2 * (0.1 / 3)), (double)0.1f));
    assert_values(cn_tensor_linspace(CN_INT64, 7, 9, 1), "int64", "(1,)", VALUES(7));
    assert_values(cn_tensor_eye(CN_UINT8, 2, 3, 1), "uint8", "(2, 3)", VALUES(0, 1, 0, 0, 0, 1));
    assert_values(cn_tensor_eye(CN_UINT8, 3, 2, -1), "uint8", "(3, 2)", VALUES(0, 0, 1, 0, 0, 1));
}

/* --- one order for every sum --- */

/* As operations.h promises it. */
static double sum_in_order(const double *x, int64_t n, int64_t stride)
{
    double p[8] = {0};
    for (int64_t i = 0; i < n; i++) p[i % 8] += x[i * stride];
    return ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]));
}

static void sums_have_the_promised_order(void **state)
{
    (void)state;
    cn_generator generator = {.seed = 5};
    static const int64_t sizes[] = {1, 7, 8, 9, 255, 256, 257, 300, 1031};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int64_t n = sizes[s], m = 11;
        cn_tensor *x = cn_random_normal(&generator, 0, 1e3, CN_FLOAT64, CN_SHAPE(n, m));
        const double *numbers = cn_data(x);
        cn_tensor *down = cn_tensor_sum(x, CN_AXES(0), 0), *across = cn_tensor_sum(cn_transpose(x), CN_AXES(-1), 0);
        cn_tensor *copied = cn_tensor_sum(cn_copy(cn_transpose(x)), CN_AXES(1), 0);
        for (int64_t i = 0; i < m; i++) {
            double expected = sum_in_order(numbers + i, n, m);
            assert_true(cn_get(down, i) == expected);
            assert_true(cn_get(across, i) == expected);
            assert_true(cn_get(copied, i) == expected);
        }
        assert_true(cn_tensor_get(cn_sum(x), NULL) == sum_in_order(numbers, n * m, 1));
        assert_true(cn_tensor_get(cn_mean(x), NULL) == sum_in_order(numbers, n * m, 1) / (double)(n * m));
    }
}

/* One fused multiply-add per term in ascending k, by the small loop and by the packed blocks. */
static void products_have_the_promised_order(void **state)
{
    (void)state;
    cn_generator generator = {.seed = 6};
    static const int64_t shapes[][3] = {{3, 5, 7},  {17, 33, 19}, {120, 111, 130}, {1, 1200, 900}, {700, 2000, 1},
                                        {4, 1, 1},  {5, 3, 3},    {9, 20, 3},      {8, 64, 16},    {6, 30, 35},
                                        {7, 16, 1}, {4, 17, 1},   {128, 512, 10},  {5, 0, 6}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        int64_t m = shapes[s][0], k = shapes[s][1], n = shapes[s][2];
        cn_tensor *a = cn_random_normal(&generator, 0, 1, CN_FLOAT32, CN_SHAPE(m, k));
        cn_tensor *b = cn_random_normal(&generator, 0, 1, CN_FLOAT32, CN_SHAPE(k, n));
        cn_tensor *turned = cn_transpose(cn_copy(cn_transpose(b)));
        cn_tensor *c = cn_matmul(a, b), *d = cn_matmul(a, turned);
        assert_non_null(c);
        assert_non_null(d);
        assert_memory_equal(cn_data(c), cn_data(d), sizeof(float) * (size_t)(m * n));
        /* both of wider matrices, in which NaN stands behind each row, and A turned */
        cn_tensor *wide_a = cn_full(CN_FLOAT32, NAN, k, m + 3), *wide_b = cn_full(CN_FLOAT32, NAN, k, n + 2);
        cn_tensor *part_a = cn_slice(wide_a, {0, k}, {0, m}), *part_b = cn_slice(wide_b, {0, k}, {0, n});
        assert_int_equal(cn_tensor_assign(part_a, cn_transpose(a)), CN_OK);
        assert_int_equal(cn_tensor_assign(part_b, b), CN_OK);
        cn_tensor *e = cn_matmul(cn_transpose(part_a), part_b);
        assert_memory_equal(cn_data(c), cn_data(e), sizeof(float) * (size_t)(m * n));
        for (int64_t i = 0; i < m; i += 13)
            for (int64_t j = 0; j < n; j += 11) {
                float sum = 0;
                for (int64_t l = 0; l < k; l++)
                    sum = fmaf(((float *)cn_data(a))[i * k + l], ((float *)cn_data(b))[l * n + j], sum);
                assert_true(((float *)cn_data(c))[i * n + j] == sum);
            }
    }
}

static void a_stack_of_matrices_times_one(void **state)
{
    (void)state;
    cn_tensor *a = counting(CN_FLOAT64, CN_SHAPE(2, 3, 4, 5)), *b = counting(CN_FLOAT64, CN_SHAPE(5, 6));
    cn_tensor *whole = cn_matmul(a, b), *dotted = cn_dot(a, b), *vector;
    vector = cn_dot(a, cn_tensor_arange(CN_FLOAT64, 0, 5, 1));
    char text[CN_SHAPE_TEXT_BYTES];
    assert_string_equal(cn__shape_text(text, cn_ndim(dotted), cn_shape(dotted)), "(2, 3, 4, 6)");
    assert_string_equal(cn__shape_text(text, cn_ndim(vector), cn_shape(vector)), "(2, 3, 4)");
    cn_tensor *one = cn_matmul(cn_index(a, 1, 2), b);
    for (int64_t i = 0; i < 4; i++)
        for (int64_t j = 0; j < 6; j++) {
            assert_true(cn_get(whole, 1, 2, i, j) == cn_get(one, i, j));
            assert_true(cn_get(dotted, 1, 2, i, j) == cn_get(one, i, j));
        }
}

/* --- random numbers --- */

static void random_numbers_repeat(void **state)
{
    (void)state;
    cn_generator one = {.seed = 42}, two = {.seed = 42}, other = {.seed = 43};
    cn_tensor *a = cn_random_uniform(&one, -1, 3, CN_FLOAT32, CN_SHAPE(1000));
    cn_tensor *b = cn_random_uniform(&one, -1, 3, CN_FLOAT32, CN_SHAPE(1000));
    cn_random_integers(&two, 0, 5, CN_INT8, CN_SHAPE(3)); /* call 0 draws other things, call 1 the same */
    cn_tensor *again = cn_random_uniform(&two, -1, 3, CN_FLOAT32, CN_SHAPE(1000));
    cn_tensor *c = cn_random_uniform(&other, -1, 3, CN_FLOAT32, CN_SHAPE(1000));
    assert_memory_equal(cn_data(b), cn_data(again), 4000);
    assert_memory_not_equal(cn_data(a), cn_data(b), 4000);
    assert_memory_not_equal(cn_data(a), cn_data(c), 4000);
    assert_int_equal(one.calls, 2);
    /* the same on every machine: Philox4x32-10 of seed 42, purpose 5, stream 0 */
    assert_true(cn_get(cn_random_uniform(&(cn_generator){.seed = 42}, 0, 1, CN_FLOAT32, CN_SHAPE(1)), 0) ==
                (cn_get(a, 0) + 1) / 4);
}

static void random_numbers_are_spread_as_promised(void **state)
{
    (void)state;
    cn_generator generator = {.seed = 1};
    int64_t n = 100000;
    cn_tensor *u = cn_random_uniform(&generator, 2, 4, CN_FLOAT64, CN_SHAPE(n));
    cn_tensor *z = cn_random_normal(&generator, 1, 3, CN_FLOAT64, CN_SHAPE(n));
    cn_tensor *d = cn_random_integers(&generator, -2, 4, CN_INT16, CN_SHAPE(n));
    double error = 1 / sqrt((double)n); /* five standard errors of each statistic below */
    assert_true(cn_tensor_get(cn_min(u), NULL) >= 2 && cn_tensor_get(cn_max(u), NULL) < 4);
    assert_true(fabs(cn_tensor_get(cn_mean(u), NULL) - 3) < 5 * error * 2 / sqrt(12));
    assert_true(fabs(cn_tensor_get(cn_mean(z), NULL) - 1) < 5 * error * 3);
    assert_true(fabs(cn_tensor_get(cn_tensor_std(z, CN_EVERY_AXIS, 1, 0), NULL) - 3) < 5 * error * 3 / sqrt(2));
    cn_tensor *counts = cn_tensor_bincount(cn_tensor_add(d, cn_int(2)), 0);
    assert_int_equal(cn_size(counts), 6);
    for (int64_t i = 0; i < 6; i++) assert_true(fabs(cn_get(counts, i) - (double)n / 6) < 5 * sqrt((double)n * 5 / 36));
    cn_tensor *wide = cn_random_integers(&generator, INT64_MIN, INT64_MAX, CN_INT64, CN_SHAPE(1000));
    assert_true(cn_tensor_get(cn_min(wide), NULL) < -9e18 && cn_tensor_get(cn_max(wide), NULL) > 9e18);
}

static void a_permutation_has_everything_once(void **state)
{
    (void)state;
    cn_generator generator = {.seed = 9};
    cn_tensor *p = cn_random_permutation(&generator, 500), *sorted = cn_tensor_sort(p, 0);
    int moved = 0;
    for (int64_t i = 0; i < 500; i++) {
        assert_true(cn_get(sorted, i) == (double)i);
        moved += cn_get(p, i) != (double)i;
    }
    assert_in_range(moved, 480, 500);
    assert_int_equal(cn_size(cn_random_permutation(&generator, 0)), 0);
}

/* --- parts are written --- */

static void parts_are_written(void **state)
{
    (void)state;
    cn_tensor *x = counting(CN_INT32, CN_SHAPE(3, 4));
    assert_int_equal(cn_tensor_assign(cn_slice(x, CN_ALL, {1, 3}), cn_int(-1)), 0);
    assert_int_equal(cn_tensor_assign(cn_index(x, 2), cn_tensor_flip(cn_index(x, 2), CN_EVERY_AXIS)), 0);
    assert_int_equal(cn_tensor_assign_where(x, cn_tensor_greater(x, cn_int(6)), cn_float(2.9)), 0);
    assert_values(x, "int32", "(3, 4)", VALUES(0, -1, -1, 3, 4, -1, -1, 2, 2, -1, -1, 2));
    assert_int_equal(cn_tensor_assign(cn_tensor_broadcast_to(cn_index(x, 0), CN_SHAPE(2, 4)), cn_int(1)), CN_EINVAL);
    assert_int_equal(cn_tensor_assign(cn_index(x, 0), x), CN_ESHAPE);
    assert_int_equal(cn_tensor_assign(NULL, x), CN_ESHAPE); /* the failure before is passed on */
}

/* The split parts are views. */
static void split_gives_views(void **state)
{
    (void)state;
    cn_tensor *x = counting(CN_INT64, CN_SHAPE(2, 6)), *parts[3];
    assert_int_equal(cn_tensor_split(x, 3, -1, parts), 0);
    assert_int_equal(cn_tensor_assign(parts[1], cn_int(0)), 0);
    assert_values(x, "int64", "(2, 6)", VALUES(0, 1, 0, 0, 4, 5, 6, 7, 0, 0, 10, 11));
}

/* --- what is refused --- */

static void refused_reductions_and_lines(void **state)
{
    (void)state;
    cn_tensor *x = counting(CN_FLOAT32, CN_SHAPE(3, 4)), *empty = cn_zeros(CN_INT32, 2, 0);
    assert_refused(cn_tensor_sum(x, CN_AXES(2), 0), CN_EINVAL,
                   "cn_tensor_sum: axis 2 is out of range for shape (3, 4); use -2 ... 1");
    assert_refused(cn_tensor_mean(x, CN_AXES(0, -2), 0), CN_EINVAL, "axis 0 is named twice");
    assert_refused(cn_tensor_max(empty, CN_AXES(1), 0), CN_EINVAL, "shape (2, 0) has nothing to choose from");
    assert_refused(cn_tensor_std(x, 3, (const int[]){0, 1, 2}, 0, 0), CN_EINVAL,
                   "3 axes are named, but shape (3, 4) has 2");
    assert_refused(cn_tensor_argmax(empty, 1, 0), CN_EINVAL, "axis 1 of shape (2, 0) is empty");
    assert_refused(cn_tensor_sort(x, 5), CN_EINVAL, "cn_tensor_sort: axis 5");
    assert_refused(cn_tensor_cumsum(cn_scalar(CN_INT8, 1), 0), CN_EINVAL, "a scalar has no axes");
    assert_refused(cn_tensor_softmax(x, 2), CN_EINVAL, "axis 2");
    assert_refused(cn_tensor_round(x, -301), CN_EINVAL, "-301 decimals");
}

static void refused_products(void **state)
{
    (void)state;
    cn_tensor *x = counting(CN_FLOAT32, CN_SHAPE(3, 4)), *y = counting(CN_FLOAT32, CN_SHAPE(2, 5, 6));
    assert_refused(cn_matmul(x, x), CN_ESHAPE,
                   "shapes (3, 4) and (3, 4) do not fit: axis 1 of the first has 4 entries and axis 0 of the second 3");
    assert_refused(cn_matmul(x, cn_int(2)), CN_ESHAPE, "use cn_tensor_multiply");
    assert_refused(cn_matmul(cn_zeros(CN_INT8, 3, 5, 5), cn_zeros(CN_INT8, 2, 5, 6)), CN_ESHAPE, "do not broadcast");
    assert_refused(cn_dot(x, y), CN_ESHAPE, "axis 1 of shape (3, 4) and axis 1 of shape (2, 5, 6)");
    assert_refused(cn_tensor_tensordot(x, y, 1, (const int[]){7}, (const int[]){0}), CN_EINVAL, "axis 7");
    assert_refused(cn_tensor_tensordot(x, x, 2, (const int[]){0, 0}, (const int[]){0, 0}), CN_ESHAPE, "named twice");
    assert_refused(cn_tensor_tensordot(x, x, 1, NULL, (const int[]){0}), CN_EINVAL, "one list of them is NULL");
    assert_refused(cn_tensor_tensordot(x, x, 1, NULL, NULL), CN_ESHAPE, "axis 1 of shape (3, 4) and axis 0");
    assert_refused(cn_tensor_tensordot(x, x, 3, NULL, NULL), CN_EINVAL, "axis -3");
    assert_refused(cn_tensor_einsum("ij,jk,kl", x, x), CN_EINVAL, "at most two operands");
    assert_refused(cn_tensor_einsum("ij,jk->iz", x, x), CN_EINVAL, "letter of its own");
    assert_refused(cn_tensor_einsum("ij,jk->ii", x, x), CN_EINVAL, "twice in the result");
    assert_refused(cn_tensor_einsum("i1,j", x, x), CN_EINVAL, "axes are letters");
    assert_refused(cn_tensor_einsum("i..,j", x, x), CN_EINVAL, "dots come as \"...\"");
    assert_refused(cn_tensor_einsum("...i...", x, NULL), CN_EINVAL, "once in an operand");
    assert_refused(cn_tensor_einsum("i...,j...->ij", x, x), CN_EINVAL, "the result lacks the axes of \"...\"");
    assert_refused(cn_tensor_einsum("...ijk", x, NULL), CN_ESHAPE, "names 3 axes, but shape (3, 4) has 2");
    assert_refused(cn_tensor_einsum("...i,...i", x, y), CN_ESHAPE,
                   "axis ... has 3 entries in one tensor and 5 in the other");
    assert_refused(cn_tensor_einsum("ij", x, x), CN_EINVAL, "there are two operands");
    assert_refused(cn_tensor_einsum("ij->ji", x, x), CN_EINVAL, "there are two operands");
    assert_refused(cn_tensor_einsum("ij->i,j", x, NULL), CN_EINVAL, "a comma in the result");
    assert_refused(cn_tensor_einsum("ij->i->", x, NULL), CN_EINVAL, "one \"->\"");
    assert_refused(cn_tensor_einsum("ij,jk-", x, x), CN_EINVAL, "part of one \"->\"");
    assert_refused(cn_tensor_einsum("ijk", x, NULL), CN_ESHAPE, "\"ijk\" names 3 axes, but shape (3, 4) has 2");
    assert_refused(cn_tensor_einsum("ii", x, NULL), CN_ESHAPE, "the axes i of shape (3, 4) have 3 and 4 entries");
    assert_refused(cn_tensor_einsum("ij,jk", x, x), CN_ESHAPE, "axis j has 4 entries in one tensor and 3 in the other");
    assert_refused(cn_tensor_einsum("ij,jk,kl", x, NULL), CN_EINVAL, "NULL");
    assert_refused(cn_tensor_einsum(NULL, x, x), CN_EINVAL, "equation");
}

static void refused_shapes(void **state)
{
    (void)state;
    cn_tensor *x = counting(CN_FLOAT32, CN_SHAPE(3, 4)), *parts[3];
    cn_tensor *deep = cn_zeros(CN_INT8, 1, 1, 1, 1, 1, 1, 1, 1);
    assert_refused(cn_tensor_concatenate(CN_TENSORS(x, cn_transpose(x)), 0), CN_ESHAPE,
                   "shapes (3, 4) of tensor 0 and (4, 3) of tensor 1 differ on axis 1");
    assert_refused(cn_tensor_concatenate(CN_TENSORS(x, cn_index(x, 0)), 0), CN_ESHAPE, "they need as many axes");
    assert_refused(cn_tensor_concatenate(0, NULL, 0), CN_EINVAL, "at least one");
    assert_refused(cn_tensor_stack(CN_TENSORS(x, cn_transpose(x)), 0), CN_ESHAPE, "differ on axis 0");
    assert_refused(cn_tensor_stack(CN_TENSORS(deep, deep), 0), CN_EINVAL, "the most axes");
    assert_refused(cn_tensor_expand_dims(x, 3), CN_EINVAL, "axis 3 is out of range for shape (3, 4); use -3 ... 2");
    assert_refused(cn_tensor_expand_dims(deep, 0), CN_EINVAL, "the most axes");
    assert_refused(cn_tensor_squeeze(x, CN_AXES(1)), CN_EINVAL, "axis 1 of shape (3, 4) has 4 entries, not 1");
    assert_refused(cn_tensor_broadcast_to(x, CN_SHAPE(2, 3)), CN_ESHAPE,
                   "shape (3, 4) does not stretch to (2, 3): axis 0");
    assert_refused(cn_tensor_broadcast_to(x, CN_SHAPE(4)), CN_ESHAPE, "more axes");
    assert_refused(cn_tensor_diagonal(cn_index(x, 0), 0), CN_ESHAPE, "two axes or more");
    assert_refused(cn_tensor_repeat(x, -1, 0), CN_EINVAL, "-1 repeats");
    assert_refused(cn_tensor_tile(x, CN_SHAPE(-2)), CN_EINVAL, "-2 repetitions");
    assert_refused(cn_tensor_tile(x, CN_SHAPE(INT64_MAX)), CN_ENOMEM, "2^63");
    assert_refused(cn_tensor_pad(x, (const int64_t[][2]){{0, 0}, {-1, 0}}, 0), CN_EINVAL, "widths -1 and 0 on axis 1");
    assert_refused(cn_tensor_pad_mode(x, (const int64_t[][2]){{0, 0}, {-1, 0}}, "edge"), CN_EINVAL,
                   "cn_tensor_pad_mode: widths");
    assert_refused(cn_tensor_bitwise_and(x, cn_int(1)), CN_EDTYPE, "is for integers and bools, not for float32");
    assert_refused(cn_tensor_left_shift(cn_zeros(CN_UINT64, 2), cn_zeros(CN_INT8, 2)), CN_EDTYPE, "not for float64");
    assert_refused(cn_tensor_pad_mode(x, NULL, "edge"), CN_EINVAL, "the widths are NULL");
    assert_refused(cn_tensor_pad_mode(x, (const int64_t[][2]){{0, 0}, {1, 0}}, "edges"), CN_ENAME,
                   "did you mean \"edge\"");
    assert_refused(cn_tensor_pad_mode(cn_zeros(CN_INT8, 0), (const int64_t[][2]){{1, 0}}, "wrap"), CN_EINVAL,
                   "axis 0 is empty, so wrap has nothing");
    cn_error_clear();
    assert_int_equal(cn_tensor_split(x, 3, 1, parts), CN_ESHAPE);
    assert_non_null(strstr(cn_error_message(), "axis 1 of shape (3, 4) has 4 entries, which 3 does not divide"));
    assert_int_equal(cn_tensor_split(x, 0, 1, parts), CN_EINVAL);
}

static void refused_choices(void **state)
{
    (void)state;
    cn_tensor *x = counting(CN_FLOAT32, CN_SHAPE(3, 4)), *i = counting(CN_INT32, CN_SHAPE(5));
    cn_tensor *mask = cn_ones(CN_BOOL, 4);
    cn_generator generator = {.seed = 1};
    assert_refused(cn_tensor_take(x, i, 1), CN_EINVAL,
                   "position 4 (number 4) is out of range on axis 1 of shape (3, 4)");
    assert_refused(cn_tensor_take(x, x, 1), CN_EDTYPE, "positions are integers, not float32");
    assert_refused(cn_tensor_take_along_axis(x, i, 1), CN_ESHAPE,
                   "positions of shape (5,) and a tensor of shape (3, 4)");
    assert_refused(cn_tensor_boolean_mask(x, mask), CN_ESHAPE,
                   "a mask of shape (4,) does not fit the first axes of shape (3, 4)");
    assert_refused(cn_tensor_boolean_mask(x, i), CN_EDTYPE, "a mask is bool");
    assert_refused(cn_tensor_where(mask, x, i), CN_ESHAPE, "(4,) and (5,)");
    assert_refused(cn_tensor_bincount(x, 0), CN_EINVAL, "one axis of integers");
    assert_refused(cn_tensor_bincount(cn_tensor_negative(i), 0), CN_EINVAL, "number 1 is negative");
    assert_refused(cn_tensor_arange(CN_INT32, 0, 1, 0), CN_EINVAL, "no finite number of steps");
    assert_refused(cn_tensor_arange(CN_INT32, 0, NAN, 1), CN_EINVAL, "no finite number of steps");
    assert_refused(cn_tensor_linspace(CN_INT32, 0, 1, -1), CN_EINVAL, "-1 numbers");
    assert_refused(cn_random_uniform(&generator, 1, 0, CN_FLOAT32, CN_SHAPE(2)), CN_EINVAL, "nothing between 1 and 0");
    assert_refused(cn_random_uniform(&generator, 0, 1, CN_INT32, CN_SHAPE(2)), CN_EDTYPE, "use cn_random_integers");
    assert_refused(cn_random_normal(&generator, 0, -1, CN_FLOAT32, CN_SHAPE(2)), CN_EINVAL, "standard deviation -1");
    assert_refused(cn_random_integers(&generator, 0, 300, CN_UINT8, CN_SHAPE(2)), CN_EINVAL, "more than uint8 holds");
    assert_refused(cn_random_permutation(NULL, 3), CN_EINVAL, "generator");
    assert_refused(cn_random_permutation(&generator, -3), CN_EINVAL, "-3 entries");
}

/* --- out of memory --- */

static const cn_tensor *small_matrix, *small_positions;

static int everything(void)
{
    const cn_tensor *x = small_matrix, *i = small_positions;
    cn_tensor *parts[2];
    int64_t widths[2][2] = {{1, 1}, {0, 2}};
    cn_generator generator = {.seed = 3};
    return cn_tensor_var(x, CN_AXES(1), 0, 0) && cn_tensor_softmax(x, 1) && cn_tensor_sigmoid(x) &&
           cn_tensor_clip(x, cn_int(0), cn_int(1)) && cn_tensor_any(x, CN_EVERY_AXIS, 0) &&
           cn_tensor_argmax(x, CN_NO_AXIS, 1) && cn_tensor_cumsum(x, CN_NO_AXIS) && cn_tensor_argsort(x, 0) &&
           cn_matmul(x, cn_transpose(x)) && cn_matmul(cn_astype(x, CN_FLOAT16), cn_transpose(x)) &&
           cn_dot(cn_transpose(x), x) && cn_tensor_tensordot(x, x, 2, (const int[]){0, 1}, (const int[]){0, 1}) &&
           cn_tensor_einsum("ij,kj->ki", x, x) && cn_tensor_outer(x, x) && cn_tensor_roll(x, 1, CN_NO_AXIS) &&
           cn_tensor_repeat(x, 2, CN_NO_AXIS) && cn_tensor_tile(x, CN_SHAPE(2, 2)) &&
           cn_tensor_concatenate(CN_TENSORS(x, x), 0) && cn_tensor_stack(CN_TENSORS(x, x), 0) &&
           cn_tensor_split(x, 2, 1, parts) == 0 && cn_tensor_pad(x, (const int64_t(*)[2])widths, 1) &&
           cn_tensor_pad_mode(x, (const int64_t(*)[2])widths, "reflect") &&
           cn_tensor_pad_mode(x, (const int64_t(*)[2])widths, "linear_ramp") &&
           cn_tensor_take(x, i, 1) && cn_tensor_boolean_mask(x, cn_tensor_greater(x, cn_int(1))) &&
           cn_tensor_nonzero(x) && cn_tensor_unique(x) && cn_tensor_bincount(i, 0) &&
           cn_tensor_where(x, x, cn_int(0)) && cn_tensor_assign_where(cn_copy(x), x, cn_int(1)) == 0 &&
           cn_random_normal(&generator, 0, 1, CN_FLOAT32, CN_SHAPE(3)) && cn_tensor_round(x, 1) &&
           cn_random_permutation(&generator, 3);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    small_matrix = counting(CN_FLOAT32, CN_SHAPE(3, 4));
    small_positions = counting(CN_INT64, CN_SHAPE(3));
    int done = 0;
    uint64_t n = 0;
    while (!done) {
        cn_scope *inner = cn_scope_begin();
        int64_t before = cn__memory_live_blocks();
        cn_error_clear();
        cn__memory_fail_after(++n);
        done = everything();
        cn__memory_fail_after(0);
        if (!done) assert_int_equal(cn_error_status(), CN_ENOMEM);
        cn_scope_end(&inner);
        for (int i = 0; i < 64; i++) cn_int(i);
        assert_int_equal(cn__memory_live_blocks(), before - 1);
    }
    print_message("%llu allocations failed in turn\n", (unsigned long long)n - 1);
    assert_in_range(n, 100, 2000);
}

/* Without a scope, what functions make for themselves must be gone when they return. */
static void nothing_is_left_behind_without_a_scope(void **state)
{
    (void)state;
    cn_scope_end(&scope);
    cn_tensor *x = cn_ones(CN_FLOAT32, 3, 4), *made[12];
    int64_t before = cn__memory_live_blocks();
    int n = 0;
    made[n++] = cn_tensor_std(x, CN_AXES(1), 0, 0);
    made[n++] = cn_tensor_softmax(x, 1);
    made[n++] = cn_tensor_sigmoid(x);
    made[n++] = cn_tensor_clip(x, cn_int(0), cn_int(1));
    made[n++] = cn_tensor_argmin(x, CN_NO_AXIS, 0);
    made[n++] = cn_tensor_roll(x, 1, CN_NO_AXIS);
    made[n++] = cn_tensor_repeat(x, 2, CN_NO_AXIS);
    made[n++] = cn_tensor_outer(x, x);
    made[n++] = cn_tensor_einsum("ij->ji", x, NULL);
    made[n++] = cn_tensor_unique(x);
    cn_tensor *mask = made[n++] = cn_tensor_greater(x, cn_int(0));
    made[n++] = cn_tensor_boolean_mask(x, mask);
    for (int i = 0; i < n; i++) cn_tensor_destroy(&made[i]);
    assert_null(x->views);
    assert_int_equal(cn__memory_live_blocks(), before);
    cn_tensor_destroy(&x);
    scope = cn_scope_begin();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(tensors_made_of_a_rule), TEST(sums_have_the_promised_order), TEST(products_have_the_promised_order),
        TEST(a_stack_of_matrices_times_one), TEST(random_numbers_repeat), TEST(random_numbers_are_spread_as_promised),
        TEST(a_permutation_has_everything_once), TEST(parts_are_written), TEST(split_gives_views),
        TEST(refused_reductions_and_lines), TEST(refused_products), TEST(refused_shapes), TEST(refused_choices),
        TEST(every_allocation_may_fail), TEST(nothing_is_left_behind_without_a_scope),
    };
    return cmocka_run_group_tests_name("tensor operations", tests, NULL, NULL);
}
