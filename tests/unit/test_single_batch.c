/* cn_train_step and cn_test_step: against Keras's train_on_batch and test_on_batch (tests/parity/single_batches.txt),
 * without allocations, and what they refuse. */
#include "base/memory.h"
#include "parity.h"
#include "small_model.h"

#include <cornu/model.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define FILE_NAME "single_batches.txt"
enum { SAMPLES = 10, INPUTS = 4, HIDDEN = 5, CLASSES = 3 };

/* The data and the weights that the record says. */
typedef struct batch {
    cn_tensor *x, *rows, *labels, *sample_weight, *class_weight;
} batch;

static batch make_batch(void)
{
    float inputs[SAMPLES * INPUTS], rows[SAMPLES * CLASSES] = {0};
    int64_t labels[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        for (int j = 0; j < INPUTS; j++) inputs[i * INPUTS + j] = (float)((7 * i + 3 * j) % 11 / 10.0);
        labels[i] = 5 * i % CLASSES;
        rows[i * CLASSES + labels[i]] = 1;
    }
    return (batch){.x = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){SAMPLES, INPUTS}, inputs),
                   .rows = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){SAMPLES, CLASSES}, rows),
                   .labels = cn_tensor_from(CN_INT64, 1, (int64_t[]){SAMPLES}, labels),
                   .sample_weight = cn_tensor_from(CN_FLOAT32, 1, (int64_t[]){SAMPLES},
                                                   (float[]){0, 1, 2, .5f, 1, 3, 0, 1, .25f, 1.5f}),
                   .class_weight = cn_tensor_from(CN_FLOAT32, 1, (int64_t[]){2}, (float[]){2, .5f})};
}

static void destroy_batch(batch *b)
{
    cn_tensor **all[] = {&b->x, &b->rows, &b->labels, &b->sample_weight, &b->class_weight};
    for (int i = 0; i < 5; i++) cn_tensor_destroy(all[i]);
}

static void set_by_rule(cn_model *model, int weight, int rows, int columns)
{
    float values[HIDDEN * HIDDEN];
    for (int a = 0; a < rows; a++)
        for (int b = 0; b < columns; b++) values[a * columns + b] = (float)(((3 * a + 5 * b) % 7 - 3) / 10.0);
    cn_tensor *tensor = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){rows, columns}, values);
    assert_int_equal(cn_model_set_weight(model, weight, tensor), CN_OK);
    cn_tensor_destroy(&tensor);
}

static cn_model *make_model(const char *loss)
{
    cn_model *model = cn_sequential(.threads = 2);
    cn_add(model, cn_dense(HIDDEN, .activation = "relu", .input_shape = {INPUTS}));
    cn_add(model, cn_dense(CLASSES, .activation = "softmax"));
    if (cn_compile(model, .optimizer_name = "rmsprop(0.01)", .loss = loss, .metrics = {"accuracy"},
                   .weighted_metrics = {"accuracy"}) < 0)
        fail_msg("%s", cn_error_message());
    set_by_rule(model, 0, INPUTS, HIDDEN);
    set_by_rule(model, 2, HIDDEN, CLASSES);
    return model;
}

/* Largest difference of n numbers from the record. */
static double off(const char *name, const char *key, int n, const double *got)
{
    char full[80];
    double expected[32], worst = 0;
    snprintf(full, sizeof full, "%s.%s", name, key);
    if (parity_numbers(FILE_NAME, full, expected, 32) != n) return INFINITY;
    for (int i = 0; i < n; i++) worst = fmax(worst, isnan(got[i]) ? INFINITY : fabs(got[i] - expected[i]));
    return worst;
}

static double weight_off(const char *name, const char *key, const cn_model *model, int weight)
{
    double values[32];
    cn_tensor *tensor = cn_model_get_weight(model, weight), *flat = cn_reshape(tensor, -1);
    int n = (int)cn_size(tensor);
    for (int i = 0; i < n; i++) values[i] = cn_get(flat, i);
    cn_tensor_destroy(&tensor);
    return off(name, key, n, values);
}

static double result_off(const char *name, const char *key, const cn_result *result)
{
    const double values[] = {result->loss, result->values[0], result->values[1]};
    assert_int_equal(result->n_metrics, 2);
    assert_int_equal(result->samples, SAMPLES);
    return off(name, key, 3, values);
}

/* Largest difference when the case `name` is trained with these weights and tested with that one. */
static double difference(const char *name, const cn_tensor *sample_weight, const cn_tensor *class_weight,
                         const cn_tensor *test_weight)
{
    char loss[80];
    batch b = make_batch();
    snprintf(loss, sizeof loss, "%s.loss", name);
    snprintf(loss, sizeof loss, "%s", parity_text(FILE_NAME, loss));
    const cn_tensor *y = loss[0] == 's' ? b.labels : b.rows;
    cn_model *model = make_model(loss);
    cn_result result;
    double worst = 0, number;
    for (int step = 0; step < 3; step++) {
        char key[16];
        snprintf(key, sizeof key, "train%d", step);
        assert_int_equal(cn_train_step(model, b.x, y, &number, .sample_weight = sample_weight,
                                       .class_weight = class_weight, .result = &result), CN_OK);
        worst = fmax(worst, result_off(name, key, &result));
        assert_true((double)(float)number == result.loss);
    }
    assert_int_equal(cn_test_step(model, b.x, y, &result, test_weight), CN_OK);
    worst = fmax(worst, result_off(name, "test", &result));
    worst = fmax(worst, weight_off(name, "kernel1", model, 0));
    worst = fmax(worst, weight_off(name, "bias2", model, 3));
    cn_model_destroy(&model);
    destroy_batch(&b);
    return worst;
}

static void steps_are_those_of_keras(void **state)
{
    (void)state;
    batch b = make_batch();
    assert_true(difference("plain", NULL, NULL, NULL) < 2e-6);
    assert_true(difference("sample_weight", b.sample_weight, NULL, b.sample_weight) < 2e-6);
    assert_true(difference("class_weight", NULL, b.class_weight, NULL) < 2e-6);
    assert_true(difference("sparse_sample_weight", b.sample_weight, NULL, NULL) < 2e-6);
    assert_true(difference("sparse_class_weight", NULL, b.class_weight, b.sample_weight) < 2e-6);
    assert_false(difference("sample_weight", NULL, NULL, b.sample_weight) < 1e-3);
    assert_false(difference("plain", NULL, NULL, b.sample_weight) < 1e-3);
    destroy_batch(&b);
}

static void a_step_is_a_fit_of_one_batch(void **state)
{
    char digests[2][65];
    (void)state;
    batch b = make_batch();
    for (int by_fit = 0; by_fit < 2; by_fit++) {
        cn_model *model = make_model("categorical_crossentropy");
        if (by_fit)
            assert_int_equal(cn_fit(model, b.x, b.rows, .sample_weight = b.sample_weight, .batch_size = SAMPLES,
                                    .shuffle = 0), CN_OK);
        else assert_int_equal(cn_train_step(model, b.x, b.rows, NULL, .sample_weight = b.sample_weight), CN_OK);
        assert_int_equal(cn_model_weights_sha256(model, digests[by_fit]), CN_OK);
        cn_model_destroy(&model);
    }
    assert_string_equal(digests[0], digests[1]);
    destroy_batch(&b);
}

/* A model that gives three rows for each sample: one weight for a sample is one for each of its rows. */
static void a_weight_counts_for_all_rows_of_a_sample(void **state)
{
    enum { N = 4, ROWS = 3 };
    char digests[2][65];
    float inputs[N * ROWS * 2], each[N] = {0, 1, 2, .5f}, every[N * ROWS];
    (void)state;
    for (int i = 0; i < N * ROWS * 2; i++) inputs[i] = (float)(i * 5 % 7) / 7;
    for (int i = 0; i < N * ROWS; i++) every[i] = each[i / ROWS];
    cn_tensor *x = cn_tensor_from(CN_FLOAT32, 3, (int64_t[]){N, ROWS, 2}, inputs);
    cn_tensor *weights[] = {cn_tensor_from(CN_FLOAT32, 1, (int64_t[]){N}, each),
                            cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){N, ROWS}, every)};
    for (int full = 0; full < 2; full++) {
        cn_model *model = cn_sequential(.threads = 1);
        cn_add(model, cn_dense(2, .input_shape = {ROWS, 2}));
        assert_int_equal(cn_compile(model, .loss = "mse"), CN_OK);
        for (int step = 0; step < 2; step++)
            assert_int_equal(cn_train_step(model, x, x, NULL, .sample_weight = weights[full]), CN_OK);
        assert_int_equal(cn_model_weights_sha256(model, digests[full]), CN_OK);
        cn_model_destroy(&model);
        cn_tensor_destroy(&weights[full]);
    }
    assert_string_equal(digests[0], digests[1]);
    cn_tensor_destroy(&x);
}

static void weighted_steps_allocate_nothing(void **state)
{
    (void)state;
    batch b = make_batch();
    cn_model *model = make_model("categorical_crossentropy");
    uint64_t before = 0;
    for (int step = 0; step < 5; step++) {
        if (step == 1) before = cn__memory_allocations();
        assert_int_equal(cn_train_step(model, b.x, b.rows, NULL, .sample_weight = b.sample_weight), CN_OK);
        assert_int_equal(cn_train_step(model, b.x, b.rows, NULL, .class_weight = b.class_weight), CN_OK);
        assert_int_equal(cn_test_step(model, b.x, b.rows, NULL, b.sample_weight), CN_OK);
    }
    assert_int_equal(cn__memory_allocations() - before, 0);
    cn_model_destroy(&model);
    destroy_batch(&b);
}

static void refused(int status, int expected, const char *words)
{
    assert_int_equal(status, expected);
    if (!strstr(cn_error_message(), words)) fail_msg("%s", cn_error_message());
}

static void bad_batches_are_refused(void **state)
{
    (void)state;
    batch b = make_batch();
    cn_model *model = make_model("categorical_crossentropy");
    char before[65], after[65];
    cn_tensor *few = cn_zeros(CN_FLOAT32, 3), *wrong = cn_zeros(CN_FLOAT32, SAMPLES);
    assert_int_equal(cn_model_weights_sha256(model, before), CN_OK);
    cn_tensor_set(wrong, (const int64_t[]){0}, NAN);
    refused(cn_train_step(model, b.x, b.rows, NULL, .sample_weight = b.sample_weight, .class_weight = b.class_weight),
            CN_EINVAL, "both given");
    refused(cn_train_step(model, b.x, b.rows, NULL, .sample_weight = few), CN_ESHAPE, "got shape (3,)");
    refused(cn_train_step(model, b.x, b.rows, NULL, .sample_weight = wrong), CN_EINVAL, "row 0 is nan");
    refused(cn_test_step(model, b.x, b.rows, NULL, few), CN_ESHAPE, "got shape (3,)");
    refused(cn_test_step(model, b.x, b.labels, NULL, NULL), CN_ESHAPE, "one-hot");
    cn_error_clear();
    refused(cn_test_step(model, b.x, NULL, NULL, NULL), CN_EINVAL, "cn_test_step: y is NULL");
    cn_error_clear();
    refused(cn_train_step(model, b.x, NULL, NULL), CN_EINVAL, "cn_train_step: y is NULL");
    assert_int_equal(cn_model_weights_sha256(model, after), CN_OK);
    assert_string_equal(before, after);
    cn_model *raw = cn_sequential(.threads = 1);
    refused(cn_test_step(raw, b.x, b.rows, NULL, NULL), CN_ESTATE, "cn_compile");
    cn_model_destroy(&raw);
    cn_tensor_destroy(&few);
    cn_tensor_destroy(&wrong);
    cn_model_destroy(&model);
    destroy_batch(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_those_of_keras),
        cmocka_unit_test(a_step_is_a_fit_of_one_batch),
        cmocka_unit_test(a_weight_counts_for_all_rows_of_a_sample),
        cmocka_unit_test(weighted_steps_allocate_nothing),
        cmocka_unit_test(bad_batches_are_refused),
    };
    return cmocka_run_group_tests_name("single_batch", tests, NULL, NULL);
}
