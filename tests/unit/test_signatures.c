/* Every class of Keras's layers, losses, metrics, optimizers, schedules, initializers, regularizers, constraints and
 * callbacks is there, with each of its arguments at its place and with its default. */
#include "signatures.h"

#include "layers/constraint.h"
#include "layers/initializer.h"
#include "layers/layer.h"
#include "layers/regularizer.h"
#include "train/metric.h"
#include "train/optimizer.h"
#include "train/scaled_loss.h"
#include "train/schedule.h"

#include <cornu/built_in_callbacks.h>
#include <cornu/error.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))
#define FIELD(options, name, type) {#name, CN__FIELD_##type, offsetof(options, name)}

static int find_loss(const char *class_, taken *ours)
{
    int i;
    if (!cn__loss_find(class_, &i)) return 0;
    *ours = (taken){cn__loss_classes[i]->fields, cn__loss_classes[i]->n_fields, &cn__loss_classes[i]->defaults};
    return 1;
}

static void losses_take_what_keras_says(void **state)
{
    static signature_exception list[] = {
        {"*", "name", "a loss has no name in logs but \"loss\"", 0},
        {"*", "axis=", "not given: the last one", 0},
        {"*", "dtype", "float32, or float64 for float64 outputs", 0},
    };
    (void)state;
    assert_int_equal(group_differences("losses", find_loss, list, COUNT(list)), 0);
}

static int find_metric(const char *class_, taken *ours)
{
    const char *name = !strcmp(class_, "Accuracy") ? "exact_accuracy" : class_; /* accuracy looks at the shapes */
    for (int i = 0; i < CN__METRIC_mean_of_loss; i++) {
        const cn__metric_class *c = cn__metric_classes[i];
        if (!cn__same_keras_name(name, c->name)) continue;
        *ours = (taken){c->fields, c->n_fields, &c->defaults};
        return 1;
    }
    return find_loss(name, ours);
}

static void metrics_take_what_keras_says(void **state)
{
    static signature_exception list[] = {
        {"*", "name", "beside every other argument, and only by its name", 0},
        {"*", "axis=", "not given: the last one", 0},
        {"*", "dtype", "sums are float64", 0},
        {"SparseCategoricalCrossentropy", "axis", "by its name only: where it stands, the loss takes reduction", 0},
    };
    (void)state;
    assert_int_equal(group_differences("metrics", find_metric, list, COUNT(list)), 0);
}

static int find_optimizer(const char *class_, taken *ours)
{
    const cn__loss_scale_class *scale = &cn__loss_scale_optimizer;
    if (!strcmp(class_, scale->name)) {
        *ours = (taken){scale->fields, scale->n_fields, &scale->defaults};
        return 1;
    }
    for (int i = 0; i < CN__OPTIMIZER_COUNT; i++) {
        const cn__optimizer_class *c = cn__optimizer_classes[i];
        if (strcmp(class_, c->name)) continue;
        *ours = (taken){c->fields, c->n_fields, c->defaults};
        return 1;
    }
    return 0;
}

static void optimizers_take_what_keras_says(void **state)
{
    static signature_exception list[] = {
        {"*", "name", "an optimizer is known by its class", 0},
        {"MultiOptimizer", "", "a model has one; in a loop of your own cn_apply_gradients takes several", 0},
        {"OptimizerMap", "", "part of the one above", 0},
    };
    (void)state;
    assert_int_equal(group_differences("optimizers", find_optimizer, list, COUNT(list)), 0);
}

static int find_layer(const char *class_, taken *ours)
{
    for (int i = 0; i < CN__LAYER_COUNT; i++) {
        const cn__layer_class *c = cn__layer_classes[i];
        if (strcmp(class_, c->name) && (!c->also || strcmp(class_, "Input"))) continue;
        if (strcmp(class_, "Input") == 0 && strcmp(c->name, "InputLayer")) continue;
        *ours = (taken){c->fields, c->n_fields, c->defaults};
        return 1;
    }
    return 0;
}

static void layers_take_what_keras_says(void **state)
{
    static signature_exception list[] = {
        {"*", "data_format=", "channels_last by its name; Keras's None means what a file in the user's home says", 0},
        {"*", "name", "known by its name only, and every layer has it", 0},
        {"Input", "batch_size", "a model takes batches of any size", 0},
        {"Input", "batch_shape", "likewise", 0},
        {"Input", "dtype", "numbers come in every dtype and are computed in the model's precision", 0},
        {"Input", "sparse", "zeros are found in the data", 0},
        {"Input", "ragged", "TensorFlow's", 0},
        {"Input", "tensor", "of Keras's functional models", 0},
        {"Input", "optional", "likewise", 0},
        {"Dense", "lora_rank", "low-rank adapters are not there", 0},
        {"Dense", "lora_alpha", "likewise", 0},
        {"Dense", "quantization_config", "nor is quantization", 0},
    };
    (void)state;
    assert_int_equal(group_differences("layers", find_layer, list, COUNT(list)), 0);
}

/* What every layer of Keras takes by its name: activity_regularizer, name and trainable, which is only there where
 * there is something to train; dtype and autocast are the model's precision. */
static void layers_take_what_all_layers_take(void **state)
{
    (void)state;
    for (int i = 0; i < CN__LAYER_COUNT; i++) {
        const cn__layer_class *c = cn__layer_classes[i];
        assert_non_null(cn__field_find(c->fields, c->n_fields, "name"));
        if (c == &cn__layer_input || c == &cn__layer_tape) continue;
        assert_non_null(cn__field_find(c->fields, c->n_fields, "activity_regularizer"));
        assert_non_null(cn__field_find(c->fields, c->n_fields, "input_shape"));
        int trains = 0;
        for (int f = 0; f < c->n_fields; f++) trains |= strstr(c->fields[f].name, "_initializer") != NULL;
        assert_int_equal(cn__field_find(c->fields, c->n_fields, "trainable") != NULL, trains);
    }
}

/* A text that leaves out what has no default is refused. */
static void layers_require_what_keras_requires(void **state)
{
    char path[1024], line[4096];
    signature keras;
    int n = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/signatures/layers.txt", CN_PARITY_DIR);
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    while (fgets(line, sizeof line, stream)) {
        if (line[0] == '#' || !signature_parse(line, &keras) || !strcmp(keras.class_, "Input")) continue;
        int required = 0;
        while (required < keras.n && keras.required[required]) required++;
        for (int i = 0; i < CN__LAYER_COUNT; i++)
            if (!strcmp(cn__layer_classes[i]->name, keras.class_)) {
                if (cn__layer_classes[i]->n_required != required)
                    print_message("%s requires %d\n", keras.class_, required);
                assert_int_equal(cn__layer_classes[i]->n_required, required);
                n++;
            }
    }
    fclose(stream);
    assert_int_equal(n, 23);
    assert_null(cn_layer_from_text("random_translation(0.1, fill_mode=wrap)"));
    assert_string_equal(cn_error_message(), "random_translation: width_factor is missing; it has no default");
    assert_null(cn_layer_from_text("rescaling(offset=1)"));
    assert_string_equal(cn_error_message(), "rescaling: scale is missing; it has no default");
    assert_null(cn_layer_from_text("average_pooling2d"));
    assert_string_equal(cn_error_message(), "average_pooling2d: pool_size is missing; it has no default");
}

static int find_schedule(const char *class_, taken *ours)
{
    for (int i = 0; i < CN__SCHEDULE_COUNT; i++) {
        const cn__schedule_class *c = cn__schedule_classes[i];
        if (strcmp(class_, c->name)) continue;
        *ours = (taken){c->fields, c->n_fields, &c->defaults};
        return 1;
    }
    return 0;
}

static void schedules_take_what_keras_says(void **state)
{
    static signature_exception list[] = {
        {"*", "name", "a schedule is known by its class", 0},
    };
    (void)state;
    assert_int_equal(group_differences("schedules", find_schedule, list, COUNT(list)), 0);
}

static int find_initializer(const char *class_, taken *ours)
{
    for (int i = 0; i < CN__INITIALIZER_COUNT; i++) {
        const cn__initializer_class *c = cn__initializer_classes[i];
        if (!cn__same_name(class_, c->name)) continue;
        *ours = (taken){c->fields, c->n_fields, &c->defaults};
        return 1;
    }
    return 0;
}

static void initializers_take_what_keras_says(void **state)
{
    static signature_exception list[] = {
        {"STFT", "", "fills the kernels of the layer STFTSpectrogram, which is not there", 0},
    };
    (void)state;
    assert_int_equal(group_differences("initializers", find_initializer, list, COUNT(list)), 0);
}

/* Their tables of fields are their own: a text with Keras's defaults, once by their places and once by their names, has
 * to mean what the name alone means. */
static int texts_agree(const char *class_, const char *places, const char *names,
                       int (*same)(const char *a, const char *b))
{
    if (same(class_, places) && same(class_, names)) return 1;
    fprintf(stderr, "%s is not %s, or not %s\n", class_, places, names);
    return 0;
}

static int group_agrees(const char *group, int (*same)(const char *a, const char *b))
{
    char path[1024], line[4096];
    signature keras;
    int classes = 0, agree = 1;
    snprintf(path, sizeof path, "%s/signatures/%s.txt", CN_PARITY_DIR, group);
    FILE *stream = fopen(path, "r");
    while (stream && fgets(line, sizeof line, stream)) {
        char places[512], names[512];
        if (line[0] == '#' || !signature_parse(line, &keras)) continue;
        if (!strcmp(keras.class_, "OrthogonalRegularizer")) continue; /* not there: it looks at a whole matrix */
        int p = snprintf(places, sizeof places, "%s(", keras.class_),
            q = snprintf(names, sizeof names, "%s(", keras.class_);
        for (int i = 0; i < keras.n; i++) {
            const char *comma = i ? ", " : "";
            p += snprintf(places + p, sizeof places - (size_t)p, "%s%s", comma, keras.defaults[i]);
            q += snprintf(names + q, sizeof names - (size_t)q, "%s%s=%s", comma, keras.names[i], keras.defaults[i]);
        }
        strcat(places, ")");
        strcat(names, ")");
        agree &= texts_agree(keras.class_, places, names, same);
        classes++;
    }
    if (stream) fclose(stream);
    return classes && agree;
}

static int same_regularizer(const char *a, const char *b)
{
    cn__regularizer left, right;
    return cn__regularizer_find("a", "b", a, &left) == 0 && cn__regularizer_find("a", "b", b, &right) == 0 &&
           !memcmp(&left, &right, sizeof left);
}

static int same_constraint(const char *a, const char *b)
{
    cn__constraint left, right;
    return cn__constraint_find("a", "b", a, 2, &left) == 0 && cn__constraint_find("a", "b", b, 2, &right) == 0 &&
           left.kind == right.kind && left.axes == right.axes && left.min_value == right.min_value &&
           left.max_value == right.max_value && left.rate == right.rate;
}

static void regularizers_and_constraints_take_what_keras_says(void **state)
{
    (void)state;
    assert_true(group_agrees("regularizers", same_regularizer));
    assert_true(group_agrees("constraints", same_constraint));
    assert_false(same_constraint("max_norm(1)", "max_norm(2)"));
    assert_false(same_regularizer("l1", "l2"));
}

/* Callbacks have no tables of their own: these would not compile without the arguments. */
static const cn_early_stopping_options early_stopping_defaults = {CN_EARLY_STOPPING_DEFAULTS};
static const cn_model_checkpoint_options model_checkpoint_defaults = {CN_MODEL_CHECKPOINT_DEFAULTS};
static const cn_reduce_lr_on_plateau_options reduce_lr_on_plateau_defaults = {CN_REDUCE_LR_ON_PLATEAU_DEFAULTS};
static const cn_learning_rate_scheduler_options learning_rate_scheduler_defaults = {.verbose = 0};
static const cn_csv_logger_options csv_logger_defaults = {CN_CSV_LOGGER_DEFAULTS};
static const cn_terminate_on_nan_options terminate_on_nan_defaults = {.raise_error = 0};
static const cn_tensorboard_options tensorboard_defaults = {CN_TENSORBOARD_DEFAULTS};
static const cn_swap_ema_weights_options swap_ema_weights_defaults = {.swap_on_epoch = 0};
static const cn_backup_and_restore_options backup_and_restore_defaults = {CN_BACKUP_AND_RESTORE_DEFAULTS};
static const cn__field early_stopping_fields[] = {
    FIELD(cn_early_stopping_options, monitor, TEXT),
    FIELD(cn_early_stopping_options, min_delta, REAL),
    FIELD(cn_early_stopping_options, patience, INT),
    FIELD(cn_early_stopping_options, verbose, INT),
    FIELD(cn_early_stopping_options, mode, TEXT),
    FIELD(cn_early_stopping_options, baseline, REAL),
    FIELD(cn_early_stopping_options, restore_best_weights, INT),
    FIELD(cn_early_stopping_options, start_from_epoch, INT),
};
static const cn__field model_checkpoint_fields[] = {
    FIELD(cn_model_checkpoint_options, filepath, TEXT),
    FIELD(cn_model_checkpoint_options, monitor, TEXT),
    FIELD(cn_model_checkpoint_options, verbose, INT),
    FIELD(cn_model_checkpoint_options, save_best_only, INT),
    FIELD(cn_model_checkpoint_options, save_weights_only, INT),
    FIELD(cn_model_checkpoint_options, mode, TEXT),
    FIELD(cn_model_checkpoint_options, save_freq, INT64),
    FIELD(cn_model_checkpoint_options, initial_value_threshold, REAL),
};
static const cn__field reduce_lr_on_plateau_fields[] = {
    FIELD(cn_reduce_lr_on_plateau_options, monitor, TEXT),
    FIELD(cn_reduce_lr_on_plateau_options, factor, REAL),
    FIELD(cn_reduce_lr_on_plateau_options, patience, INT),
    FIELD(cn_reduce_lr_on_plateau_options, verbose, INT),
    FIELD(cn_reduce_lr_on_plateau_options, mode, TEXT),
    FIELD(cn_reduce_lr_on_plateau_options, min_delta, REAL),
    FIELD(cn_reduce_lr_on_plateau_options, cooldown, INT),
    FIELD(cn_reduce_lr_on_plateau_options, min_lr, REAL),
};
static const cn__field learning_rate_scheduler_fields[] = {
    FIELD(cn_learning_rate_scheduler_options, schedule, TEXT),
    FIELD(cn_learning_rate_scheduler_options, verbose, INT),
};
static const cn__field csv_logger_fields[] = {
    FIELD(cn_csv_logger_options, filename, TEXT),
    FIELD(cn_csv_logger_options, separator, TEXT),
    FIELD(cn_csv_logger_options, append, INT),
};
static const cn__field terminate_on_nan_fields[] = {
    FIELD(cn_terminate_on_nan_options, raise_error, INT),
};
static const cn__field tensorboard_fields[] = {
    FIELD(cn_tensorboard_options, log_dir, TEXT),
    FIELD(cn_tensorboard_options, histogram_freq, INT),
    FIELD(cn_tensorboard_options, write_steps_per_second, INT),
    FIELD(cn_tensorboard_options, update_freq, INT64),
};
static const cn__field swap_ema_weights_fields[] = {
    FIELD(cn_swap_ema_weights_options, swap_on_epoch, INT),
};
static const cn__field backup_and_restore_fields[] = {
    FIELD(cn_backup_and_restore_options, save_freq, INT64),
    FIELD(cn_backup_and_restore_options, double_checkpoint, INT),
    FIELD(cn_backup_and_restore_options, delete_checkpoint, INT),
};

static int find_callback(const char *class_, taken *ours)
{
#define CALLBACK(name) {name##_fields, COUNT(name##_fields), &name##_defaults}
    static const struct {
        const char *class_;
        taken takes;
    } known[] = {
        {"EarlyStopping", CALLBACK(early_stopping)},
        {"ModelCheckpoint", CALLBACK(model_checkpoint)},
        {"ReduceLROnPlateau", CALLBACK(reduce_lr_on_plateau)},
        {"LearningRateScheduler", CALLBACK(learning_rate_scheduler)},
        {"CSVLogger", CALLBACK(csv_logger)},
        {"TerminateOnNaN", CALLBACK(terminate_on_nan)},
        {"TensorBoard", CALLBACK(tensorboard)},
        {"SwapEMAWeights", CALLBACK(swap_ema_weights)},
        {"BackupAndRestore", CALLBACK(backup_and_restore)},
    };
#undef CALLBACK
    for (int i = 0; i < COUNT(known); i++) {
        if (strcmp(class_, known[i].class_)) continue;
        *ours = known[i].takes;
        return 1;
    }
    return 0;
}

static void callbacks_take_what_keras_says(void **state)
{
    static signature_exception list[] = {
        {"CallbackList", "", "the option .callbacks of fit is the list", 0},
        {"History", "", "fit always has one: cn_model_history", 0},
        {"LambdaCallback", "", "any cn_callback with some hooks is one", 0},
        {"ProgbarLogger", "", "fit's own, with .verbose", 0},
        {"OrbaxCheckpoint", "", "writes the format of another Python library", 0},
        {"RemoteMonitor", "", "the library opens no network connections", 0},
        {"BackupAndRestore", "backup_dir", "one file: the argument path", 0},
        {"ModelCheckpoint", "save_freq=", "0 stands for 'epoch'", 0},
        {"BackupAndRestore", "save_freq=", "0 stands for 'epoch'", 0},
        {"TensorBoard", "update_freq=", "0 stands for 'epoch'", 0},
        {"TensorBoard", "write_graph", "there is no graph of operations", 0},
        {"TensorBoard", "write_images", "scalars and histograms only", 0},
        {"TensorBoard", "profile_batch", "scalars and histograms only", 0},
        {"TensorBoard", "embeddings_freq", "scalars and histograms only", 0},
        {"TensorBoard", "embeddings_metadata", "scalars and histograms only", 0},
    };
    (void)state;
    assert_int_equal(group_differences("callbacks", find_callback, list, COUNT(list)), 0);
}

/* The checker itself. */
static void differences_are_found(void **state)
{
    const struct {
        double rate;
        int verbose;
        const char *mode;
    } defaults = {0.5, 1, NULL};
    const cn__field fields[] = {{"rate", CN__FIELD_REAL, 0}, {"verbose", CN__FIELD_INT, sizeof(double)},
                                {"mode", CN__FIELD_TEXT, 2 * sizeof(double)}};
    const taken ours = {fields, 3, &defaults};
    const struct {
        const char *line;
        int differences;
    } cases[] = {
        {"A(rate, verbose=True, mode=None)", 0},
        {"A(rate=0.5, verbose=1)", 0},
        {"A(rate=0.25, verbose=1)", 1},
        {"A(rate=None)", 1},
        {"A(verbose=1, rate=0.5)", 2},
        {"A(rate=0.5, verbose=1, mode='a,(b)', seed=None)", 2},
        {"A()", 0},
    };
    signature keras;
    (void)state;
    for (int i = 0; i < COUNT(cases); i++) {
        assert_true(signature_parse(cases[i].line, &keras));
        assert_int_equal(signature_differences(&keras, &ours, NULL, 0), cases[i].differences);
    }
    assert_string_equal(keras.class_, "A");
    assert_false(signature_parse("A", &keras));
    assert_false(signature_parse("A(b, c", &keras));
    signature_exception list[] = {{"A", "seed", "", 0}, {"*", "mode=", "", 0}, {"B", "", "", 0}};
    assert_true(signature_parse(cases[5].line, &keras));
    assert_int_equal(signature_differences(&keras, &ours, list, 3), 0);
    assert_false(list[2].was_used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_take_what_keras_says),
        cmocka_unit_test(layers_take_what_all_layers_take),
        cmocka_unit_test(layers_require_what_keras_requires),
        cmocka_unit_test(losses_take_what_keras_says),
        cmocka_unit_test(metrics_take_what_keras_says),
        cmocka_unit_test(optimizers_take_what_keras_says),
        cmocka_unit_test(schedules_take_what_keras_says),
        cmocka_unit_test(initializers_take_what_keras_says),
        cmocka_unit_test(regularizers_and_constraints_take_what_keras_says),
        cmocka_unit_test(callbacks_take_what_keras_says),
        cmocka_unit_test(differences_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
