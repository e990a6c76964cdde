/* safetensors: round trip, a file from another writer, and damaged files of every kind.
 * `test_safetensors --write FILE` writes the sample that tests/parity/check_safetensors.py checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"
#include "formats/format_safetensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GOLDEN CN_SOURCE_DATA_DIR "/../tests/format/golden/pypi.safetensors"

static char scratch[64];

static const float kernel[12] = {-1, -0.5f, 0, 0.5f, 1, 1.5f, 2, 2.5f, 3, 3.5f, 4, 4.5f};
static const uint8_t pixels[6] = {0, 50, 100, 150, 200, 250};
static const double exact[2] = {3.141592653589793, -2.718281828459045};
static const int64_t steps = 9380;
static const int32_t labels[4] = {-1, 0, 7, INT32_MAX};

/* The six odd bytes of pixels push what follows to addresses that are not aligned for it. */
static const cn__array sample[] = {
    {"dense/kernel", CN_FLOAT32, 2, {3, 4}, kernel}, {"pixels", CN_UINT8, 2, {2, 3}, pixels},
    {"exact", CN_FLOAT64, 1, {2}, exact},            {"steps", CN_INT64, 0, {0}, &steps},
    {"labels", CN_INT32, 1, {4}, labels},            {"empty", CN_FLOAT32, 2, {0, 3}, NULL},
};
enum { N_SAMPLE = sizeof sample / sizeof sample[0] };
static const char *const keys[] = {"format", "config"};
static const char *const values[] = {"cornu", "{\"class_name\": \"Sequential\", \"name\": \"gr\xc3\xbc\xc3\x9f "
                                              "\\\"dich\\\"\"}"};

static int write_sample(const char *path)
{
    return cn__safetensors_write(path, N_SAMPLE, sample, 2, keys, values);
}

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

static void spill(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

static void expect_array(cn__safetensors *file, const cn__array *expected)
{
    cn__array got;
    assert_int_equal(cn__safetensors_find(file, expected->name, &got), 0);
    assert_string_equal(got.name, expected->name);
    assert_int_equal(got.dtype, expected->dtype);
    assert_int_equal(got.ndim, expected->ndim);
    size_t bytes = cn_dtype_size(got.dtype);
    assert_int_equal((uintptr_t)got.data % bytes, 0);
    for (int i = 0; i < got.ndim; i++) {
        assert_int_equal(got.shape[i], expected->shape[i]);
        bytes *= (size_t)got.shape[i];
    }
    if (bytes) assert_memory_equal(got.data, expected->data, bytes);
}

static void expect_sample(cn__safetensors *file)
{
    for (int i = 0; i < N_SAMPLE; i++) expect_array(file, &sample[i]);
    for (int i = 0; i < 2; i++) assert_string_equal(cn__safetensors_metadata(file, keys[i]), values[i]);
    assert_null(cn__safetensors_metadata(file, "absent"));
}

static void test_round_trip(void **state)
{
    (void)state;
    cn__safetensors *file;
    assert_int_equal(write_sample(scratch), 0);
    assert_int_equal(cn__safetensors_read(scratch, &file), 0);
    assert_int_equal(cn__safetensors_count(file), N_SAMPLE);
    for (int i = 0; i < N_SAMPLE; i++) {
        cn__array got;
        assert_int_equal(cn__safetensors_at(file, i, &got), 0);
        assert_string_equal(got.name, sample[i].name);
    }
    expect_sample(file);
    cn__array got;
    assert_int_equal(cn__safetensors_at(file, N_SAMPLE, &got), CN_EINVAL);
    assert_int_equal(cn__safetensors_find(file, "bias", &got), CN_ENAME);
    assert_non_null(strstr(cn_error_message(), "bias"));
    cn__safetensors_destroy(&file);
    assert_null(file);
    cn__safetensors_destroy(&file);
    cn__safetensors_destroy(NULL);

    size_t size;
    unsigned char *bytes = slurp(scratch, &size);
    assert_int_equal(bytes[0] % 8, 0);
    assert_int_equal(bytes[8], '{');
    free(bytes);
}

static void test_no_arrays(void **state)
{
    (void)state;
    cn__safetensors *file;
    assert_int_equal(cn__safetensors_write(scratch, 0, NULL, 0, NULL, NULL), 0);
    assert_int_equal(cn__safetensors_read(scratch, &file), 0);
    assert_int_equal(cn__safetensors_count(file), 0);
    assert_null(cn__safetensors_metadata(file, "format"));
    cn__safetensors_destroy(&file);
}

static void test_file_from_pypi(void **state)
{
    (void)state;
    cn__safetensors *file;
    cn__array got;
    assert_int_equal(cn__safetensors_read(GOLDEN, &file), 0);
    assert_int_equal(cn__safetensors_count(file), N_SAMPLE + 2);
    expect_sample(file);
    const float half[5] = {1, -2, 65504, 0x1p-24f, INFINITY}, brain[3] = {1, -2.5f, 0x1.fcp127f};
    expect_array(file, &(cn__array){"half", CN_FLOAT32, 1, {5}, half});
    expect_array(file, &(cn__array){"brain", CN_FLOAT32, 1, {3}, brain});
    assert_int_equal(cn__safetensors_find(file, "half", &got), 0);
    cn__safetensors_destroy(&file);
}

static void test_writer_refuses(void **state)
{
    (void)state;
    const cn__array twice[] = {sample[0], sample[0]};
    const cn__array bad[] = {
        {"__metadata__", CN_UINT8, 1, {1}, pixels},    {NULL, CN_UINT8, 1, {1}, pixels},
        {"negative", CN_UINT8, 1, {-1}, pixels},       {"none", CN_UINT8, 1, {1}, NULL},
        {"axes", CN_UINT8, 9, {1}, pixels},            {"type", CN_DTYPE_COUNT, 1, {1}, pixels},
        {"huge", CN_FLOAT64, 2, {1LL << 62, 4}, exact}, {"\xff\xfe", CN_UINT8, 1, {1}, pixels},
    };
    remove(scratch);
    assert_int_equal(cn__safetensors_write(scratch, 2, twice, 0, NULL, NULL), CN_EINVAL);
    assert_non_null(strstr(cn_error_message(), "dense/kernel"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(cn__safetensors_write(scratch, 1, &bad[i], 0, NULL, NULL), CN_EINVAL);
    assert_int_equal(cn__safetensors_write(scratch, 0, NULL, 1, keys, &(const char *){"\xff"}), CN_EINVAL);
    assert_int_equal(cn__safetensors_write(scratch, 0, NULL, 2, (const char *[]){"a", "a"}, values), CN_EINVAL);
    assert_int_not_equal(access(scratch, F_OK), 0);
    assert_int_equal(write_sample("/no/such/folder/x.safetensors"), CN_EIO);
    assert_int_equal(write_sample("/dev/full"), CN_EIO);
}

/* A header, how many bytes follow it, and a part of the sentence. */
static const struct {
    const char *header;
    size_t data;
    const char *says;
} damaged[] = {
    {"", 0, "begin with {"},
    {"[1]", 0, "begin with {"},
    {" {}", 0, "begin with {"},
    {"{", 0, "damaged"},
    {"{} x", 0, "damaged"},
    {"{\"a\":1,\"a\":2}", 0, "damaged"},
    {"{\"__metadata__\":3}", 0, "__metadata__"},
    {"{\"__metadata__\":{\"k\":3}}", 0, "\"k\""},
    {"{\"a\":3}", 0, "\"a\" lacks"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "\"a\" lacks"},
    {"{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "\"a\" lacks"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 4, "\"a\" lacks"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0.0,4]}}", 4, "\"a\" lacks"},
    {"{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4, "F8_E4M3"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}", 4, "\"a\" has no shape"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}", 1, "at most 8"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "no count along axis 0"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", 4, "no count along axis 0"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "damaged or cut short"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 4, "damaged or cut short"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 3, "damaged or cut short"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,9223372036854775807]}}", 4, "damaged or cut short"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,9223372036854775808]}}", 4, "damaged"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "\"a\" occupies 4"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0, "\"a\" occupies 0"},
    {"{\"a\":{\"dtype\":\"F64\",\"shape\":[2305843009213693953],\"data_offsets\":[0,8]}}", 8, "\"a\" occupies 8"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 5, "belong to no tensor"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[1,5]}}", 5, "\"a\" begins at byte 1"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
     "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}", 6, "\"b\" begins at byte 2"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
     "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[5,6]}}", 6, "\"b\" begins at byte 5"},
    {"{\"a\\u001b[2J\":3}", 0, "\"a?[2J\" lacks"},
    {"{\"a\\u0000b\":3}", 0, "damaged"},
};

static void test_damaged_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        unsigned char bytes[1024] = {0};
        uint64_t length = strlen(damaged[i].header);
        memcpy(bytes, &length, 8);
        memcpy(bytes + 8, damaged[i].header, length);
        spill(scratch, bytes, 8 + length + damaged[i].data);
        cn__safetensors *file;
        int status = cn__safetensors_read(scratch, &file);
        const char *said = cn_error_message();
        if (status != CN_EFORMAT || file || !strstr(said, damaged[i].says) || !strstr(said, scratch))
            fail_msg("header %s: status %d, said \"%s\", expected \"%s\"", damaged[i].header, status, said,
                     damaged[i].says);
    }
    assert_int_equal(cn__safetensors_read("/no/such/file", &(cn__safetensors *){NULL}), CN_ENOTFOUND);
}

static void test_lying_length(void **state)
{
    (void)state;
    const uint64_t lengths[] = {3, 1 << 20, 100000001, UINT64_MAX, UINT64_MAX - 7, (uint64_t)1 << 63};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        unsigned char bytes[10] = {0, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
        memcpy(bytes, &lengths[i], 8);
        spill(scratch, bytes, sizeof bytes);
        cn__safetensors *file;
        assert_int_equal(cn__safetensors_read(scratch, &file), CN_EFORMAT);
    }
}

static void test_truncation_at_every_byte(void **state)
{
    (void)state;
    size_t size;
    assert_int_equal(write_sample(scratch), 0);
    unsigned char *bytes = slurp(scratch, &size);
    for (size_t kept = 0; kept < size; kept++) {
        cn__safetensors *file;
        spill(scratch, bytes, kept);
        if (cn__safetensors_read(scratch, &file) != CN_EFORMAT || file)
            fail_msg("cut to %zu of %zu bytes: accepted", kept, size);
    }
    free(bytes);
}

/* A flipped bit may leave a valid file (in a name, say); then everything in it must still be readable. */
static void test_bit_flips(void **state)
{
    (void)state;
    size_t size, accepted = 0, refused = 0;
    assert_int_equal(write_sample(scratch), 0);
    unsigned char *bytes = slurp(scratch, &size);
    uint64_t length;
    memcpy(&length, bytes, 8);
    for (size_t bit = 0; bit < 8 * (8 + length); bit++) {
        cn__safetensors *file;
        cn__array got;
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        spill(scratch, bytes, size);
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        int status = cn__safetensors_read(scratch, &file);
        if (status == 0) accepted++;
        else refused++;
        if (status != 0 && status != CN_EFORMAT) fail_msg("bit %zu: status %d, %s", bit, status, cn_error_message());
        for (int i = 0; file && i < cn__safetensors_count(file); i++)
            assert_int_equal(cn__safetensors_at(file, i, &got), 0);
        cn__safetensors_destroy(&file);
    }
    assert_true(accepted > 0 && refused > accepted);
    free(bytes);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    int64_t live = cn__memory_live_blocks();
    int failures = 0;
    for (uint64_t n = 1; n < 100; n++) {
        cn__safetensors *file;
        cn__array got = {0};
        cn__memory_fail_after(n);
        int status = write_sample(scratch);
        if (status == 0) status = cn__safetensors_read(scratch, &file);
        if (status == 0) {
            for (int i = 0; i < N_SAMPLE && status == 0; i++) status = cn__safetensors_at(file, i, &got);
            cn__safetensors_destroy(&file);
        }
        cn__memory_fail_after(0);
        assert_int_equal(cn__memory_live_blocks(), live);
        if (status == 0) break;
        assert_int_equal(status, CN_ENOMEM);
        failures++;
    }
    assert_in_range(failures, 5, 50);
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--write")) return write_sample(argv[2]) < 0;
    snprintf(scratch, sizeof scratch, "/tmp/test_safetensors-%ld", (long)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),        cmocka_unit_test(test_no_arrays),
        cmocka_unit_test(test_file_from_pypi),    cmocka_unit_test(test_writer_refuses),
        cmocka_unit_test(test_damaged_headers),   cmocka_unit_test(test_lying_length),
        cmocka_unit_test(test_truncation_at_every_byte), cmocka_unit_test(test_bit_flips),
        cmocka_unit_test(test_out_of_memory),
    };
#ifdef CN_WITH_JSON
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove(scratch);
    return failed;
#else
    (void)tests;
    puts("skipped: built without jansson");
    return 77;
#endif
}
