/* steps_per_epoch and validation_steps against Keras (tests/parity/steps.txt; tests/parity/README.md describes data and
 * network), and what Keras does not promise: the order of the rows, the warnings, progress. */
#define _GNU_SOURCE
#include "parity.h"
#include "small_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FILE_NAME "steps.txt"
enum { SAMPLES = 10, HIDDEN = 5, MOST_EPOCHS = 8 };

/* --- a model, data, and a callback that counts --- */

static void set_by_rule(cn_model *model, int weight, int rows, int columns)
{
    float values[HIDDEN * HIDDEN];
    for (int a = 0; a < rows; a++)
        for (int b = 0; b < columns; b++) values[a * columns + b] = (float)(((3 * a + 5 * b) % 7 - 3) / 10.0);
    cn_tensor *tensor = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){rows, columns}, values);
    assert_int_equal(cn_model_set_weight(model, weight, tensor), CN_OK);
    cn_tensor_destroy(&tensor);
}

static cn_model *make_model(void)
{
    cn_model *model = small_model();
    if (cn_compile(model, .loss = "sparse_categorical_crossentropy", .optimizer_name = "sgd(0.1, momentum=0.5)") < 0)
        fail_msg("%s", cn_error_message());
    set_by_rule(model, 0, SMALL_INPUTS, HIDDEN);
    set_by_rule(model, 2, HIDDEN, SMALL_CLASSES);
    return model;
}

/* The samples of golden.txt, or those that validate. */
static cn_tensor *make_x(int validates)
{
    cn_tensor *x = cn_zeros(CN_FLOAT32, SAMPLES, SMALL_INPUTS);
    for (int i = 0; i < SAMPLES; i++)
        for (int j = 0; j < SMALL_INPUTS; j++) {
            int row = validates ? SAMPLES - 1 - i : i;
            ((float *)cn_data(x))[i * SMALL_INPUTS + j] = (float)((7 * row + 3 * j) % 11 / 10.0) / (validates ? 2 : 1);
        }
    return x;
}

typedef struct counts {
    int trainings, validations;
    double train[MOST_EPOCHS], test[MOST_EPOCHS]; /* batches */
} counts;

static int count_epoch(void *user, cn_model *model, int epoch)
{
    counts *c = user;
    (void)model, (void)epoch;
    c->train[c->trainings++] = 0;
    return CN_OK;
}

static int count_batch(void *user, cn_model *model, int64_t batch, const cn_logs *logs)
{
    counts *c = user;
    (void)model, (void)logs;
    assert_int_equal(batch, (int64_t)c->train[c->trainings - 1]++);
    return CN_OK;
}

static int count_test_steps(void *user, cn_model *model, int64_t steps)
{
    counts *c = user;
    (void)model;
    c->test[c->validations++] = (double)steps;
    return CN_OK;
}

#define COUNTING(c)                                                                                                 \
    (&(const cn_callback){.user = (c), .on_epoch_begin = count_epoch, .on_train_batch_end = count_batch,              \
                          .on_test_begin = count_test_steps})

/* --- against Keras --- */

static double off(const char *name, const char *key, int n, const double *got)
{
    char full[80];
    double expected[64], worst = 0;
    snprintf(full, sizeof full, "%.47s.%.20s", name, key);
    int recorded = parity_numbers(FILE_NAME, full, expected, 64);
    if (recorded != n) {
        print_message("%s: %d numbers instead of %d\n", full, n, recorded);
        return INFINITY;
    }
    for (int i = 0; i < n; i++) {
        double distance = fabs(got[i] - expected[i]);
        worst = isnan(distance) ? INFINITY : fmax(worst, distance);
    }
    return worst;
}

/* A fit, and whether there is validation_data. */
typedef struct fit_case {
    cn_fit_options options;
    int validates;
} fit_case;

/* The largest difference from what Keras recorded under that name. */
static double difference(const char *name, const fit_case *fit)
{
    double kernel[SMALL_INPUTS * HIDDEN];
    cn_model *model = make_model();
    cn_tensor *x = make_x(0), *y = small_y(SAMPLES), *other = make_x(1);
    counts c = {.trainings = 0};
    cn_fit_options how = fit->options;
    how.callbacks[0] = COUNTING(&c);
    how.validation_x = fit->validates ? other : NULL;
    how.validation_y = fit->validates ? y : NULL;
    if (cn_model_fit(model, x, y, &how) < 0) fail_msg("%s: %s", name, cn_error_message());
    const cn_history *history = cn_model_history(model);
    int epochs = cn_history_epochs(history), validates = cn_history_get(history, "val_loss") != NULL;
    double worst = off(name, "loss", epochs, cn_history_get(history, "loss"));
    worst = fmax(worst, off(name, "batches", c.trainings, c.train));
    if (validates) worst = fmax(worst, off(name, "val_loss", epochs, cn_history_get(history, "val_loss")));
    if (how.validation_steps) worst = fmax(worst, off(name, "validation_batches", c.validations, c.test));
    cn_tensor *weight = cn_model_get_weight(model, 0);
    for (int i = 0; i < SMALL_INPUTS * HIDDEN; i++) kernel[i] = cn_get(weight, i / HIDDEN, i % HIDDEN);
    worst = fmax(worst, off(name, "kernel", SMALL_INPUTS * HIDDEN, kernel));
    cn_tensor_destroy(&weight);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_tensor_destroy(&other);
    cn_model_destroy(&model);
    return worst;
}

static fit_case recorded(const char *name)
{
    char key[80];
    double o[8];
    snprintf(key, sizeof key, "%.47s.options", name);
    assert_int_equal(parity_numbers(FILE_NAME, key, o, 8), 8);
    return (fit_case){{.batch_size = (int64_t)o[0], .epochs = (int)o[1], .initial_epoch = (int)o[2],
                       .steps_per_epoch = (int64_t)o[3], .validation_split = o[4], .validation_freq = 1,
                       .validation_steps = (int64_t)o[6], .validation_batch_size = (int64_t)o[7]},
                      .validates = o[5] > 0};
}

static void epochs_are_those_of_keras(void **state)
{
    (void)state;
    char names[32][48];
    int n = parity_cases(FILE_NAME, "options", names, 32);
    assert_int_equal(n, 15);
    for (int i = 0; i < n; i++) {
        const fit_case fit = recorded(names[i]);
        double worst = difference(names[i], &fit);
        if (!(worst < 1e-6)) fail_msg("%s: off by %.1e", names[i], worst);
    }
}

static void the_comparison_finds_other_steps(void **state)
{
    (void)state;
    fit_case fit = recorded("two_steps");
    fit.options.epochs = 2;
    assert_false(difference("plain", &fit) < 1e-3);
    fit = recorded("validation");
    fit.options.validation_steps = 2;
    assert_false(difference("validation", &fit) < 1e-3);
}

/* --- the order of the rows --- */

typedef struct digests {
    int n;
    char of[16][65];
} digests;

static int note_weights(void *user, cn_model *model, int64_t batch, const cn_logs *logs)
{
    digests *d = user;
    (void)batch, (void)logs;
    return cn_model_weights_sha256(model, d->of[d->n++]);
}

/* Twelve batches with shuffling: epochs of 4, 2 or 3 of the 4 batches are the same stream if none is left out. */
static digests twelve_batches(int64_t steps_per_epoch, int epochs, double validation_split)
{
    digests d = {.n = 0};
    int64_t rows = validation_split > 0 ? 64 : 32;
    cn_model *model = make_model();
    cn_tensor *x = small_x(rows), *y = small_y(rows);
    assert_int_equal(cn_fit(model, x, y, .batch_size = 8, .epochs = epochs, .steps_per_epoch = steps_per_epoch,
                            .validation_split = validation_split,
                            .callbacks = {&(const cn_callback){.user = &d, .on_train_batch_end = note_weights}}),
                     CN_OK);
    assert_int_equal(d.n, 12);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_model_destroy(&model);
    return d;
}

static void epochs_share_the_order_of_a_pass(void **state)
{
    (void)state;
    for (int validates = 0; validates < 2; validates++) {
        double split = validates ? 0.5 : 0;
        digests whole = twelve_batches(0, 3, split), halves = twelve_batches(2, 6, split),
                uneven = twelve_batches(3, 6, split), too_many = twelve_batches(5, 3, split);
        for (int i = 0; i < 12; i++) {
            assert_string_equal(whole.of[i], halves.of[i]);
            assert_string_equal(whole.of[i], uneven.of[i]);
            assert_string_equal(whole.of[i], too_many.of[i]);
        }
    }
}

/* --- what is said --- */

static void missing_batches_are_a_warning(void **state)
{
    (void)state;
    cn_model *model = make_model();
    cn_tensor *x = small_x(SAMPLES), *y = small_y(SAMPLES);
    assert_int_equal(cn_fit(model, x, y, .batch_size = 4, .epochs = 1, .steps_per_epoch = 2), CN_OK);
    assert_null(cn_model_warning(model, 0)); /* it has not come to that yet */
    assert_int_equal(cn_fit(model, x, y, .batch_size = 4, .epochs = 4, .steps_per_epoch = 2), CN_OK);
    assert_string_equal(cn_model_warning(model, 0),
                        "steps_per_epoch is 2, but of the data's 3 batches only 1 were left: an epoch ends with them, "
                        "and the next begins with the data anew");
    assert_null(cn_model_warning(model, 1));
    assert_int_equal(cn_fit(model, x, y, .batch_size = 4, .validation_x = x, .validation_y = y, .validation_steps = 4),
                     CN_OK);
    assert_string_equal(cn_model_warning(model, 0),
                        "validation_steps is 4, but the data to validate with has only 3 batches");
    assert_int_equal(cn_fit(model, x, y, .batch_size = 4, .epochs = 2, .steps_per_epoch = 3, .validation_x = x,
                            .validation_y = y, .validation_steps = 3), CN_OK);
    assert_null(cn_model_warning(model, 0));
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_model_destroy(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epochs_are_those_of_keras),
        cmocka_unit_test(the_comparison_finds_other_steps),
        cmocka_unit_test(epochs_share_the_order_of_a_pass),
        cmocka_unit_test(missing_batches_are_a_warning),
    };
    return cmocka_run_group_tests_name("steps_per_epoch", tests, NULL, NULL);
}
