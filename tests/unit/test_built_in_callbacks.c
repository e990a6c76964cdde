/* The built-in callbacks against what Keras recorded (tests/parity/callbacks.txt): values of the logs are put in place
 * by a callback in front, so what is compared is the callback and not the training. */
#define _GNU_SOURCE
#include "parity.h"
#include "scratch.h"
#include "small_model.h"

#include <cornu/built_in_callbacks.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define FILE_NAME "callbacks.txt"

/* --- a model, data, and a callback that replaces values --- */

static cn_model *model;
static cn_tensor *x, *y;

static int setup(void **state)
{
    (void)state;
    model = small_model();
    x = small_x(16);
    y = small_y(16);
    return cn_compile(model, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"},
                      .optimizer_name = "sgd(0.1)");
}

static int teardown(void **state)
{
    (void)state;
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    return 0;
}

typedef struct injection {
    const char *name;
    double values[32];
    int n;
    char digests[32][65]; /* of the weights after each epoch */
} injection;

static int inject(void *user, cn_model *of, int epoch, const cn_logs *logs)
{
    injection *in = user;
    (void)logs;
    cn_model_weights_sha256(of, in->digests[epoch]);
    return cn_model_log(of, in->name, in->values[epoch]);
}

static injection sequence(const char *name, const char *monitor)
{
    char key[64];
    injection in = {.name = monitor};
    snprintf(key, sizeof key, "sequence.%s", name);
    in.n = parity_numbers(FILE_NAME, key, in.values, 32);
    assert_int_equal(in.n, 12);
    return in;
}

#define FIT(in, epochs_, callback)                                                                                  \
    cn_fit(model, x, y, .epochs = epochs_, .batch_size = 8, .validation_split = 0.5,                                \
           .callbacks = {&(const cn_callback){.user = (in), .on_epoch_end = inject}, callback})

/* --- EarlyStopping --- */

static void early_stopping_stops_and_restores_as_keras_does(void **state)
{
    (void)state;
    static const struct {
        const char *name, *sequence;
        cn_early_stopping_options options;
    } cases[] = {
        {"default", "valley", {CN_EARLY_STOPPING_DEFAULTS}},
        {"patience2", "valley", {CN_EARLY_STOPPING_DEFAULTS, .patience = 2, .restore_best_weights = 1}},
        {"patience3", "valley", {CN_EARLY_STOPPING_DEFAULTS, .patience = 3, .restore_best_weights = 1}},
        {"patience9", "valley", {CN_EARLY_STOPPING_DEFAULTS, .patience = 9, .restore_best_weights = 1}},
        {"delta", "valley", {CN_EARLY_STOPPING_DEFAULTS, .patience = 2, .min_delta = .15, .restore_best_weights = 1}},
        {"negative_delta", "valley",
         {CN_EARLY_STOPPING_DEFAULTS, .patience = 2, .min_delta = -.15, .restore_best_weights = 1}},
        {"baseline", "valley",
         {.monitor = "val_loss", .mode = "auto", .patience = 3, .baseline = .5, .restore_best_weights = 1}},
        {"baseline_met", "valley",
         {.monitor = "val_loss", .mode = "auto", .patience = 2, .baseline = .75, .restore_best_weights = 1}},
        {"start", "valley",
         {CN_EARLY_STOPPING_DEFAULTS, .patience = 1, .start_from_epoch = 4, .restore_best_weights = 1}},
        {"accuracy", "rising",
         {.monitor = "val_accuracy", .mode = "auto", .baseline = NAN, .patience = 2, .restore_best_weights = 1}},
        {"min_of_rising", "rising",
         {.monitor = "val_accuracy", .mode = "min", .baseline = NAN, .patience = 2, .restore_best_weights = 1}},
        {"max", "valley",
         {.monitor = "val_loss", .mode = "max", .baseline = NAN, .patience = 2, .restore_best_weights = 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char key[64], digest[65], reason[64];
        double expected[2];
        injection in = sequence(cases[i].sequence, cases[i].options.monitor);
        snprintf(key, sizeof key, "early.%s", cases[i].name);
        assert_int_equal(parity_numbers(FILE_NAME, key, expected, 2), 2);
        assert_int_equal(FIT(&in, in.n, cn_early_stopping_create(&cases[i].options)), CN_OK);
        print_message("%s: %d epochs\n", key, cn_history_epochs(cn_model_history(model)));
        int epochs = cn_history_epochs(cn_model_history(model));
        assert_int_equal(epochs, (int)expected[0]);
        snprintf(reason, sizeof reason, "Epoch %d: early stopping", epochs);
        if (epochs < in.n) assert_string_equal(cn_model_stop_reason(model), reason);
        else assert_null(cn_model_stop_reason(model));
        cn_model_weights_sha256(model, digest);
        assert_string_equal(digest, in.digests[cases[i].options.restore_best_weights ? (int)expected[1] : epochs - 1]);
    }
}

static void a_loss_that_is_no_number_is_never_better(void **state)
{
    (void)state;
    injection in = {.name = "val_loss", .values = {NAN, 1, NAN, NAN, 0.5, 0.4}};
    assert_int_equal(FIT(&in, 6, cn_early_stopping(.patience = 2)), CN_OK);
    assert_int_equal(cn_history_epochs(cn_model_history(model)), 4);
}

/* --- the learning rate --- */

static void check_rates(const char *key, int n)
{
    double expected[32];
    assert_int_equal(parity_numbers(FILE_NAME, key, expected, 32), n);
    const double *rates = cn_history_get(cn_model_history(model), "learning_rate");
    assert_non_null(rates);
    for (int i = 0; i < n; i++) {
        if (fabs(rates[i] - expected[i]) <= 2e-7 * expected[i]) continue;
        print_message("%s, epoch %d: %.17g instead of %.17g\n", key, i, rates[i], expected[i]);
        fail();
    }
}

static void reduce_lr_on_plateau_reduces_as_keras_does(void **state)
{
    (void)state;
    static const struct {
        const char *name, *sequence;
        cn_reduce_lr_on_plateau_options options;
    } cases[] = {
        {"default", "plateau", {CN_REDUCE_LR_ON_PLATEAU_DEFAULTS}},
        {"patience2", "plateau", {.monitor = "val_loss", .factor = .1, .patience = 2, .min_delta = 1e-4}},
        {"patience0", "valley", {.monitor = "val_loss", .factor = .5, .min_delta = 1e-4}},
        {"cooldown", "plateau", {.monitor = "val_loss", .factor = .5, .patience = 1, .min_delta = 1e-4, .cooldown = 2}},
        {"floor", "plateau", {.monitor = "val_loss", .factor = .25, .patience = 1, .min_delta = 1e-4, .min_lr = .01}},
        {"no_delta", "plateau", {.monitor = "val_loss", .factor = .5, .patience = 2}},
        {"accuracy", "rising", {.monitor = "val_accuracy", .factor = .5, .patience = 2, .min_delta = 1e-4}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char key[64];
        injection in = sequence(cases[i].sequence, cases[i].options.monitor);
        snprintf(key, sizeof key, "reduce.%s", cases[i].name);
        assert_int_equal(cn_model_set_learning_rate(model, 0.1), CN_OK);
        assert_int_equal(FIT(&in, in.n, cn_reduce_lr_on_plateau_create(&cases[i].options)), CN_OK);
        check_rates(key, in.n);
    }
}

static double halve_and_add(int epoch, double rate, void *user)
{
    ++*(int *)user;
    return rate * 0.5 + 0.01 * epoch;
}

static double not_a_number(int epoch, double rate, void *user)
{
    (void)rate, (void)user;
    return epoch < 1 ? 0.1 : NAN;
}

static void the_scheduler_sets_what_the_function_says(void **state)
{
    (void)state;
    int calls = 0;
    assert_int_equal(cn_fit(model, x, y, .epochs = 5,
                            .callbacks = {cn_learning_rate_scheduler(halve_and_add, .user = &calls)}), CN_OK);
    check_rates("scheduler", 5);
    assert_int_equal(calls, 5);
    assert_int_equal(cn_fit(model, x, y, .epochs = 5, .callbacks = {cn_learning_rate_scheduler(not_a_number)}),
                     CN_EINVAL);
    assert_non_null(strstr(cn_error_message(), "LearningRateScheduler: the schedule gave nan for epoch 1"));
}

/* --- ModelCheckpoint --- */

static void model_checkpoint_writes_the_files_of_keras(void **state)
{
    (void)state;
    static const struct {
        const char *name, *pattern;
        cn_model_checkpoint_options options;
    } cases[] = {
        {"every_epoch", "{epoch:02d}.keras", {CN_MODEL_CHECKPOINT_DEFAULTS}},
        {"best", "{epoch}-{val_loss:.2f}.keras", {CN_MODEL_CHECKPOINT_DEFAULTS, .save_best_only = 1}},
        {"best_threshold", "{epoch:03d}-{val_loss:.4f}.keras",
         {.monitor = "val_loss", .save_best_only = 1, .initial_value_threshold = .7}},
        {"batches", "{epoch}-{batch:02d}.keras", {CN_MODEL_CHECKPOINT_DEFAULTS, .save_freq = 3}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char key[64], pattern[512], found[512] = "";
        injection in = sequence("valley", "val_loss");
        cn_model_checkpoint_options options = cases[i].options;
        snprintf(key, sizeof key, "save.%s", cases[i].name);
        snprintf(pattern, sizeof pattern, "%s/new/%s", scratch_path(key), cases[i].pattern);
        options.filepath = pattern;
        assert_int_equal(cn_fit(model, x, y, .epochs = 6, .batch_size = options.save_freq ? 2 : 8,
                                .validation_split = 0.5,
                                .callbacks = {&(const cn_callback){.user = &in, .on_epoch_end = inject},
                                              cn_model_checkpoint_create(&options)}), CN_OK);
        struct dirent **entries;
        *strrchr(pattern, '/') = '\0';
        int n = scandir(pattern, &entries, NULL, alphasort);
        for (int e = 0; e < n; e++) {
            if (entries[e]->d_name[0] != '.') {
                size_t used = strlen(found);
                snprintf(found + used, sizeof found - used, "%s%s", used ? " " : "", entries[e]->d_name);
            }
            free(entries[e]);
        }
        free(entries);
        assert_string_equal(found, parity_text(FILE_NAME, key));
    }
}

static void a_checkpoint_of_weights_only_has_no_optimizer(void **state)
{
    (void)state;
    const char *all = scratch_path("all.safetensors"), *weights = scratch_path("weights.safetensors");
    char digest[65], read[65];
    assert_int_equal(cn_compile(model, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}), CN_OK);
    assert_int_equal(cn_fit(model, x, y, .epochs = 2,
                            .callbacks = {cn_model_checkpoint(all),
                                          cn_model_checkpoint(weights, .save_weights_only = 1)}), CN_OK);
    cn_model_weights_sha256(model, digest);
    for (int i = 0; i < 2; i++) {
        cn_model *loaded = cn_model_load(i ? weights : all);
        assert_non_null(loaded);
        assert_int_equal(cn_model_weights_sha256(loaded, read), CN_OK);
        assert_string_equal(read, digest);
        assert_int_equal(cn_model_iterations(loaded), i ? 0 : 2);
        cn_model_destroy(&loaded);
    }
}

/* A model saved with its optimizer while fit runs goes on as the model itself does: the updates that wait
 * (src/model/lazy.c) are made up for before the file is written. */
static void a_checkpoint_of_sparse_inputs_goes_on_with_the_same_bits(void **state)
{
    (void)state;
    enum { ROWS = 64, COLUMNS = 256 };
    const char *path = scratch_path("sparse.safetensors");
    cn_tensor *sparse_x = cn_zeros(CN_UINT8, ROWS, COLUMNS), *sparse_y = small_y(ROWS);
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < 5; k++) ((uint8_t *)cn_data(sparse_x))[i * COLUMNS + (i * 37 + k * k * 11) % COLUMNS] = 1;
    cn_model *sparse = cn_sequential(.threads = 2, .seed = 3);
    cn_add(sparse, cn_dense(64, .activation = "relu", .input_shape = {COLUMNS}));
    cn_add(sparse, cn_dense(SMALL_CLASSES, .activation = "softmax"));
    assert_int_equal(small_compile(sparse), CN_OK);
    assert_int_equal(cn_fit(sparse, sparse_x, sparse_y, .epochs = 3, .batch_size = 4, .shuffle = 0,
                            .callbacks = {cn_model_checkpoint(path, .save_freq = 5)}), CN_OK); /* the last: 45 of 48 */
    cn_model *loaded = cn_model_load(path);
    assert_non_null(loaded);
    assert_int_equal(cn_model_iterations(loaded), 45);
    for (int step = 13; step < 16; step++) {
        cn_tensor *part_x = cn_slice(sparse_x, {step * 4, step * 4 + 4}),
                  *part_y = cn_slice(sparse_y, {step * 4, step * 4 + 4});
        assert_int_equal(cn_train_step(loaded, part_x, part_y, NULL), CN_OK);
    }
    char one[65], two[65];
    cn_model_weights_sha256(sparse, one);
    cn_model_weights_sha256(loaded, two);
    assert_string_equal(one, two);
    cn_model_destroy(&sparse);
    cn_model_destroy(&loaded);
    cn_tensor_destroy(&sparse_x);
    cn_tensor_destroy(&sparse_y);
}

/* --- loggers --- */

static const char *file_text(const char *path)
{
    static char text[4096];
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    fclose(stream);
    return text;
}

static int inject_all(void *user, cn_model *of, int epoch, const cn_logs *logs)
{
    static const double rows[3][4] = {{0.1, 2.302585, 1, 1e-05},
                                      {0.30000001192092896, NAN, 0, INFINITY},
                                      {1.0 / 3, 123456789012345678.0, 5e-324, -0.0}};
    (void)user;
    for (int i = 0; i < logs->count; i++) cn_model_log(of, logs->names[i], rows[epoch][i]);
    return cn_model_log(of, "extra", 0.5 * epoch);
}

static void csv_logger_writes_what_keras_writes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *separator;
        int append, validation;
        const char *before;
    } cases[] = {{"plain", ",", 0, 1, NULL},        {"no_validation", ",", 0, 0, NULL},
                 {"semicolon", ";", 0, 1, NULL},    {"append", ",", 1, 1, "old line\n"},
                 {"append_new", ",", 1, 1, NULL},   {"overwrite", ",", 0, 1, "old line\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char key[64];
        snprintf(key, sizeof key, "csv.%s", cases[i].name);
        const char *path = scratch_path(key);
        if (cases[i].before) scratch_write(key, cases[i].before, strlen(cases[i].before));
        assert_int_equal(cn_fit(model, x, y, .epochs = 3, .validation_split = cases[i].validation ? 0.5 : 0,
                                .callbacks = {&(const cn_callback){.on_epoch_end = inject_all},
                                              cn_csv_logger(path, .separator = cases[i].separator,
                                                            .append = cases[i].append)}), CN_OK);
        assert_string_equal(file_text(path), parity_text(FILE_NAME, key));
    }
}

static void json_logger_writes_a_line_an_epoch(void **state)
{
    (void)state;
    const char *path = scratch_path("log/of/run.jsonl");
    for (int again = 0; again < 2; again++)
        assert_int_equal(cn_fit(model, x, y, .epochs = 2, .validation_split = 0.5,
                                .callbacks = {&(const cn_callback){.on_epoch_end = inject_all},
                                              cn_json_logger(path, .append = again)}), CN_OK);
    static const char twice[] =
        "{\"epoch\": 0, \"accuracy\": 0.1, \"loss\": 2.302585, \"val_accuracy\": 1.0, \"val_loss\": 1e-05, "
        "\"extra\": 0.0}\n"
        "{\"epoch\": 1, \"accuracy\": 0.30000001192092896, \"loss\": null, \"val_accuracy\": 0.0, \"val_loss\": null, "
        "\"extra\": 0.5}\n";
    const char *text = file_text(path);
    assert_int_equal(strlen(text), 2 * strlen(twice));
    assert_memory_equal(text, twice, strlen(twice));
    assert_string_equal(text + strlen(twice), twice);
}

/* --- TerminateOnNaN --- */

static void the_first_bad_input_is_named(void **state)
{
    (void)state;
    ((float *)cn_data(x))[SMALL_INPUTS * 11 + 2] = NAN;
    assert_int_equal(cn_fit(model, x, y, .epochs = 9, .batch_size = 4, .shuffle = 0,
                            .callbacks = {cn_terminate_on_nan()}), CN_OK);
    assert_string_equal(cn_model_stop_reason(model), "epoch 1, batch 2: the loss is nan, training ends: input 2 of "
                                                     "sample 11 is nan");
    assert_int_equal(cn_history_epochs(cn_model_history(model)), 1);
    assert_int_equal(cn_model_iterations(model), 3);
}

static void the_first_bad_layer_is_named(void **state)
{
    (void)state;
    for (int raise = 0; raise < 2; raise++) {
        cn_tensor *targets = cn_zeros(CN_FLOAT32, 16, SMALL_CLASSES);
        cn_model *linear = cn_sequential(.threads = 1);
        cn_add(linear, cn_dense(2, .input_shape = {SMALL_INPUTS}, .name = "first"));
        cn_add(linear, cn_dense(SMALL_CLASSES, .name = "second"));
        cn_compile(linear, .loss = "mse", .optimizer_name = "sgd(1e30)");
        int status = cn_fit(linear, x, targets, .epochs = 9, .batch_size = 8, .shuffle = 0,
                            .callbacks = {cn_terminate_on_nan(.raise_error = raise)});
        assert_int_equal(status, raise ? CN_ESTOPPED : CN_OK);
        const char *sentence = raise ? cn_error_message() : cn_model_stop_reason(linear);
        print_message("%s\n", sentence);
        assert_non_null(strstr(sentence, "epoch 1, batch "));
        assert_non_null(strstr(sentence, "layer second gave "));
        assert_non_null(strstr(sentence, " for sample 8"));
        cn_model_destroy(&linear);
        cn_tensor_destroy(&targets);
    }
}

/* --- values that are missing --- */

static void a_missing_value_is_a_warning(void **state)
{
    (void)state;
    const char *file = scratch_path("unjudged-{epoch}.safetensors"), *saved = scratch_path("unjudged-3.safetensors");
    static const char *const sentences[] = {
        "EarlyStopping: there is no \"val_loss\" among the values of an epoch: accuracy, loss; training does not stop "
        "early; give fit a validation_split or monitor \"loss\"",
        "ReduceLROnPlateau: there is no \"val_loss\" among the values of an epoch: accuracy, loss, learning_rate; the "
        "learning rate stays; give fit a validation_split or monitor \"loss\"",
        "ModelCheckpoint: there is no \"elsewhere\" among the values of an epoch: accuracy, loss, learning_rate; every "
        "model is saved"};
    assert_int_equal(cn_fit(model, x, y, .epochs = 3,
                            .callbacks = {cn_early_stopping(), cn_reduce_lr_on_plateau(.patience = 0),
                                          cn_model_checkpoint(file, .save_best_only = 1, .monitor = "elsewhere",
                                                              .mode = "min")}), CN_OK);
    assert_int_equal(cn_history_epochs(cn_model_history(model)), 3);
    assert_null(cn_model_stop_reason(model));
    assert_true(cn_model_get_learning_rate(model) == 0.1);
    cn_model *loaded = cn_model_load(saved);
    assert_non_null(loaded);
    cn_model_destroy(&loaded);
    for (int i = 0; i < 3; i++) {
        assert_non_null(cn_model_warning(model, i)); /* each of the three epochs said it, and it is kept once */
        assert_string_equal(cn_model_warning(model, i), sentences[i]);
    }
    assert_null(cn_model_warning(model, 3));
    assert_null(cn_model_warning(model, -1));
    assert_null(cn_model_warning(NULL, 0));
    assert_int_equal(cn_fit(model, x, y, .epochs = 1), CN_OK);
    assert_null(cn_model_warning(model, 0));
}

/* Nothing is missing where validation comes only every second epoch. */
static void an_epoch_without_validation_is_no_warning(void **state)
{
    (void)state;
    assert_int_equal(cn_fit(model, x, y, .epochs = 4, .validation_split = 0.5, .validation_freq = 2,
                            .callbacks = {cn_early_stopping(.patience = 9), cn_reduce_lr_on_plateau()}), CN_OK);
    assert_null(cn_model_warning(model, 0));
}

/* Batches have no validation, so "best" means nothing there. */
static void saving_the_best_of_batches_is_a_warning(void **state)
{
    (void)state;
    const char *file = scratch_path("batch-{batch}.safetensors"), *saved = scratch_path("batch-1.safetensors");
    assert_int_equal(cn_fit(model, x, y, .batch_size = 8, .validation_split = 0.5,
                            .callbacks = {cn_model_checkpoint(file, .save_best_only = 1, .save_freq = 1)}), CN_OK);
    assert_non_null(strstr(cn_model_warning(model, 0), "every model is saved"));
    cn_model *loaded = cn_model_load(saved);
    assert_non_null(loaded);
    cn_model_destroy(&loaded);
}

static void a_fit_that_prints_prints_warnings(void **state)
{
    (void)state;
    for (int verbose = 0; verbose <= 2; verbose += 2) {
        char text[2000] = "";
        FILE *output = fmemopen(text, sizeof text, "w");
        assert_int_equal(cn_fit(model, x, y, .epochs = 2, .verbose = verbose, .output = output,
                                .callbacks = {cn_early_stopping()}), CN_OK);
        fclose(output);
        const char *first = strstr(text, "warning: EarlyStopping: there is no \"val_loss\"");
        assert_int_equal(first != NULL, verbose != 0);
        assert_true(!first || !strstr(first + 1, "warning: "));
    }
}

static int count_batch(void *user, cn_model *of, int64_t batch)
{
    (void)of, (void)batch;
    ++*(int *)user;
    return CN_OK;
}

/* `callback` is one whose monitor is wrong: fit must say so before its first batch, in this whole sentence. */
static void expect_refused(cn_model *of, double validation_split, const cn_callback *callback, int status,
                           const char *sentence)
{
    int batches = 0;
    injection in = {.name = "extra"};
    const cn_callback injecting = {.user = &in, .on_epoch_end = inject},
                      counting = {.user = &batches, .on_train_batch_begin = count_batch};
    assert_int_equal(cn_fit(of, x, y, .validation_split = validation_split,
                            .callbacks = {&injecting, &counting, callback}), status);
    assert_string_equal(cn_error_message(), sentence);
    assert_int_equal(batches, 0);
    assert_int_equal(cn_model_iterations(of), 0);
}

static void an_unknown_monitor_is_refused_before_training(void **state)
{
    (void)state;
#define THERE_IS_NO(name) "there is no \"" name "\" among the values of an epoch: accuracy, loss"
    expect_refused(model, 0, cn_early_stopping(.monitor = "los"), CN_ENAME, "EarlyStopping: " THERE_IS_NO("los"));
    expect_refused(model, 0, cn_early_stopping(.monitor = "val_auc"), CN_ENAME,
                   "EarlyStopping: " THERE_IS_NO("val_auc"));
    expect_refused(model, 0.5, cn_early_stopping(.monitor = "val_auc"), CN_ENAME,
                   "EarlyStopping: " THERE_IS_NO("val_auc") ", val_accuracy, val_loss");
    expect_refused(model, 0.5, cn_reduce_lr_on_plateau(.monitor = "foo"), CN_ENAME,
                   "ReduceLROnPlateau: " THERE_IS_NO("foo") ", val_accuracy, val_loss");
    expect_refused(model, 0, cn_model_checkpoint("/proc/x", .save_best_only = 1, .monitor = "extra"), CN_ENAME,
                   "ModelCheckpoint: " THERE_IS_NO("extra"));
#undef THERE_IS_NO
    cn_model *summing = small_model();
    assert_int_equal(cn_compile(summing, .loss = "sparse_categorical_crossentropy", .metrics = {"sum"}), CN_OK);
    expect_refused(summing, 0, cn_model_checkpoint("/proc/x", .save_best_only = 1, .monitor = "val_sum"), CN_EINVAL,
                   "ModelCheckpoint: nobody knows whether \"val_sum\" should rise or fall; pass mode max or min");
    cn_model_destroy(&summing);
}

/* What Keras accepts: a monitor that is not looked at, and values that another callback adds. */
static void an_unknown_monitor_may_be_of_no_matter(void **state)
{
    (void)state;
    injection in = {.name = "extra", .values = {1, 2, 3, 4}};
    assert_int_equal(FIT(&in, 1, cn_model_checkpoint(scratch_path("all.safetensors"), .monitor = "foo")), CN_OK);
    assert_int_equal(FIT(&in, 4, cn_early_stopping(.monitor = "extra", .mode = "min", .patience = 1)), CN_OK);
    assert_int_equal(cn_history_epochs(cn_model_history(model)), 2);
}

/* --- arguments --- */

/* Made one by one: a refusal remembers the last failure only. */
static cn_callback *make_wrong(int i, const char **sentence)
{
#define WRONG(n, text, constructor) case n: *sentence = text; return constructor
    switch (i) {
    WRONG(0, "EarlyStopping: patience must not be negative, got -1", cn_early_stopping(.patience = -1));
    WRONG(1, "EarlyStopping: mode must be auto, min or max, got \"up\"", cn_early_stopping(.mode = "up"));
    WRONG(2, "EarlyStopping: monitor is empty", cn_early_stopping(.monitor = ""));
    WRONG(3, "EarlyStopping: start_from_epoch must not be negative", cn_early_stopping(.start_from_epoch = -1));
    WRONG(4, "ReduceLROnPlateau: factor must be at least 0 and below 1, got 1", cn_reduce_lr_on_plateau(.factor = 1));
    WRONG(5, "ReduceLROnPlateau: patience and cooldown must not be negative, got 10 and -2",
          cn_reduce_lr_on_plateau(.cooldown = -2));
    WRONG(6, "ReduceLROnPlateau: min_delta must be a finite number, got nan",
          cn_reduce_lr_on_plateau(.min_delta = NAN));
    WRONG(7, "LearningRateScheduler: the schedule is NULL", cn_learning_rate_scheduler(NULL));
    WRONG(8, "CSVLogger: the filename is empty", cn_csv_logger(""));
    WRONG(9, "CSVLogger: the separator must be one character, got \", \"", cn_csv_logger("a", .separator = ", "));
    WRONG(10, "cannot write '/proc/log.csv'", cn_csv_logger("/proc/log.csv"));
    WRONG(11, "JSON-lines logger: the filename is empty", cn_json_logger(NULL));
    WRONG(12, "ModelCheckpoint: the filepath is empty", cn_model_checkpoint(""));
    WRONG(13, "ModelCheckpoint: \"a{epoch\": \"{epoch\" is no place such as {epoch:02d}",
          cn_model_checkpoint("a{epoch"));
    WRONG(14, "ModelCheckpoint: \"a}\": a } without its {", cn_model_checkpoint("a}"));
    WRONG(15, "\"/tmp/{lost}\": there is no value called \"lost\"", cn_model_checkpoint("/tmp/{lost}"));
    WRONG(16, "\"/tmp/{loss:02d}\": {loss:d} wants a whole number", cn_model_checkpoint("/tmp/{loss:02d}"));
    WRONG(17, "ModelCheckpoint: save_freq must be a number of batches", cn_model_checkpoint("a", .save_freq = -3));
    WRONG(18, "cannot write '/proc/x'", cn_model_checkpoint("/proc/x"));
    WRONG(19, "No space left on device", cn_json_logger("/dev/full"));
    default: return NULL;
    }
#undef WRONG
}

static void wrong_arguments_are_said_by_fit(void **state)
{
    (void)state;
    const char *sentence;
    for (int i = 0;; i++) {
        injection in = {.name = "extra"};
        const cn_callback injecting = {.user = &in, .on_epoch_end = inject}, *callback = make_wrong(i, &sentence);
        if (!callback) break;
        int status = cn_fit(model, x, y, .callbacks = {&injecting, callback});
        if (status < 0 && strstr(cn_error_message(), sentence)) continue;
        print_message("%d: %d \"%s\" instead of \"%s\"\n", i, status, cn_error_message(), sentence);
        fail();
    }
}

static void a_callback_that_nobody_took_is_destroyed_by_hand(void **state)
{
    (void)state;
    const cn_callback *callback = cn_early_stopping(), *refused = cn_early_stopping(.patience = -1), *none = NULL;
    cn_callback_destroy(&callback);
    assert_null(callback);
    cn_callback_destroy(&refused);
    cn_callback_destroy(&none);
    cn_callback_destroy(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(early_stopping_stops_and_restores_as_keras_does),
        TEST(a_loss_that_is_no_number_is_never_better),
        TEST(reduce_lr_on_plateau_reduces_as_keras_does),
        TEST(the_scheduler_sets_what_the_function_says),
        TEST(model_checkpoint_writes_the_files_of_keras),
        TEST(a_checkpoint_of_weights_only_has_no_optimizer),
        TEST(a_checkpoint_of_sparse_inputs_goes_on_with_the_same_bits),
        TEST(csv_logger_writes_what_keras_writes),
        TEST(json_logger_writes_a_line_an_epoch),
        TEST(the_first_bad_input_is_named),
        TEST(the_first_bad_layer_is_named),
        TEST(a_missing_value_is_a_warning),
        TEST(an_epoch_without_validation_is_no_warning),
        TEST(saving_the_best_of_batches_is_a_warning),
        TEST(a_fit_that_prints_prints_warnings),
        TEST(an_unknown_monitor_is_refused_before_training),
        TEST(an_unknown_monitor_may_be_of_no_matter),
        TEST(wrong_arguments_are_said_by_fit),
        TEST(a_callback_that_nobody_took_is_destroyed_by_hand),
    };
    return cmocka_run_group_tests_name("built-in callbacks", tests, scratch_setup, scratch_teardown);
}
