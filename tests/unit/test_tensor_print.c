/* Printing, compared byte for byte with what NumPy wrote (tests/parity/numpy_records.md).
 * `test_tensor_print FILE` reads another record than the committed one. */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"
#include "tensor/number_text.h"
#include "tensor/tensor.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *record = CN_PARITY_DIR "/numpy_print.txt";

/* --- the record --- */

static char *line;
static size_t line_bytes;

/* Next line without its newline, NULL at the end of the file. */
static const char *next_line(FILE *file)
{
    ssize_t n = getline(&line, &line_bytes, file);
    if (n < 0) return NULL;
    if (n > 0 && line[n - 1] == '\n') line[n - 1] = '\0';
    return line;
}

static cn_dtype dtype_named(const char *name)
{
    for (int i = 0; i < CN_DTYPE_COUNT; i++)
        if (strcmp(cn_dtype_name((cn_dtype)i), name) == 0) return (cn_dtype)i;
    fail_msg("the record names a dtype %s", name);
    return CN_UINT8;
}

static void store(cn_tensor *tensor, int64_t i, const char *text)
{
    char *element = (char *)cn_data(tensor) + i * (int64_t)cn_dtype_size(cn_dtype_of(tensor));
    uint64_t integer = text[0] == '-' ? (uint64_t)strtoll(text, NULL, 10) : strtoull(text, NULL, 10);
    double real = strtod(text, NULL);
    if (text[0] == 'T') integer = 1; /* True */
    cn_dtype dtype = cn_dtype_of(tensor);
    if (cn__is_real(dtype)) cn__convert_row(CN_FLOAT64, 1, (char *)&real, 0, 1, dtype, element);
    else cn__convert_row(CN_UINT64, 1, (char *)&integer, 0, 1, dtype, element);
}

/* "array DTYPE SCALE NDIM SHAPE..." and "values PERIOD ...", repeated until the tensor is full. */
static cn_tensor *read_array(FILE *file, double *scale)
{
    char *word = strtok(line, " ");
    assert_string_equal(word, "array");
    cn_dtype dtype = dtype_named(strtok(NULL, " "));
    *scale = strtod(strtok(NULL, " "), NULL);
    int ndim = atoi(strtok(NULL, " "));
    int64_t shape[CN_MAX_NDIM];
    for (int i = 0; i < ndim; i++) shape[i] = atoll(strtok(NULL, " "));
    cn_tensor *tensor = cn_tensor_create(dtype, ndim, shape);
    assert_non_null(tensor);

    assert_non_null(next_line(file));
    assert_string_equal(strtok(line, " "), "values");
    int64_t period = atoll(strtok(NULL, " "));
    for (int64_t k = 0; k < period; k++) {
        word = strtok(NULL, " ");
        assert_non_null(word);
        for (int64_t i = k; i < cn_size(tensor); i += period) store(tensor, i, word);
    }
    return tensor;
}

/* "repr N" or "str N" and N lines, compared with `written`. Returns 1 if they are equal. */
static int check_text(FILE *file, const char *kind, const char *written)
{
    assert_non_null(written);
    assert_non_null(next_line(file));
    assert_string_equal(strtok(line, " "), kind);
    long n = strtol(strtok(NULL, " "), NULL, 10);
    assert_true(n > 0);
    int equal = 1;
    const char *rest = written;
    for (long i = 0; i < n; i++) {
        assert_non_null(next_line(file));
        size_t bytes = strlen(line);
        if (!equal) continue;
        char end = i + 1 < n ? '\n' : '\0';
        if (strncmp(rest, line, bytes) == 0 && rest[bytes] == end) rest += bytes + 1;
        else equal = 0;
        if (!equal) print_error("%s, line %ld: NumPy writes\n%s\nand Cornu\n%s\n", kind, i + 1, line, written);
    }
    return equal;
}

static void check_record(const char *path, int at_least)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    int cases = 0, wrong = 0;
    assert_true(next_line(file) && line[0] == '#');
    while (next_line(file)) {
        double scale;
        cn_tensor *tensor = read_array(file, &scale);
        const cn_tensor *seen = scale == 1 ? tensor : cn_scale(tensor, scale);
        char *repr = cn_repr(seen), *str = cn_str(seen);
        int repr_equal = check_text(file, "repr", repr), str_equal = check_text(file, "str", str);
        cn_string_free(repr);
        cn_string_free(str);
        cn_tensor_destroy(&tensor);
        cases++;
        wrong += !repr_equal || !str_equal;
    }
    fclose(file);
    assert_int_equal(wrong, 0);
    assert_true(cases >= at_least);
}

static void prints_as_numpy(void **state)
{
    (void)state;
    check_record(record, 400);
}

static void prints_other_dtypes_as_numpy(void **state)
{
    (void)state;
    check_record(CN_PARITY_DIR "/numpy_print_others.txt", 100);
}

/* Numbers must not change in a program that has called setlocale. */
static void prints_as_numpy_in_a_locale_with_commas(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8"};
    const char *found = NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !found; i++) found = setlocale(LC_NUMERIC, names[i]);
    if (!found) skip();
    float numbers[] = {0.1f, -2.5f, 1234.5678f};
    cn_tensor *tensor = cn_tensor_from(CN_FLOAT32, CN_SHAPE(3), numbers);
    char *repr = cn_repr(tensor);
    setlocale(LC_NUMERIC, "C");
    assert_string_equal(repr, "array([ 1.0000000e-01, -2.5000000e+00,  1.2345677e+03], dtype=float32)");
    cn_string_free(repr);
    cn_tensor_destroy(&tensor);
}

/* --- views, shapes, streams, failures --- */

static void prints_what_a_view_shows(void **state)
{
    (void)state;
    uint8_t pixels[] = {0, 51, 102, 255};
    cn_tensor *tensor = cn_tensor_from(CN_UINT8, CN_SHAPE(2, 2), pixels);
    char *repr = cn_repr(cn_transpose(tensor));
    assert_string_equal(repr, "array([[  0, 102],\n       [ 51, 255]], dtype=uint8)");
    cn_string_free(repr);
    repr = cn_repr(cn_scale(tensor, 1.0 / 255));
    assert_string_equal(repr, "array([[0. , 0.2],\n       [0.4, 1. ]], dtype=float32)");
    cn_string_free(repr);
    cn_tensor_destroy(&tensor);
}

static void writes_shapes_as_python(void **state)
{
    (void)state;
    static const struct {
        int ndim;
        int64_t shape[3];
        const char *text;
    } cases[] = {{0, {0}, "()"}, {1, {10}, "(10,)"}, {2, {0, 3}, "(0, 3)"}, {3, {600, 28, 28}, "(600, 28, 28)"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cn_tensor *tensor = cn_tensor_create(CN_UINT8, cases[i].ndim, cases[i].shape);
        char *text = cn_shape_str(tensor);
        assert_string_equal(text, cases[i].text);
        cn_string_free(text);
        cn_tensor_destroy(&tensor);
    }
}

static void prints_to_a_stream(void **state)
{
    (void)state;
    int64_t numbers[] = {1, 2, 3};
    cn_tensor *tensor = cn_tensor_from(CN_INT64, CN_SHAPE(3), numbers);
    char *written = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&written, &bytes);
    assert_int_equal(cn_print(stream, tensor), 0);
    fclose(stream);
    assert_string_equal(written, "array([1, 2, 3])\n");
    free(written);

    FILE *full = fopen("/dev/full", "w");
    if (full) {
        setvbuf(full, NULL, _IONBF, 0);
        assert_int_equal(cn_print(full, tensor), CN_EIO);
        fclose(full);
    }
    assert_int_equal(cn_print(NULL, tensor), CN_EINVAL);
    cn_tensor_destroy(&tensor);
}

static void passes_null_on(void **state)
{
    (void)state;
    cn_error_clear();
    assert_null(cn_repr(NULL));
    assert_int_equal(cn_error_status(), CN_EINVAL);
    cn__fail(CN_ENOTFOUND, "no such data set");
    assert_null(cn_str(NULL));
    assert_null(cn_shape_str(NULL));
    assert_int_equal(cn_print(stdout, NULL), CN_ENOTFOUND);
    assert_string_equal(cn_error_message(), "no such data set");
    cn_string_free(NULL);
}

static void survives_running_out_of_memory(void **state)
{
    (void)state;
    cn_tensor *tensor = cn_zeros(CN_FLOAT32, 10, 10);
    int64_t before = cn__memory_live_blocks();
    uint64_t n = 0;
    char *repr = NULL;
    do {
        cn__memory_fail_after(++n);
        repr = cn_repr(tensor);
        cn__memory_fail_after(0);
        if (!repr) assert_int_equal(cn_error_status(), CN_ENOMEM);
        assert_int_equal(cn__memory_live_blocks(), before + (repr != NULL));
    } while (!repr);
    assert_true(n > 2);
    cn_string_free(repr);
    cn_tensor_destroy(&tensor);
}

/* Every float32 that a shorter text would not bring back needs all its digits; checked over many bit patterns. */
static void shortest_digits_read_back(void **state)
{
    (void)state;
    uint32_t bits = 1;
    for (int i = 0; i < 20000; i++) {
        bits = bits * 1664525u + 1013904223u;
        float number, back;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number)) continue;
        char text[CN_NUMBER_TEXT_BYTES];
        cn__number_str(number, 32, text);
        back = strtof(text, NULL);
        assert_memory_equal(&back, &number, sizeof number);
        cn__decimal decimal;
        cn__decimal_shortest(&decimal, number, 32);
        if (decimal.n_digits == 1) continue;
        char shorter[64];
        snprintf(shorter, sizeof shorter, "%.*e", decimal.n_digits - 2, (double)number);
        assert_true(strtof(shorter, NULL) != number);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) record = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_as_numpy),
        cmocka_unit_test(prints_other_dtypes_as_numpy),
        cmocka_unit_test(prints_as_numpy_in_a_locale_with_commas),
        cmocka_unit_test(prints_what_a_view_shows),
        cmocka_unit_test(writes_shapes_as_python),
        cmocka_unit_test(prints_to_a_stream),
        cmocka_unit_test(passes_null_on),
        cmocka_unit_test(survives_running_out_of_memory),
        cmocka_unit_test(shortest_digits_read_back),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(line);
    return failed;
}
