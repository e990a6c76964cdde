/* PNG: every colour type, depth and interlacing against values worked out elsewhere, damaged files, and writing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cornu/image.h>
#include <cornu/error.h>

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER CN_SOURCE_DATA_DIR "/../tests/format/golden/png/"
enum { HEIGHT = 7, WIDTH = 5, N_FILES = 52 };

static char scratch[64];

static unsigned char *slurp(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    unsigned char *bytes = malloc(1 << 16);
    assert_non_null(bytes);
    *size = fread(bytes, 1, 1 << 16, f);
    fclose(f);
    return bytes;
}

static void spill(const void *bytes, size_t size)
{
    FILE *f = fopen(scratch, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

static void expect_file(const char *name, const char *values)
{
    char path[4096];
    snprintf(path, sizeof path, "%s%s", FOLDER, name);
    cn_tensor *image = cn_image_read(path);
    if (!image) fail_msg("%s", cn_error_message());
    assert_int_equal(cn_dtype_of(image), CN_UINT8);
    assert_int_equal(cn_ndim(image), 2);
    assert_int_equal(cn_shape(image)[0], HEIGHT);
    assert_int_equal(cn_shape(image)[1], WIDTH);
    const unsigned char *got = cn_data(image);
    for (int i = 0; i < HEIGHT * WIDTH; i++) {
        char *end;
        long value = strtol(values, &end, 10);
        assert_ptr_not_equal(end, values);
        values = end;
        if (got[i] != value) fail_msg("%s: pixel %d is %d, expected %ld", name, i, got[i], value);
    }
    cn_tensor_destroy(&image);
}

static void test_every_kind(void **state)
{
    (void)state;
    char line[512];
    int seen = 0;
    FILE *list = fopen(FOLDER "expected.txt", "r");
    assert_non_null(list);
    while (fgets(line, sizeof line, list)) {
        if (line[0] == '#') continue;
        char *space = strchr(line, ' ');
        assert_non_null(space);
        *space = '\0';
        expect_file(line, space + 1);
        seen++;
    }
    fclose(list);
    assert_int_equal(seen, N_FILES);
}

static void test_truncation_at_every_byte(void **state)
{
    (void)state;
    static const char *const names[] = {"rgba16.png", "palette4-trns-adam7.png", "grey1.png"};
    for (int i = 0; i < 3; i++) {
        char path[4096];
        size_t size;
        snprintf(path, sizeof path, "%s%s", FOLDER, names[i]);
        unsigned char *bytes = slurp(path, &size);
        for (size_t kept = 0; kept < size; kept++) {
            spill(bytes, kept);
            cn_tensor *image = cn_image_read(scratch);
            if (image || cn_error_status() != CN_EFORMAT || !strstr(cn_error_message(), scratch))
                fail_msg("%s cut to %zu of %zu bytes: %s", names[i], kept, size, cn_error_message());
        }
        free(bytes);
    }
}

static void test_bit_flips(void **state)
{
    (void)state;
    size_t size, refused = 0;
    unsigned char *bytes = slurp(FOLDER "palette4-trns-adam7.png", &size);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        spill(bytes, size);
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        cn_tensor *image = cn_image_read(scratch);
        if (!image) {
            assert_int_equal(cn_error_status(), CN_EFORMAT);
            refused++;
        }
        cn_tensor_destroy(&image);
    }
    assert_true(refused > 4 * size);
    free(bytes);
}

/* 2^31-1 x 2^31-1 pixels, with a correct checksum. */
static void test_too_large(void **state)
{
    (void)state;
    static const unsigned char bytes[] = {0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13, 'I', 'H', 'D', 'R',
                                          0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 8, 0, 0, 0, 0,
                                          0x31, 0xa2, 0x54, 0xba, 0, 0, 0, 0, 'I', 'D', 'A', 'T',
                                          0x35, 0xaf, 0x06, 0x1e};
    spill(bytes, sizeof bytes);
    assert_null(cn_image_read(scratch));
    assert_int_equal(cn_error_status(), CN_EINVAL);
    assert_non_null(strstr(cn_error_message(), "2147483647 x 2147483647"));
}

static void test_not_there(void **state)
{
    (void)state;
    assert_null(cn_image_read("/no/such/picture.png"));
    assert_int_equal(cn_error_status(), CN_ENOTFOUND);
    spill("\xff\xd8\xff\xe0 a JPEG", 12);
    assert_null(cn_image_read(scratch));
    assert_int_equal(cn_error_status(), CN_EFORMAT);
    assert_non_null(strstr(cn_error_message(), "no PNG"));
    assert_null(cn_image_read(NULL));
}

static void test_write_and_read(void **state)
{
    (void)state;
    cn_tensor *image = cn_zeros(CN_UINT8, 37, 53);
    unsigned char *pixels = cn_data(image);
    for (int i = 0; i < 37 * 53; i++) pixels[i] = (unsigned char)(i * 7);
    const cn_tensor *views[] = {image, cn_transpose(image), cn_slice(image, {3, 30, 2}, {50, 4, -3})};
    for (int v = 0; v < 3; v++) {
        assert_int_equal(cn_image_write(scratch, views[v]), 0);
        cn_tensor *back = cn_image_read(scratch);
        assert_non_null(back);
        const int64_t *shape = cn_shape(views[v]);
        assert_memory_equal(cn_shape(back), shape, 2 * sizeof *shape);
        for (int64_t y = 0; y < shape[0]; y++)
            for (int64_t x = 0; x < shape[1]; x++)
                assert_true(cn_get(back, y, x) == cn_get(views[v], y, x));
        cn_tensor_destroy(&back);
    }
    cn_tensor_destroy(&image);
}

static void test_write_colour(void **state)
{
    (void)state;
    static const unsigned char rgb[] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 10, 10};
    cn_tensor *image = cn_tensor_from(CN_UINT8, CN_SHAPE(2, 2, 3), rgb);
    assert_int_equal(cn_image_write(scratch, image), 0);
    cn_tensor *back = cn_image_read(scratch);
    assert_non_null(back);
    static const unsigned char grey[] = {76, 150, 29, 10}; /* 0.299, 0.587, 0.114 of 255, rounded */
    assert_memory_equal(cn_data(back), grey, 4);
    cn_tensor_destroy(&back);
    cn_tensor_destroy(&image);
}

static void test_write_refuses(void **state)
{
    (void)state;
    cn_tensor *floats = cn_zeros(CN_FLOAT32, 4, 4), *image = cn_zeros(CN_UINT8, 4, 4);
    cn_tensor *deep = cn_zeros(CN_UINT8, 4, 4, 2), *flat = cn_zeros(CN_UINT8, 4), *empty = cn_zeros(CN_UINT8, 0, 4);
    remove(scratch);
    assert_int_equal(cn_image_write(scratch, floats), CN_EDTYPE);
    assert_int_equal(cn_image_write(scratch, cn_scale(image, 0.5)), CN_EDTYPE);
    assert_int_equal(cn_image_write(scratch, deep), CN_ESHAPE);
    assert_int_equal(cn_image_write(scratch, flat), CN_ESHAPE);
    assert_int_equal(cn_image_write(scratch, empty), CN_ESHAPE);
    assert_true(cn_image_write(scratch, NULL) < 0);
    assert_int_equal(cn_image_write("/no/such/folder/x.png", image), CN_EIO);
    assert_int_equal(cn_image_write("/dev/full", image), CN_EIO);
    assert_int_not_equal(access(scratch, F_OK), 0);
    cn_tensor_destroy(&floats);
    cn_tensor_destroy(&image);
    cn_tensor_destroy(&deep);
    cn_tensor_destroy(&flat);
    cn_tensor_destroy(&empty);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    cn_tensor *image = cn_zeros(CN_UINT8, 9, 9);
    int64_t live = cn__memory_live_blocks();
    int failures = 0, status = CN_ENOMEM;
    for (uint64_t n = 1; n < 200 && status != 0; n++, failures++) {
        cn__memory_fail_after(n);
        status = cn_image_write(scratch, image);
        if (status == 0) {
            cn_tensor *back = cn_image_read(FOLDER "palette4-trns-adam7.png");
            if (!back) status = cn_error_status();
            cn_tensor_destroy(&back);
        }
        cn__memory_fail_after(0);
        assert_int_equal(cn__memory_live_blocks(), live);
        if (status != 0) assert_int_equal(status, CN_ENOMEM);
    }
    assert_int_equal(status, 0);
    assert_true(failures > 10);
    cn_tensor_destroy(&image);
}

int main(void)
{
    snprintf(scratch, sizeof scratch, "/tmp/test_png-%ld", (long)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),     cmocka_unit_test(test_truncation_at_every_byte),
        cmocka_unit_test(test_bit_flips),      cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_not_there),      cmocka_unit_test(test_write_and_read),
        cmocka_unit_test(test_write_colour),   cmocka_unit_test(test_write_refuses),
        cmocka_unit_test(test_out_of_memory),
    };
#ifdef CN_WITH_PNG
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove(scratch);
    return failed;
#else
    (void)tests;
    puts("skipped: built without libpng");
    return 77;
#endif
}
