/* Views: NumPy's results for chains of them (tests/parity/numpy_records.md), who owns what, and what is refused.
 * `test_tensor_view FILE` reads another record than the committed one. */
#define _POSIX_C_SOURCE 200809L
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
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *record = CN_PARITY_DIR "/numpy_views.txt";

/* --- the record --- */

static char *line;
static size_t line_bytes;

static int next_line(FILE *file)
{
    return getline(&line, &line_bytes, file) > 0;
}

static const char *next_word(void)
{
    const char *word = strtok(NULL, " \n");
    assert_non_null(word);
    return word;
}

static int64_t next_number(void)
{
    const char *word = next_word();
    return strcmp(word, "end") == 0 ? CN_END : (int64_t)strtoll(word, NULL, 10);
}

static int next_shape(int64_t *shape)
{
    int ndim = (int)next_number();
    assert_in_range(ndim, 0, CN_MAX_NDIM);
    for (int i = 0; i < ndim; i++) shape[i] = next_number();
    return ndim;
}

/* 0, 1, 2, ... */
static cn_tensor *counting(cn_dtype dtype, int ndim, const int64_t *shape)
{
    cn_tensor *wide = cn_tensor_create(CN_INT64, ndim, shape);
    assert_non_null(wide);
    int64_t *numbers = cn_data(wide);
    for (int64_t i = 0; i < cn_size(wide); i++) numbers[i] = i;
    cn_tensor *tensor = cn_astype(wide, dtype);
    cn_tensor_destroy(&wide);
    return tensor;
}

static cn_tensor *read_base(void)
{
    const char *name = next_word();
    int64_t shape[CN_MAX_NDIM];
    cn_dtype dtype = CN_UINT8;
    while (strcmp(cn_dtype_name(dtype), name) != 0) {
        dtype++;
        assert_int_not_equal(dtype, CN_DTYPE_COUNT);
    }
    int ndim = next_shape(shape);
    return counting(dtype, ndim, shape);
}

static cn_tensor *apply(const char *operation, const cn_tensor *tensor)
{
    int64_t numbers[CN_MAX_NDIM];
    if (strcmp(operation, "slice") == 0) {
        cn_range ranges[CN_MAX_NDIM];
        int n = (int)next_number();
        for (int i = 0; i < n; i++) {
            ranges[i].start = next_number();
            ranges[i].stop = next_number();
            ranges[i].step = next_number();
        }
        return cn_tensor_slice(tensor, n, ranges);
    }
    if (strcmp(operation, "transpose") == 0) {
        int axes[CN_MAX_NDIM];
        if (strcmp(next_word(), "reversed") == 0) return cn_transpose(tensor);
        for (int i = 0; i < cn_ndim(tensor); i++) axes[i] = (int)next_number();
        return cn_tensor_transpose(tensor, axes);
    }
    int n = next_shape(numbers);
    if (strcmp(operation, "index") == 0) return cn_tensor_index(tensor, n, numbers);
    assert_string_equal(operation, "reshape");
    return cn_tensor_reshape(tensor, n, numbers);
}

static void check_result(FILE *file, const cn_tensor *tensor)
{
    assert_int_equal(cn_is_contiguous(tensor), next_number());
    assert_int_equal(cn_ndim(tensor), next_number());
    for (int i = 0; i < cn_ndim(tensor); i++) assert_int_equal(cn_shape(tensor)[i], next_number());

    assert_true(next_line(file));
    assert_string_equal(strtok(line, " \n"), "values");
    assert_int_equal(cn_size(tensor), next_number());
    cn_tensor *copy = cn_astype(tensor, CN_INT64);
    int64_t index[CN_MAX_NDIM] = {0};
    for (int64_t i = 0; i < cn_size(copy); i++) {
        int64_t expected = next_number();
        assert_int_equal(((int64_t *)cn_data(copy))[i], expected);
        assert_true(cn_tensor_get(tensor, index) == (double)expected);
        cn__next_index(tensor, tensor->ndim, index);
    }
    cn_tensor_destroy(&copy);
}

static void shows_what_numpy_shows(void **state)
{
    (void)state;
    FILE *file = fopen(record, "r");
    assert_non_null(file);
    int cases = 0;
    cn_tensor *base = NULL;
    const cn_tensor *tensor = NULL;
    while (next_line(file)) {
        if (line[0] == '#') continue;
        const char *word = strtok(line, " \n");
        if (strcmp(word, "base") == 0) {
            tensor = base = read_base();
        } else if (strcmp(word, "gives") == 0) {
            check_result(file, tensor);
            cn_tensor_destroy(&base);
            cases++;
        } else {
            tensor = apply(word, tensor);
        }
        if (base && !tensor) fail_msg("case %d: %s", cases + 1, cn_error_message());
    }
    fclose(file);
    assert_true(cases >= 400);
    assert_int_equal(cn__memory_live_blocks(), 0);
}

/* --- no copies, and who owns what --- */

static void views_share_the_numbers(void **state)
{
    (void)state;
    cn_tensor *tensor = counting(CN_FLOAT32, CN_SHAPE(4, 6));
    cn_tensor *row = cn_index(tensor, 2), *part = cn_slice(tensor, {1, 3}, {-2, CN_END});
    assert_ptr_equal(cn_data(cn_reshape(tensor, 24)), cn_data(tensor));
    assert_ptr_equal(cn_data(cn_transpose(tensor)), cn_data(tensor));
    assert_ptr_equal(cn_data(row), (char *)cn_data(tensor) + sizeof(float[12]));
    assert_int_equal(cn_shape(part)[0], 2);
    assert_int_equal(cn_shape(part)[1], 2);
    assert_int_equal(cn_strides(part)[0], sizeof(float[6]));

    assert_int_equal(cn_tensor_set(tensor, (int64_t[]){2, -1}, 99), 0);
    assert_true(cn_get(row, 5) == 99);
    assert_true(cn_get(part, -1, 1) == 99);
    assert_int_equal(cn_tensor_set(part, (int64_t[]){0, 0}, -7), 0);
    assert_true(cn_get(tensor, 1, 4) == -7);
    cn_tensor_destroy(&tensor);
}

static void the_owner_destroys_its_views(void **state)
{
    (void)state;
    int64_t before = cn__memory_live_blocks();
    cn_tensor *tensor = counting(CN_UINT8, CN_SHAPE(6, 4));
    for (int i = 0; i < 100; i++) {
        cn_tensor *early = cn_index(tensor, i % 6);
        cn_tensor *late = cn_slice(early, {1, 3});
        if (i % 3 == 0) cn_tensor_destroy(&early);
        if (i % 5 == 0) cn_tensor_destroy(&late);
        if (i % 5 != 0) assert_true(cn_get(late, 1) == i % 6 * 4 + 2);
    }
    /* A reshaped copy is a view to its owner and an owner to its own views. */
    cn_tensor *copy = cn_reshape(cn_transpose(tensor), 3, 8), *row = cn_index(copy, 1);
    assert_true(cn_get(row, 0) == 8 % 6 * 4 + 1);
    int64_t with_copy = cn__memory_live_blocks();
    cn_tensor_destroy(&copy);
    assert_null(copy);
    assert_int_equal(cn__memory_live_blocks(), with_copy - 3); /* the copy, its numbers, row */
    cn_tensor *kept = cn_reshape(cn_transpose(tensor), -1);
    cn_index(kept, 5);
    cn_reshape(cn_slice(kept, {0, CN_END, 2}), 3, 4);
    cn_tensor_destroy(&tensor);
    assert_int_equal(cn__memory_live_blocks(), before);
    cn_tensor_destroy(&tensor);
    cn_tensor_destroy(NULL);
}

static void *make_views(void *argument)
{
    const cn_tensor *tensor = argument;
    for (int i = 0; i < 3000; i++) {
        cn_tensor *view = cn_slice(tensor, {i % 4, CN_END});
        cn_tensor *scaled = cn_scale(view, 0.5);
        if (!view || !scaled || cn_get(scaled, 0) != i % 4 * 0.5) return "a view shows a wrong number";
        if (i % 2) cn_tensor_destroy(&view);
        if (i % 7) cn_tensor_destroy(&scaled);
    }
    return NULL;
}

static void threads_make_views_of_one_tensor(void **state)
{
    (void)state;
    int64_t before = cn__memory_live_blocks();
    cn_tensor *tensor = counting(CN_INT32, CN_SHAPE(10));
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, make_views, tensor), 0);
    for (int i = 0; i < 4; i++) {
        void *complaint;
        pthread_join(threads[i], &complaint);
        assert_null(complaint);
    }
    cn_tensor_destroy(&tensor);
    assert_int_equal(cn__memory_live_blocks(), before);
}

/* --- scale --- */

static void scales_multiply_and_follow_views(void **state)
{
    (void)state;
    cn_tensor *tensor = counting(CN_UINT8, CN_SHAPE(2, 3));
    cn_tensor *view = cn_scale(cn_scale(tensor, 0.5), 4);
    assert_true(cn_scale_of(view) == 2);
    assert_true(cn_scale_of(tensor) == 1);
    assert_true(cn_dtype_of(view) == CN_UINT8);
    assert_true(cn_get(cn_reshape(cn_transpose(view), 6), 1) == 6);
    assert_true(cn_get(cn_index(view, 1), -1) == 10);
    assert_int_equal(cn_tensor_set(view, (int64_t[]){0, 0}, 1), CN_EINVAL);
    assert_non_null(strstr(cn_error_message(), "read-only"));
    assert_null(cn_scale(tensor, NAN));
    assert_null(cn_scale(cn_scale(tensor, 1e200), 1e200));
    cn_tensor_destroy(&tensor);
}

/* --- failures --- */

static void refusals_name_the_shapes(void **state)
{
    (void)state;
    cn_tensor *tensor = counting(CN_INT32, CN_SHAPE(3, 4)), *empty = cn_zeros(CN_INT32, 0, 4);
    assert_refused(cn_reshape(tensor, 5, 2), CN_ESHAPE, "shape (5, 2) has 10 elements, but (3, 4) has 12");
    assert_refused(cn_reshape(tensor, 5, -1), CN_ESHAPE, "(5, -1)");
    assert_refused(cn_reshape(tensor, -1, -1), CN_EINVAL, "(-1, -1)");
    assert_refused(cn_reshape(tensor, -12), CN_EINVAL, "(-12,)");
    assert_refused(cn_reshape(tensor, INT64_MAX, 3), CN_ESHAPE, "(3, 4)");
    assert_refused(cn_reshape(empty, 0, -1), CN_ESHAPE, "(0, -1)");
    assert_refused(cn_reshape(empty, 0, INT64_MAX), CN_ENOMEM, "larger than any memory");
    assert_refused(cn_tensor_reshape(tensor, 9, (int64_t[9]){1}), CN_EINVAL, "9 axes");
    assert_refused(cn_tensor_reshape(tensor, -1, NULL), CN_EINVAL, "-1 axes");
    assert_refused(cn_tensor_reshape(tensor, 2, NULL), CN_EINVAL, "NULL");

    assert_refused(cn_slice(tensor, CN_ALL, CN_ALL, CN_ALL), CN_EINVAL, "3 ranges do not fit a tensor of shape (3, 4)");
    assert_refused(cn_tensor_slice(tensor, -1, NULL), CN_EINVAL, "-1 ranges");
    assert_refused(cn_tensor_slice(tensor, 1, NULL), CN_EINVAL, "NULL");
    assert_refused(cn_index(tensor, 0, 4), CN_EINVAL, "4 is out of range on axis 1 of shape (3, 4); use -4 ... 3");
    assert_refused(cn_index(tensor, -4), CN_EINVAL, "index -4");
    assert_refused(cn_index(tensor, INT64_MIN), CN_EINVAL, "out of range");
    assert_refused(cn_index(tensor, 0, 0, 0), CN_EINVAL, "3 positions");
    assert_refused(cn_index(empty, 0), CN_EINVAL, "axis 0 of shape (0, 4) is empty");
    assert_refused(cn_tensor_transpose(tensor, (int[]){0, 0}), CN_EINVAL, "named twice");
    assert_refused(cn_tensor_transpose(tensor, (int[]){0, 2}), CN_EINVAL, "axis 2 of shape (3, 4) is out of range");

    cn_error_clear();
    assert_true(isnan(cn_get(tensor, 3, 0)));
    assert_int_equal(cn_error_status(), CN_EINVAL);
    assert_int_equal(cn_tensor_set(tensor, (int64_t[]){0, 9}, 1), CN_EINVAL);
    assert_int_equal(cn_tensor_set(tensor, NULL, 1), CN_EINVAL);
    cn_tensor_destroy(&tensor);
    cn_tensor_destroy(&empty);
}

/* Extreme ranges end where the axis ends; nothing overflows. */
static void extreme_ranges_are_clamped(void **state)
{
    (void)state;
    cn_tensor *tensor = counting(CN_INT32, CN_SHAPE(5));
    static const struct {
        cn_range range;
        int64_t length;
        double first;
    } cases[] = {
        {{0, CN_END, 0}, 5, 0},          {{INT64_MIN, INT64_MAX - 1, 1}, 5, 0}, {{-1, CN_END, -1}, 5, 4},
        {{CN_END, CN_END, -2}, 3, 4},    {{3, INT64_MIN, -1}, 4, 3},            {{2, CN_END, INT64_MAX}, 1, 2},
        {{2, CN_END, INT64_MIN}, 1, 2},  {{4, 0, -3}, 2, 4},                    {{0, CN_END, -1}, 1, 0},
        {{3, 3, 1}, 0, 0},               {{4, 1, 1}, 0, 0},                     {{9, CN_END, 1}, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cn_tensor *view = cn_tensor_slice(tensor, 1, &cases[i].range);
        assert_int_equal(cn_len(view), cases[i].length);
        if (cn_len(view) > 0) assert_true(cn_get(view, 0) == cases[i].first);
    }
    cn_tensor_destroy(&tensor);
}

static void null_passes_through_a_chain(void **state)
{
    (void)state;
    cn_tensor *tensor = counting(CN_UINT8, CN_SHAPE(6));
    assert_null(cn_scale(cn_index(cn_slice(cn_transpose(cn_reshape(tensor, 4, 2)), CN_ALL), 0), 0.5));
    assert_int_equal(cn_error_status(), CN_ESHAPE);
    assert_non_null(strstr(cn_error_message(), "(4, 2)"));
    cn_error_clear();
    assert_null(cn_reshape(NULL, 1));
    assert_string_equal(cn_error_message(), "cn_reshape needs a tensor, which is NULL");
    assert_true(isnan(cn_get(NULL, 0)));
    assert_int_equal(cn_tensor_set(NULL, NULL, 0), CN_EINVAL);
    cn_tensor_destroy(&tensor);
}

static void survives_running_out_of_memory(void **state)
{
    (void)state;
    cn_tensor *tensor = counting(CN_FLOAT32, CN_SHAPE(3, 4));
    int64_t before = cn__memory_live_blocks();
    for (uint64_t n = 1; n <= 3; n++) {
        cn__memory_fail_after(n);
        cn_tensor *copy = cn_reshape(cn_transpose(tensor), -1); /* a view, the numbers, their view */
        cn__memory_fail_after(0);
        assert_null(copy);
        assert_int_equal(cn_error_status(), CN_ENOMEM);
        assert_int_equal(cn__memory_live_blocks(), before + (n > 1));
        while (tensor->views) {
            cn_tensor *view = tensor->views;
            cn_tensor_destroy(&view);
        }
    }
    cn_tensor_destroy(&tensor);
}

int main(int argc, char **argv)
{
    if (argc > 1) record = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_what_numpy_shows),
        cmocka_unit_test(views_share_the_numbers),
        cmocka_unit_test(the_owner_destroys_its_views),
        cmocka_unit_test(threads_make_views_of_one_tensor),
        cmocka_unit_test(scales_multiply_and_follow_views),
        cmocka_unit_test(refusals_name_the_shapes),
        cmocka_unit_test(extreme_ranges_are_clamped),
        cmocka_unit_test(null_passes_through_a_chain),
        cmocka_unit_test(survives_running_out_of_memory),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(line);
    return failed;
}
