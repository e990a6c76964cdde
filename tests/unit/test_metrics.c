/* Every metric against Keras (tests/parity/metrics.txt): after one batch, two batches, with weights; confusion
 * matrix. */
#define _DEFAULT_SOURCE /* mkstemp */
#include "engines.h"
#include "parity.h"
#include "small_model.h"
#include "train/metric.h"

#include <cornu/cornu.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { ROWS = 24, COLUMNS = 4, FIRST = 10, MOST_CASES = 128 };

static char texts[MOST_CASES][128], targets[MOST_CASES][32], outputs[MOST_CASES][32];
static int n_cases;

static int read_cases(void **state)
{
    (void)state;
    char path[1024], line[8192];
    snprintf(path, sizeof path, "%s/metrics.txt", CN_PARITY_DIR);
    FILE *stream = fopen(path, "r");
    while (stream && fgets(line, sizeof line, stream)) {
        int number = 0, at = 0;
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "case%d.text: %n", &number, &at) == 1 && at && number < MOST_CASES) {
            snprintf(texts[number], sizeof *texts, "%s", line + at);
            n_cases = number + 1;
        }
        if (n_cases > 0 && strstr(line, ".inputs: "))
            sscanf(strchr(line, ' '), "%31s %31s", targets[n_cases - 1], outputs[n_cases - 1]);
    }
    if (stream) fclose(stream);
    return n_cases ? 0 : -1;
}

static cn_tensor *input(const char *name, cn_dtype dtype)
{
    double values[ROWS * COLUMNS];
    int n = parity_numbers("metrics.txt", name, values, ROWS * COLUMNS), columns = n / ROWS;
    assert_true(n == ROWS || n == ROWS * 2 || n == ROWS * COLUMNS);
    int is_list = !strcmp(name, "labels") || !strcmp(name, "weights") || !strcmp(name, "whole");
    int is_map = strstr(name, "maps") != NULL;
    int64_t shape[] = {ROWS, is_map ? 2 : columns, 2};
    cn_tensor *wide = cn_tensor_from(CN_FLOAT64, is_list ? 1 : is_map ? 3 : 2, shape, values);
    cn_tensor *tensor = cn_astype(wide, dtype);
    cn_tensor_destroy(&wide);
    return tensor;
}

/* Largest difference of the metric's result from the record; infinity when the record has another count. */
static double compare(int which, const char *what, const cn_metric *metric)
{
    char key[64];
    double expected[ROWS], worst = 0;
    snprintf(key, sizeof key, "case%d.%s", which, what);
    int n = parity_numbers("metrics.txt", key, expected, ROWS);
    cn_tensor *got = cn_metric_result(metric);
    if (!got || n != cn_size(got)) worst = INFINITY;
    for (int i = 0; got && i < n && i < cn_size(got); i++) {
        double off = fabs(cn_get(got, i) - expected[i]) / (fabs(expected[i]) + 0.1);
        worst = isnan(off) ? INFINITY : fmax(worst, off);
    }
    cn_tensor_destroy(&got);
    return worst;
}

static void update(cn_metric *metric, const cn_tensor *t, const cn_tensor *p, int64_t first, int64_t end)
{
    assert_int_equal(cn_metric_update_state(metric, cn_slice(t, {first, end}), cn_slice(p, {first, end}), NULL), CN_OK);
}

static double check(int which, cn_dtype dtype)
{
    cn_metric *metric = cn_metric_from_text(texts[which]);
    if (!metric) print_message("%s\n", cn_error_message());
    assert_non_null(metric);
    cn_tensor *t = input(targets[which], dtype), *p = input(outputs[which], dtype);
    cn_tensor *w = input(strstr(texts[which], "iou") ? "whole" : "weights", dtype);
    update(metric, t, p, 0, FIRST);
    double worst = compare(which, "first", metric);
    update(metric, t, p, FIRST, ROWS);
    worst = fmax(worst, compare(which, "both", metric));
    cn_metric_reset_state(metric);
    if (strstr(texts[which], "axis=0")) {
        assert_int_equal(cn_metric_update_state(metric, t, p, w), CN_EINVAL);
        assert_non_null(strstr(cn_error_message(), "with axis 0 a number belongs to no sample"));
    } else {
        assert_int_equal(cn_metric_update_state(metric, t, p, w), CN_OK);
        worst = fmax(worst, compare(which, "weighted", metric));
    }
    cn_tensor_destroy(&t);
    cn_tensor_destroy(&p);
    cn_tensor_destroy(&w);
    cn_metric_destroy(&metric);
    return worst;
}

static void results_are_those_of_keras(void **state)
{
    (void)state;
    int bad = 0;
    for (int i = 0; i < n_cases; i++) {
        double narrow = check(i, CN_FLOAT32);
        if (!(narrow < 3e-6)) print_message("%s, %s: off by %g\n", texts[i], targets[i], narrow);
        bad += !(narrow < 3e-6);
    }
    assert_int_equal(bad, 0);
}

/* Keras's thresholds and probabilities are float32; in float64 some numbers fall on the other side. */
static void float64_is_near(void **state)
{
    (void)state;
    for (int i = 0; i < n_cases; i++) {
        double wide = check(i, CN_FLOAT64);
        if (!(wide < 0.1)) print_message("%s: off by %g\n", texts[i], wide);
        assert_true(wide < 0.1);
    }
}

static void every_metric_has_a_case(void **state)
{
    (void)state;
    /* test_losses.c has them, or they are short names */
    static const char *const without[] = {"huber", "dice", "tversky", "circle", "ctc", "categorical_focal_crossentropy",
                                          "binary_focal_crossentropy", "categorical_generalized_cross_entropy",
                                          "mean_absolute_error", "mean_absolute_percentage_error",
                                          "mean_squared_logarithmic_error", "log_cosh"};
    for (int i = 0; cn_names(CN_NAMES_METRIC, i); i++) {
        const char *name = cn_names(CN_NAMES_METRIC, i);
        int found = 0;
        for (int k = 0; k < n_cases; k++)
            found |= strlen(name) == strcspn(texts[k], "(") && !strncmp(texts[k], name, strlen(name));
        for (size_t k = 0; k < sizeof without / sizeof *without; k++) found |= !strcmp(name, without[k]);
        if (!found) print_message("no case for %s\n", name);
        assert_true(found);
        assert_true(strcmp(name, "mean_of_loss") != 0);
    }
}

static void another_number_is_noticed(void **state)
{
    (void)state;
    cn_metric *metric = cn_metric_from_text(texts[0]);
    cn_tensor *t = input(targets[0], CN_FLOAT32), *p = input(outputs[0], CN_FLOAT32);
    assert_false(compare(0, "first", metric) < 1e-6); /* nothing was seen */
    update(metric, t, p, 0, FIRST);
    assert_true(compare(0, "first", metric) < 1e-6);
    assert_false(compare(0, "both", metric) < 1e-6);
    assert_false(compare(0, "neither", metric) < 1e-6);
    cn_tensor_destroy(&t);
    cn_tensor_destroy(&p);
    cn_metric_destroy(&metric);
}

/* Over axis 1 of three axes it is what the transposed arrays give over the last one. */
static void axes_are_moved(void **state)
{
    static const char *const pairs[][2] = {{"cosine_similarity(axis=1)", "cosine_similarity"},
                                           {"pearson_correlation(axis=-2)", "pearson_correlation"},
                                           {"concordance_correlation(axis=1)", "concordance_correlation"},
                                           {"binary_crossentropy(axis=1)", "binary_crossentropy"}};
    (void)state;
    cn_tensor *values = input("values", CN_FLOAT64), *scores = input("scores", CN_FLOAT64);
    cn_tensor *weights = input("weights", CN_FLOAT64), *w = cn_slice(weights, {0, 8});
    cn_tensor *t = cn_reshape(values, 8, 4, 3), *turned_t = cn_tensor_transpose(t, (const int[]){0, 2, 1});
    cn_tensor *p = cn_reshape(scores, 8, 4, 3), *turned_p = cn_tensor_transpose(p, (const int[]){0, 2, 1});
    cn_tensor *wide = cn_zeros(CN_FLOAT64, 8, 3);
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 3; j++) cn_tensor_set(wide, (int64_t[]){i, j}, cn_get(w, i));
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        cn_metric *moved = cn_metric_from_text(pairs[i][0]), *plain = cn_metric_from_text(pairs[i][1]);
        assert_int_equal(cn_metric_update_state(moved, t, p, w), CN_OK);
        assert_int_equal(cn_metric_update_state(plain, turned_t, turned_p, wide), CN_OK);
        cn_tensor *a = cn_metric_result(moved), *b = cn_metric_result(plain);
        assert_true(cn_get(a, 0) == cn_get(b, 0) && cn_get(a, 0) != 0);
        cn_tensor_destroy(&a);
        cn_tensor_destroy(&b);
        cn_metric_destroy(&moved);
        cn_metric_destroy(&plain);
    }
    cn_tensor_destroy(&values);
    cn_tensor_destroy(&scores);
    cn_tensor_destroy(&weights);
    cn_tensor_destroy(&wide);
}

static void mean_and_sum_need_no_targets(void **state)
{
    (void)state;
    cn_metric *mean = cn_metric_from_text("mean"), *sum = cn_metric_from_text("sum"), *mse = cn_metric_from_text("mse");
    cn_tensor *values = cn_tensor_from(CN_FLOAT64, 1, (int64_t[]){4}, (double[]){1, 3, 5, 7});
    cn_tensor *weights = cn_tensor_from(CN_FLOAT64, 1, (int64_t[]){4}, (double[]){1, 1, 0, 0});
    assert_int_equal(cn_metric_update_state(mean, NULL, values, NULL), CN_OK);
    assert_int_equal(cn_metric_update_state(mean, NULL, values, weights), CN_OK);
    assert_int_equal(cn_metric_update_state(sum, NULL, values, weights), CN_OK);
    cn_tensor *a = cn_metric_result(mean), *b = cn_metric_result(sum);
    assert_true(cn_get(a, 0) == 20.0 / 6 && cn_get(b, 0) == 4); /* as in Keras's own examples */
    assert_int_equal(cn_metric_update_state(mse, NULL, values, NULL), CN_EINVAL);
    cn_tensor_destroy(&a);
    cn_tensor_destroy(&b);
    cn_tensor_destroy(&values);
    cn_tensor_destroy(&weights);
    cn_metric_destroy(&mean);
    cn_metric_destroy(&sum);
    cn_metric_destroy(&mse);
}

/* --- in a model --- */

static cn_model *compiled(const char *const metrics[CN_MAX_METRICS], const char *weighted)
{
    cn_model *model = small_model();
    cn_compile_options options = {CN_COMPILE_DEFAULTS, .loss = "sparse_categorical_crossentropy"};
    for (int i = 0; i < CN_MAX_METRICS && metrics[i]; i++) options.metrics[i] = metrics[i];
    options.weighted_metrics[0] = weighted;
    assert_int_equal(cn_model_compile(model, &options), CN_OK);
    return model;
}

static double alone(const char *text, const cn_tensor *y, const cn_tensor *p, const cn_tensor *w)
{
    cn_metric *metric = cn_metric_from_text(text);
    assert_int_equal(cn_metric_update_state(metric, y, p, w), CN_OK);
    cn_tensor *result = cn_metric_result(metric);
    double value = cn_get(result, 0);
    cn_tensor_destroy(&result);
    cn_metric_destroy(&metric);
    return value;
}

static void a_model_measures_what_a_metric_alone_does(void **state)
{
    (void)state;
    const char *metrics[CN_MAX_METRICS] = {"accuracy", "auc(num_thresholds=50)", "f1_score(average=macro)", "mse",
                                           "sparse_top_k_categorical_accuracy(k=2)", "precision(class_id=1)",
                                           "precision(class_id=2, name=of_two)",
                                           "categorical_crossentropy(from_logits=1)"};
    const char *const names[] = {"accuracy", "auc", "f1_score", "mse", "sparse_top_k_categorical_accuracy", "precision",
                                 "of_two", "categorical_crossentropy", "weighted_accuracy"};
    cn_model *model = compiled(metrics, "accuracy");
    cn_tensor *x = small_x(1000), *y = small_y(1000), *p = cn_predict(model, x), *w = cn_zeros(CN_FLOAT64, 1000);
    for (int i = 0; i < 1000; i++) ((double *)cn_data(w))[i] = i % 7;
    cn_result result;
    assert_int_equal(cn_evaluate(model, x, y, &result, .sample_weight = w), CN_OK);
    assert_int_equal(result.n_metrics, 9);
    for (int i = 0; i < 9; i++) {
        double expected = alone(i < 8 ? metrics[i] : "accuracy", y, p, i < 8 ? NULL : w);
        assert_string_equal(result.names[i], names[i]);
        if (!(fabs(result.values[i] - expected) < 1e-6))
            print_message("%s: %g, alone %g\n", names[i], result.values[i], expected);
        assert_true(fabs(result.values[i] - expected) < 1e-6);
    }
    assert_true(result.accuracy == result.values[0]);
    assert_true(fabs(result.accuracy_standard_error - sqrt(result.accuracy * (1 - result.accuracy) / 1000)) < 1e-12);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_tensor_destroy(&p);
    cn_tensor_destroy(&w);
    cn_model_destroy(&model);
}

/* A saved model comes back with its loss and metrics, arguments and all. */
static void loss_and_metrics_survive_a_file(void **state)
{
    (void)state;
    char path[] = "/tmp/cornu-metrics-XXXXXX";
    const char *metrics[CN_MAX_METRICS] = {"auc(num_thresholds=50)", "precision(class_id=1)", "precision(class_id=2)"};
    cn_model *model = compiled(metrics, "f1_score(average=micro)");
    cn_tensor *x = small_x(50), *y = small_y(50);
    cn_result before, after;
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(cn_evaluate(model, x, y, &before), CN_OK);
    int status = cn_model_save(model, path);
    cn_model *loaded = status == CN_OK ? cn_model_load(path) : NULL;
    remove(path);
    if (status == CN_ENOTSUP) {
        cn_model_destroy(&model);
        skip();
    }
    assert_non_null(loaded);
    assert_int_equal(cn_evaluate(loaded, x, y, &after), CN_OK);
    assert_int_equal(after.n_metrics, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(after.names[i], before.names[i]);
        assert_true(after.values[i] == before.values[i]);
    }
    assert_string_equal(before.names[2], "precision_1");
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_model_destroy(&model);
    cn_model_destroy(&loaded);
}

static void an_epoch_begins_with_nothing_seen(void **state)
{
    (void)state;
    const char *metrics[CN_MAX_METRICS] = {"true_positives", "false_negatives"};
    cn_model *model = compiled(metrics, NULL);
    cn_tensor *x = small_x(40), *y = small_y(40);
    assert_int_equal(cn_fit(model, x, y, .epochs = 3, .batch_size = 16, .validation_split = 0.25), CN_OK);
    const cn_history *history = cn_model_history(model);
    for (int epoch = 0; epoch < 3; epoch++) {
        double trained = cn_history_get(history, "true_positives")[epoch] +
                         cn_history_get(history, "false_negatives")[epoch];
        double tested = cn_history_get(history, "val_true_positives")[epoch] +
                        cn_history_get(history, "val_false_negatives")[epoch];
        assert_true(trained == 30 && tested == 10); /* each row has one true column */
    }
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_model_destroy(&model);
}

static void refuses(const char *text, int status, const char *words)
{
    cn_model *model = small_model();
    int got = cn_compile(model, .loss = "categorical_crossentropy", .metrics = {text});
    if (got != status || !strstr(cn_error_message(), words))
        print_message("%s: %d \"%s\"\n", text, got, cn_error_message());
    assert_int_equal(got, status);
    assert_non_null(strstr(cn_error_message(), words));
    cn_model_destroy(&model);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    refuses("acuracy", CN_ENAME, "did you mean \"accuracy\"");
    refuses("mean_of_loss", CN_ENAME, "mean_of_loss");
    refuses("accuracy(k=2)", CN_EINVAL, "takes no arguments");
    refuses("precision(threshold=0.5)", CN_ENAME, "thresholds");
    refuses("precision(thresholds=2)", CN_EINVAL, "a number in 0 ... 1, or a list such as [0, 1], got \"2\"");
    refuses("precision(thresholds=[0.5, nan])", CN_EINVAL, "a number in 0 ... 1");
    refuses("precision(thresholds=[0.1, 0..5])", CN_EINVAL, "got \"[0.1, 0..5]\"");
    refuses("precision(thresholds=[0.5, 0.6])", CN_EINVAL, "gives 2 numbers, but a log has room for one");
    refuses("precision(class_id=3)", CN_EINVAL, "class_id must lie in 0 ... 2, got 3");
    refuses("precision(top_k=0)", CN_EINVAL, "top_k must be at least 1, got 0");
    refuses("f1_score", CN_EINVAL, "gives 3 numbers");
    refuses("f1_score(average=mean)", CN_EINVAL, "average must be micro, macro, weighted or None, got \"mean\"");
    refuses("fbeta_score(average=macro, beta=0)", CN_EINVAL, "beta must be above 0, got 0");
    refuses("f1_score(average=macro, threshold=0)", CN_EINVAL, "threshold must lie in 0 ... 1 (0 excluded), got 0");
    refuses("auc(curve=PRC)", CN_EINVAL, "curve must be ROC, PR or PRGAIN, got \"PRC\"");
    refuses("auc(num_thresholds=1)", CN_EINVAL, "num_thresholds must lie in 2 ... 1000000, got 1");
    refuses("auc(summation_method=mean)", CN_EINVAL, "interpolation, minoring or majoring");
    refuses("auc(num_labels=3)", CN_EINVAL, "num_labels goes with multi_label=1 only");
    refuses("auc(multi_label=1, num_labels=4)", CN_EINVAL, "num_labels is 4, but there are 3 columns");
    refuses("auc(label_weights=[1, 2])", CN_EINVAL, "label_weights has 2 numbers, but there are 3 columns");
    refuses("auc(label_weights=[1, -2, 1])", CN_EINVAL, "label_weights must be a number in 0");
    refuses("pearson_correlation(axis=2)", CN_EINVAL, "axis must lie in -2 ... 1, got 2");
    refuses("recall_at_precision", CN_EINVAL, "needs the precision that is to be reached");
    refuses("recall_at_precision(1.5)", CN_EINVAL, "precision must lie in 0 ... 1, got 1.5");
    refuses("precision_at_recall(0.5, num_thresholds=0)", CN_EINVAL, "num_thresholds must lie in 1 ... 1000000, got 0");
    refuses("top_k_categorical_accuracy(k=0)", CN_EINVAL, "k must be at least 1, got 0");
    refuses("sparse_categorical_accuracy", CN_EINVAL, "reads labels, whole numbers");
    refuses("mean_iou", CN_EINVAL, "needs num_classes");
    refuses("one_hot_iou(num_classes=3, target_class_ids=[3])", CN_EINVAL, "a number in 0 ... 2");
    refuses("r2_score(class_aggregation=sum)", CN_EINVAL, "uniform_average, variance_weighted_average or None");
    refuses("mse(reduction=sum)", CN_EINVAL, "takes no reduction");
    refuses("mse(name=a, name=b)", CN_EINVAL, "name is given twice");
    refuses("huber(delta=-1)", CN_EINVAL, "delta must be above 0");
}

static void more_metrics_than_fit_are_refused(void **state)
{
    (void)state;
    cn_model *model = small_model();
    char texts_[CN_MAX_METRICS][64];
    cn_compile_options options = {CN_COMPILE_DEFAULTS, .loss = "mse", .weighted_metrics = {"mae"}};
    for (int i = 0; i < CN_MAX_METRICS; i++) {
        snprintf(texts_[i], sizeof texts_[i], "precision(thresholds=0.%d)", i + 1);
        options.metrics[i] = texts_[i];
    }
    assert_int_equal(cn_model_compile(model, &options), CN_EINVAL);
    assert_non_null(strstr(cn_error_message(), "one metric too many; there may be 16"));
    options.weighted_metrics[0] = NULL;
    options.optimizer = cn_optimizer_by_name;
    assert_int_equal(cn_model_compile(model, &options), CN_OK);
    cn_model_destroy(&model);
}

static void a_metric_alone_says_what_is_wrong(void **state)
{
    (void)state;
    cn_metric *metric = cn_metric_from_text("auc");
    cn_tensor *wide = cn_zeros(CN_FLOAT32, 3, 2), *narrow = cn_zeros(CN_FLOAT32, 3, 1),
              *long_ = cn_zeros(CN_FLOAT32, 4, 2);
    assert_string_equal(cn_metric_name(metric), "auc");
    assert_null(cn_metric_result(metric));
    assert_int_equal(cn_error_status(), CN_ESTATE);
    assert_int_equal(cn_metric_update_state(metric, long_, wide, NULL), CN_ESHAPE);
    assert_int_equal(cn_metric_update_state(metric, wide, wide, long_), CN_ESHAPE);
    assert_int_equal(cn_metric_update_state(metric, wide, wide, NULL), CN_OK);
    assert_int_equal(cn_metric_update_state(metric, narrow, narrow, NULL), CN_ESHAPE);
    assert_non_null(strstr(cn_error_message(), "y_pred has 1 columns, but 2 in the batches before"));
    cn_error_clear();
    assert_int_equal(cn_metric_update_state(metric, NULL, wide, NULL), CN_EINVAL);
    assert_int_equal(cn_metric_update_state(NULL, wide, wide, NULL), CN_EINVAL);
    cn_tensor_destroy(&wide);
    cn_tensor_destroy(&narrow);
    cn_tensor_destroy(&long_);
    cn_metric_destroy(&metric);
    cn_metric_destroy(&metric);
    cn_metric_destroy(NULL);
}

/* --- the confusion matrix --- */

static void confusions_are_counted(void **state)
{
    (void)state;
    cn_tensor *labels = cn_tensor_from(CN_UINT8, 1, (int64_t[]){6}, (uint8_t[]){0, 1, 2, 2, 1, 0});
    cn_tensor *said = cn_tensor_from(CN_INT64, 1, (int64_t[]){6}, (int64_t[]){0, 1, 2, 1, 1, 2});
    cn_tensor *rows = cn_to_categorical(said, 3);
    const int64_t expected[] = {1, 0, 1, 0, 2, 0, 0, 1, 1};
    for (int i = 0; i < 3; i++) {
        cn_tensor *matrix = cn_confusion_matrix(labels, i == 2 ? rows : said, i ? 3 : 0);
        assert_non_null(matrix);
        assert_int_equal(cn_dtype_of(matrix), CN_INT64);
        assert_int_equal(cn_size(matrix), 9);
        assert_memory_equal(cn_data(matrix), expected, sizeof expected);
        cn_tensor_destroy(&matrix);
    }
    assert_null(cn_confusion_matrix(labels, said, 2));
    assert_non_null(strstr(cn_error_message(), "row 2 of the labels is 2, which is not one of the classes 0 ... 1"));
    assert_null(cn_confusion_matrix(labels, cn_slice(said, {0, 5}), 3));
    assert_int_equal(cn_error_status(), CN_ESHAPE);
    assert_null(cn_confusion_matrix(labels, NULL, 3));
    assert_null(cn_confusion_matrix(labels, said, -1));
    assert_null(cn_confusion_matrix(labels, cn_reshape(rows, 3, 3, 2), 3));
    assert_int_equal(cn_error_status(), CN_ESHAPE);
    cn_tensor_destroy(&labels);
    cn_tensor_destroy(&said);
    cn_tensor_destroy(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_number_is_noticed),
        cmocka_unit_test(every_metric_has_a_case),
        cmocka_unit_test(results_are_those_of_keras),
        cmocka_unit_test(float64_is_near),
        cmocka_unit_test(axes_are_moved),
        cmocka_unit_test(mean_and_sum_need_no_targets),
        cmocka_unit_test(a_model_measures_what_a_metric_alone_does),
        cmocka_unit_test(loss_and_metrics_survive_a_file),
        cmocka_unit_test(an_epoch_begins_with_nothing_seen),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(more_metrics_than_fit_are_refused),
        cmocka_unit_test(a_metric_alone_says_what_is_wrong),
        cmocka_unit_test(confusions_are_counted),
    };
    return cmocka_run_group_tests_name("metrics", tests, read_cases, NULL);
}
