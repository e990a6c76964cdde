/* Element-wise operations: what numpy_operations.txt cannot say: numbers of Python, in place, scopes, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "refused.h"

#include "memory_watch.h"
#include "tensor/tensor.h"

#include <cornu/error.h>
#include <cornu/operations.h>

#include <math.h>
#include <string.h>

static cn_tensor *counting(cn_dtype dtype, int ndim, const int64_t *shape)
{
    cn_tensor *wide = cn_tensor_create(CN_INT64, ndim, shape);
    assert_non_null(wide);
    for (int64_t i = 0; i < cn_size(wide); i++) ((int64_t *)cn_data(wide))[i] = i;
    cn_tensor *tensor = cn_astype(wide, dtype);
    cn_tensor_destroy(&wide);
    return tensor;
}

static void assert_one(cn_tensor *tensor, cn_dtype dtype, double value)
{
    if (!tensor) fail_msg("%s", cn_error_message());
    assert_string_equal(cn_dtype_name(cn_dtype_of(tensor)), cn_dtype_name(dtype));
    double got = cn_tensor_get(cn_reshape(tensor, -1), (const int64_t[]){0});
    if (!(got == value)) fail_msg("%.17g instead of %.17g", got, value);
    cn_tensor_destroy(&tensor);
}

/* --- numbers of Python --- */

static void numbers_adapt_to_the_other_operand(void **state)
{
    (void)state;
    cn_tensor *bytes = cn_zeros(CN_UINT8, 2), *floats = cn_zeros(CN_FLOAT32, 2), *bools = cn_zeros(CN_BOOL, 2);
    assert_one(cn_tensor_add(bytes, cn_int(200)), CN_UINT8, 200);
    assert_one(cn_tensor_add(cn_int(200), bytes), CN_UINT8, 200);
    assert_one(cn_tensor_add(bytes, cn_float(0.1)), CN_FLOAT64, 0.1);
    assert_one(cn_tensor_add(floats, cn_float(0.1)), CN_FLOAT32, (double)0.1f);
    assert_one(cn_tensor_add(floats, cn_int(3)), CN_FLOAT32, 3);
    assert_one(cn_tensor_add(bools, cn_int(3)), CN_INT64, 3);
    assert_one(cn_tensor_add(cn_int(2), cn_int(3)), CN_INT64, 5);
    assert_one(cn_tensor_less(bytes, cn_int(300)), CN_BOOL, 1);
    assert_one(cn_tensor_greater(bytes, cn_int(-1)), CN_BOOL, 1);
    cn_error_clear();
    assert_null(cn_tensor_add(bytes, cn_int(300)));
    assert_int_equal(cn_error_status(), CN_EINVAL);
    assert_non_null(strstr(cn_error_message(), "300 is out of bounds for uint8"));
    cn_tensor_destroy(&bytes);
    cn_tensor_destroy(&floats);
    cn_tensor_destroy(&bools);
}

static void numbers_need_no_destroying(void **state)
{
    (void)state;
    const cn_tensor *kept = cn_float(7);
    cn_reshape(kept, 1, 1); /* a view of a number goes when its place is used again */
    for (int i = 0; i < 63; i++) cn_int(i);
    assert_true(cn_tensor_get(kept, NULL) == 7);
    for (int i = 0; i < 64; i++) cn_float(i);
    cn_tensor *number = (cn_tensor *)cn_int(1);
    cn_tensor_destroy(&number);
    assert_null(number);
}

/* --- scopes --- */

static void a_scope_owns_what_is_made_meanwhile(void **state)
{
    (void)state;
    cn_tensor *x = counting(CN_FLOAT32, CN_SHAPE(3, 4));
    cn_scope *scope = cn_scope_begin();
    cn_tensor *kept = cn_keep(cn_tensor_add(cn_tensor_square(cn_transpose(x)),
                                            cn_tensor_multiply(cn_int(2), cn_reshape(x, 4, 3))));
    cn_scope *inner = cn_scope_begin();
    cn_tensor *early = cn_tensor_negative(x);
    cn_tensor_destroy(&early);
    cn_tensor_exp(cn_tensor_negative(x));
    cn_scope_end(&inner);
    assert_null(inner);
    cn_tensor_negative(kept);
    assert_null(cn_keep(cn_transpose(x)));
    cn_scope_end(&scope);
    assert_true(cn_get(kept, 1, 0) == 1 + 2 * 3);
    cn_scope_end(&scope);
    cn_scope_end(NULL);
    assert_null(cn_keep(NULL));
    cn_tensor_destroy(&kept);
    cn_tensor_destroy(&x);
}

/* --- in place --- */

static void in_place_keeps_shape_dtype_and_memory(void **state)
{
    (void)state;
    cn_tensor *x = counting(CN_FLOAT32, CN_SHAPE(3, 4)), *row = counting(CN_INT64, CN_SHAPE(4));
    const void *data = cn_data(x);
    assert_int_equal(cn_tensor_add_inplace(x, row), 0);
    assert_int_equal(cn_tensor_multiply_inplace(cn_index(x, 1), cn_float(10)), 0);
    assert_int_equal(cn_tensor_subtract_inplace(cn_slice(x, CN_ALL, {3, CN_END, -2}), cn_int(1)), 0);
    assert_ptr_equal(cn_data(x), data);
    static const float expected[] = {0, 1, 4, 5, 40, 59, 80, 99, 8, 9, 12, 13};
    assert_memory_equal(data, expected, sizeof expected);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&row);
}

/* x[1:] += x[:-1] reads the old numbers, as NumPy does. */
static void in_place_with_itself_shifted(void **state)
{
    (void)state;
    cn_tensor *x = counting(CN_INT32, CN_SHAPE(1000));
    assert_int_equal(cn_tensor_add_inplace(cn_slice(x, {1, CN_END}), cn_slice(x, {0, -1})), 0);
    for (int64_t i = 1; i < 1000; i++) assert_true(cn_get(x, i) == (double)(2 * i - 1));
    assert_int_equal(cn_tensor_add_inplace(x, x), 0);
    assert_true(cn_get(x, 999) == 2 * 1997);
    cn_tensor_destroy(&x);
}

static void in_place_refusals(void **state)
{
    (void)state;
    cn_tensor *x = cn_zeros(CN_INT32, 3), *wide = cn_zeros(CN_INT32, 2, 3);
    assert_int_equal(cn_tensor_add_inplace(x, cn_float(1)), CN_EDTYPE);
    assert_non_null(strstr(cn_error_message(), "the result is float64, which a int32 tensor cannot take"));
    assert_int_equal(cn_tensor_divide_inplace(x, cn_int(1)), CN_EDTYPE);
    assert_int_equal(cn_tensor_add_inplace(x, wide), CN_ESHAPE);
    assert_int_equal(cn_tensor_add_inplace(cn_scale(x, 2), x), CN_EINVAL);
    assert_int_equal(cn_tensor_add_inplace((cn_tensor *)cn_int(2), cn_int(1)), CN_EINVAL);
    assert_int_equal(cn_tensor_add_inplace(NULL, x), CN_EINVAL);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&wide);
}

/* --- comparisons --- */

/* Neither int64 nor float64 holds all numbers of both; only the numbers themselves tell. */
static void signed_and_unsigned_compare_exactly(void **state)
{
    (void)state;
    static const int64_t signed_numbers[] = {-1, INT64_MAX, INT64_MAX, INT64_MIN, (1LL << 53) + 1, 0};
    static const uint64_t unsigned_numbers[] = {UINT64_MAX, INT64_MAX, (uint64_t)1 << 63, (uint64_t)1 << 63,
                                                1ULL << 53, 0};
    static const uint8_t less[] = {1, 0, 1, 1, 0, 0}, equal[] = {0, 1, 0, 0, 0, 1}, more[] = {0, 0, 0, 0, 1, 0};
    cn_scope *scope = cn_scope_begin();
    cn_tensor *s = cn_tensor_from(CN_INT64, CN_SHAPE(6), signed_numbers);
    cn_tensor *u = cn_tensor_from(CN_UINT64, CN_SHAPE(6), unsigned_numbers);
    assert_memory_equal(cn_data(cn_tensor_less(s, u)), less, 6);
    assert_memory_equal(cn_data(cn_tensor_greater(u, s)), less, 6);
    assert_memory_equal(cn_data(cn_tensor_equal(s, u)), equal, 6);
    assert_memory_equal(cn_data(cn_tensor_equal(u, s)), equal, 6);
    assert_memory_equal(cn_data(cn_tensor_greater(s, u)), more, 6);
    assert_memory_equal(cn_data(cn_tensor_less(u, s)), more, 6);
    assert_true(cn_tensor_array_equal(cn_tensor_logical_not(cn_tensor_greater(s, u)), cn_tensor_less_equal(s, u)) == 1);
    assert_true(cn_tensor_array_equal(cn_tensor_logical_not(cn_tensor_less(u, s)), cn_tensor_greater_equal(u, s)) == 1);
    assert_true(cn_tensor_array_equal(cn_tensor_logical_not(cn_tensor_equal(u, s)), cn_tensor_not_equal(u, s)) == 1);
    cn_scope_end(&scope);
}

static void whole_tensors_compare(void **state)
{
    (void)state;
    cn_scope *scope = cn_scope_begin();
    cn_tensor *x = counting(CN_FLOAT32, CN_SHAPE(2, 3)), *near = cn_tensor_multiply(x, cn_float(1 + 1e-6));
    cn_tensor *nan = cn_full(CN_FLOAT32, NAN, 2, 3), *infinite = cn_full(CN_FLOAT32, INFINITY, 2, 3);
    assert_int_equal(cn_tensor_array_equal(x, counting(CN_UINT8, CN_SHAPE(2, 3))), 1);
    assert_int_equal(cn_tensor_array_equal(x, near), 0);
    assert_int_equal(cn_tensor_array_equal(x, cn_transpose(x)), 0);
    assert_int_equal(cn_tensor_array_equal(nan, nan), 0);
    assert_int_equal(cn_tensor_allclose(near, x, 1e-5, 0), 1);
    assert_int_equal(cn_tensor_allclose(near, x, 1e-8, 0), 0);
    assert_int_equal(cn_tensor_allclose(near, x, 0, 1e-4), 1);
    assert_int_equal(cn_tensor_allclose(nan, nan, 1, 1), 0);
    assert_int_equal(cn_tensor_allclose(infinite, infinite, 0, 0), 1);
    assert_int_equal(cn_tensor_allclose(infinite, x, 1, 1), 0);
    assert_int_equal(cn_tensor_allclose(x, cn_transpose(x), 1, 100), 0);
    assert_true(cn_tensor_array_equal(NULL, x) < 0);
    assert_true(cn_tensor_allclose(x, NULL, 0, 0) < 0);
    assert_true(cn_item(cn_index(x, 1, 2)) == 5);
    assert_true(isnan(cn_item(x)));
    assert_non_null(strstr(cn_error_message(), "cn_item: shape (2, 3) has 6 elements, not one"));
    assert_true(cn_get(cn_tensor_swapaxes(x, 0, -1), 2, 1) == 5);
    assert_null(cn_tensor_swapaxes(x, 0, 2));
    cn_scope_end(&scope);
}

/* --- what is refused --- */

static void refusals_name_shapes_and_axis(void **state)
{
    (void)state;
    cn_tensor *a = cn_zeros(CN_INT32, 32, 10), *b = cn_zeros(CN_INT32, 10, 32), *bools = cn_zeros(CN_BOOL, 2);
    assert_refused(cn_tensor_add(a, b), CN_ESHAPE,
                   "cn_tensor_add: shapes (32, 10) and (10, 32) do not broadcast: axis -1 counted from the end has 10 "
                   "and 32 entries");
    assert_refused(cn_tensor_subtract(bools, bools), CN_EDTYPE, "cn_tensor_subtract is not for bools");
    assert_refused(cn_tensor_power(a, cn_int(-1)), CN_EINVAL, "no negative integer powers");
    assert_refused(cn_tensor_add(cn_tensor_add(a, b), a), CN_ESHAPE, "(32, 10) and (10, 32)");
    assert_refused(cn_tensor_exp(NULL), CN_EINVAL, "cn_tensor_exp needs a tensor, which is NULL");
    cn_tensor_destroy(&a);
    cn_tensor_destroy(&b);
    cn_tensor_destroy(&bools);
}

static void out_of_memory(void **state)
{
    (void)state;
    cn_tensor *x = counting(CN_FLOAT32, CN_SHAPE(3, 4));
    for (uint64_t n = 1; n <= 2; n++) {
        cn__memory_fail_after(n);
        cn_tensor *sum = cn_tensor_add(x, x);
        cn__memory_fail_after(0);
        assert_null(sum);
        assert_int_equal(cn_error_status(), CN_ENOMEM);
    }
    cn_tensor_destroy(&x);
}

/* --- scaled views, memory at odd addresses --- */

static void scaled_views_count_as_what_they_show(void **state)
{
    (void)state;
    cn_tensor *bytes = counting(CN_UINT8, CN_SHAPE(256)), *x = cn_tensor_add(cn_scale(bytes, 1.0 / 255), cn_int(0));
    assert_true(cn_dtype_of(x) == CN_FLOAT32);
    for (int64_t i = 0; i < 256; i++) assert_true(cn_get(x, i) == (double)(float)((double)i * (1.0 / 255)));
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&bytes);
}

static void memory_at_odd_addresses(void **state)
{
    (void)state;
    char memory[1 + sizeof(double[5])];
    for (int i = 0; i < 5; i++) memcpy(memory + 1 + i * (int)sizeof(double), &(double){i}, sizeof(double));
    cn_tensor *odd = cn_tensor_wrap(CN_FLOAT64, CN_SHAPE(5), memory + 1);
    assert_int_equal(cn_tensor_multiply_inplace(odd, odd), 0);
    cn_tensor *sum = cn_tensor_add(odd, odd);
    for (int64_t i = 0; i < 5; i++) assert_true(cn_get(sum, i) == (double)(2 * i * i));
    cn_tensor_destroy(&sum);
    cn_tensor_destroy(&odd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, remember_memory, expect_no_leak)
    const struct CMUnitTest tests[] = {
        TEST(numbers_adapt_to_the_other_operand), TEST(numbers_need_no_destroying),
        TEST(a_scope_owns_what_is_made_meanwhile), TEST(in_place_keeps_shape_dtype_and_memory),
        TEST(in_place_with_itself_shifted), TEST(in_place_refusals), TEST(signed_and_unsigned_compare_exactly),
        TEST(whole_tensors_compare), TEST(refusals_name_shapes_and_axis),
        TEST(out_of_memory), TEST(scaled_views_count_as_what_they_show), TEST(memory_at_odd_addresses),
    };
    return cmocka_run_group_tests_name("elementwise", tests, NULL, NULL);
}
