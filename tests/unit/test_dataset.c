/* Data sets: finding the four files, checking that they belong together, and the real MNIST. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "formats/dataset_files.h"
#include "scratch.h"

#include <pthread.h>

/* --- small data sets --------------------------------------------------------------------------------------------- */

typedef struct sample {
    unsigned train[3], train_labels, test[3], test_labels;
} sample;

static const sample good = {{12, 4, 5}, 12, {6, 4, 5}, 6};

static void write_idx(const char *folder, const char *file, int ndim, const unsigned *shape, unsigned modulus, int pack)
{
    static unsigned char plain[4096], packed[4096];
    char name[256];
    size_t size = scratch_idx(plain, ndim, shape, modulus);
    snprintf(name, sizeof name, "%s/%s%s", folder, file, pack ? ".gz" : "");
    if (pack) size = scratch_gzip(plain, size, packed, sizeof packed);
    scratch_write(name, pack ? packed : plain, size);
}

/* Returns the folder's path. Labels count 0 ... 9 (training) and 0 ... 6. */
static const char *write_sample(const char *folder, const sample *s, int pack)
{
    scratch_make(folder);
    write_idx(folder, "train-images-idx3-ubyte", 3, s->train, 256, pack);
    write_idx(folder, "train-labels-idx1-ubyte", 1, &s->train_labels, 10, !pack);
    write_idx(folder, "t10k-images-idx3-ubyte", 3, s->test, 256, pack);
    write_idx(folder, "t10k-labels-idx1-ubyte", 1, &s->test_labels, 7, pack);
    return scratch_path(folder);
}

static void expect_sample(const char *name, const char *path, const char *expected_name, const char *expected_source)
{
    cn_dataset data;
    if (cn_dataset_load(&data, name, .path = path, .download = 0) < 0) fail_msg("%s", cn_error_message());
    assert_string_equal(data.name, expected_name);
    assert_string_equal(data.source, expected_source);
    assert_int_equal(data.num_classes, 10);
    assert_int_equal(cn_len(data.train_images), 12);
    assert_int_equal(cn_shape(data.test_images)[2], 5);
    assert_int_equal(cn_len(data.train_labels), 12);
    assert_int_equal(cn_get(data.train_images, 1, 0, 3), 23);
    assert_int_equal(cn_get(data.test_labels, 5), 5);
    cn_dataset_destroy(&data);
    assert_null(data.train_images);
    assert_string_equal(data.name, "");
    cn_dataset_destroy(&data);
    cn_dataset_destroy(NULL);
}

static void expect_refused(const char *name, const char *path, int status, const char *part)
{
    static const cn_dataset nothing;
    cn_dataset data;
    memset(&data, 0x55, sizeof data);
    int64_t live = cn__memory_live_blocks();
    int result = cn_dataset_load(&data, name, .path = path, .download = 0);
    if (result != status) fail_msg("%s: status %d, \"%s\"", name, result, cn_error_message());
    if (!strstr(cn_error_message(), part)) fail_msg("\"%s\" lacks \"%s\"", cn_error_message(), part);
    assert_memory_equal(&data, &nothing, sizeof data);
    assert_int_equal(cn__memory_live_blocks(), live);
}

static void loads_folders(void **state)
{
    (void)state;
    const char *plain = write_sample("plain", &good, 0), *packed = write_sample("packed", &good, 1);
    expect_sample(plain, NULL, "plain", plain);
    expect_sample(packed, NULL, "packed", packed);
    expect_sample(scratch_path("packed//"), NULL, "packed", packed);
    expect_sample("letters", plain, "letters", plain);
    expect_sample("mnist", plain, "mnist", plain);
    write_sample("mnist", &good, 1);
    expect_sample("mnist", scratch_folder, "mnist", scratch_path("mnist"));
    assert_int_equal(chdir(scratch_folder), 0);
    expect_sample("plain", NULL, "plain", "plain");
    expect_sample("./packed", NULL, "packed", "./packed");
}

static void accepts_the_other_spelling(void **state)
{
    (void)state;
    write_sample("dots", &good, 0);
    assert_int_equal(rename(scratch_path("dots/train-images-idx3-ubyte"), scratch_path("dots/train-images.idx3-ubyte")),
                     0);
    expect_sample(scratch_path("dots"), NULL, "dots", scratch_path("dots"));
}

static void refuses_what_does_not_fit(void **state)
{
    (void)state;
    sample s = good;
    s.train_labels = 11;
    expect_refused(write_sample("bad1", &s, 0), NULL, CN_EFORMAT, "12 images");
    expect_refused(scratch_path("bad1"), NULL, CN_EFORMAT, "11 labels");
    s = good;
    s.test_labels = 7;
    expect_refused(write_sample("bad2", &s, 1), NULL, CN_EFORMAT, "7 labels");
    s = good;
    s.test[2] = 6;
    expect_refused(write_sample("bad3", &s, 0), NULL, CN_EFORMAT, "4 x 5");
    s = good;
    s.train[0] = s.train_labels = 0;
    expect_refused(write_sample("bad4", &s, 0), NULL, CN_EFORMAT, "no images");
    s = good;
    s.test[1] = 0;
    expect_refused(write_sample("bad5", &s, 0), NULL, CN_EFORMAT, "no images");

    write_sample("swapped", &good, 0);
    assert_int_equal(rename(scratch_path("swapped/t10k-labels-idx1-ubyte.gz"), scratch_path("x")), -1);
    assert_int_equal(rename(scratch_path("swapped/t10k-labels-idx1-ubyte"), scratch_path("x")), 0);
    assert_int_equal(rename(scratch_path("swapped/t10k-images-idx3-ubyte"),
                            scratch_path("swapped/t10k-labels-idx1-ubyte")), 0);
    expect_refused(scratch_path("swapped"), NULL, CN_ENOTFOUND, "t10k-images-idx3-ubyte.gz");
    assert_int_equal(rename(scratch_path("x"), scratch_path("swapped/t10k-images-idx3-ubyte")), 0);
    expect_refused(scratch_path("swapped"), NULL, CN_EFORMAT, "swapped?");

    write_sample("broken", &good, 0);
    scratch_write("broken/t10k-images-idx3-ubyte", "\x1f\x8b rubbish rubbish rubbish", 25);
    expect_refused(scratch_path("broken"), NULL, CN_EFORMAT, "broken/t10k-images-idx3-ubyte");
}

static void says_what_is_missing(void **state)
{
    (void)state;
    expect_refused("mnits", NULL, CN_ENAME, "did you mean \"mnist\"");
    expect_refused("fashion_mnis", NULL, CN_ENAME, "did you mean \"fashion_mnist\"");
    expect_refused("cifar10", NULL, CN_ENAME, "mnist, fashion_mnist");
    expect_refused("cifar10", NULL, CN_ENAME, "folder");
    expect_refused(scratch_path("nowhere"), NULL, CN_ENOTFOUND, "nowhere");
    expect_refused("mnist", scratch_path("nowhere"), CN_ENOTFOUND, "nowhere");
    expect_refused("mnist", scratch_make("void"), CN_ENOTFOUND, "train-images-idx3-ubyte.gz");
    expect_refused(scratch_write("file", "x", 1), NULL, CN_ENOTFOUND, "is a file");
    expect_refused("", NULL, CN_EINVAL, "name");
    expect_refused(NULL, NULL, CN_EINVAL, "name");
    assert_int_equal(cn_dataset_open(NULL, "mnist", NULL), CN_EINVAL);
    char endless[3000];
    memset(endless, 'x', sizeof endless);
    endless[0] = '/';
    endless[sizeof endless - 1] = '\0';
    expect_refused(endless, NULL, CN_EIO, "longer than");
}

/* --- the search --------------------------------------------------------------------------------------------------- */

static void searches_in_order(void **state)
{
    (void)state;
    static cn__dataset_paths paths;
    cn__known_dataset letters = {.name = "letters", .debian_package = "dataset-letters"};
    char debian[128], data[128];
    snprintf(debian, sizeof debian, "%s/debian", scratch_folder);
    snprintf(data, sizeof data, "%s/data", scratch_folder);
    letters.debian_folder = debian;
    setenv("XDG_CACHE_HOME", scratch_folder, 1);
    setenv("CORNU_DATA", data, 1);

    assert_int_equal(cn__dataset_search(&letters, &paths), CN_ENOTFOUND);
    const char *message = cn_error_message();
    assert_non_null(strstr(message, "letters is not on this machine"));
    assert_non_null(strstr(message, "install Debian's package dataset-letters"));
    assert_non_null(strstr(message, "/data/letters"));
    assert_non_null(strstr(message, "/cornu/letters"));
    assert_non_null(strstr(message, "/debian"));
    assert_non_null(strstr(message, CN_SOURCE_DATA_DIR "/letters"));

    write_sample("debian", &good, 0);
    assert_int_equal(cn__dataset_search(&letters, &paths), CN_OK);
    assert_string_equal(paths.folder, debian);
    scratch_make("cornu");
    write_sample("cornu/letters", &good, 1);
    assert_int_equal(cn__dataset_search(&letters, &paths), CN_OK);
    assert_string_equal(paths.folder, scratch_path("cornu/letters"));
    scratch_make("data");
    write_sample("data", &good, 1); /* files without a name above them are nobody's letters */
    assert_int_equal(cn__dataset_search(&letters, &paths), CN_OK);
    assert_string_equal(paths.folder, scratch_path("cornu/letters"));
    write_sample("data/letters", &good, 1);
    assert_int_equal(cn__dataset_search(&letters, &paths), CN_OK);
    assert_string_equal(paths.folder, scratch_path("data/letters"));

    expect_sample("mnist", NULL, "mnist", data); /* but they are MNIST */
    unsetenv("CORNU_DATA");
}

static void finds_the_cache(void **state)
{
    (void)state;
    char folder[CN_PATH_BYTES];
    setenv("XDG_CACHE_HOME", "/cache", 1);
    assert_int_equal(cn__dataset_cache_folder("mnist", folder), CN_OK);
    assert_string_equal(folder, "/cache/cornu/mnist");
    setenv("XDG_CACHE_HOME", "relative paths are to be ignored", 1);
    setenv("HOME", "/home/somebody", 1);
    assert_int_equal(cn__dataset_cache_folder("mnist", folder), CN_OK);
    assert_string_equal(folder, "/home/somebody/.cache/cornu/mnist");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    assert_int_equal(cn__dataset_cache_folder("mnist", folder), CN_ENOTFOUND);
    assert_non_null(strstr(cn_error_message(), "HOME"));
}

/* --- the real one ------------------------------------------------------------------------------------------------- */

/* Of the numbers without the header; worked out from the unpacked files with coreutils. */
static void expect_digest(const cn_tensor *tensor, const char *expected)
{
    cn__sha256 hash;
    char digest[65];
    cn__sha256_begin(&hash);
    cn__sha256_add(&hash, cn_data(tensor), (size_t)cn_size(tensor));
    cn__sha256_end(&hash, digest);
    assert_string_equal(digest, expected);
}

static void loads_mnist(void **state)
{
    (void)state;
    cn_dataset data;
    int64_t live = cn__memory_live_blocks();
    if (cn_mnist_load(&data) < 0) fail_msg("%s", cn_error_message());
    assert_string_equal(data.name, "mnist");
    assert_int_equal(data.num_classes, 10);
    static const int64_t shape[3] = {60000, 28, 28};
    assert_int_equal(cn_ndim(data.train_images), 3);
    assert_memory_equal(cn_shape(data.train_images), shape, sizeof shape);
    assert_int_equal(cn_len(data.test_images), 10000);
    assert_true(cn_is_contiguous(data.train_images));
    assert_int_equal((uintptr_t)cn_data(data.train_images) % CN_ALIGNMENT, 0);
    expect_digest(data.train_images, "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757");
    expect_digest(data.train_labels, "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13");
    expect_digest(data.test_images, "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161");
    expect_digest(data.test_labels, "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5");
    cn_dataset_destroy(&data);
    assert_int_equal(cn__memory_live_blocks(), live);
}

/* What a download must match is the content of Debian's package, if that is there. */
static void expects_the_right_clothes(void **state)
{
    (void)state;
    const cn__known_dataset *known = cn__known_dataset_find("fashion_mnist");
    for (int i = 0; i < CN_DATASET_FILES; i++) {
        char command[CN_PATH_BYTES], digest[65] = "";
        snprintf(command, sizeof command, "zcat %s/%s.gz 2>&1 | sha256sum", known->debian_folder,
                 cn__dataset_file_names[i]);
        if (!cn__folder_exists(known->debian_folder)) {
            print_message("skipped: %s is not installed\n", known->debian_package);
            skip();
        }
        FILE *pipe_stream = popen(command, "r");
        assert_non_null(pipe_stream);
        assert_int_equal(fread(digest, 1, 64, pipe_stream), 64);
        pclose(pipe_stream);
        assert_string_equal(digest, known->sha256[i]);
    }
    cn_dataset data;
    assert_int_equal(cn_dataset_load(&data, "fashion_mnist", .download = 0), CN_OK);
    assert_string_equal(cn_class_name(data.name, (int)cn_get(data.train_labels, 0)), "Ankle boot");
    cn_dataset_destroy(&data);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    const char *folder = write_sample("memory", &good, 1);
    int64_t live = cn__memory_live_blocks();
    int status = CN_ENOMEM;
    for (uint64_t n = 1; status < 0; n++) {
        cn_dataset data;
        cn__memory_fail_after(n);
        status = cn_dataset_load(&data, folder, .download = 0);
        cn__memory_fail_after(0);
        cn_dataset_destroy(&data);
        if (status < 0) assert_int_equal(status, CN_ENOMEM);
        assert_int_equal(cn__memory_live_blocks(), live);
        assert_in_range(n, 1, 40);
    }
}

static void *load_once(void *folder)
{
    cn_dataset data;
    int status = cn_dataset_load(&data, folder, .download = 0);
    cn_dataset_destroy(&data);
    return status == CN_OK ? folder : NULL;
}

static void loads_side_by_side(void **state)
{
    (void)state;
    char folder[128];
    snprintf(folder, sizeof folder, "%s", write_sample("shared", &good, 1));
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, load_once, folder), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_non_null(result);
    }
}

static void names_classes(void **state)
{
    (void)state;
    assert_string_equal(cn_class_name("mnist", 0), "0");
    assert_string_equal(cn_class_name("mnist", 9), "9");
    assert_string_equal(cn_class_name("fashion_mnist", 0), "T-shirt/top");
    assert_string_equal(cn_class_name("fashion-mnist", 9), "Ankle boot");
    assert_null(cn_class_name("mnist", 10));
    assert_null(cn_class_name("mnist", -1));
    assert_null(cn_class_name("letters", 0));
    assert_null(cn_class_name("mnis", 0));
    assert_null(cn_class_name("mnist2", 0));
    assert_null(cn_class_name(NULL, 0));
}

int main(void)
{
    unsetenv("CORNU_DATA");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_mnist),
        cmocka_unit_test(loads_folders),
        cmocka_unit_test(accepts_the_other_spelling),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(says_what_is_missing),
        cmocka_unit_test(searches_in_order),
        cmocka_unit_test(finds_the_cache),
        cmocka_unit_test(expects_the_right_clothes),
        cmocka_unit_test(survives_lack_of_memory),
        cmocka_unit_test(loads_side_by_side),
        cmocka_unit_test(names_classes),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
