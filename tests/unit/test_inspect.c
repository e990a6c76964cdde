/* The look before the leap: each finding must be made where it belongs, and nowhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"

#include <cornu/dataset.h>
#include <cornu/inspect.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 100, FEATURES = 64, CLASSES = 4 };

/* Rows of unlike noise in 0 ... 1, and labels in no order; every test spoils something. */
static float x[ROWS][FEATURES], test_x[ROWS][FEATURES], one_hot[ROWS][CLASSES];
static int32_t classes[ROWS];

static int fill(void **state)
{
    (void)state;
    uint32_t noise = 1;
    memset(one_hot, 0, sizeof one_hot);
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < FEATURES; j++) {
            x[i][j] = (float)((noise = noise * 1664525 + 1013904223) >> 8) / 0x1p24f;
            test_x[i][j] = (float)((noise = noise * 1664525 + 1013904223) >> 8) / 0x1p24f;
        }
        classes[i] = (i * 7 + 3) % CLASSES;
        one_hot[i][classes[i]] = 1;
    }
    x[0][0] = test_x[0][0] = 1;
    return 0;
}

static void fill_with(float value)
{
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < FEATURES; j++) x[i][j] = value;
}

static cn_tensor *wrap(float *values, int64_t columns)
{
    return cn_tensor_wrap(CN_FLOAT32, 2, (const int64_t[]){ROWS, columns}, values);
}

static cn_tensor *wrap_classes(void)
{
    return cn_tensor_wrap(CN_INT32, 1, (const int64_t[]){ROWS}, classes);
}

/* Looks, destroys the tensors, and compares: kind is the only finding (CN_FINDING_COUNT: none). The sentence is left
 * in `said`. */
static char said[480];

static void expect(cn_finding_kind kind, cn_tensor *inputs, cn_tensor *labels, cn_inspect_options options)
{
    cn_finding findings[8];
    int64_t live = cn__memory_live_blocks();
    int n = cn_inspect_data(inputs, labels, findings, 8, &options);
    assert_int_equal(cn__memory_live_blocks(), live);
    if (n < 0) fail_msg("%s", cn_error_message());
    said[0] = '\0';
    for (int i = 0; i < n; i++)
        if (n > 1 || kind == CN_FINDING_COUNT) fail_msg("unexpected finding: %s", findings[i].sentence);
    if (kind != CN_FINDING_COUNT) {
        assert_int_equal(n, 1);
        assert_string_equal(cn_finding_name(findings[0].kind), cn_finding_name(kind));
        memcpy(said, findings[0].sentence, sizeof said);
    }
    cn_tensor_destroy(&inputs);
    cn_tensor_destroy(&labels);
}

static void expect_said(const char *part)
{
    if (!strstr(said, part)) fail_msg("\"%s\" lacks \"%s\"", said, part);
}

#define SPARSE "sparse_categorical_crossentropy"
#define CATEGORICAL "categorical_crossentropy"
#define OPTIONS(...) (cn_inspect_options){CN_INSPECT_DEFAULTS, __VA_ARGS__}
#define EXPECT(kind, inputs, labels, ...) expect(kind, inputs, labels, OPTIONS(__VA_ARGS__))
#define NONE CN_FINDING_COUNT

static void is_silent_about_good_data(void **state)
{
    (void)state;
    EXPECT(NONE, wrap(x[0], FEATURES), NULL, .loss = NULL);
    EXPECT(NONE, wrap(x[0], FEATURES), wrap_classes(), .loss = SPARSE, .num_classes = CLASSES);
    EXPECT(NONE, wrap(x[0], FEATURES), wrap_classes(), .loss = "SparseCategoricalCrossentropy", .num_classes = 0);
    EXPECT(NONE, wrap(x[0], FEATURES), wrap(one_hot[0], CLASSES), .loss = CATEGORICAL, .num_classes = CLASSES);
    EXPECT(NONE, wrap(x[0], FEATURES), wrap(one_hot[0], CLASSES), .loss = "binary_crossentropy");
    EXPECT(NONE, wrap(x[0], FEATURES), wrap(one_hot[0], CLASSES), .loss = "mse", .num_classes = CLASSES);
    EXPECT(NONE, wrap(x[0], FEATURES), wrap_classes(), .loss = "mse", .num_classes = 1);
    EXPECT(NONE, wrap(x[0], FEATURES), wrap_classes(), .loss = "crossentropy", .num_classes = CLASSES);
    EXPECT(NONE, wrap(x[0], FEATURES), wrap_classes(), .loss = "ce");
    EXPECT(NONE, wrap(x[0], FEATURES), wrap(one_hot[0], CLASSES), .loss = "crossentropy", .num_classes = CLASSES);
    cn_tensor *test = wrap(test_x[0], FEATURES);
    EXPECT(NONE, wrap(x[0], FEATURES), NULL, .test_x = test);
    cn_tensor_destroy(&test);
}

static void is_silent_about_mnist(void **state)
{
    (void)state;
    cn_dataset data;
    if (cn_mnist_load(&data) < 0) fail_msg("%s", cn_error_message());
    cn_tensor *images = cn_scale(cn_reshape(data.train_images, 60000, 784), 1.0 / 255);
    cn_tensor *test = cn_scale(cn_reshape(data.test_images, 10000, 784), 1.0 / 255);
    cn_finding findings[8];
    assert_int_equal(cn_inspect(images, data.train_labels, findings, 8, .loss = SPARSE, .num_classes = 10,
                                .shuffle = 0, .test_x = test, .test_y = data.test_labels), 0);
    assert_int_equal(cn_inspect(cn_scale(images, 1.0 / 255), NULL, findings, 8), 1);
    assert_int_equal(findings[0].kind, CN_FINDING_SCALED_TWICE);
    assert_non_null(strstr(findings[0].sentence, "0 ... 0.0039"));
    assert_int_equal(cn_inspect(data.train_images, NULL, findings, 8, .test_x = data.test_images), 1);
    assert_int_equal(findings[0].kind, CN_FINDING_NOT_SCALED);
    assert_non_null(strstr(findings[0].sentence, "0 ... 255"));
    assert_int_equal(cn_inspect(images, NULL, findings, 8, .test_x = cn_slice(images, {30000, 40000})), 1);
    assert_int_equal(findings[0].kind, CN_FINDING_TEST_IN_TRAIN);
    assert_non_null(strstr(findings[0].sentence, "10000 of the 10000"));
    assert_non_null(strstr(findings[0].sentence, "test row 0 is training row 30000"));
    cn_dataset_destroy(&data);
}

static void finds_wrong_scales(void **state)
{
    fill(state);
    cn_tensor *owner = wrap(x[0], FEATURES);
    EXPECT(NONE, cn_astype(cn_scale(owner, 0.1), CN_FLOAT64), NULL, .loss = NULL);
    EXPECT(CN_FINDING_SCALED_TWICE, cn_astype(cn_scale(owner, 1.0 / 255), CN_FLOAT64), NULL, .loss = NULL);
    expect_said("divide once");
    EXPECT(NONE, cn_astype(cn_scale(owner, 255), CN_FLOAT32), NULL, .loss = NULL); /* not whole: measurements */
    EXPECT(CN_FINDING_NOT_SCALED, cn_astype(cn_scale(owner, 255), CN_UINT8), NULL, .loss = NULL);
    EXPECT(CN_FINDING_NOT_SCALED, cn_astype(cn_scale(owner, 255), CN_INT64), NULL, .loss = NULL);
    EXPECT(NONE, cn_astype(cn_scale(owner, 2550), CN_INT32), NULL, .loss = NULL); /* counts, not bytes */
    EXPECT(NONE, cn_astype(cn_scale(owner, 16), CN_INT32), NULL, .loss = NULL);   /* grey values of scikit-learn */
    EXPECT(NONE, cn_astype(cn_scale(owner, -1.0 / 255), CN_FLOAT32), NULL, .loss = NULL);
    EXPECT(NONE, cn_astype(cn_slice(cn_scale(owner, 1.0 / 255), CN_ALL, {0, 10}), CN_FLOAT32), NULL, .loss = NULL);
    cn_tensor *bytes = cn_astype(cn_scale(owner, 255), CN_UINT8);
    EXPECT(CN_FINDING_NOT_SCALED, wrap(test_x[0], FEATURES), NULL, .test_x = bytes);
    expect_said("the test inputs are whole numbers in 0 ... 255");
    cn_tensor_destroy(&bytes);
    cn_tensor_destroy(&owner);
}

static void finds_what_is_not_finite(void **state)
{
    static const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    static const char *const names[] = {"(nan)", "(nan)", "(inf)", "(-inf)"};
    for (int i = 0; i < 4; i++) {
        fill(state);
        x[17][5] = bad[i];
        EXPECT(CN_FINDING_NOT_FINITE, wrap(x[0], FEATURES), NULL, .loss = NULL);
        expect_said(names[i]);
        expect_said("hold 1 value that is not finite");
        expect_said("row 17, column 5");
        x[99][63] = bad[3 - i];
        cn_tensor *single = wrap(x[0], FEATURES);
        EXPECT(CN_FINDING_NOT_FINITE, cn_astype(single, CN_FLOAT64), NULL, .loss = NULL);
        cn_tensor_destroy(&single);
        expect_said("hold 2 values that are not finite");
        expect_said("row 17, column 5");
    }
    fill(state);
    test_x[0][0] = NAN;
    cn_tensor *test = wrap(test_x[0], FEATURES);
    EXPECT(CN_FINDING_NOT_FINITE, wrap(x[0], FEATURES), NULL, .test_x = test);
    expect_said("the test inputs");
    cn_tensor_destroy(&test);
    fill_with(NAN);
    EXPECT(CN_FINDING_NOT_FINITE, wrap(x[0], FEATURES), NULL, .loss = NULL);
    fill(state);
    x[3][3] = 3e38f, x[3][4] = -3e38f; /* large, but finite */
    EXPECT(NONE, wrap(x[0], FEATURES), NULL, .loss = NULL);
    fill(state);
}

static void finds_constants(void **state)
{
    fill_with(-0.5f);
    EXPECT(CN_FINDING_CONSTANT, wrap(x[0], FEATURES), NULL, .loss = NULL);
    expect_said("all 6400 inputs equal -0.5");
    x[99][63] = -0.25f;
    EXPECT(NONE, wrap(x[0], FEATURES), NULL, .loss = NULL);
    cn_tensor *zeros = cn_zeros(CN_UINT8, 5, 8, 8);
    EXPECT(CN_FINDING_CONSTANT, zeros, NULL, .loss = NULL);
    fill(state);
}

static void finds_labels_out_of_range(void **state)
{
    classes[40] = classes[50] = 12;
    EXPECT(CN_FINDING_LABEL_RANGE, wrap(x[0], FEATURES), wrap_classes(), .loss = SPARSE, .num_classes = CLASSES);
    expect_said("row 40 of the labels is 12");
    expect_said("2 in all");
    expect_said("0 ... 3; give it 13 units");
    EXPECT(NONE, wrap(x[0], FEATURES), wrap_classes(), .loss = SPARSE);
    EXPECT(NONE, wrap(x[0], FEATURES), wrap_classes(), .num_classes = CLASSES);
    classes[40] = -1;
    EXPECT(CN_FINDING_LABEL_RANGE, wrap(x[0], FEATURES), wrap_classes(), .loss = SPARSE);
    expect_said("row 40 of the labels is -1");
    fill(state);
    classes[7] = 2;
    EXPECT(CN_FINDING_LABEL_RANGE, wrap(x[0], FEATURES), wrap_classes(), .loss = "binary_crossentropy");
    expect_said("0 ... 1");

    cn_tensor *labels = cn_zeros(CN_FLOAT32, ROWS, 1);
    ((float *)cn_data(labels))[9] = 1.5f;
    EXPECT(CN_FINDING_LABEL_RANGE, wrap(x[0], FEATURES), labels, .loss = SPARSE, .num_classes = CLASSES);
    expect_said("row 9 of the labels is 1.5");
    labels = cn_zeros(CN_FLOAT32, ROWS, 1);
    ((float *)cn_data(labels))[9] = NAN;
    EXPECT(CN_FINDING_LABEL_RANGE, wrap(x[0], FEATURES), labels, .loss = SPARSE, .num_classes = CLASSES);
    expect_said("nan");

    one_hot[11][(classes[11] + 1) % CLASSES] = 1;
    EXPECT(CN_FINDING_LABEL_RANGE, wrap(x[0], FEATURES), wrap(one_hot[0], CLASSES), .loss = CATEGORICAL);
    expect_said("row 11 of the labels adds up to 2");
    one_hot[11][0] = -1;
    EXPECT(CN_FINDING_LABEL_RANGE, wrap(x[0], FEATURES), wrap(one_hot[0], CLASSES), .loss = CATEGORICAL);
    expect_said("row 11 of the labels holds -1");
    fill(state);
}

static void finds_labels_of_the_wrong_kind(void **state)
{
    fill(state);
    EXPECT(CN_FINDING_LABEL_KIND, wrap(x[0], FEATURES), wrap(one_hot[0], CLASSES), .loss = SPARSE);
    expect_said("one-hot rows of 4");
    EXPECT(CN_FINDING_LABEL_KIND, wrap(x[0], FEATURES), wrap_classes(), .loss = CATEGORICAL, .num_classes = CLASSES);
    expect_said("0 ... 3");
    expect_said("cn_to_categorical(labels, 4)");
    EXPECT(CN_FINDING_LABEL_KIND, wrap(x[0], FEATURES), wrap_classes(),
           .loss = "CategoricalCrossentropy(from_logits=1)");
    EXPECT(CN_FINDING_LABEL_KIND, wrap(x[0], FEATURES), wrap_classes(), .loss = "mse", .num_classes = CLASSES);
    cn_tensor *test = wrap(test_x[0], FEATURES), *test_y = wrap_classes();
    EXPECT(CN_FINDING_LABEL_KIND, wrap(x[0], FEATURES), wrap(one_hot[0], CLASSES), .loss = CATEGORICAL, .test_x = test,
           .test_y = test_y);
    expect_said("the test labels are class numbers");
    EXPECT(CN_FINDING_LABEL_KIND, wrap(x[0], FEATURES), wrap_classes(), .loss = CATEGORICAL, .test_x = test,
           .test_y = test_y); /* one mistake, told once */
    cn_tensor_destroy(&test);
    cn_tensor_destroy(&test_y);
    /* Sequences: a row of labels for each input, and that is as it should be. */
    cn_tensor *steps = cn_zeros(CN_UINT8, ROWS, 5);
    EXPECT(NONE, wrap(x[0], FEATURES), cn_to_categorical(steps, CLASSES), .loss = CATEGORICAL);
    EXPECT(NONE, wrap(x[0], FEATURES), steps, .loss = SPARSE, .num_classes = CLASSES);
}

static void finds_sorted_labels(void **state)
{
    for (int i = 0; i < ROWS; i++) classes[i] = i * CLASSES / ROWS;
    EXPECT(CN_FINDING_LABELS_SORTED, wrap(x[0], FEATURES), wrap_classes(), .shuffle = 0);
    EXPECT(NONE, wrap(x[0], FEATURES), wrap_classes(), .shuffle = 1);
    memset(one_hot, 0, sizeof one_hot);
    for (int i = 0; i < ROWS; i++) one_hot[i][CLASSES - 1 - classes[i]] = 1;
    EXPECT(CN_FINDING_LABELS_SORTED, wrap(x[0], FEATURES), wrap(one_hot[0], CLASSES), .shuffle = 0,
           .loss = CATEGORICAL);
    classes[99] = 0;
    EXPECT(NONE, wrap(x[0], FEATURES), wrap_classes(), .shuffle = 0);
    memset(classes, 0, sizeof classes);
    EXPECT(NONE, wrap(x[0], FEATURES), wrap_classes(), .shuffle = 0); /* one class has no order */
    fill(state);
}

static void finds_test_rows_in_training(void **state)
{
    fill(state);
    cn_tensor *test = wrap(test_x[0], FEATURES);
    memcpy(test_x[31], x[62], sizeof x[62]);
    EXPECT(NONE, wrap(x[0], FEATURES), NULL, .test_x = test); /* 1 of 100 is not more than 1 % */
    memcpy(test_x[33], x[62], sizeof x[62]);
    memcpy(x[70], x[62], sizeof x[62]); /* twins among the training rows do not count twice */
    EXPECT(CN_FINDING_TEST_IN_TRAIN, wrap(x[0], FEATURES), NULL, .test_x = test);
    expect_said("2 of the 100 test inputs (2.0 %)");
    expect_said("test row 31 is training row 62");
    memcpy(test_x, x, sizeof x);
    for (int i = 0; i < ROWS; i++) test_x[i][63] += 0.125f; /* alike up to the last number */
    EXPECT(NONE, wrap(x[0], FEATURES), NULL, .test_x = test);
    EXPECT(NONE, wrap(x[0], FEATURES), NULL, .test_x = cn_scale(test, 2)); /* other scale: bytes mean nothing */
    for (int i = 0; i < ROWS; i++) memcpy(test_x[i], x[5], sizeof x[5]);
    EXPECT(CN_FINDING_TEST_IN_TRAIN, wrap(x[0], FEATURES), NULL, .test_x = cn_slice(test, {0, 50}));
    expect_said("50 of the 50");
    cn_tensor_destroy(&test);
    fill(state);
}

/* Rows of every length, so that all tails of the hash are used; only the last element tells them apart. */
static void compares_rows_of_any_length(void **state)
{
    (void)state;
    for (int64_t length = 1; length <= 70; length++) {
        cn_tensor *train = cn_zeros(CN_UINT8, 200, length), *test = cn_zeros(CN_UINT8, 50, length);
        for (int i = 0; i < 200; i++) cn_tensor_set(train, (const int64_t[]){i, length - 1}, i);
        for (int i = 0; i < 50; i++) cn_tensor_set(test, (const int64_t[]){i, length - 1}, i + 180);
        cn_finding finding;
        int n = cn_inspect(train, NULL, &finding, 1, .test_x = test);
        assert_true(n >= 1);
        if (length < 64) {
            assert_int_equal(n, 1);
            if (!strstr(finding.sentence, "20 of the 50")) fail_msg("%s", finding.sentence);
        }
        cn_tensor_destroy(&train);
        cn_tensor_destroy(&test);
    }
}

static void reads_views(void **state)
{
    fill(state);
    cn_tensor *owner = wrap(x[0], FEATURES);
    x[17][5] = NAN;
    cn_finding finding;
    assert_int_equal(cn_inspect(cn_transpose(owner), NULL, &finding, 1), 1);
    assert_non_null(strstr(finding.sentence, "row 5, column 17"));
    assert_int_equal(cn_inspect(cn_slice(owner, {10, 20}, {4, 8}), NULL, &finding, 1), 1);
    assert_non_null(strstr(finding.sentence, "row 7, column 1"));
    assert_int_equal(cn_inspect(cn_slice(owner, {20, 30}), NULL, &finding, 1), 0);
    cn_tensor_destroy(&owner);
    fill(state);
}

static void counts_what_does_not_fit(void **state)
{
    fill(state);
    x[0][1] = NAN;
    classes[0] = -1;
    cn_tensor *inputs = wrap(x[0], FEATURES), *labels = wrap_classes();
    cn_finding findings[2] = {{.kind = CN_FINDING_COUNT}, {.kind = CN_FINDING_COUNT}};
    assert_int_equal(cn_inspect(inputs, labels, NULL, 0, .loss = SPARSE), 2);
    assert_int_equal(cn_inspect(inputs, labels, findings, 1, .loss = SPARSE), 2);
    assert_int_equal(findings[0].kind, CN_FINDING_NOT_FINITE);
    assert_int_equal(findings[1].kind, CN_FINDING_COUNT);
    assert_int_equal(cn_inspect_data(inputs, labels, findings, 2, NULL), 1);
    cn_tensor_destroy(&inputs);
    cn_tensor_destroy(&labels);
    fill(state);
}

static void refuses_what_it_cannot_look_at(void **state)
{
    (void)state;
    cn_tensor *inputs = wrap(x[0], FEATURES), *none = cn_zeros(CN_FLOAT32, 0, 5),
              *scalar = cn_tensor_create(CN_FLOAT32, 0, NULL);
    cn_tensor *short_labels = cn_zeros(CN_INT32, ROWS - 1), *view = cn_transpose(inputs);
    cn_finding finding;
    cn_error_clear();
    assert_int_equal(cn_inspect(NULL, NULL, &finding, 1), CN_EINVAL);
    assert_int_equal(cn_inspect(none, NULL, &finding, 1), CN_EINVAL);
    assert_non_null(strstr(cn_error_message(), "(0, 5)"));
    assert_int_equal(cn_inspect(scalar, NULL, &finding, 1), CN_EINVAL);
    assert_int_equal(cn_inspect(inputs, NULL, NULL, 1), CN_EINVAL);
    assert_int_equal(cn_inspect(inputs, NULL, &finding, -1), CN_EINVAL);
    assert_int_equal(cn_inspect(inputs, short_labels, &finding, 1), CN_ESHAPE);
    assert_non_null(strstr(cn_error_message(), "100 inputs, but 99 labels"));
    assert_int_equal(cn_inspect(inputs, NULL, &finding, 1, .test_x = inputs, .test_y = short_labels), CN_ESHAPE);
    int64_t live = cn__memory_live_blocks();
    cn__memory_fail_after(1);
    assert_int_equal(cn_inspect(view, NULL, &finding, 1), CN_ENOMEM);
    assert_int_equal(cn_inspect(inputs, NULL, &finding, 1, .test_x = inputs), CN_ENOMEM);
    cn__memory_fail_after(0);
    assert_int_equal(cn__memory_live_blocks(), live);
    cn_tensor_destroy(&inputs);
    cn_tensor_destroy(&none);
    cn_tensor_destroy(&scalar);
    cn_tensor_destroy(&short_labels);
}

static void names_every_finding(void **state)
{
    (void)state;
    assert_string_equal(cn_finding_name(CN_FINDING_SCALED_TWICE), "scaled-twice");
    assert_string_equal(cn_finding_name(CN_FINDING_TEST_IN_TRAIN), "test-in-train");
    assert_string_equal(cn_finding_name(CN_FINDING_COUNT), "unknown finding");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_silent_about_good_data),
        cmocka_unit_test(is_silent_about_mnist),
        cmocka_unit_test(finds_wrong_scales),
        cmocka_unit_test(finds_what_is_not_finite),
        cmocka_unit_test(finds_constants),
        cmocka_unit_test(finds_labels_out_of_range),
        cmocka_unit_test(finds_labels_of_the_wrong_kind),
        cmocka_unit_test(finds_sorted_labels),
        cmocka_unit_test(finds_test_rows_in_training),
        cmocka_unit_test(compares_rows_of_any_length),
        cmocka_unit_test(reads_views),
        cmocka_unit_test(counts_what_does_not_fit),
        cmocka_unit_test(refuses_what_it_cannot_look_at),
        cmocka_unit_test(names_every_finding),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
