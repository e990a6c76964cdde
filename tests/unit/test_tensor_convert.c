/* Conversions between all dtypes, with and without a lazy scale, contiguous and not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "memory_watch.h"
#include "tensor/tensor.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* NaN equals NaN here. */
static void assert_numbers(const cn_tensor *tensor, const double *expected)
{
    assert_non_null(tensor);
    int64_t index[CN_MAX_NDIM] = {0};
    for (int64_t i = 0; i < cn_size(tensor); i++) {
        double value = cn_tensor_get(tensor, index);
        if (value != expected[i] && !(isnan(value) && isnan(expected[i])))
            fail_msg("element %lld is %.17g, not %.17g", (long long)i, value, expected[i]);
        cn__next_index(tensor, tensor->ndim, index);
    }
}

/* Numbers that every dtype can hold survive every pair of dtypes, in any order of axes. */
static void every_pair_of_dtypes(void **state)
{
    (void)state;
    static const double numbers[6] = {0, 1, 2, 17, 126, 127}, transposed[6] = {0, 17, 1, 126, 2, 127};
    static const double truths[6] = {0, 1, 1, 1, 1, 1}, transposed_truths[6] = {0, 1, 1, 1, 1, 1};
    cn_tensor *exact = cn_tensor_from(CN_FLOAT64, CN_SHAPE(2, 3), numbers);
    for (int from = 0; from < CN_DTYPE_COUNT; from++) {
        for (int to = 0; to < CN_DTYPE_COUNT; to++) {
            cn_tensor *source = cn_astype(exact, (cn_dtype)from), *target = cn_astype(source, (cn_dtype)to);
            cn_tensor *turned = cn_astype(cn_transpose(source), (cn_dtype)to);
            assert_int_equal(cn_dtype_of(target), to);
            int truth = from == CN_BOOL || to == CN_BOOL;
            assert_numbers(target, truth ? truths : numbers);
            assert_numbers(turned, truth ? transposed_truths : transposed);
            assert_true(cn_is_contiguous(turned));
            cn_tensor_destroy(&source);
            cn_tensor_destroy(&target);
            cn_tensor_destroy(&turned);
        }
    }
    cn_tensor_destroy(&exact);
}

static void reals_become_integers_by_truncation_and_saturate(void **state)
{
    (void)state;
    static const double numbers[] = {1.9, -1.9, 254.999, 255.5, 1e30, -1e30, INFINITY, -INFINITY, NAN, -0.5};
    static const double as_uint8[] = {1, 0, 254, 255, 255, 0, 255, 0, 0, 0};
    static const double as_int32[] = {1, -1, 254, 255, INT32_MAX, INT32_MIN, INT32_MAX, INT32_MIN, 0, 0};
    static const double as_int64[] = {1, -1, 254, 255, 0x1p63, -0x1p63, 0x1p63, -0x1p63, 0, 0};
    for (int source = CN_FLOAT32; source <= CN_FLOAT64; source++) {
        cn_tensor *exact = cn_tensor_from(CN_FLOAT64, CN_SHAPE(10), numbers);
        cn_tensor *reals = cn_astype(exact, (cn_dtype)source);
        cn_tensor *halves = cn_scale(reals, 0.5), *doubled = cn_scale(halves, 2);
        assert_int_equal(doubled->scale, 1);
        cn_tensor *bytes = cn_astype(reals, CN_UINT8), *words = cn_astype(reals, CN_INT32);
        cn_tensor *longs = cn_astype(reals, CN_INT64), *scaled = cn_astype(halves, CN_UINT8);
        assert_numbers(bytes, as_uint8);
        assert_numbers(words, as_int32);
        assert_numbers(longs, as_int64);
        assert_int_equal(((int64_t *)cn_data(longs))[4], INT64_MAX);
        assert_numbers(scaled, (double[]){0, 0, 127, 127, 255, 0, 255, 0, 0, 0});
        cn_tensor_destroy(&exact);
        cn_tensor_destroy(&reals);
        cn_tensor_destroy(&bytes);
        cn_tensor_destroy(&words);
        cn_tensor_destroy(&longs);
        cn_tensor_destroy(&scaled);
    }
}

/* numpy.array([...], "int64").astype("uint8") */
static void integers_wrap_round_as_numpys(void **state)
{
    (void)state;
    int64_t numbers[] = {256, -1, 1LL << 40 | 7, INT64_MIN};
    cn_tensor *longs = cn_tensor_from(CN_INT64, CN_SHAPE(4), numbers);
    cn_tensor *bytes = cn_astype(longs, CN_UINT8), *words = cn_astype(longs, CN_INT32);
    assert_numbers(bytes, (double[]){0, 255, 7, 0});
    assert_numbers(words, (double[]){256, -1, 7, 0});
    cn_tensor_destroy(&longs);
    cn_tensor_destroy(&bytes);
    cn_tensor_destroy(&words);
}

/* Just above the middle of two floats; a double would hold the middle itself, which rounds down. */
static void integers_are_rounded_once(void **state)
{
    (void)state;
    int64_t number = (1LL << 60) + (1LL << 36) + 1;
    cn_tensor *tensor = cn_tensor_from(CN_INT64, CN_SHAPE(1), &number), *copy = cn_copy(tensor);
    cn_tensor *single = cn_astype(tensor, CN_FLOAT32);
    assert_int_equal(((int64_t *)cn_data(copy))[0], number);
    assert_true(((float *)cn_data(single))[0] == 0x1p60f + 0x1p37f);
    cn_tensor_destroy(&tensor);
    cn_tensor_destroy(&copy);
    cn_tensor_destroy(&single);
}

/* The lazy scale gives the bits of the division that everybody writes: pixel / 255. */
static void scaled_bytes_equal_division_by_255(void **state)
{
    (void)state;
    uint8_t bytes[256];
    for (int i = 0; i < 256; i++) bytes[i] = (uint8_t)i;
    cn_tensor *pixels = cn_tensor_from(CN_UINT8, CN_SHAPE(256), bytes), *scaled = cn_scale(pixels, 1.0 / 255);
    float singles[256];
    double doubles[256];
    cn__tensor_to_real(scaled, singles, 32);
    cn__tensor_to_real(scaled, doubles, 64);
    cn_tensor *copy = cn_copy(scaled);
    assert_int_equal(cn_dtype_of(copy), CN_FLOAT32);
    for (int i = 0; i < 256; i++) {
        assert_true(singles[i] == (float)i / 255.0f);
        assert_true(((float *)cn_data(copy))[i] == (float)i / 255.0f);
        assert_true(doubles[i] == i * (1.0 / 255));
    }
    cn_tensor_destroy(&copy);
    cn_tensor_destroy(&pixels);
}

static void plain_floats_stay_exact(void **state)
{
    (void)state;
    float numbers[] = {0.1f, -0.0f, FLT_MIN / 4, FLT_MAX, NAN, -INFINITY}, back[6];
    double wide[6];
    cn_tensor *tensor = cn_tensor_from(CN_FLOAT32, CN_SHAPE(6), numbers);
    cn__tensor_to_real(tensor, back, 32);
    cn__tensor_to_real(tensor, wide, 64);
    assert_memory_equal(back, numbers, sizeof numbers);
    for (int i = 0; i < 6; i++) assert_true(wide[i] == (double)numbers[i] || isnan(numbers[i]));
    cn_tensor_destroy(&tensor);
}

static void copies_keep_the_dtype_unless_scaled_integers(void **state)
{
    (void)state;
    for (int dtype = 0; dtype < CN_DTYPE_COUNT; dtype++) {
        cn_tensor *tensor = cn_zeros((cn_dtype)dtype, 2, 2);
        cn_tensor *copy = cn_copy(tensor), *scaled = cn_copy(cn_scale(tensor, 3));
        assert_int_equal(cn_dtype_of(copy), dtype);
        assert_int_equal(cn_dtype_of(scaled), cn__is_real((cn_dtype)dtype) ? dtype : CN_FLOAT32);
        assert_true(cn_scale_of(scaled) == 1);
        cn_tensor_destroy(&tensor);
        cn_tensor_destroy(&copy);
        cn_tensor_destroy(&scaled);
    }
}

static void set_converts_like_astype(void **state)
{
    (void)state;
    cn_tensor *bytes = cn_zeros(CN_UINT8, 3), *singles = cn_zeros(CN_FLOAT32, 1);
    assert_int_equal(cn_tensor_set(bytes, (int64_t[]){0}, 7.9), 0);
    assert_int_equal(cn_tensor_set(bytes, (int64_t[]){1}, 300), 0);
    assert_int_equal(cn_tensor_set(bytes, (int64_t[]){-1}, -3), 0);
    assert_int_equal(cn_tensor_set(singles, (int64_t[]){0}, 0.1), 0);
    assert_numbers(bytes, (double[]){7, 255, 0});
    assert_numbers(singles, (double[]){(double)0.1f});
    cn_tensor_destroy(&bytes);
    cn_tensor_destroy(&singles);
}

static void empty_and_scalar_tensors_convert(void **state)
{
    (void)state;
    cn_tensor *empty = cn_zeros(CN_UINT8, 0, 3), *scalar = cn_tensor_create(CN_INT32, 0, NULL);
    cn_tensor *empty_copy = cn_astype(cn_transpose(empty), CN_FLOAT64), *scalar_copy = cn_astype(scalar, CN_UINT8);
    assert_int_equal(cn_len(empty_copy), 3);
    assert_int_equal(cn_size(empty_copy), 0);
    assert_int_equal(cn_ndim(scalar_copy), 0);
    cn_tensor_destroy(&empty);
    cn_tensor_destroy(&scalar);
    cn_tensor_destroy(&empty_copy);
    cn_tensor_destroy(&scalar_copy);
}

static void failures_pass_through(void **state)
{
    (void)state;
    cn_tensor *tensor = cn_zeros(CN_UINT8, 3);
    assert_null(cn_astype(tensor, CN_DTYPE_COUNT));
    assert_int_equal(cn_error_status(), CN_EINVAL);
    cn_error_clear();
    assert_null(cn_copy(NULL));
    assert_string_equal(cn_error_message(), "cn_copy needs a tensor, which is NULL");
    assert_null(cn_astype(cn_reshape(tensor, 2), CN_UINT8));
    for (uint64_t n = 1; n <= 2; n++) {
        cn__memory_fail_after(n);
        cn_tensor *copy = cn_copy(tensor);
        cn__memory_fail_after(0);
        assert_null(copy);
        assert_int_equal(cn_error_status(), CN_ENOMEM);
    }
    cn_tensor_destroy(&tensor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, remember_memory, expect_no_leak)
        TEST(every_pair_of_dtypes),
        TEST(reals_become_integers_by_truncation_and_saturate),
        TEST(integers_wrap_round_as_numpys),
        TEST(integers_are_rounded_once),
        TEST(scaled_bytes_equal_division_by_255),
        TEST(plain_floats_stay_exact),
        TEST(copies_keep_the_dtype_unless_scaled_integers),
        TEST(set_converts_like_astype),
        TEST(empty_and_scalar_tensors_convert),
        TEST(failures_pass_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
