/* Making tensors: what they look like afterwards, which shapes are refused, and that nothing leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "memory_watch.h"
#include "tensor/tensor.h"

#include <math.h>
#include <string.h>

static void dtypes_have_numpys_names_and_sizes(void **state)
{
    (void)state;
    assert_string_equal(cn_dtype_name(CN_UINT8), "uint8");
    assert_string_equal(cn_dtype_name(CN_FLOAT64), "float64");
    assert_string_equal(cn_dtype_name((cn_dtype)99), "unknown dtype");
    assert_int_equal(cn_dtype_size(CN_UINT8), sizeof(uint8_t));
    assert_int_equal(cn_dtype_size(CN_INT32), sizeof(int32_t));
    assert_int_equal(cn_dtype_size(CN_INT64), sizeof(int64_t));
    assert_int_equal(cn_dtype_size(CN_FLOAT32), sizeof(float));
    assert_int_equal(cn_dtype_size(CN_FLOAT64), sizeof(double));
    assert_int_equal(cn_dtype_size((cn_dtype)99), 0);
}

static void zeros_have_the_attributes_asked_for(void **state)
{
    (void)state;
    cn_tensor *tensor = cn_zeros(CN_FLOAT32, 2, 3, 4);
    assert_int_equal(cn_ndim(tensor), 3);
    assert_int_equal(cn_size(tensor), 24);
    assert_int_equal(cn_len(tensor), 2);
    assert_int_equal(cn_dtype_of(tensor), CN_FLOAT32);
    assert_true(cn_scale_of(tensor) == 1);
    assert_true(cn_is_contiguous(tensor));
    assert_memory_equal(cn_shape(tensor), ((int64_t[]){2, 3, 4}), sizeof(int64_t[3]));
    assert_memory_equal(cn_strides(tensor), ((int64_t[]){48, 16, 4}), sizeof(int64_t[3]));
    assert_int_equal((uintptr_t)cn_data(tensor) % CN_ALIGNMENT, 0);
    const float *numbers = cn_data(tensor);
    for (int i = 0; i < 24; i++) assert_true(numbers[i] == 0);
    cn_tensor_destroy(&tensor);
    assert_null(tensor);
}

static void scalars_and_empty_tensors_are_tensors(void **state)
{
    (void)state;
    cn_tensor *scalar = cn_tensor_create(CN_INT64, 0, NULL);
    assert_int_equal(cn_ndim(scalar), 0);
    assert_int_equal(cn_size(scalar), 1);
    assert_int_equal(cn_len(scalar), -1);
    assert_int_equal(cn_tensor_set(scalar, NULL, 12), 0);
    assert_true(cn_tensor_get(scalar, NULL) == 12);
    cn_tensor_destroy(&scalar);

    cn_tensor *empty = cn_zeros(CN_UINT8, 3, 0, 2);
    assert_int_equal(cn_size(empty), 0);
    assert_int_equal(cn_len(empty), 3);
    assert_memory_equal(cn_strides(empty), ((int64_t[]){2, 2, 1}), sizeof(int64_t[3]));
    assert_true(cn_is_contiguous(empty));
    cn_tensor_destroy(&empty);
}

static void from_copies_and_wrap_does_not(void **state)
{
    (void)state;
    int32_t values[6] = {1, 2, 3, 4, 5, 6};
    cn_tensor *copy = cn_tensor_from(CN_INT32, CN_SHAPE(2, 3), values);
    cn_tensor *wrapped = cn_tensor_wrap(CN_INT32, CN_SHAPE(2, 3), values);
    cn_tensor *row = cn_index(wrapped, 1);
    values[4] = 50;
    assert_true(cn_get(copy, 1, 1) == 5);
    assert_true(cn_get(wrapped, 1, 1) == 50);
    assert_true(cn_get(row, 1) == 50);
    assert_int_equal(cn_tensor_set(wrapped, (int64_t[]){0, 0}, -1), 0);
    assert_int_equal(values[0], -1);
    cn_tensor_destroy(&copy);
    cn_tensor_destroy(&wrapped);
    assert_int_equal(values[5], 6);
}

static void from_and_wrap_accept_nothing_for_empty_shapes(void **state)
{
    (void)state;
    cn_tensor *copy = cn_tensor_from(CN_INT32, CN_SHAPE(0, 3), NULL);
    cn_tensor *wrapped = cn_tensor_wrap(CN_INT32, CN_SHAPE(0), NULL);
    assert_non_null(copy);
    assert_non_null(wrapped);
    cn_tensor_destroy(&copy);
    cn_tensor_destroy(&wrapped);
}

/* Memory that is not aligned for its dtype, as in the middle of a file. */
static void wrapped_memory_need_not_be_aligned(void **state)
{
    (void)state;
    char bytes[1 + sizeof(double[3])];
    double values[3] = {0.5, -1, 1e300};
    memcpy(bytes + 1, values, sizeof values);
    cn_tensor *wrapped = cn_tensor_wrap(CN_FLOAT64, CN_SHAPE(3), bytes + 1);
    assert_true(cn_get(wrapped, 2) == 1e300);
    cn_tensor *copy = cn_copy(wrapped), *largest = cn_argmax(wrapped);
    assert_memory_equal(cn_data(copy), values, sizeof values);
    assert_true(cn_tensor_get(largest, NULL) == 2);
    cn_tensor_destroy(&copy);
    cn_tensor_destroy(&largest);
    cn_tensor_destroy(&wrapped);
}

static void contiguous_ignores_axes_of_one(void **state)
{
    (void)state;
    cn_tensor *tensor = cn_zeros(CN_UINT8, 4, 1, 3);
    cn_tensor *swapped = cn_tensor_transpose(tensor, (int[]){1, 0, 2});
    assert_true(cn_is_contiguous(swapped));
    assert_false(cn_is_contiguous(cn_transpose(tensor)));
    assert_true(cn_is_contiguous(cn_slice(tensor, {1, 3})));
    assert_false(cn_is_contiguous(cn_slice(tensor, {0, CN_END, 2})));
    cn_tensor_destroy(&tensor);
}

static void impossible_shapes_are_refused(void **state)
{
    (void)state;
    static const struct {
        cn_dtype dtype;
        int ndim;
        int64_t shape[3];
        int status;
        const char *part; /* of the sentence */
    } cases[] = {
        {CN_UINT8, -1, {0}, CN_EINVAL, "-1 axes; use 0 ... 8"},
        {CN_UINT8, 9, {1}, CN_EINVAL, "9 axes; use 0 ... 8"},
        {CN_UINT8, 2, {3, -1}, CN_EINVAL, "(3, -1) has a negative size on axis 1"},
        {(cn_dtype)77, 1, {3}, CN_EINVAL, "77 is not a dtype"},
        {CN_FLOAT32, 3, {2147483648, 2147483648, 2}, CN_ENOMEM, "float32 tensor of shape (2147483648, 2147483648, 2)"},
        {CN_UINT8, 2, {INT64_MAX, 2}, CN_ENOMEM, "larger than any memory"},
        {CN_FLOAT64, 1, {INT64_MAX}, CN_ENOMEM, "(9223372036854775807,)"},
        {CN_FLOAT64, 1, {INT64_MAX / 8}, CN_ENOMEM, "(1152921504606846975,)"},
        {CN_UINT8, 3, {INT64_MAX, 0, 3}, CN_ENOMEM, "larger than any memory"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t shape[9] = {cases[i].shape[0], cases[i].shape[1], cases[i].shape[2], 1, 1, 1, 1, 1, 1};
        uint8_t value = 0;
        for (int maker = 0; maker < 3; maker++) {
            cn_error_clear();
            if (maker == 0) assert_null(cn_tensor_create(cases[i].dtype, cases[i].ndim, shape));
            if (maker == 1) assert_null(cn_tensor_from(cases[i].dtype, cases[i].ndim, shape, &value));
            if (maker == 2) assert_null(cn_tensor_wrap(cases[i].dtype, cases[i].ndim, shape, &value));
            assert_int_equal(cn_error_status(), cases[i].status);
            if (!strstr(cn_error_message(), cases[i].part)) fail_msg("case %zu: %s", i, cn_error_message());
        }
    }
}

static void missing_values_are_refused(void **state)
{
    (void)state;
    assert_null(cn_tensor_from(CN_UINT8, CN_SHAPE(2, 3), NULL));
    assert_string_equal(cn_error_message(), "cn_tensor_from: the values for shape (2, 3) are NULL");
    assert_null(cn_tensor_wrap(CN_UINT8, CN_SHAPE(2), NULL));
    assert_string_equal(cn_error_message(), "cn_tensor_wrap: the memory for shape (2,) is NULL");
    assert_null(cn_tensor_create(CN_UINT8, 2, NULL));
    assert_int_equal(cn_error_status(), CN_EINVAL);
}

static void null_has_no_attributes(void **state)
{
    (void)state;
    assert_int_equal(cn_ndim(NULL), -1);
    assert_null(cn_shape(NULL));
    assert_int_equal(cn_size(NULL), -1);
    assert_int_equal(cn_len(NULL), -1);
    assert_int_equal(cn_dtype_of(NULL), CN_DTYPE_COUNT);
    assert_null(cn_strides(NULL));
    assert_true(isnan(cn_scale_of(NULL)));
    assert_int_equal(cn_is_contiguous(NULL), 0);
    assert_null(cn_data(NULL));
}

static void survives_running_out_of_memory(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        cn__memory_fail_after(n);
        cn_tensor *tensor = cn_zeros(CN_FLOAT32, 3, 5);
        cn__memory_fail_after(0);
        assert_null(tensor);
        assert_int_equal(cn_error_status(), CN_ENOMEM);
    }
    assert_non_null(strstr(cn_error_message(), "float32 tensor of shape (3, 5)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, remember_memory, expect_no_leak)
        TEST(dtypes_have_numpys_names_and_sizes),
        TEST(zeros_have_the_attributes_asked_for),
        TEST(scalars_and_empty_tensors_are_tensors),
        TEST(from_copies_and_wrap_does_not),
        TEST(from_and_wrap_accept_nothing_for_empty_shapes),
        TEST(wrapped_memory_need_not_be_aligned),
        TEST(contiguous_ignores_axes_of_one),
        TEST(impossible_shapes_are_refused),
        TEST(missing_values_are_refused),
        TEST(null_has_no_attributes),
        TEST(survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
