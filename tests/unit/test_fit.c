/* What fit does around the numbers: history, validation, epochs, callbacks, stopping. */
#include "small_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- a callback that writes down which hook ran --- */

typedef struct diary {
    char text[4096];
    int64_t stop_at_batch; /* -1: never */
    int fail_in_epoch;     /* -1: never */
    double last_loss;
    int n_logs;
    char names[128];
} diary;

static void note(diary *d, const char *what, int64_t number)
{
    size_t used = strlen(d->text);
    if (number < 0) snprintf(d->text + used, sizeof d->text - used, "%s ", what);
    else snprintf(d->text + used, sizeof d->text - used, "%s%lld ", what, (long long)number);
}

static void remember(diary *d, const cn_logs *logs)
{
    d->names[0] = '\0';
    d->n_logs = logs->count;
    for (int i = 0; i < logs->count; i++) {
        strncat(d->names, logs->names[i], 30);
        strncat(d->names, " ", 2);
    }
    d->last_loss = cn_logs_get(logs, "loss");
}

static int train_begin(void *user, cn_model *model, int epochs, int64_t steps)
{
    (void)model;
    note(user, "begin", epochs);
    note(user, "steps", steps);
    return 0;
}
static int train_end(void *user, cn_model *model, const cn_logs *logs)
{
    (void)model;
    assert_int_equal(logs->count, ((diary *)user)->n_logs); /* those of the last epoch */
    note(user, "end", -1);
    return 0;
}
static int epoch_begin(void *user, cn_model *model, int epoch)
{
    (void)model;
    note(user, "(", epoch);
    return ((diary *)user)->fail_in_epoch == epoch ? CN_EIO : 0;
}
static int epoch_end(void *user, cn_model *model, int epoch, const cn_logs *logs)
{
    (void)model;
    remember(user, logs);
    note(user, ")", epoch);
    return 0;
}
static int batch_begin(void *user, cn_model *model, int64_t batch)
{
    (void)model;
    note(user, "<", batch);
    return 0;
}
static int batch_end(void *user, cn_model *model, int64_t batch, const cn_logs *logs)
{
    diary *d = user;
    remember(d, logs);
    note(d, ">", batch);
    if (d->stop_at_batch == batch) cn_model_stop_training(model);
    return 0;
}
static int test_begin(void *user, cn_model *model, int64_t steps)
{
    (void)model;
    note(user, "test", steps);
    return 0;
}
static int test_end(void *user, cn_model *model, const cn_logs *logs)
{
    (void)model;
    remember(user, logs);
    note(user, "tested", -1);
    return 0;
}
static int predict_begin(void *user, cn_model *model, int64_t steps)
{
    (void)model;
    note(user, "predict", steps);
    return 0;
}
static int predict_end(void *user, cn_model *model)
{
    (void)model;
    note(user, "predicted", -1);
    return 0;
}
static int plain_batch_end(void *user, cn_model *model, int64_t batch)
{
    (void)model;
    note(user, ">", batch);
    return 0;
}

static cn_callback watch(diary *d)
{
    *d = (diary){.stop_at_batch = -1, .fail_in_epoch = -1};
    return (cn_callback){.user = d,
                         .on_train_begin = train_begin,
                         .on_train_end = train_end,
                         .on_epoch_begin = epoch_begin,
                         .on_epoch_end = epoch_end,
                         .on_train_batch_begin = batch_begin,
                         .on_train_batch_end = batch_end,
                         .on_test_begin = test_begin,
                         .on_test_end = test_end,
                         .on_test_batch_begin = batch_begin,
                         .on_test_batch_end = batch_end,
                         .on_predict_begin = predict_begin,
                         .on_predict_end = predict_end,
                         .on_predict_batch_begin = batch_begin,
                         .on_predict_batch_end = plain_batch_end};
}

/* --- the tests: each has a fresh model and ten samples --- */

static cn_model *model;
static cn_tensor *x, *y;

static int setup(void **state)
{
    (void)state;
    model = small_model();
    x = small_x(10);
    y = small_y(10);
    return small_compile(model);
}

static int teardown(void **state)
{
    (void)state;
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    return 0;
}

static void history_has_keras_names_in_keras_order(void **state)
{
    (void)state;
    static const char *const names[] = {"accuracy", "loss", "val_accuracy", "val_loss", NULL};
    assert_null(cn_model_history(model));
    assert_int_equal(cn_fit(model, x, y, .epochs = 3, .validation_split = 0.3), CN_OK);
    const cn_history *history = cn_model_history(model);
    assert_int_equal(cn_history_epochs(history), 3);
    for (int i = 0; i < 5; i++) {
        if (names[i]) assert_string_equal(cn_history_name(history, i), names[i]);
        else assert_null(cn_history_name(history, i));
    }
    for (int i = 0; i < 4; i++)
        for (int epoch = 0; epoch < 3; epoch++) assert_true(cn_history_get(history, names[i])[epoch] > -1e-9);
    assert_null(cn_history_get(history, "val_mse"));
    assert_int_equal(cn_fit(model, x, y), CN_OK);
    assert_int_equal(cn_history_epochs(cn_model_history(model)), 1);
    assert_null(cn_history_get(cn_model_history(model), "val_loss"));
}

static void epoch_loss_is_the_mean_over_samples(void **state)
{
    (void)state;
    /* a learning rate of 0 leaves the weights, so both measure the same network */
    assert_int_equal(cn_compile(model, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"},
                                .optimizer_name = "sgd(0)"), CN_OK);
    cn_result result;
    assert_int_equal(cn_fit(model, x, y, .batch_size = 4), CN_OK);
    assert_int_equal(cn_evaluate(model, x, y, &result), CN_OK);
    assert_int_equal(result.samples, 10);
    const cn_history *history = cn_model_history(model);
    assert_true(fabs(cn_history_get(history, "loss")[0] - result.loss) < 1e-6);
    assert_true(fabs(cn_history_get(history, "accuracy")[0] - result.accuracy) < 1e-12);
    assert_true(fabs(result.accuracy_standard_error - sqrt(result.accuracy * (1 - result.accuracy) / 10)) < 1e-12);
}

static void hooks_run_in_keras_order(void **state)
{
    (void)state;
    diary d;
    cn_callback callback = watch(&d);
    assert_int_equal(cn_fit(model, x, y, .batch_size = 4, .epochs = 2, .callbacks = {&callback}), CN_OK);
    assert_string_equal(d.text, "begin2 steps3 (0 <0 >0 <1 >1 <2 >2 )0 (1 <0 >0 <1 >1 <2 >2 )1 end ");
    assert_string_equal(d.names, "accuracy loss ");
    cn_result result;
    callback = watch(&d);
    assert_int_equal(cn_evaluate(model, x, y, &result, .batch_size = 4, .callbacks = {&callback}), CN_OK);
    assert_string_equal(d.text, "test3 <0 >0 <1 >1 <2 >2 tested ");
    assert_true(fabs(d.last_loss - result.loss) < 1e-12);
    callback = watch(&d);
    cn_tensor *p = cn_predict(model, x, .batch_size = 4, .callbacks = {&callback});
    assert_non_null(p);
    assert_string_equal(d.text, "predict3 <0 >0 <1 >1 <2 >2 predicted ");
    cn_tensor_destroy(&p);
    callback = watch(&d);
    assert_int_equal(cn_fit(model, x, y, .batch_size = 4, .validation_split = 0.5, .callbacks = {&callback}), CN_OK);
    assert_string_equal(d.text, "begin1 steps2 (0 <0 >0 <1 >1 test2 <0 >0 <1 >1 tested )0 end ");
    assert_string_equal(d.names, "accuracy loss val_accuracy val_loss ");
}

/* --- beyond Keras: after_... hooks, values added to the logs, reasons, callbacks taken over --- */

static int after_train(void *user, cn_model *of)
{
    (void)of;
    note(user, "ready", -1);
    return 0;
}
static int after_batch(void *user, cn_model *of, int64_t batch)
{
    (void)of;
    note(user, "done", batch);
    return 0;
}
static int after_epoch(void *user, cn_model *of, int epoch)
{
    assert_int_equal(cn_history_epochs(cn_model_history(of)), epoch + 1);
    note(user, "DONE", epoch);
    return 0;
}
static void destroyed(void *user)
{
    note(user, "destroyed", -1);
}

static void after_hooks_follow_those_of_all_callbacks(void **state)
{
    (void)state;
    diary d, e;
    cn_callback callback = {.user = &d, .after_train_begin = after_train, .after_train_batch = after_batch,
                            .after_epoch = after_epoch, .destroy = destroyed}, other = watch(&e);
    watch(&d);
    other.user = &d;
    assert_int_equal(cn_fit(model, x, y, .batch_size = 5, .callbacks = {&callback, &other, &callback}), CN_OK);
    assert_string_equal(d.text, "begin1 steps2 ready ready (0 <0 >0 done0 done0 <1 >1 done1 done1 )0 DONE0 DONE0 end "
                                "destroyed ");
}

static void callbacks_are_destroyed_also_on_failure(void **state)
{
    (void)state;
    diary d;
    cn_result result;
    cn_callback callback = {.user = &d, .destroy = destroyed};
    watch(&d);
    assert_int_equal(cn_fit(model, x, y, .batch_size = 0, .callbacks = {&callback}), CN_EINVAL);
    assert_int_equal(cn_evaluate(model, x, NULL, &result, .callbacks = {&callback}), CN_EINVAL);
    assert_null(cn_predict(model, y, .callbacks = {&callback}));
    assert_string_equal(d.text, "destroyed destroyed destroyed ");
}

static int add_a_value(void *user, cn_model *of, int epoch, const cn_logs *logs)
{
    (void)user;
    assert_int_equal(cn_model_log(of, "learning_rate", 0.5 + epoch), CN_OK);
    assert_int_equal(cn_model_log(of, "loss", 7), CN_OK);
    assert_true(cn_logs_get(logs, "learning_rate") == 0.5 + epoch && cn_logs_get(logs, "loss") == 7);
    assert_int_equal(cn_model_log(of, "a name that is longer than forty-eight bytes, by far", 1), CN_EINVAL);
    if (epoch == 1) {
        for (char name[] = "a"; *name < 'h'; ++*name) assert_int_equal(cn_model_log(of, name, 1), CN_OK);
        assert_int_equal(cn_model_log(of, "h", 1), CN_EINVAL);
        cn_model_stop_training_because(of, "enough");
    }
    return 0;
}

static void a_callback_adds_to_the_logs_and_says_why_it_stops(void **state)
{
    (void)state;
    diary d;
    cn_callback adding = {.on_epoch_end = add_a_value}, watching = watch(&d);
    assert_int_equal(cn_model_log(model, "loss", 1), CN_ESTATE);
    assert_int_equal(cn_fit(model, x, y, .epochs = 9, .callbacks = {&adding, &watching}), CN_OK);
    assert_string_equal(d.names, "accuracy loss learning_rate a b c d e f g ");
    assert_true(cn_history_get(cn_model_history(model), "learning_rate")[1] == 1.5);
    assert_true(cn_history_get(cn_model_history(model), "loss")[0] == 7);
    assert_string_equal(cn_model_stop_reason(model), "enough");
    assert_int_equal(cn_fit(model, x, y), CN_OK);
    assert_null(cn_model_stop_reason(model));
}

static void stop_training_stops(void **state)
{
    (void)state;
    diary d;
    cn_callback callback = watch(&d);
    d.stop_at_batch = 1;
    assert_int_equal(cn_fit(model, x, y, .batch_size = 4, .epochs = 5, .callbacks = {&callback}), CN_OK);
    assert_string_equal(d.text, "begin5 steps3 (0 <0 >0 <1 >1 )0 end ");
    assert_int_equal(cn_history_epochs(cn_model_history(model)), 1);
    callback = watch(&d);
    assert_int_equal(cn_fit(model, x, y, .batch_size = 10, .epochs = 2, .callbacks = {&callback}), CN_OK);
    assert_string_equal(d.text, "begin2 steps1 (0 <0 >0 )0 (1 <0 >0 )1 end ");
}

static void a_failing_hook_ends_fit(void **state)
{
    (void)state;
    diary d;
    cn_callback callback = watch(&d);
    d.fail_in_epoch = 1;
    assert_int_equal(cn_fit(model, x, y, .epochs = 3, .callbacks = {&callback}), CN_EIO);
    assert_non_null(strstr(cn_error_message(), "on_epoch_begin"));
    assert_int_equal(cn_fit(model, x, y), CN_OK);
}

/* Rows that train: floor(n (1 - split)) in double arithmetic, as Keras. */
static void validation_split_rounds_as_keras_does(void **state)
{
    (void)state;
    static const struct {
        int64_t rows;
        double split;
        int64_t train;
    } cases[] = {{10, 0.25, 7}, {10, 0.2, 8}, {10, 0.1, 9}, {10, 0.3, 7}, {7, 0.5, 3}, {3, 0.34, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        diary d;
        cn_callback callback = watch(&d);
        char expected[64];
        cn_tensor *some_x = small_x(cases[i].rows), *some_y = small_y(cases[i].rows);
        assert_int_equal(cn_fit(model, some_x, some_y, .batch_size = 1, .validation_split = cases[i].split,
                                .callbacks = {&callback}), CN_OK);
        snprintf(expected, sizeof expected, "begin1 steps%lld ", (long long)cases[i].train);
        assert_true(strncmp(d.text, expected, strlen(expected)) == 0);
        cn_tensor_destroy(&some_x);
        cn_tensor_destroy(&some_y);
    }
}

static void validation_data_is_measured_not_trained(void **state)
{
    (void)state;
    char before[65], after[65];
    cn_result result;
    cn_tensor *other_x = small_x(6), *other_y = small_y(6);
    assert_int_equal(cn_compile(model, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"},
                                .optimizer_name = "sgd(0)"), CN_OK);
    cn_model_weights_sha256(model, before);
    assert_int_equal(cn_fit(model, x, y, .validation_x = other_x, .validation_y = other_y), CN_OK);
    cn_model_weights_sha256(model, after);
    assert_string_equal(before, after);
    assert_int_equal(cn_evaluate(model, other_x, other_y, &result), CN_OK);
    assert_true(fabs(cn_history_get(cn_model_history(model), "val_loss")[0] - result.loss) < 1e-6);
    assert_int_equal(cn_fit(model, x, y, .validation_x = other_x), CN_EINVAL);
    cn_tensor_destroy(&other_x);
    cn_tensor_destroy(&other_y);
}

static void epochs_is_the_last_number_not_a_count(void **state)
{
    (void)state;
    diary d;
    cn_callback callback = watch(&d);
    assert_int_equal(cn_fit(model, x, y, .initial_epoch = 3, .epochs = 5, .callbacks = {&callback}), CN_OK);
    const cn_history *history = cn_model_history(model);
    assert_int_equal(cn_history_epochs(history), 2);
    assert_int_equal(cn_history_epoch(history, 0), 3);
    assert_int_equal(cn_history_epoch(history, 1), 4);
    assert_int_equal(cn_fit(model, x, y, .initial_epoch = 5, .epochs = 5), CN_OK);
    assert_int_equal(cn_history_epochs(cn_model_history(model)), 0);
}

static void a_short_last_batch_is_used(void **state)
{
    (void)state;
    char two[65], one[65];
    assert_int_equal(cn_fit(model, x, y, .batch_size = 8, .shuffle = 0), CN_OK);
    cn_model_weights_sha256(model, two);
    cn_model *other = small_model();
    small_compile(other);
    cn_tensor *x1 = cn_slice(x, {0, 8}), *y1 = cn_slice(y, {0, 8}), *x2 = cn_slice(x, {8, 10}),
              *y2 = cn_slice(y, {8, 10});
    double loss;
    assert_int_equal(cn_train_step(other, x1, y1, &loss), CN_OK);
    assert_int_equal(cn_train_step(other, x2, y2, NULL), CN_OK);
    cn_model_weights_sha256(other, one);
    assert_string_equal(one, two);
    assert_true(loss > 0);
    cn_model_destroy(&other);
}

static void predictions_agree_however_they_are_asked_for(void **state)
{
    (void)state;
    cn_tensor *p = cn_predict(model, x), *in_batches = cn_predict(model, x, .batch_size = 3),
              *classes = cn_predict_classes(model, x);
    float direct[10 * SMALL_CLASSES];
    assert_int_equal(cn_predict_into(model, 10, cn_data(x), direct), CN_OK);
    assert_memory_equal(cn_data(p), direct, sizeof direct);
    assert_memory_equal(cn_data(p), cn_data(in_batches), sizeof direct);
    assert_int_equal(cn_dtype_of(classes), CN_INT64);
    for (int64_t i = 0; i < 10; i++) {
        double sum = 0, best = cn_get(p, i, (int64_t)cn_get(classes, i));
        for (int64_t j = 0; j < SMALL_CLASSES; j++) {
            sum += cn_get(p, i, j);
            assert_true(cn_get(p, i, j) <= best);
        }
        assert_true(fabs(sum - 1) < 1e-6);
    }
    cn_tensor_destroy(&p);
    cn_tensor_destroy(&in_batches);
    cn_tensor_destroy(&classes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(history_has_keras_names_in_keras_order), TEST(epoch_loss_is_the_mean_over_samples),
        TEST(hooks_run_in_keras_order),               TEST(stop_training_stops),
        TEST(a_failing_hook_ends_fit),                TEST(validation_split_rounds_as_keras_does),
        TEST(validation_data_is_measured_not_trained), TEST(epochs_is_the_last_number_not_a_count),
        TEST(after_hooks_follow_those_of_all_callbacks), TEST(callbacks_are_destroyed_also_on_failure),
        TEST(a_callback_adds_to_the_logs_and_says_why_it_stops),
        TEST(a_short_last_batch_is_used),             TEST(predictions_agree_however_they_are_asked_for),
    };
    return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}
