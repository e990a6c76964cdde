/* IDX files: good ones, and a walk over everything that can be wrong with one. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"
#include "scratch.h"

#include <cornu/dataset.h>

#define ROOM 4096

static void expect_counting(const char *path, int ndim, const unsigned *shape)
{
    cn_tensor *tensor = cn_idx_read(path);
    if (!tensor) fail_msg("%s", cn_error_message());
    assert_int_equal(cn_ndim(tensor), ndim);
    assert_int_equal(cn_dtype_of(tensor), CN_UINT8);
    for (int i = 0; i < ndim; i++) assert_int_equal(cn_shape(tensor)[i], shape[i]);
    const unsigned char *values = cn_data(tensor);
    for (int64_t i = 0; i < cn_size(tensor); i++) assert_int_equal(values[i], i % 251);
    cn_tensor_destroy(&tensor);
}

static void reads_plain_and_packed(void **state)
{
    (void)state;
    static const unsigned shape[8] = {3, 5, 2, 1, 2, 3, 1, 2};
    unsigned char plain[ROOM], packed[ROOM];
    int64_t live = cn__memory_live_blocks();
    for (int ndim = 1; ndim <= 8; ndim++) {
        size_t size = scratch_idx(plain, ndim, shape, 251);
        expect_counting(scratch_write("plain", plain, size), ndim, shape);
        size_t packed_size = scratch_gzip(plain, size, packed, ROOM);
        expect_counting(scratch_write("packed", packed, packed_size), ndim, shape); /* told by bytes, not by name */
    }
    static const unsigned none[3] = {0, 28, 28};
    expect_counting(scratch_write("none", plain, scratch_idx(plain, 3, none, 251)), 3, none);
    assert_int_equal(cn__memory_live_blocks(), live);
}

static void expect_refused(const char *label, const void *bytes, size_t size, const char *part)
{
    int64_t live = cn__memory_live_blocks();
    const char *path = scratch_write("bad", bytes, size);
    cn_error_clear();
    cn_tensor *tensor = cn_idx_read(path);
    if (tensor) fail_msg("%s: was read", label);
    if (cn_error_status() != CN_EFORMAT) fail_msg("%s: status %d", label, cn_error_status());
    if (!strstr(cn_error_message(), path)) fail_msg("%s: \"%s\" does not name the file", label, cn_error_message());
    if (!strstr(cn_error_message(), part)) fail_msg("%s: \"%s\" lacks \"%s\"", label, cn_error_message(), part);
    assert_int_equal(cn__memory_live_blocks(), live);
}

#define BYTES(text) text, sizeof(text) - 1

static void refuses_bad_headers(void **state)
{
    (void)state;
    static const struct { const char *label, *bytes; size_t size; const char *part; } bad[] = {
        {"empty", BYTES(""), "empty"},
        {"three bytes", BYTES("\0\0\x08"), "not an IDX file"},
        {"a picture", BYTES("\x89PNG\r\n\x1a\n"), "89 50 4e"},
        {"text", BYTES("label,pixel0,pixel1\n"), "not an IDX file"},
        {"little-endian", BYTES("\x01\x08\0\0\x03\0\0\0abc"), "not an IDX file"},
        {"16-bit integers", BYTES("\0\0\x0b\x01\0\0\0\x01\0\0"), "16-bit integers"},
        {"floats", BYTES("\0\0\x0d\x01\0\0\0\x01\0\0\0\0"), "32-bit floats"},
        {"unknown type", BYTES("\0\0\x42\x01\0\0\0\x01\0\0\0\0"), "no known type"},
        {"no axes", BYTES("\0\0\x08\0"), "0 axes"},
        {"nine axes", BYTES("\0\0\x08\x09" "1234123412341234123412341234123412341234"), "9 axes"},
        {"255 axes", BYTES("\0\0\x08\xff"), "255 axes"},
        {"header cut off", BYTES("\0\0\x08\x03\0\0\0\x01\0\0\0\x01\0\0\0"), "cut off"},
        {"count too high", BYTES("\0\0\x08\x01\0\0\0\x04" "abc"), "promises (4,), which is 4 bytes, but 3 follow"},
        {"count too low", BYTES("\0\0\x08\x01\0\0\0\x02" "abc"), "promises (2,), which is 2 bytes, but 3 follow"},
        {"no data", BYTES("\0\0\x08\x01\0\0\0\x02"), "but 0 follow"},
        {"2^31 images", BYTES("\0\0\x08\x03\x80\0\0\0\0\0\0\x1c\0\0\0\x1c" "abc"), "but 3 follow"},
        {"2^32-1 labels", BYTES("\0\0\x08\x01\xff\xff\xff\xff" "abc"), "but 3 follow"},
        {"(2^31)^3 bytes", BYTES("\0\0\x08\x03\x80\0\0\0\x80\0\0\0\x80\0\0\0" "abc"), "no memory can hold"},
        {"(2^32-1)^8 bytes",
         BYTES("\0\0\x08\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                                   "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "no memory can hold"},
        {"gzip of two bytes", BYTES("\x1f\x8b"), "too few"},
        {"gzip of nothing but a header", BYTES("\x1f\x8b\x08\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\0"), "damaged"},
        {"gzip that promises 4 GiB", BYTES("\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\xff\xff\xff\xff"), "promise"},
    };
    unsigned char packed[ROOM];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        expect_refused(bad[i].label, bad[i].bytes, bad[i].size, bad[i].part);
        if (bad[i].size == 0 || (unsigned char)bad[i].bytes[0] == 0x1f) continue;
        size_t size = scratch_gzip(bad[i].bytes, bad[i].size, packed, ROOM);
        expect_refused(bad[i].label, packed, size, bad[i].part);
    }
}

static size_t packed_sample(unsigned char packed[ROOM])
{
    static const unsigned shape[3] = {4, 5, 6};
    unsigned char plain[ROOM];
    return scratch_gzip(plain, scratch_idx(plain, 3, shape, 251), packed, ROOM);
}

static void refuses_every_truncation(void **state)
{
    (void)state;
    static const unsigned shape[2] = {3, 7};
    unsigned char plain[ROOM], packed[ROOM];
    size_t size = scratch_idx(plain, 2, shape, 251), packed_size = packed_sample(packed);
    for (size_t cut = 0; cut < size; cut++) expect_refused("plain, cut", plain, cut, "'");
    for (size_t cut = 0; cut < packed_size; cut++) expect_refused("packed, cut", packed, cut, "'");
}

static void refuses_trailing_bytes(void **state)
{
    (void)state;
    unsigned char packed[ROOM] = {0};
    size_t size = packed_sample(packed);
    for (size_t more = 1; more <= 64; more++) expect_refused("zeros behind", packed, size + more, "'");
    memcpy(packed + size, packed, size);
    expect_refused("two members", packed, 2 * size, "do not end where the file ends");
}

/* A flipped bit is either harmless (the time stamp in the header) or found. */
static void survives_every_flipped_bit(void **state)
{
    (void)state;
    static const unsigned shape[3] = {4, 5, 6};
    unsigned char packed[ROOM];
    size_t size = packed_sample(packed);
    int harmless = 0;
    for (size_t bit = 0; bit < 8 * size; bit++) {
        packed[bit / 8] ^= (unsigned char)(1 << bit % 8);
        const char *path = scratch_write("flipped", packed, size);
        cn_tensor *tensor = cn_idx_read(path);
        if (tensor) {
            cn_tensor_destroy(&tensor);
            expect_counting(path, 3, shape);
            harmless++;
        } else {
            assert_int_equal(cn_error_status(), CN_EFORMAT);
        }
        packed[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    assert_in_range(harmless, 1, 8 * 8); /* at most the time, extra flags, system and text flag */
}

static void says_what_is_no_file(void **state)
{
    (void)state;
    assert_null(cn_idx_read(scratch_path("missing")));
    assert_int_equal(cn_error_status(), CN_ENOTFOUND);
    assert_null(cn_idx_read(scratch_folder));
    assert_int_equal(cn_error_status(), CN_EIO);
    assert_null(cn_idx_read(NULL));
    assert_int_equal(cn_error_status(), CN_EINVAL);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    unsigned char packed[ROOM];
    const char *path = scratch_write("packed", packed, packed_sample(packed));
    int64_t live = cn__memory_live_blocks();
    cn_tensor *tensor = NULL;
    uint64_t n = 0;
    while (!tensor) {
        cn__memory_fail_after(++n);
        tensor = cn_idx_read(path);
        cn__memory_fail_after(0);
        if (tensor) break;
        assert_int_equal(cn_error_status(), CN_ENOMEM);
        assert_int_equal(cn__memory_live_blocks(), live);
    }
    assert_in_range(n, 3, 10);
    cn_tensor_destroy(&tensor);
    assert_int_equal(cn__memory_live_blocks(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_plain_and_packed),
        cmocka_unit_test(refuses_bad_headers),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(refuses_trailing_bytes),
        cmocka_unit_test(survives_every_flipped_bit),
        cmocka_unit_test(says_what_is_no_file),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
