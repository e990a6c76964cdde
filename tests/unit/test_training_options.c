/* Regularizers, constraints, frozen layers and options of optimizers: small fits against Keras
 * (tests/parity/training_options.txt; tests/parity/README.md describes data and network). */
#define _GNU_SOURCE
#include "engines.h"
#include "parity.h"
#include "scratch.h"

#include <cornu/built_in_callbacks.h>
#include <cornu/model.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define FILE_NAME "training_options.txt"
enum { SAMPLES = 10, INPUTS = 4, HIDDEN = 5, CLASSES = 3 };

static char names[64][48];
static int n_names;

static int prepare(void **state)
{
    n_names = parity_cases(FILE_NAME, "optimizer", names, 64);
    return n_names >= 25 ? scratch_setup(state) : -1;
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

static cn_model *make_model(const char *optimizer, const char *first, const char *second, const char *precision)
{
    cn_model *model = cn_sequential(.precision = precision, .threads = 2);
    cn_add(model, cn_input(INPUTS));
    cn_add(model, cn_layer_from_text(first));
    cn_add(model, cn_layer_from_text(second));
    if (cn_compile(model, .optimizer_name = optimizer, .loss = "categorical_crossentropy") < 0)
        fail_msg("%s", cn_error_message());
    set_by_rule(model, 0, INPUTS, HIDDEN);
    set_by_rule(model, 2, HIDDEN, CLASSES);
    return model;
}

static void make_data(cn_tensor **x, cn_tensor **y)
{
    float inputs[SAMPLES * INPUTS], outputs[SAMPLES * CLASSES] = {0};
    for (int i = 0; i < SAMPLES; i++) {
        for (int j = 0; j < INPUTS; j++) inputs[i * INPUTS + j] = (float)((7 * i + 3 * j) % 11 / 10.0);
        outputs[i * CLASSES + 5 * i % CLASSES] = 1;
    }
    *x = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){SAMPLES, INPUTS}, inputs);
    *y = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){SAMPLES, CLASSES}, outputs);
}

static double compare(const char *name, const char *key, int n, const double *got)
{
    char full[80];
    double expected[64], worst = 0;
    snprintf(full, sizeof full, "%.47s.%.20s", name, key);
    if (parity_numbers(FILE_NAME, full, expected, 64) != n) return INFINITY;
    for (int i = 0; i < n; i++) {
        double off = fabs(got[i] - expected[i]) / (fabs(expected[i]) + 0.1);
        worst = isnan(off) ? INFINITY : fmax(worst, off);
    }
    return worst;
}

static double compare_weight(const char *name, const char *key, const cn_model *model, int weight)
{
    double values[64];
    cn_tensor *tensor = cn_model_get_weight(model, weight), *flat = cn_reshape(tensor, -1);
    int n = (int)cn_size(tensor);
    for (int i = 0; i < n; i++) values[i] = cn_get(flat, i);
    cn_tensor_destroy(&tensor);
    return compare(name, key, n, values);
}

/* Largest difference between a fit and the record of `name`. With `path`, the model is saved before the fit and loaded
 * again: every option must survive that. */
static double difference(const char *name, const char *optimizer, const char *first, const char *second,
                         const char *precision, const char *path)
{
    static const char *const weights[] = {"kernel1", "bias1", "kernel2", "bias2"};
    cn_tensor *x, *y;
    cn_result result;
    make_data(&x, &y);
    cn_model *model = make_model(optimizer, first, second, precision);
    if (path) {
        assert_int_equal(cn_model_save(model, path, .include_optimizer = 1), CN_OK);
        cn_model_destroy(&model);
        model = cn_model_load(path, .precision = precision);
        assert_non_null(model);
    }
    assert_int_equal(cn_evaluate(model, x, y, &result, .batch_size = 4), CN_OK);
    double worst = compare(name, "before", 1, &result.loss);
    assert_int_equal(cn_fit(model, x, y, .epochs = 3, .batch_size = 4, .shuffle = 0), CN_OK);
    worst = fmax(worst, compare(name, "loss", 3, cn_history_get(cn_model_history(model), "loss")));
    assert_int_equal(cn_evaluate(model, x, y, &result), CN_OK); /* another batch size must not matter */
    worst = fmax(worst, compare(name, "after", 1, &result.loss));
    for (int i = 0; i < 4; i++) worst = fmax(worst, compare_weight(name, weights[i], model, i));
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    return worst;
}

/* A text of the record; three can be in use at a time. */
static const char *text_of(const char *name, const char *key)
{
    static char texts[3][512];
    static int next;
    char full[80];
    snprintf(full, sizeof full, "%.47s.%.20s", name, key);
    const char *found = parity_text(FILE_NAME, full);
    assert_non_null(found);
    char *copy = texts[next++ % 3];
    snprintf(copy, sizeof texts[0], "%s", found);
    return copy;
}

static double replay(int which, const char *precision, const char *path)
{
    const char *name = names[which];
    return difference(name, text_of(name, "optimizer"), text_of(name, "first"), text_of(name, "second"), precision,
                      path);
}

/* Keras raises Adam's beta_1 and beta_2 to the t in float32. */
static double bound(int which)
{
    const char *optimizer = text_of(names[which], "optimizer");
    return strstr(optimizer, "adam") || strstr(optimizer, "lamb") || strstr(optimizer, "muon") ? 1e-5 : 1e-6;
}

static void fits_end_where_keras_ends(void **state)
{
    (void)state;
    for (int i = 0; i < n_names; i++) {
        double narrow = replay(i, "float32", NULL), wide = replay(i, "float64", NULL);
        int overflows = !strcmp(names[i], "loss_scale_overflows"); /* in float32 */
        if (!(narrow < bound(i) && (wide < bound(i) || overflows)))
            print_message("%s: off by %.1e, %.1e\n", names[i], narrow, wide);
        assert_true(narrow < bound(i) && (wide < bound(i) || overflows));
    }
}

static cn_tensor *weight_between(cn_model *model, const cn_callback *callback, const cn_tensor *x, const cn_tensor *y)
{
    assert_int_equal(cn_evaluate(model, x, y, NULL, .callbacks = {callback}), CN_OK);
    return cn_model_get_weight(model, 0);
}

/* What validation sees, and the weights at the end. */
static void averages_change_places_as_in_keras(void **state)
{
    static char swaps[8][48];
    int n = parity_cases(FILE_NAME, "swap_on_epoch", swaps, 8);
    cn_tensor *x, *y;
    (void)state;
    make_data(&x, &y);
    assert_int_equal(n, 3);
    for (int i = 0; i < n; i++) {
        const char *name = swaps[i];
        int on_epoch = atoi(text_of(name, "swap_on_epoch"));
        cn_model *model = make_model(text_of(name, "swapped"), "dense(5, relu)", "dense(3, softmax)", "float32");
        assert_int_equal(cn_fit(model, x, y, .epochs = 3, .batch_size = 4, .shuffle = 0, .validation_x = x,
                                .validation_y = y, .callbacks = {cn_swap_ema_weights(.swap_on_epoch = on_epoch)}),
                         CN_OK);
        const cn_history *history = cn_model_history(model);
        assert_true(compare(name, "loss", 3, cn_history_get(history, "loss")) < 1e-6);
        assert_true(compare(name, "val_loss", 3, cn_history_get(history, "val_loss")) < 1e-6);
        assert_true(compare_weight(name, "kernel1", model, 0) < 1e-6);
        assert_true(compare_weight(name, "kernel2", model, 2) < 1e-6);
        cn_model_destroy(&model);
    }
    cn_model *model = make_model("sgd(0.5, use_ema=1)", "dense(5, relu)", "dense(3, softmax)", "float32");
    assert_int_equal(cn_train_step(model, x, y, NULL), CN_OK);
    assert_int_equal(cn_train_step(model, x, y, NULL), CN_OK);
    cn_tensor *before = cn_model_get_weight(model, 0), *after = weight_between(model, cn_swap_ema_weights(), x, y);
    assert_memory_equal(cn_data(before), cn_data(after), (size_t)cn_size(before) * sizeof(float));
    assert_int_equal(cn_model_finalize_weights(model), CN_OK); /* a loop of one's own ends with averages */
    cn_tensor *last = cn_model_get_weight(model, 0);
    assert_memory_not_equal(cn_data(before), cn_data(last), (size_t)cn_size(before) * sizeof(float));
    cn_model_destroy(&model);
    model = make_model("sgd(0.5)", "dense(5, relu)", "dense(3, softmax)", "float32");
    assert_int_equal(cn_model_finalize_weights(model), CN_OK);
    assert_int_equal(cn_fit(model, x, y, .callbacks = {cn_swap_ema_weights()}), CN_EINVAL);
    assert_string_equal(cn_error_message(), "SwapEMAWeights: the optimizer keeps no averages; compile the model with "
                                            "one that has use_ema, such as sgd(use_ema=1)");
    assert_int_equal(cn_model_finalize_weights(NULL), CN_EINVAL);
    cn_model_destroy(&model);
    cn_tensor_destroy(&before);
    cn_tensor_destroy(&after);
    cn_tensor_destroy(&last);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

/* The loop of one's own ends as fit does. */
static void steps_and_averages_are_those_of_fit(void **state)
{
    cn_tensor *x, *y;
    (void)state;
    make_data(&x, &y);
    cn_model *by_fit = make_model("adam(0.01, use_ema=1, ema_momentum=0.6)", "dense(5, relu)", "dense(3, softmax)",
                                  "float64");
    cn_model *by_step = make_model("adam(0.01, use_ema=1, ema_momentum=0.6)", "dense(5, relu)", "dense(3, softmax)",
                                   "float64");
    assert_int_equal(cn_fit(by_fit, x, y, .epochs = 4, .batch_size = SAMPLES, .shuffle = 0), CN_OK);
    for (int i = 0; i < 4; i++) assert_int_equal(cn_train_step(by_step, x, y, NULL), CN_OK);
    assert_int_equal(cn_model_finalize_weights(by_step), CN_OK);
    for (int w = 0; w < 4; w++) {
        cn_tensor *a = cn_model_get_weight(by_fit, w), *b = cn_model_get_weight(by_step, w);
        assert_memory_equal(cn_data(a), cn_data(b), (size_t)cn_size(a) * cn_dtype_size(cn_dtype_of(a)));
        cn_tensor_destroy(&a);
        cn_tensor_destroy(&b);
    }
    cn_model_destroy(&by_fit);
    cn_model_destroy(&by_step);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

/* The scale and its counter are part of what a saved model goes on with. */
static void a_loss_scale_is_saved(void **state)
{
    cn_tensor *x, *y;
    const char *optimizer = text_of("loss_scale_overflows", "optimizer"),
               *first = text_of("loss_scale_overflows", "first");
    (void)state;
    make_data(&x, &y);
    cn_model *whole = make_model(optimizer, first, "dense(3, softmax)", "float32");
    cn_model *parts = make_model(optimizer, first, "dense(3, softmax)", "float32");
    for (int i = 0; i < 6; i++) {
        assert_int_equal(cn_train_step(whole, x, y, NULL), CN_OK);
        assert_int_equal(cn_train_step(parts, x, y, NULL), CN_OK);
        int status = cn_model_save(parts, scratch_path("scale.safetensors"), .include_optimizer = 1);
        if (status == CN_ENOTSUP) break; /* built without jansson */
        assert_int_equal(status, CN_OK);
        cn_model_destroy(&parts);
        parts = cn_model_load(scratch_path("scale.safetensors"));
        assert_non_null(parts);
        cn_tensor *a = cn_model_get_weight(whole, 0), *b = cn_model_get_weight(parts, 0);
        assert_memory_equal(cn_data(a), cn_data(b), (size_t)cn_size(a) * sizeof(float));
        cn_tensor_destroy(&a);
        cn_tensor_destroy(&b);
    }
    cn_model_destroy(&whole);
    cn_model_destroy(&parts);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

static void saved_models_end_there_too(void **state)
{
    (void)state;
    cn_model *model = make_model("sgd", "dense(5)", "dense(3)", "float32");
    int status = cn_model_save(model, scratch_path("first.safetensors"));
    cn_model_destroy(&model);
    if (status == CN_ENOTSUP) skip(); /* built without jansson */
    for (int i = 0; i < n_names; i++) assert_true(replay(i, "float32", scratch_path("m.safetensors")) < bound(i));
}

static void the_comparison_finds_other_options(void **state)
{
    static const char plain[] = "dense(5, activation=relu)", last[] = "dense(3, activation=softmax)";
    (void)state;
    assert_true(difference("plain", "sgd(0.1)", plain, last, "float32", NULL) < 1e-5);
    assert_false(difference("kernel_l2", "sgd(0.1)", plain, last, "float32", NULL) < 1e-5);
    assert_false(difference("max_norm", "sgd(0.1)", plain, last, "float32", NULL) < 1e-5);
    assert_false(difference("first_frozen", "sgd(0.1)", plain, last, "float32", NULL) < 1e-5);
    assert_false(difference("kernel_l2", "sgd(0.1)", "dense(5, activation=relu, kernel_regularizer=l2(0.0201))", last,
                            "float32", NULL) < 1e-5);
}

/* --- the network with images --- */

/* The kernel, and the bias behind it; with a bias of 0 many inputs of the relu would be 0 up to rounding. */
static void set_image_weight(cn_model *model, int weight)
{
    cn_tensor *old = cn_model_get_weight(model, weight + 1);
    for (int i = 0; i < (int)cn_size(old); i++) ((float *)cn_data(old))[i] = 0.033f;
    assert_int_equal(cn_model_set_weight(model, weight + 1, old), CN_OK);
    cn_tensor_destroy(&old);
    old = cn_model_get_weight(model, weight);
    for (int i = 0; i < (int)cn_size(old); i++) ((float *)cn_data(old))[i] = (float)(((3 * i + 2) % 7 - 3) / 10.0);
    assert_int_equal(cn_model_set_weight(model, weight, old), CN_OK);
    cn_tensor_destroy(&old);
}

/* Largest difference of a fit from the record of `name`. */
static double image_difference(const char *name, const char *optimizer, int saved)
{
    float inputs[SAMPLES * 32], outputs[SAMPLES * 2];
    for (int i = 0; i < SAMPLES * 32; i++) inputs[i] = (float)((7 * i + 3) % 11 / 10.0);
    for (int i = 0; i < SAMPLES * 2; i++) outputs[i] = (float)(5 * i % 7 / 10.0);
    cn_tensor *x = cn_tensor_from(CN_FLOAT32, 4, (int64_t[]){SAMPLES, 4, 4, 2}, inputs);
    cn_tensor *y = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){SAMPLES, 2}, outputs);
    cn_model *model = cn_sequential(.threads = 2);
    cn_add(model, cn_input(4, 4, 2));
    cn_add(model, cn_layer_from_text(text_of(name, "convolution")));
    cn_add(model, cn_layer_from_text(text_of(name, "batch")));
    cn_add(model, cn_flatten());
    cn_add(model, cn_layer_from_text(text_of(name, "layer")));
    cn_add(model, cn_dense(2));
    if (cn_compile(model, .optimizer_name = optimizer, .loss = "mse") < 0) fail_msg("%s", cn_error_message());
    set_image_weight(model, 0);
    set_image_weight(model, 8);
    if (saved) {
        const char *path = scratch_path("image.safetensors");
        assert_int_equal(cn_model_save(model, path), CN_OK);
        cn_model_destroy(&model);
        model = cn_model_load(path);
        assert_non_null(model);
    }
    cn_result result;
    assert_int_equal(cn_evaluate(model, x, y, &result, .batch_size = 4), CN_OK);
    double worst = compare(name, "before", 1, &result.loss);
    assert_int_equal(cn_fit(model, x, y, .epochs = 3, .batch_size = 4, .shuffle = 0), CN_OK);
    worst = fmax(worst, compare(name, "loss", 3, cn_history_get(cn_model_history(model), "loss")));
    assert_int_equal(cn_evaluate(model, x, y, &result), CN_OK);
    worst = fmax(worst, compare(name, "after", 1, &result.loss));
    for (int i = 0; i < cn_model_n_weights(model); i++) {
        char key[16];
        snprintf(key, sizeof key, "w%d", i);
        worst = fmax(worst, compare_weight(name, key, model, i));
    }
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    return worst;
}

static void other_layers_end_where_keras_ends(void **state)
{
    char images[16][48], optimizer[512];
    int n = parity_cases(FILE_NAME, "image_optimizer", images, 16);
    (void)state;
    assert_int_equal(n, 11);
    cn_model *model = make_model("sgd", "dense(5)", "dense(3)", "float32");
    int can_save = cn_model_save(model, scratch_path("first.safetensors")) == CN_OK;
    cn_model_destroy(&model);
    for (int i = 0; i < n; i++) {
        snprintf(optimizer, sizeof optimizer, "%s", text_of(images[i], "image_optimizer"));
        double off = image_difference(images[i], optimizer, 0);
        if (!(off < 1e-5)) print_message("%s: off by %.1e\n", images[i], off);
        assert_true(off < 1e-5);
        assert_true(!can_save || image_difference(images[i], optimizer, 1) == off);
    }
    assert_false(image_difference(images[1], "sgd(0.1001)", 0) < 1e-5);
}

/* --- what Keras cannot tell --- */

static void freezing_works_at_any_time(void **state)
{
    (void)state;
    cn_tensor *x, *y, *before, *after;
    make_data(&x, &y);
    cn_model *model = make_model("rmsprop", "dense(5, activation=relu)", "dense(3, activation=softmax)", "float32");
    assert_int_equal(cn_model_count_trainable_params(model), 43);
    assert_int_equal(cn_model_set_trainable(model, "dense", 0), CN_OK);
    assert_int_equal(cn_model_count_trainable_params(model), 18);
    char *summary = cn_model_summary(model, 80);
    assert_non_null(strstr(summary, " Trainable params: 18 (72.00 B)"));
    assert_non_null(strstr(summary, " Non-trainable params: 25 (100.00 B)"));
    cn_string_free(summary);
    for (int frozen = 1; frozen >= 0; frozen--) {
        before = cn_model_get_weight(model, 0);
        assert_int_equal(cn_fit(model, x, y, .epochs = 2, .batch_size = 4), CN_OK);
        after = cn_model_get_weight(model, 0);
        assert_int_equal(memcmp(cn_data(before), cn_data(after), sizeof(float) * INPUTS * HIDDEN) == 0, frozen);
        cn_tensor_destroy(&before);
        cn_tensor_destroy(&after);
        assert_int_equal(cn_model_set_trainable(model, "dense", 1), CN_OK);
    }
    /* With everything frozen a step still measures. */
    char one[65], two[65];
    double loss = 0;
    assert_int_equal(cn_model_set_trainable(model, NULL, 0), CN_OK);
    assert_int_equal(cn_model_weights_sha256(model, one), CN_OK);
    assert_int_equal(cn_train_step(model, x, y, &loss), CN_OK);
    assert_int_equal(cn_model_weights_sha256(model, two), CN_OK);
    assert_string_equal(one, two);
    assert_true(loss > 0);
    assert_int_equal(cn_model_set_trainable(model, "danse", 0), CN_ENAME);
    assert_non_null(strstr(cn_error_message(), "did you mean \"dense\"?"));
    assert_int_equal(cn_model_set_trainable(NULL, "dense", 0), CN_EINVAL);
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

/* What Keras 3.15.1 counts with a frozen first layer of 25 numbers and 18 numbers that train. */
static void summary_counts_as_keras_does(void **state)
{
    static const struct {
        const char *optimizer, *line;
    } cases[] = {
        {"sgd", " Optimizer params: 2 "},
        {"sgd(exponential_decay(0.1, 10, 0.5))", " Optimizer params: 1 "},
        {"nadam", " Optimizer params: 39 "},
        {"adam(use_ema=1, gradient_accumulation_steps=2)", " Optimizer params: 74 "},
        {"adam(amsgrad=1)", " Optimizer params: 56 "},
        {"ftrl", " Optimizer params: 38 "},
        {"adagrad", " Optimizer params: 20 "},
        {"adadelta", " Optimizer params: 38 "},
        {"lion", " Optimizer params: 20 "},
        {"rmsprop(momentum=0.9, centered=1)", " Optimizer params: 56 "},
    };
    (void)state;
    cn_tensor *x, *y;
    make_data(&x, &y);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cn_model *model = make_model(cases[i].optimizer, "dense(5, trainable=false)", "dense(3)", "float32");
        assert_int_equal(cn_train_step(model, x, y, NULL), CN_OK);
        char *summary = cn_model_summary(model, 80);
        if (!strstr(summary, cases[i].line)) print_message("%s: %s\n", cases[i].optimizer, summary);
        assert_non_null(strstr(summary, cases[i].line));
        cn_string_free(summary);
        cn_model_destroy(&model);
    }
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

/* Rows of the first kernel that wait for their updates must be settled before and after it is frozen. */
static void freezing_loses_no_update(void **state)
{
    enum { COLUMNS = 40, ROWS = 64 };
    char digests[2][65];
    (void)state;
    cn_tensor *x = cn_zeros(CN_UINT8, ROWS, COLUMNS), *y = cn_zeros(CN_UINT8, ROWS);
    for (int i = 0; i < ROWS; i++) {
        ((uint8_t *)cn_data(x))[i * COLUMNS + i / 2] = 200;
        ((uint8_t *)cn_data(y))[i] = (uint8_t)(i % 3);
    }
    for (int k = 0; k < 2; k++) {
        /* Codes of bytes become lists of non-zeros; a clipping that never clips takes the way without lists waiting. */
        cn_model *model = cn_sequential(.threads = 2);
        cn_add(model, cn_dense(16, .activation = "relu", .input_shape = {COLUMNS}));
        cn_add(model, cn_dense(3, .activation = "softmax"));
        assert_int_equal(cn_compile(model, .loss = "sparse_categorical_crossentropy",
                                    .optimizer_name = k ? "rmsprop(clipnorm=1e30)" : "rmsprop"), CN_OK);
        for (int part = 0; part < 3; part++) {
            assert_int_equal(cn_model_set_trainable(model, "dense", part != 1), CN_OK);
            assert_int_equal(cn_fit(model, x, y, .epochs = 2, .batch_size = 8), CN_OK);
        }
        assert_int_equal(cn_model_weights_sha256(model, digests[k]), CN_OK);
        cn_model_destroy(&model);
    }
    assert_string_equal(digests[0], digests[1]);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

/* A constraint over several axes of a weight with three: norms of (2, 3) numbers for each of the last axis. */
static void norms_over_several_axes(void **state)
{
    const cn__engine *engines[CN__ISA_COUNT + 1];
    int n = engines_usable(engines);
    (void)state;
    for (int e = 0; e < n; e++) {
        float w[6 * 20], expected[6 * 20];
        double norms[20];
        int64_t groups[6] = {0};
        engines_fill(w, 6 * 20, 3);
        for (int c = 0; c < 20; c++) {
            double squares = 0;
            for (int r = 0; r < 6; r++) squares += (double)w[r * 20 + c] * (double)w[r * 20 + c];
            double norm = sqrt(squares), factor = fmin(norm, 0.7) / (norm + 1e-7);
            for (int r = 0; r < 6; r++) expected[r * 20 + c] = w[r * 20 + c] * (float)factor;
        }
        cn__bounded b = {.weight = w, .rows = 6, .columns = 20, .stride = 20, .n_groups = 1, .high = 0.7, .rate = 1,
                         .norms = norms};
        engines[e]->rules->bound(&b, groups, 0, 7);
        engines[e]->rules->bound(&b, groups, 7, 20);
        for (int i = 0; i < 6 * 20; i++) assert_true(fabsf(w[i] - expected[i]) < 1e-6f);
    }
}

/* The same bits in every engine, and NaN stays. */
static void rules_give_the_same_bits(void **state)
{
    const cn__engine *engines[CN__ISA_COUNT + 1];
    int n = engines_usable(engines);
    enum { COUNT = 101 };
    float x[COUNT], first[4][COUNT];
    cn__norm_sums sums = {0, 0};
    (void)state;
    engines_fill(x, COUNT, 11);
    for (int e = 0; e < n; e++) {
        const cn__weight_rules *rules = engines[e]->rules;
        float got[4][COUNT];
        for (int k = 0; k < 4; k++) memcpy(got[k], x, sizeof x);
        rules->add_penalty(COUNT, x, 0.1, 0.2, got[0]);
        rules->average(COUNT, got[0], 0.9, got[1]);
        rules->clip(COUNT, 0.5, got[2]);
        rules->scale(COUNT, 1 / 3.0, got[3]);
        cn__norm_sums s = rules->sums(COUNT, x);
        if (e == 0) {
            memcpy(first, got, sizeof got);
            sums = s;
        }
        assert_true(engines_same(first, got, sizeof got));
        assert_true(engines_same(&sums, &s, sizeof s));
        for (int i = 0; i < COUNT; i++) assert_true(fabsf(got[2][i]) <= 0.5f);
        float hole = NAN;
        rules->clip(1, 1, &hole);
        assert_true(isnan(hole));
        rules->not_negative(1, &hole);
        assert_true(isnan(hole));
    }
}

static void bad_arguments_are_named(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"dense(5, kernel_regularizer=l3)",
         "dense: kernel_regularizer: regularizer: unknown name \"l3\"; did you mean"},
        {"dense(5, kernel_regularizer=l2(-1))",
         "dense: kernel_regularizer: l2: l2 must be a number from 0 upwards, got -1"},
        {"dense(5, name=first, bias_regularizer=l1(l2=1))", "first: bias_regularizer: l1: unknown name \"l2\""},
        {"dense(5, activity_regularizer=l1(nan))",
         "dense: activity_regularizer: l1: l1 must be a number from 0 upwards"},
        {"dense(5, kernel_constraint=maxnrom)",
         "dense: kernel_constraint: constraint: unknown name \"maxnrom\"; did you mean \"max_norm\"?"},
        {"dense(5, kernel_constraint=max_norm(-1))",
         "kernel_constraint: max_norm: max_value must not be negative, got -1"},
        {"dense(5, kernel_constraint=min_max_norm(2, 1))",
         "min_max_norm: min_value must lie in 0 ... max_value, got 2"},
        {"dense(5, kernel_constraint=min_max_norm(rate=2))", "min_max_norm: rate must lie in 0 ... 1, got 2"},
        {"dense(5, kernel_constraint=non_neg(1))", "kernel_constraint: non_neg takes no arguments"},
        {"dense(5, bias_constraint=unit_norm(axis=x))",
         "bias_constraint: unit_norm: axis must be an axis of the weight"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cn_layer *layer = cn_layer_from_text(cases[i].text);
        assert_null(layer);
        if (!strstr(cn_error_message(), cases[i].sentence)) print_message("%s\n", cn_error_message());
        assert_non_null(strstr(cn_error_message(), cases[i].sentence));
    }
    /* How many axes a weight has is known only when it is built. */
    cn_model *model = cn_sequential();
    assert_int_equal(cn_add(model, cn_dense(3, .kernel_constraint = "unit_norm(axis=2)", .input_shape = {4})),
                     CN_EINVAL);
    assert_non_null(strstr(cn_error_message(), "dense: kernel_constraint: unit_norm: axis must be an axis of the "
                                               "weight (0 or 1) or several as in [0, 1], got \"2\""));
    cn_model_destroy(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits_end_where_keras_ends),
        cmocka_unit_test(a_loss_scale_is_saved),
        cmocka_unit_test(averages_change_places_as_in_keras),
        cmocka_unit_test(steps_and_averages_are_those_of_fit),
        cmocka_unit_test(saved_models_end_there_too),
        cmocka_unit_test(the_comparison_finds_other_options),
        cmocka_unit_test(other_layers_end_where_keras_ends),
        cmocka_unit_test(freezing_works_at_any_time),
        cmocka_unit_test(summary_counts_as_keras_does),
        cmocka_unit_test(freezing_loses_no_update),
        cmocka_unit_test(norms_over_several_axes),
        cmocka_unit_test(rules_give_the_same_bits),
        cmocka_unit_test(bad_arguments_are_named),
    };
    return cmocka_run_group_tests_name("training_options", tests, prepare, scratch_teardown);
}
