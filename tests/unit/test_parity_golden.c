/* Whole small fits against Keras (tests/parity/golden.txt; tests/parity/README.md describes data and network). */
#include "engines.h"
#include "parity.h"

#include <cornu/model.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { SAMPLES = 10, INPUTS = 4, HIDDEN = 5, CLASSES = 3 };

static const struct {
    const char *name, *optimizer;
    int sparse;
    double validation_split, tolerance;
    int weighted; /* class 0 counts 2, class 1 counts 0.5 */
} runs[] = {
    {"rmsprop", "rmsprop(0.01)", 0, 0, 1e-6},
    {"rmsprop_momentum", "rmsprop(0.01, momentum=0.9)", 0, 0, 1e-6},
    {"sgd", "sgd(0.1)", 0, 0, 1e-6},
    {"sgd_nesterov", "sgd(0.1, momentum=0.9, nesterov=true)", 0, 0, 1e-6},
    {"adam", "adam(0.01)", 0, 0, 5e-6}, /* Keras raises beta_1 and beta_2 to the t in float32 */
    {"rmsprop_sparse", "rmsprop(0.01)", 1, 0, 1e-6},
    {"sgd_validation_split", "sgd(0.1)", 0, 0.25, 1e-6},
    {"sgd_class_weight", "sgd(0.1)", 0, 0, 1e-6, .weighted = 1},
    {"sgd_class_weight", "sgd(0.1)", 1, 0, 1e-6, .weighted = 1}, /* labels mean what one-hot rows do */
};
enum { N_RUNS = sizeof runs / sizeof *runs };

static void set_by_rule(cn_model *model, int weight, int rows, int columns)
{
    float values[HIDDEN * HIDDEN];
    for (int a = 0; a < rows; a++)
        for (int b = 0; b < columns; b++) values[a * columns + b] = (float)(((3 * a + 5 * b) % 7 - 3) / 10.0);
    cn_tensor *tensor = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){rows, columns}, values);
    assert_int_equal(cn_model_set_weight(model, weight, tensor), CN_OK);
    cn_tensor_destroy(&tensor);
}

static cn_model *make_model(int which, const char *precision)
{
    cn_model *model = cn_sequential(.precision = precision, .threads = 2);
    cn_add(model, cn_input(INPUTS));
    cn_add(model, cn_dense(HIDDEN, .activation = "relu"));
    cn_add(model, cn_dense(CLASSES, .activation = "softmax"));
    assert_int_equal(cn_compile(model, .optimizer_name = runs[which].optimizer, .metrics = {"accuracy"},
                                .loss = runs[which].sparse ? "sparse_categorical_crossentropy"
                                                           : "categorical_crossentropy"), CN_OK);
    set_by_rule(model, 0, INPUTS, HIDDEN);
    set_by_rule(model, 2, HIDDEN, CLASSES);
    return model;
}

static void make_data(int sparse, cn_tensor **x, cn_tensor **y)
{
    float inputs[SAMPLES * INPUTS];
    uint8_t labels[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        for (int j = 0; j < INPUTS; j++) inputs[i * INPUTS + j] = (float)((7 * i + 3 * j) % 11 / 10.0);
        labels[i] = (uint8_t)(5 * i % CLASSES);
    }
    *x = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){SAMPLES, INPUTS}, inputs);
    *y = cn_tensor_from(CN_UINT8, 1, (int64_t[]){SAMPLES}, labels);
    if (!sparse) {
        cn_tensor *one_hot = cn_to_categorical(*y, CLASSES);
        cn_tensor_destroy(y);
        *y = one_hot;
    }
}

/* How far `n` numbers are from the record, relative to their size; infinity when the record has another count. */
static double compare(int which, const char *key, int n, const double *got)
{
    char full[160];
    double expected[64], worst = 0;
    snprintf(full, sizeof full, "%s.%s", runs[which].name, key);
    if (parity_numbers("golden.txt", full, expected, 64) != n) return INFINITY;
    for (int i = 0; i < n; i++) {
        double off = fabs(got[i] - expected[i]) / (fabs(expected[i]) + 0.1);
        worst = isnan(off) ? INFINITY : fmax(worst, off);
    }
    return worst;
}

static double compare_tensor(int which, const char *key, cn_tensor *tensor)
{
    double values[64];
    int n = (int)cn_size(tensor);
    cn_tensor *flat = cn_reshape(tensor, -1);
    for (int i = 0; i < n && i < 64; i++) values[i] = cn_get(flat, i);
    double off = compare(which, key, n, values);
    cn_tensor_destroy(&tensor);
    return off;
}

static double run(int which, const char *precision)
{
    static const char *const weights[] = {"kernel1", "bias1", "kernel2", "bias2"};
    cn_tensor *x, *y, *classes = NULL;
    cn_result result;
    make_data(runs[which].sparse, &x, &y);
    if (runs[which].weighted) classes = cn_tensor_from(CN_FLOAT64, 1, (int64_t[]){2}, (double[]){2, 0.5});
    cn_model *model = make_model(which, precision);
    assert_int_equal(cn_evaluate(model, x, y, &result, .batch_size = 4), CN_OK);
    double worst = compare(which, "evaluate_before", 2, (double[]){result.loss, result.accuracy});
    assert_int_equal(cn_fit(model, x, y, .epochs = 2, .batch_size = 4, .shuffle = 0,
                            .validation_split = runs[which].validation_split, .class_weight = classes), CN_OK);
    const cn_history *history = cn_model_history(model);
    for (int i = 0; cn_history_name(history, i); i++) {
        char key[64];
        snprintf(key, sizeof key, "history_%s", cn_history_name(history, i));
        worst = fmax(worst, compare(which, key, 2, cn_history_get(history, cn_history_name(history, i))));
    }
    assert_int_equal(cn_evaluate(model, x, y, &result, .batch_size = 4), CN_OK);
    worst = fmax(worst, compare(which, "evaluate_after", 2, (double[]){result.loss, result.accuracy}));
    for (int i = 0; i < 4; i++) worst = fmax(worst, compare_tensor(which, weights[i], cn_model_get_weight(model, i)));
    worst = fmax(worst, compare_tensor(which, "predict", cn_predict(model, x)));
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_tensor_destroy(&classes);
    return worst;
}

static void runs_end_where_keras_ends(void **state)
{
    (void)state;
    for (int i = 0; i < N_RUNS; i++) {
        double narrow = run(i, "float32"), wide = run(i, "float64");
        print_message("%-22s off by %.1e in float32, %.1e in float64\n", runs[i].name, narrow, wide);
        assert_true(narrow < runs[i].tolerance && wide < runs[i].tolerance);
    }
}

static void another_number_is_noticed(void **state)
{
    (void)state;
    assert_true(compare(0, "evaluate_before", 2, (double[]){1.0908941, 0.5}) < 1e-7);
    assert_false(compare(0, "evaluate_before", 2, (double[]){1.0909, 0.5}) < 2e-6);
    assert_false(compare(0, "evaluate_before", 2, (double[]){NAN, 0.5}) < 2e-6);
    assert_false(compare(0, "no_such_key", 2, (double[]){1, 1}) < 2e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_number_is_noticed),
        cmocka_unit_test(runs_end_where_keras_ends),
    };
    return cmocka_run_group_tests_name("parity_golden", tests, NULL, NULL);
}
