/* Which rows validate: validation_split as Keras's, the stratified split, how often, and the warning about sorted
 * rows. */
#include "small_model.h"

#include <cornu/cornu.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 103 };

/* Classes 0, 1, 2 with 50, 33 and 20 rows, sorted. */
static cn_tensor *sorted_labels(void)
{
    cn_tensor *labels = cn_zeros(CN_UINT8, ROWS);
    for (int i = 0; i < ROWS; i++) ((uint8_t *)cn_data(labels))[i] = (uint8_t)(i < 50 ? 0 : i < 83 ? 1 : 2);
    return labels;
}

static void count(const cn_tensor *rows, const cn_tensor *labels, int counts[3])
{
    memset(counts, 0, 3 * sizeof *counts);
    for (int64_t i = 0; i < cn_size(rows); i++) {
        int64_t row = ((int64_t *)cn_data(rows))[i];
        assert_true(i == 0 || row > ((int64_t *)cn_data(rows))[i - 1]);
        counts[((uint8_t *)cn_data(labels))[row]]++;
    }
}

static void each_class_gives_its_share(void **state)
{
    (void)state;
    cn_tensor *labels = sorted_labels(), *train, *validation, *one_hot = cn_to_categorical(labels, 3);
    int counts[3];
    assert_int_equal(cn_split_stratified(labels, 0.2, 7, &train, &validation), CN_OK);
    /* 103 - floor(103 * 0.8) = 21 = 10.19 + 6.73 + 4.08 */
    assert_int_equal(cn_size(train), 82);
    assert_int_equal(cn_size(validation), 21);
    count(validation, labels, counts);
    assert_true(counts[0] == 10 && counts[1] == 7 && counts[2] == 4);
    count(train, labels, counts);
    assert_true(counts[0] == 40 && counts[1] == 26 && counts[2] == 16);
    int seen[ROWS] = {0};
    for (int i = 0; i < 82; i++) seen[((int64_t *)cn_data(train))[i]]++;
    for (int i = 0; i < 21; i++) seen[((int64_t *)cn_data(validation))[i]]++;
    for (int i = 0; i < ROWS; i++) assert_int_equal(seen[i], 1);
    for (int other = 0; other < 3; other++) { /* the same seed, one-hot rows, another seed */
        cn_tensor *train_2, *validation_2;
        assert_int_equal(cn_split_stratified(other == 1 ? one_hot : labels, 0.2, other == 2 ? 8 : 7, &train_2,
                                             &validation_2), CN_OK);
        int same = !memcmp(cn_data(validation), cn_data(validation_2), 21 * sizeof(int64_t));
        assert_true(same == (other < 2));
        cn_tensor_destroy(&train_2);
        cn_tensor_destroy(&validation_2);
    }
    cn_tensor_destroy(&train);
    cn_tensor_destroy(&validation);
    cn_tensor_destroy(&labels);
    cn_tensor_destroy(&one_hot);
}

/* fit divides as cn_split_stratified does: training on the rows it names, without shuffling, gives the same weights,
 * and evaluating the others the same numbers. */
static void fit_divides_as_the_function_does(void **state)
{
    (void)state;
    cn_tensor *x = small_x(ROWS), *y = sorted_labels(), *train, *validation;
    char digests[2][65];
    double val_loss = NAN;
    assert_int_equal(cn_split_stratified(y, 0.3, 3, &train, &validation), CN_OK); /* small_model's seed is 3 */
    for (int by_hand = 0; by_hand < 2; by_hand++) {
        cn_model *model = small_model();
        assert_int_equal(small_compile(model), CN_OK);
        if (!by_hand) {
            assert_int_equal(cn_fit(model, x, y, .epochs = 2, .batch_size = 16, .shuffle = 0, .validation_split = 0.3,
                                    .validation_stratified = 1), CN_OK);
            val_loss = cn_history_get(cn_model_history(model), "val_loss")[1];
        } else {
            cn_tensor *part_x = cn_zeros(CN_FLOAT32, cn_size(train), SMALL_INPUTS),
                      *part_y = cn_zeros(CN_UINT8, cn_size(train));
            cn_tensor *rest_x = cn_zeros(CN_FLOAT32, cn_size(validation), SMALL_INPUTS);
            cn_tensor *rest_y = cn_zeros(CN_UINT8, cn_size(validation));
            cn_result result;
            for (int side = 0; side < 2; side++) {
                const cn_tensor *rows = side ? validation : train;
                for (int64_t i = 0; i < cn_size(rows); i++) {
                    int64_t row = ((int64_t *)cn_data(rows))[i];
                    memcpy((float *)cn_data(side ? rest_x : part_x) + i * SMALL_INPUTS,
                           (float *)cn_data(x) + row * SMALL_INPUTS, SMALL_INPUTS * sizeof(float));
                    ((uint8_t *)cn_data(side ? rest_y : part_y))[i] = ((uint8_t *)cn_data(y))[row];
                }
            }
            assert_int_equal(cn_fit(model, part_x, part_y, .epochs = 2, .batch_size = 16, .shuffle = 0), CN_OK);
            assert_int_equal(cn_evaluate(model, rest_x, rest_y, &result), CN_OK);
            assert_true(fabs(result.loss - val_loss) < 1e-6);
            cn_tensor_destroy(&part_x);
            cn_tensor_destroy(&part_y);
            cn_tensor_destroy(&rest_x);
            cn_tensor_destroy(&rest_y);
        }
        assert_int_equal(cn_model_weights_sha256(model, digests[by_hand]), CN_OK);
        cn_model_destroy(&model);
    }
    assert_string_equal(digests[0], digests[1]);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_tensor_destroy(&train);
    cn_tensor_destroy(&validation);
}

static void shuffling_stays_on_its_side(void **state)
{
    (void)state;
    cn_model *model = small_model();
    cn_tensor *x = small_x(ROWS), *y = sorted_labels();
    assert_int_equal(cn_compile(model, .loss = "sparse_categorical_crossentropy",
                                .metrics = {"true_positives", "false_negatives"}), CN_OK);
    assert_int_equal(cn_fit(model, x, y, .epochs = 3, .batch_size = 10, .validation_split = 0.25,
                            .validation_stratified = 1), CN_OK);
    for (int epoch = 0; epoch < 3; epoch++) {
        const cn_history *history = cn_model_history(model);
        assert_true(cn_history_get(history, "true_positives")[epoch] +
                    cn_history_get(history, "false_negatives")[epoch] ==
                    77);
        assert_true(cn_history_get(history, "val_true_positives")[epoch] +
                    cn_history_get(history, "val_false_negatives")[epoch] == 26);
    }
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_model_destroy(&model);
}

static void validation_may_be_rare_and_in_other_batches(void **state)
{
    (void)state;
    double losses[3];
    for (int i = 0; i < 3; i++) {
        cn_model *model = small_model();
        cn_tensor *x = small_x(ROWS), *y = small_y(ROWS);
        assert_int_equal(small_compile(model), CN_OK);
        assert_int_equal(cn_fit(model, x, y, .epochs = 5, .batch_size = 8, .validation_split = 0.5,
                                .validation_freq = 2, .validation_batch_size = i == 1 ? 3 : i == 2 ? 1000 : 0), CN_OK);
        const double *values = cn_history_get(cn_model_history(model), "val_loss");
        for (int epoch = 0; epoch < 5; epoch++) assert_true(!isnan(values[epoch]) == (epoch % 2 == 1));
        losses[i] = values[3];
        cn_tensor_destroy(&x);
        cn_tensor_destroy(&y);
        cn_model_destroy(&model);
    }
    assert_true(fabs(losses[1] - losses[0]) < 1e-6 && fabs(losses[2] - losses[0]) < 1e-6);
}

/* A callback that watches val_loss has nothing to judge in an epoch without validation. */
static void early_stopping_waits_for_validation(void **state)
{
    (void)state;
    cn_model *model = small_model();
    cn_tensor *x = small_x(ROWS), *y = small_y(ROWS);
    assert_int_equal(cn_compile(model, .optimizer_name = "sgd(learning_rate=0)",
                                .loss = "sparse_categorical_crossentropy"),
                     CN_OK);
    assert_int_equal(cn_fit(model, x, y, .epochs = 20, .batch_size = 50, .validation_split = 0.5, .validation_freq = 3,
                            .callbacks = {cn_early_stopping(.patience = 2)}), CN_OK);
    /* best in the third, worse in the sixth and ninth */
    assert_int_equal(cn_history_epochs(cn_model_history(model)), 9);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_model_destroy(&model);
}

/* --- what users may get wrong --- */

#define REFUSES(words, ...)                                                                                        \
    do {                                                                                                            \
        assert_true(cn_fit(model, x, y, __VA_ARGS__) < 0);                                                          \
        if (!strstr(cn_error_message(), words)) print_message("%s\n", cn_error_message());                          \
        assert_non_null(strstr(cn_error_message(), words));                                                         \
    } while (0)

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    cn_model *model = small_model();
    cn_tensor *x = small_x(ROWS), *y = small_y(ROWS), *train, *validation, *reals = cn_zeros(CN_FLOAT32, 4);
    assert_int_equal(small_compile(model), CN_OK);
    REFUSES("validation_stratified says how validation_split is done", .validation_stratified = 1);
    REFUSES("validation_freq must be at least 1, got 0", .validation_freq = 0);
    REFUSES("validation_steps must not be negative, got -2", .validation_steps = -2);
    REFUSES("steps_per_epoch must not be negative, got -1", .steps_per_epoch = -1);
    REFUSES("batch_size must be at least 1, got 0; only steps_per_epoch could say how large batches are",
            .batch_size = 0);
    REFUSES("batch_size must be at least 1, got -1", .batch_size = -1, .steps_per_epoch = 3);
    REFUSES("validation_batch_size must not be negative, got -1", .validation_batch_size = -1);
    REFUSES("103 samples are not enough for validation_split 0.995: 0 would train and 103 validate",
            .validation_split = 0.995, .validation_stratified = 1);
    ((float *)cn_data(reals))[2] = 0.5f;
    assert_int_equal(cn_split_stratified(reals, 0.5, 0, &train, &validation), CN_EINVAL);
    assert_non_null(strstr(cn_error_message(), "label 0.5 in row 2 is no class"));
    assert_null(train);
    assert_null(validation);
    assert_int_equal(cn_split_stratified(y, 0, 0, &train, &validation), CN_EINVAL);
    assert_int_equal(cn_split_stratified(y, NAN, 0, &train, &validation), CN_EINVAL);
    assert_int_equal(cn_split_stratified(cn_slice(y, {0, 1}), 0.5, 0, &train, &validation), CN_EINVAL);
    assert_int_equal(cn_split_stratified(cn_reshape(y, 103, 1, 1), 0.5, 0, &train, &validation), CN_ESHAPE);
    assert_int_equal(cn_split_stratified(y, 0.5, 0, NULL, &validation), CN_EINVAL);
    cn_error_clear();
    assert_int_equal(cn_split_stratified(NULL, 0.5, 0, &train, &validation), CN_EINVAL);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_tensor_destroy(&reals);
    cn_model_destroy(&model);
}

static int is_found(const cn_tensor *x, const cn_tensor *y, double split, int stratified)
{
    cn_finding findings[16];
    int n = cn_inspect(x, y, findings, 16, .validation_split = split, .validation_stratified = stratified);
    for (int i = 0; i < n; i++) {
        if (findings[i].kind != CN_FINDING_VALIDATION_SORTED) continue;
        assert_non_null(strstr(findings[i].sentence, "takes the last 26 of 103 rows"));
        assert_non_null(strstr(findings[i].sentence, "classes 1 ... 2 of 0 ... 2"));
        return 1;
    }
    return 0;
}

static void a_sorted_tail_is_found(void **state)
{
    (void)state;
    cn_tensor *x = small_x(ROWS), *sorted = sorted_labels(), *mixed = small_y(ROWS),
              *one_hot = cn_to_categorical(sorted, 3);
    assert_true(is_found(x, sorted, 0.25, 0));
    assert_true(is_found(x, one_hot, 0.25, 0));
    assert_false(is_found(x, sorted, 0.25, 1)); /* stratified */
    assert_false(is_found(x, sorted, 0, 0));    /* no split */
    assert_false(is_found(x, sorted, 0.1, 0));  /* too few rows to tell */
    assert_false(is_found(x, mixed, 0.25, 0));
    memset(cn_data(sorted), 1, ROWS);
    assert_false(is_found(x, sorted, 0.25, 0)); /* one class only */
    assert_string_equal(cn_finding_name(CN_FINDING_VALIDATION_SORTED), "validation-sorted");
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&sorted);
    cn_tensor_destroy(&mixed);
    cn_tensor_destroy(&one_hot);
}

/* What fit warns of, or NULL. */
static const char *warning_of(cn_model *model, const char *loss, const cn_tensor *x, const cn_tensor *y, int stratified)
{
    assert_int_equal(cn_compile(model, .loss = loss), CN_OK);
    assert_int_equal(cn_fit(model, x, y, .validation_split = 0.25, .validation_stratified = stratified), CN_OK);
    return cn_model_warning(model, 0);
}

static void fit_warns_of_a_sorted_tail(void **state)
{
    (void)state;
    cn_model *model = small_model();
    cn_tensor *x = small_x(ROWS), *sorted = sorted_labels(), *mixed = small_y(ROWS),
              *one_hot = cn_to_categorical(sorted, 3);
    const char *sparse = "sparse_categorical_crossentropy", *sentence = warning_of(model, sparse, x, sorted, 0);
    assert_non_null(sentence);
    assert_non_null(strstr(sentence, "takes the last 26 of 103 rows, and these are sorted by class"));
    assert_null(cn_model_warning(model, 1));
    assert_non_null(warning_of(model, "categorical_crossentropy", x, one_hot, 0));
    assert_null(warning_of(model, sparse, x, sorted, 1));
    assert_null(warning_of(model, sparse, x, mixed, 0));
    assert_null(warning_of(model, "mse", x, one_hot, 0)); /* numbers may well be in order */
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&sorted);
    cn_tensor_destroy(&mixed);
    cn_tensor_destroy(&one_hot);
    cn_model_destroy(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_gives_its_share),
        cmocka_unit_test(fit_divides_as_the_function_does),
        cmocka_unit_test(shuffling_stays_on_its_side),
        cmocka_unit_test(validation_may_be_rare_and_in_other_batches),
        cmocka_unit_test(early_stopping_waits_for_validation),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(a_sorted_tail_is_found),
        cmocka_unit_test(fit_warns_of_a_sorted_tail),
    };
    return cmocka_run_group_tests_name("validation", tests, NULL, NULL);
}
