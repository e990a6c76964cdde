/* Event files byte for byte as TensorBoard's own classes write them (tests/parity/events.txt). */
#define _GNU_SOURCE
#include "formats/format_events.h"
#include "parity.h"
#include "scratch.h"
#include "small_model.h"

#include <cornu/built_in_callbacks.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define WALL 1700000000.25
enum { ROOM = 16384 };

static size_t read_recorded(unsigned char *bytes)
{
    char line[256];
    size_t n = 0;
    FILE *stream = fopen(CN_PARITY_DIR "/events.txt", "r");
    assert_non_null(stream);
    while (fgets(line, sizeof line, stream)) {
        unsigned byte;
        for (int at = 0; line[0] != '#' && sscanf(line + at, "%2x", &byte) == 1; at += 2)
            bytes[n++] = (unsigned char)byte;
    }
    fclose(stream);
    return n;
}

static size_t read_file(const char *path, unsigned char *bytes)
{
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    size_t n = fread(bytes, 1, ROOM, stream);
    fclose(stream);
    return n;
}

static void the_bytes_are_those_of_tensorboard(void **state)
{
    (void)state;
    unsigned char expected[ROOM], written[ROOM];
    char long_tag[251];
    cn__events *events;
    cn__histogram histogram;
    double counting[31], same[4] = {-2, -2, NAN, -2};
    for (int i = 0; i < 31; i++) counting[i] = i;
    memset(long_tag, 'a', sizeof long_tag);
    long_tag[250] = '\0';
    assert_int_equal(cn__events_open(scratch_path("new/train"), WALL, &events), CN_OK);
    cn__events_add_scalar(events, WALL, 0, "epoch_loss", 0.25);
    cn__events_add_scalar(events, WALL + 1, 1, "epoch_loss", 0);
    cn__events_add_scalar(events, WALL + 300, 300, "epoch_accuracy", 0.1);
    cn__events_add_scalar(events, WALL + 0x1p40, INT64_C(1) << 40, "batch_loss", NAN);
    cn__events_add_scalar(events, WALL + 7, 7, long_tag, -1e-30);
    cn__histogram_count(&histogram, 31, counting);
    cn__events_add_histogram(events, WALL + 2, 2, "dense/kernel/histogram", &histogram);
    cn__histogram_count(&histogram, 4, same);
    cn__events_add_histogram(events, WALL + 3, 3, "dense/bias/histogram", &histogram);
    cn__histogram_count(&histogram, 0, NULL);
    cn__events_add_histogram(events, WALL + 4, 4, "empty", &histogram);
    assert_int_equal(cn__events_flush(events), CN_OK);
    cn__events_close(&events);
    assert_null(events);
    size_t n = read_file(scratch_path("new/train/events.out.tfevents.1700000000.cornu.0"), written);
    assert_int_equal(n, read_recorded(expected));
    assert_memory_equal(written, expected, n);
}

static void a_second_file_of_the_same_second_has_another_name(void **state)
{
    (void)state;
    cn__events *a, *b;
    assert_int_equal(cn__events_open(scratch_path("twice"), WALL, &a), CN_OK);
    assert_int_equal(cn__events_open(scratch_path("twice"), WALL, &b), CN_OK);
    cn__events_close(&a);
    cn__events_close(&b);
    assert_int_equal(scratch_count(scratch_path("twice")), 2);
}

/* --- the callback --- */

/* How often a text stands in the only file of a folder. */
static int count_in(const char *folder, const char *text)
{
    static unsigned char bytes[1 << 20];
    char path[1024] = "";
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (entry->d_name[0] != '.') snprintf(path, sizeof path, "%.500s/%.500s", folder, entry->d_name);
    if (entries) closedir(entries);
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    size_t n = fread(bytes, 1, sizeof bytes, stream), length = strlen(text);
    fclose(stream);
    int count = 0;
    for (size_t i = 0; i + length <= n; i++) count += memcmp(bytes + i, text, length) == 0;
    return count;
}

static void the_callback_writes_scalars_and_histograms(void **state)
{
    (void)state;
    char folder[512];
    snprintf(folder, sizeof folder, "%s", scratch_path("logs"));
    cn_model *model = small_model();
    cn_tensor *x = small_x(16), *y = small_y(16);
    assert_int_equal(small_compile(model), CN_OK);
    assert_int_equal(cn_fit(model, x, y, .epochs = 4, .batch_size = 2, .validation_split = 0.5,
                            .callbacks = {cn_tensorboard(.log_dir = folder, .histogram_freq = 2, .update_freq = 3,
                                                         .write_steps_per_second = 1)}), CN_OK);
    static const struct {
        const char *part, *tag;
        int count;
    } expected[] = {{"train", "epoch_loss", 4},
                    {"train", "epoch_accuracy", 4},
                    {"train", "epoch_learning_rate", 4},
                    {"train", "epoch_steps_per_second", 4},
                    {"train", "batch_steps_per_second", 5},
                    {"train", "batch_loss", 5},
                    {"train", "dense/kernel/histogram", 2},
                    {"train", "dense_1/bias/histogram", 2},
                    {"train", "val_", 0},
                    {"validation", "epoch_loss", 4},
                    {"validation", "evaluation_accuracy_vs_iterations", 4},
                    {"validation", "learning_rate", 0}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        char part[1024];
        snprintf(part, sizeof part, "%s/%s", folder, expected[i].part);
        if (count_in(part, expected[i].tag) == expected[i].count) continue;
        print_message("%s %s: %d times\n", part, expected[i].tag, count_in(part, expected[i].tag));
        fail();
    }
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    cn_model *model = small_model();
    cn_tensor *x = small_x(16), *y = small_y(16);
    assert_int_equal(small_compile(model), CN_OK);
    assert_int_equal(cn_fit(model, x, y, .callbacks = {cn_tensorboard(.log_dir = "")}), CN_EINVAL);
    assert_string_equal(cn_error_message(), "TensorBoard: log_dir is empty");
    assert_int_equal(cn_fit(model, x, y, .callbacks = {cn_tensorboard(.histogram_freq = -1)}), CN_EINVAL);
    assert_int_equal(cn_fit(model, x, y, .callbacks = {cn_tensorboard(.update_freq = -1)}), CN_EINVAL);
    assert_int_equal(cn_fit(model, x, y, .callbacks = {cn_tensorboard(.log_dir = "/proc/none")}), CN_EIO);
    assert_non_null(strstr(cn_error_message(), "/proc/none"));
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_are_those_of_tensorboard),
        cmocka_unit_test(a_second_file_of_the_same_second_has_another_name),
        cmocka_unit_test(the_callback_writes_scalars_and_histograms),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests_name("events", tests, scratch_setup, scratch_teardown);
}
