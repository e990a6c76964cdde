/* Contact sheets: where pictures and labels land, and the font behind the labels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cornu/error.h>
#include <cornu/image.h>

#include "base/memory.h"
#include "formats/pixel_font.h"

#include <string.h>

enum { N = 5, H = 6, W = 8 };

static cn_tensor *pictures(void)
{
    cn_tensor *t = cn_zeros(CN_UINT8, N, H, W);
    assert_non_null(t);
    uint8_t *p = cn_data(t);
    for (int i = 0; i < N * H * W; i++) p[i] = (uint8_t)(i % 200);
    return t;
}

/* Where picture i begins on a page of 3 columns; margins are 4 and gaps 3 zooms wide. */
static int64_t left_of(int i, int64_t zoom)
{
    return 4 * zoom + i % 3 * (W + 3) * zoom;
}

static void expect_pictures(const cn_tensor *sheet, const cn_tensor *images, int64_t zoom, int64_t row_step)
{
    for (int i = 0; i < N; i++)
        for (int64_t y = 0; y < H * zoom; y++)
            for (int64_t x = 0; x < W * zoom; x++) {
                const int64_t top = 4 * zoom + i / 3 * row_step;
                assert_true(cn_get(sheet, top + y, left_of(i, zoom) + x) == cn_get(images, i, y / zoom, x / zoom));
            }
}

static void test_without_labels(void **state)
{
    (void)state;
    cn_tensor *images = pictures();
    for (int zoom = 1; zoom <= 4; zoom++) {
        cn_tensor *sheet = cn_image_sheet(images, NULL, 3, zoom);
        assert_non_null(sheet);
        assert_int_equal(cn_shape(sheet)[0], (4 + H + 3 + H + 4) * zoom);
        assert_int_equal(cn_shape(sheet)[1], (4 + 3 * W + 2 * 3 + 4) * zoom);
        expect_pictures(sheet, images, zoom, (H + 3) * zoom);
        const uint8_t *p = cn_data(sheet);
        for (int64_t x = 0; x < cn_shape(sheet)[1]; x++) assert_int_equal(p[x], 255);
        assert_true(cn_get(sheet, -1, -1) == 255);
        assert_true(cn_get(sheet, 4 * zoom + (H + 3) * zoom, left_of(2, zoom)) == 255); /* the sixth is missing */
        cn_tensor_destroy(&sheet);
    }
    cn_tensor_destroy(&images);
}

/* At zoom 2 a letter's pixel is one pixel, and the label begins three of them under the picture, centred. */
static void test_labels(void **state)
{
    (void)state;
    const char *labels[N] = {"T", NULL, "", "\xc3", "a label far too long to be shown"};
    cn_tensor *images = pictures(), *sheet = cn_image_sheet(images, labels, 3, 2);
    assert_non_null(sheet);
    const int64_t step = (H + 3) * 2 + 3 + CN__FONT_HEIGHT;
    expect_pictures(sheet, images, 2, step);
    static const char *const drawn[3] = {"#####", "#####", "..."};
    for (int cell = 0; cell < 2; cell++) { /* a T, and the box for what is no ASCII */
        const int i = cell ? 3 : 0;
        const int64_t top = 4 * 2 + i / 3 * step + H * 2 + 3, left = left_of(i, 2) + (W * 2 - 5) / 2;
        for (int x = 0; x < 5; x++)
            assert_true((cn_get(sheet, top, left + x) < 100) == (drawn[cell][x] == '#'));
        assert_true((cn_get(sheet, top + 3, left) < 100) == (cell == 1));
        assert_true((cn_get(sheet, top + 3, left + 2) < 100) == (cell == 0));
    }
    for (int64_t x = left_of(1, 2); x < left_of(1, 2) + W * 2; x++)
        assert_true(cn_get(sheet, 4 * 2 + H * 2 + 3, x) == 255);
    cn_tensor_destroy(&sheet);
    cn_tensor_destroy(&images);
}

static void test_every_letter_differs(void **state)
{
    (void)state;
    for (int a = '!'; a <= '~' + 1; a++) /* ~ + 1 has no letter and must look like none */
        for (int b = '!'; b < a; b++) {
            int differ = 0;
            for (int y = 0; y < CN__FONT_HEIGHT; y++)
                for (int x = 0; x < CN__FONT_WIDTH; x++)
                    differ += cn__font_pixel((char)a, y, x) != cn__font_pixel((char)b, y, x);
            if (!differ) fail_msg("%c and %c look alike", a, b);
        }
    for (int y = 0; y < CN__FONT_HEIGHT; y++)
        for (int x = 0; x < CN__FONT_WIDTH; x++) assert_int_equal(cn__font_pixel(' ', y, x), 0);
}

static void test_views_and_wide_pages(void **state)
{
    (void)state;
    cn_tensor *images = pictures(), *mirrored = cn_slice(images, CN_ALL, CN_ALL, {CN_END, CN_END, -1});
    cn_tensor *sheet = cn_image_sheet(mirrored, NULL, 100, 1);
    assert_non_null(sheet);
    assert_int_equal(cn_shape(sheet)[1], 4 + N * W + (N - 1) * 3 + 4);
    assert_true(cn_get(sheet, 4, 4) == cn_get(images, 0, 0, W - 1));
    cn_tensor_destroy(&sheet);
    cn_tensor_destroy(&images);
}

static void test_refuses(void **state)
{
    (void)state;
    cn_tensor *images = pictures(), *floats = cn_zeros(CN_FLOAT32, 1, 2, 2), *empty = cn_zeros(CN_UINT8, 0, 2, 2);
    assert_null(cn_image_sheet(floats, NULL, 1, 1));
    assert_int_equal(cn_error_status(), CN_EDTYPE);
    assert_null(cn_image_sheet(cn_scale(images, 0.5), NULL, 1, 1));
    assert_int_equal(cn_error_status(), CN_EDTYPE);
    assert_null(cn_image_sheet(empty, NULL, 1, 1));
    assert_int_equal(cn_error_status(), CN_ESHAPE);
    assert_null(cn_image_sheet(cn_index(images, 0), NULL, 1, 1));
    assert_int_equal(cn_error_status(), CN_ESHAPE);
    const int bad[][2] = {{0, 1}, {1, 0}, {-3, 1}, {1, INT32_MAX}, {1, 1000}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_null(cn_image_sheet(images, NULL, bad[i][0], bad[i][1]));
        assert_int_equal(cn_error_status(), CN_EINVAL);
    }
    assert_null(cn_image_sheet(NULL, NULL, 1, 1));
    cn__memory_fail_after(1);
    assert_null(cn_image_sheet(images, NULL, 1, 1));
    cn__memory_fail_after(0);
    assert_int_equal(cn_error_status(), CN_ENOMEM);
    cn_tensor_destroy(&images);
    cn_tensor_destroy(&floats);
    cn_tensor_destroy(&empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_labels),       cmocka_unit_test(test_labels),
        cmocka_unit_test(test_every_letter_differs), cmocka_unit_test(test_views_and_wide_pages),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
