/* Pictures as text: shades, half blocks, reduction to a width. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cornu/error.h>
#include <cornu/image.h>

#include "base/memory.h"

#include <math.h>
#include <string.h>

static void expect_text(const cn_tensor *image, int columns, int colour, const char *expected)
{
    char *text = cn_image_to_text(image, columns, colour);
    if (!text) fail_msg("%s", cn_error_message());
    assert_string_equal(text, expected);
    cn_string_free(text);
}

static void test_shades(void **state)
{
    (void)state;
    static const float ramp[2][10] = {{0.01f, 0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f, 1.0f},
                                      {0.01f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f, 0.9f, 0.9f}};
    static const double odd[3][2] = {{0, 1}, {1, 1}, {0.95, -7}};
    static const float strange[1][4] = {{NAN, INFINITY, -INFINITY, 3e38f}};
    cn_tensor *t = cn_tensor_from(CN_FLOAT32, CN_SHAPE(2, 10), ramp);
    cn_tensor *u = cn_tensor_from(CN_FLOAT64, CN_SHAPE(3, 2), odd);
    cn_tensor *v = cn_tensor_from(CN_FLOAT32, CN_SHAPE(1, 4), strange);
    expect_text(t, 80, 0, " .:-=+*#%@\n");
    expect_text(u, 80, 0, "+@\n@ \n");
    expect_text(v, 80, 0, " @ @\n");
    cn_tensor_destroy(&t);
    cn_tensor_destroy(&u);
    cn_tensor_destroy(&v);
}

static void test_half_blocks(void **state)
{
    (void)state;
    static const uint8_t pixels[3][2] = {{0, 0}, {255, 128}, {7, 254}};
    cn_tensor *t = cn_tensor_from(CN_UINT8, CN_SHAPE(3, 2), pixels);
    const char *expected = "\033[38;2;0;0;0m\033[48;2;255;255;255m\xe2\x96\x80"
                           "\033[48;2;128;128;128m\xe2\x96\x80\033[0m\n"
                           "\033[38;2;7;7;7m\xe2\x96\x80\033[38;2;254;254;254m\xe2\x96\x80\033[0m\n";
    expect_text(t, 2, 1, expected);
    expect_text(cn_scale(t, 1.0 / 255), 2, 1, expected);
    cn_tensor_destroy(&t);
}

/* Every cell with both colours at their longest: the sanitizer watches the end of the text. */
static void test_longest_text(void **state)
{
    (void)state;
    cn_tensor *t = cn_zeros(CN_UINT8, 41, 33);
    uint8_t *p = cn_data(t);
    for (int i = 0; i < 41 * 33; i++) p[i] = (uint8_t)(100 + i * 37 % 156);
    char *text = cn_image_to_text(t, 33, 1);
    assert_non_null(text);
    int lines = 0;
    for (const char *c = text; *c; c++) lines += *c == '\n';
    assert_int_equal(lines, 21);
    cn_string_free(text);
    cn_tensor_destroy(&t);
}

static void test_reduction(void **state)
{
    (void)state;
    cn_tensor *t = cn_zeros(CN_UINT8, 100, 200);
    uint8_t *p = cn_data(t);
    for (int y = 0; y < 100; y++) memset(p + y * 200 + 100, 255, 100);
    expect_text(t, 8, 0, "    @@@@\n    @@@@\n");
    expect_text(t, 1, 0, "+\n");
    expect_text(cn_slice(t, CN_ALL, {CN_END, CN_END, -1}), 8, 0, "@@@@    \n@@@@    \n");
    cn_tensor_destroy(&t);
}

static void test_refuses(void **state)
{
    (void)state;
    cn_tensor *integers = cn_zeros(CN_INT64, 2, 2), *deep = cn_zeros(CN_UINT8, 2, 2, 3);
    cn_tensor *empty = cn_zeros(CN_UINT8, 0, 2), *image = cn_zeros(CN_UINT8, 2, 2);
    assert_null(cn_image_to_text(integers, 80, 0));
    assert_int_equal(cn_error_status(), CN_EDTYPE);
    assert_null(cn_image_to_text(deep, 80, 0));
    assert_int_equal(cn_error_status(), CN_ESHAPE);
    assert_null(cn_image_to_text(empty, 80, 0));
    assert_int_equal(cn_error_status(), CN_ESHAPE);
    assert_null(cn_image_to_text(image, 0, 0));
    assert_int_equal(cn_error_status(), CN_EINVAL);
    assert_null(cn_image_to_text(NULL, 80, 0));
    int64_t live = cn__memory_live_blocks();
    for (uint64_t n = 1; n <= 3; n++) {
        cn__memory_fail_after(n);
        assert_null(cn_image_to_text(image, 80, 1));
        cn__memory_fail_after(0);
        assert_int_equal(cn_error_status(), CN_ENOMEM);
        assert_int_equal(cn__memory_live_blocks(), live);
    }
    cn_tensor_destroy(&integers);
    cn_tensor_destroy(&deep);
    cn_tensor_destroy(&empty);
    cn_tensor_destroy(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shades),       cmocka_unit_test(test_half_blocks), cmocka_unit_test(test_longest_text),
        cmocka_unit_test(test_reduction),    cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
