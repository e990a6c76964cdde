/* cn_to_categorical against the values of keras.utils.to_categorical, and cn_argmax against numpy.argmax. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "refused.h"

#include "base/error.h"
#include "base/memory.h"
#include "tensor/tensor.h"

#include <math.h>
#include <string.h>

static void labels_become_rows(void **state)
{
    (void)state;
    static const float expected[3][4] = {{0, 0, 0, 1}, {1, 0, 0, 0}, {0, 1, 0, 0}};
    int64_t labels[] = {3, 0, 1};
    cn_tensor *exact = cn_tensor_from(CN_INT64, CN_SHAPE(3), labels);
    for (int dtype = 0; dtype < CN_DTYPE_COUNT; dtype++) {
        if (dtype == CN_BOOL) continue; /* holds no 3 */
        cn_tensor *typed = cn_astype(exact, (cn_dtype)dtype), *rows = cn_to_categorical(typed, 0);
        assert_int_equal(cn_dtype_of(rows), CN_FLOAT32);
        assert_int_equal(cn_ndim(rows), 2);
        assert_int_equal(cn_shape(rows)[0], 3);
        assert_int_equal(cn_shape(rows)[1], 4);
        assert_memory_equal(cn_data(rows), expected, sizeof expected);
        cn_tensor_destroy(&rows);
        rows = cn_to_categorical(typed, 6);
        assert_int_equal(cn_shape(rows)[1], 6);
        assert_true(cn_get(rows, 0, 3) == 1 && cn_get(rows, 2, 1) == 1 && cn_get(rows, 2, 5) == 0);
        cn_tensor_destroy(&rows);
        cn_tensor_destroy(&typed);
    }
    cn_tensor_destroy(&exact);
}

static void a_trailing_axis_of_one_is_dropped(void **state)
{
    (void)state;
    static const struct {
        int ndim;
        int64_t shape[3];
        int expected_ndim;
        int64_t expected[3];
    } cases[] = {{2, {4, 1}, 2, {4, 5}},    {2, {1, 4}, 3, {1, 4, 5}}, {1, {1}, 2, {1, 5}},
                 {3, {2, 2, 1}, 3, {2, 2, 5}}, {0, {0}, 1, {5}},          {2, {0, 1}, 2, {0, 5}}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cn_tensor *labels = cn_tensor_create(CN_UINT8, cases[i].ndim, cases[i].shape);
        cn_tensor *rows = cn_to_categorical(labels, 5);
        assert_int_equal(cn_ndim(rows), cases[i].expected_ndim);
        assert_memory_equal(cn_shape(rows), cases[i].expected, (size_t)cn_ndim(rows) * sizeof(int64_t));
        cn_tensor_destroy(&labels);
        cn_tensor_destroy(&rows);
    }
}

static void labels_follow_views(void **state)
{
    (void)state;
    uint8_t numbers[] = {1, 2, 3, 4, 5, 6};
    cn_tensor *tensor = cn_tensor_from(CN_UINT8, CN_SHAPE(2, 3), numbers);
    cn_tensor *rows = cn_to_categorical(cn_transpose(tensor), 7);
    assert_true(cn_get(rows, 0, 1, 4) == 1);
    assert_true(cn_get(rows, 2, 0, 3) == 1);
    cn_tensor_destroy(&rows);
    rows = cn_to_categorical(cn_scale(cn_slice(tensor, {1, 2}, {0, 2}), 0.5), 0); /* 2, 2.5 truncated */
    assert_int_equal(cn_shape(rows)[2], 3);
    assert_true(cn_get(rows, 0, 1, 2) == 1);
    cn_tensor_destroy(&rows);
    cn_tensor_destroy(&tensor);
}

static void wrong_labels_are_named_with_their_row(void **state)
{
    (void)state;
    float numbers[] = {1, 9, -1, NAN, 1e30f};
    cn_tensor *tensor = cn_tensor_from(CN_FLOAT32, CN_SHAPE(5), numbers), *empty = cn_zeros(CN_UINT8, 0);
    assert_refused(cn_to_categorical(tensor, 9), CN_EINVAL, "label 9 in row 1 is outside 0 ... 8");
    assert_refused(cn_to_categorical(tensor, 10), CN_EINVAL, "label -1 in row 2 is outside 0 ... 9");
    assert_refused(cn_to_categorical(tensor, 0), CN_EINVAL, "label -1 in row 2 is not a class");
    assert_refused(cn_to_categorical(cn_slice(tensor, {3, 4}), 10), CN_EINVAL, "label nan in row 0");
    assert_refused(cn_to_categorical(cn_slice(tensor, {4, 5}), 0), CN_EINVAL, "in row 0 is not a class");
    assert_refused(cn_to_categorical(tensor, -2), CN_EINVAL, "num_classes is -2");
    assert_refused(cn_to_categorical(empty, 0), CN_EINVAL, "give num_classes");
    assert_refused(cn_to_categorical(NULL, 0), CN_EINVAL, "cn_to_categorical needs a tensor");
    assert_refused(cn_to_categorical(tensor, INT64_MAX), CN_ENOMEM, "larger than any memory");
    cn_tensor_destroy(&tensor);
    cn_tensor_destroy(&empty);

    cn_tensor *deep = cn_zeros(CN_UINT8, 1, 1, 1, 1, 1, 1, 1, 2);
    assert_refused(cn_to_categorical(deep, 3), CN_EINVAL, "9 axes");
    cn_tensor_destroy(&deep);
}

static void argmax_finds_the_first_largest(void **state)
{
    (void)state;
    double numbers[] = {1, 3, 3, /**/ -5, -7, -5, /**/ 0, NAN, NAN, /**/ -INFINITY, INFINITY, 0};
    static const int64_t expected[] = {1, 0, 1, 1};
    cn_tensor *exact = cn_tensor_from(CN_FLOAT64, CN_SHAPE(2, 2, 3), numbers);
    cn_tensor *single = cn_astype(exact, CN_FLOAT32);
    const cn_tensor *both[] = {exact, single};
    for (int i = 0; i < 2; i++) {
        cn_tensor *positions = cn_argmax(both[i]);
        assert_int_equal(cn_dtype_of(positions), CN_INT64);
        assert_int_equal(cn_ndim(positions), 2);
        assert_memory_equal(cn_data(positions), expected, sizeof expected);
        cn_tensor_destroy(&positions);
    }
    cn_tensor_destroy(&exact);
    cn_tensor_destroy(&single);
}

static void argmax_follows_views_and_scales(void **state)
{
    (void)state;
    int32_t numbers[] = {1, 9, 5, 7, 2, 6};
    cn_tensor *tensor = cn_tensor_from(CN_INT32, CN_SHAPE(2, 3), numbers);
    cn_tensor *columns = cn_argmax(cn_transpose(tensor)), *smallest = cn_argmax(cn_scale(tensor, -1));
    assert_memory_equal(cn_data(columns), ((int64_t[]){1, 0, 1}), sizeof(int64_t[3]));
    assert_memory_equal(cn_data(smallest), ((int64_t[]){0, 1}), sizeof(int64_t[2]));
    cn_tensor_destroy(&columns);
    cn_tensor_destroy(&smallest);
    cn_tensor_destroy(&tensor);
}

/* As doubles these two are equal. */
static void argmax_tells_large_integers_apart(void **state)
{
    (void)state;
    int64_t numbers[] = {INT64_MAX - 1, INT64_MAX, /**/ INT64_MIN, INT64_MIN};
    cn_tensor *tensor = cn_tensor_from(CN_INT64, CN_SHAPE(2, 2), numbers), *positions = cn_argmax(tensor);
    assert_memory_equal(cn_data(positions), ((int64_t[]){1, 0}), sizeof(int64_t[2]));
    cn_tensor_destroy(&positions);
    cn_tensor_destroy(&tensor);
}

static void argmax_of_scalars_and_nothing(void **state)
{
    (void)state;
    cn_tensor *scalar = cn_tensor_create(CN_FLOAT32, 0, NULL), *no_rows = cn_zeros(CN_UINT8, 0, 3);
    cn_tensor *no_entries = cn_zeros(CN_UINT8, 3, 0);
    cn_tensor *position = cn_argmax(scalar), *positions = cn_argmax(no_rows);
    assert_int_equal(cn_ndim(position), 0);
    assert_true(cn_tensor_get(position, NULL) == 0);
    assert_int_equal(cn_size(positions), 0);
    assert_refused(cn_argmax(no_entries), CN_EINVAL, "(3, 0)");
    assert_refused(cn_argmax(NULL), CN_EINVAL, "cn_argmax needs a tensor");
    cn_tensor_destroy(&scalar);
    cn_tensor_destroy(&no_rows);
    cn_tensor_destroy(&no_entries);
    cn_tensor_destroy(&position);
    cn_tensor_destroy(&positions);
}

static void nothing_leaked(void **state)
{
    (void)state;
    assert_int_equal(cn__memory_live_blocks(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_become_rows),
        cmocka_unit_test(a_trailing_axis_of_one_is_dropped),
        cmocka_unit_test(labels_follow_views),
        cmocka_unit_test(wrong_labels_are_named_with_their_row),
        cmocka_unit_test(argmax_finds_the_first_largest),
        cmocka_unit_test(argmax_follows_views_and_scales),
        cmocka_unit_test(argmax_tells_large_integers_apart),
        cmocka_unit_test(argmax_of_scalars_and_nothing),
        cmocka_unit_test(nothing_leaked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
