/* Clipping, weight decay, averages, accumulation: whole steps against Keras (tests/parity/optimizers.txt).
 *
 * The file holds the gradients of one variable of three numbers. A dense layer of one unit without bias on one sample
 * x = g has the gradient 2 (p - y) g of its mean squared error, which is g for the target y = p - 1/2. */
#define _GNU_SOURCE
#include "engines.h"
#include "parity.h"
#include "scratch.h"

#include <cornu/model.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const double start[3] = {1, -2, 0.5};
static const double gradients[3][3] = {{0.1, -0.2, 0}, {0.3, 0.4, 1e-4}, {-0.5, 0.05, 2}};

static char names[64][48];
static int n_names;

static int prepare(void **state)
{
    n_names = parity_cases("optimizers.txt", "text", names, 64);
    return n_names >= 40 ? scratch_setup(state) : -1;
}

static cn_model *one_unit(const char *optimizer, const char *precision)
{
    cn_model *model = cn_sequential(.precision = precision, .threads = 2);
    cn_add(model, cn_dense(1, .use_bias = 0, .input_shape = {3}));
    assert_int_equal(cn_compile(model, .optimizer_name = optimizer, .loss = "mse"), CN_OK);
    cn_tensor *kernel = cn_tensor_from(CN_FLOAT64, 2, (int64_t[]){3, 1}, start);
    assert_int_equal(cn_model_set_weight(model, 0, kernel), CN_OK);
    cn_tensor_destroy(&kernel);
    return model;
}

static void read_weight(const cn_model *model, double w[3])
{
    cn_tensor *kernel = cn_model_get_weight(model, 0);
    for (int i = 0; i < 3; i++) w[i] = cn_get(kernel, i, 0);
    cn_tensor_destroy(&kernel);
}

/* One step with that gradient. */
static void step_by(cn_model *model, const double gradient[3])
{
    double w[3], target = -0.5;
    read_weight(model, w);
    for (int i = 0; i < 3; i++) target += w[i] * gradient[i];
    cn_tensor *x = cn_tensor_from(CN_FLOAT64, 2, (int64_t[]){1, 3}, gradient);
    cn_tensor *y = cn_tensor_from(CN_FLOAT64, 2, (int64_t[]){1, 1}, &target);
    assert_int_equal(cn_train_step(model, x, y, NULL), CN_OK);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

/* Largest difference from Keras over three steps. With `path`, the model is saved and loaded after each. */
static double difference(const char *name, const char *optimizer, const char *precision, const char *path)
{
    cn_model *model = one_unit(optimizer, precision);
    double worst = 0;
    for (int t = 0; t < 3; t++) {
        char key[80];
        double expected[3], w[3];
        step_by(model, gradients[t]);
        if (path) {
            assert_int_equal(cn_model_save(model, path, .include_optimizer = 1), CN_OK);
            cn_model_destroy(&model);
            model = cn_model_load(path, .precision = precision);
            assert_non_null(model);
        }
        read_weight(model, w);
        snprintf(key, sizeof key, "%.47s.step%d", name, t + 1);
        assert_int_equal(parity_numbers("optimizers.txt", key, expected, 3), 3);
        for (int i = 0; i < 3; i++) {
            double off = fabs(w[i] - expected[i]) / (fabs(expected[i]) + 0.1);
            worst = isnan(off) ? INFINITY : fmax(worst, off);
        }
    }
    cn_model_destroy(&model);
    return worst;
}

static const char *text_of(int which)
{
    char key[80];
    snprintf(key, sizeof key, "%.47s.text", names[which]);
    const char *text = parity_text("optimizers.txt", key);
    assert_non_null(text);
    return text;
}

static void whole_steps_as_in_keras(void **state)
{
    (void)state;
    for (int i = 0; i < n_names; i++) {
        double wide = difference(names[i], text_of(i), "float64", NULL);
        double narrow = difference(names[i], text_of(i), "float32", NULL);
        /* In float32 the gradient itself is off by some units, and an average of one number gives that on. */
        if (!(wide < 8e-7 && narrow < 3e-6)) print_message("%s: off by %.1e, %.1e\n", names[i], wide, narrow);
        assert_true(wide < 8e-7 && narrow < 3e-6);
    }
}

static void a_saved_model_goes_on_as_in_keras(void **state)
{
    (void)state;
    cn_model *model = one_unit("sgd", "float32");
    int status = cn_model_save(model, scratch_path("first.safetensors"));
    cn_model_destroy(&model);
    if (status == CN_ENOTSUP) skip(); /* built without jansson */
    for (int i = 0; i < n_names; i++)
        assert_true(difference(names[i], text_of(i), "float64", scratch_path("m.safetensors")) < 8e-7);
}

static void the_comparison_finds_other_options(void **state)
{
    (void)state;
    assert_false(difference("sgd_clipnorm", "sgd(0.1, clipnorm=0.1001)", "float64", NULL) < 3e-6);
    assert_false(difference("sgd_ema", "sgd(0.1, use_ema=1, ema_momentum=0.5)", "float64", NULL) < 3e-6);
    assert_false(difference("sgd_weight_decay", "sgd(0.1)", "float64", NULL) < 3e-6);
}

/* --- what the file cannot hold --- */

enum { INPUTS = 20, SAMPLES = 40 };

static void make_data(cn_tensor **x, cn_tensor **y)
{
    float values[SAMPLES * INPUTS];
    engines_fill(values, SAMPLES * INPUTS, 7);
    *x = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){SAMPLES, INPUTS}, values);
    *y = cn_zeros(CN_UINT8, SAMPLES);
    for (int i = 0; i < SAMPLES; i++) ((uint8_t *)cn_data(*y))[i] = (uint8_t)((values[i * INPUTS] > 0) + 2 * (i % 2));
}

/* Fits a small network and returns the digest of its weights. */
static void fit_on(const char *optimizer, int threads, const char *isa, const char *precision, const char *dense,
                   int epochs, char digest[65])
{
    cn_tensor *x, *y;
    make_data(&x, &y);
    cn_model *model = cn_sequential(.seed = 1, .threads = threads, .isa = isa, .precision = precision);
    cn_add(model, cn_input(INPUTS));
    cn_add(model, cn_layer_from_text(dense));
    cn_add(model, cn_dense(4, .activation = "softmax"));
    assert_int_equal(cn_compile(model, .optimizer_name = optimizer, .loss = "sparse_categorical_crossentropy"), CN_OK);
    assert_int_equal(cn_fit(model, x, y, .epochs = epochs, .batch_size = 8), CN_OK);
    assert_int_equal(cn_model_weights_sha256(model, digest), CN_OK);
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

static void fit(const char *optimizer, int threads, const char *dense, int epochs, char digest[65])
{
    fit_on(optimizer, threads, NULL, "float32", dense, epochs, digest);
}

/* What Keras 3.15.1's summary counts for this network: its optimizer.variables, added up. */
static void summary_counts_what_keras_keeps(void **state)
{
    static const struct {
        const char *optimizer, *line;
    } cases[] = {{"adam", "Optimizer params: 88 "},      {"nadam", "Optimizer params: 89 "},
                 {"lamb", "Optimizer params: 88 "},      {"adafactor", "Optimizer params: 66 "},
                 {"muon", "Optimizer params: 53 "},      {"muon(exclude_layers=dense_1)", "Optimizer params: 68 "},
                 {"schedulefreeadamw", "Optimizer params: 88 "}};
    float zeros[4] = {0}, row[3] = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cn_model *model = cn_sequential(.threads = 1);
        cn_add(model, cn_dense(5, .input_shape = {4}));
        cn_add(model, cn_dense(3));
        assert_int_equal(cn_compile(model, .optimizer_name = cases[i].optimizer, .loss = "mse"), CN_OK);
        cn_tensor *x = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){1, 4}, zeros);
        cn_tensor *y = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){1, 3}, row);
        assert_int_equal(cn_train_step(model, x, y, NULL), CN_OK);
        char *summary = cn_model_summary(model, 80);
        if (!strstr(summary, cases[i].line)) print_message("%s: %s\n", cases[i].optimizer, summary);
        assert_non_null(strstr(summary, cases[i].line));
        cn_string_free(summary);
        cn_tensor_destroy(&x);
        cn_tensor_destroy(&y);
        cn_model_destroy(&model);
    }
}

/* Limits that are never reached take the way of stored gradients and must end with the same bits. */
static void stored_gradients_give_the_same_bits(void **state)
{
    static const char *const optimizers[] = {"sgd", "rmsprop", "adam", "adamw", "adagrad"};
    static const char *const endings[] = {"(clipnorm=1e30)", "(global_clipnorm=1e30)", "(clipvalue=1e30)"};
    (void)state;
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++) {
        char plain[65], stored[65], text[80];
        fit(optimizers[i], 2, "dense(300, activation=relu)", 2, plain);
        for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
            snprintf(text, sizeof text, "%s%s", optimizers[i], endings[k]);
            fit(text, 2, "dense(300, activation=relu)", 2, stored);
            assert_string_equal(plain, stored);
        }
        /* Tiles keep a rounded copy of the kernel, which must follow it either way, and RMSprop has another inverse
         * root there (kernels/rmsprop.h). */
        fit_on(optimizers[i], 2, NULL, "mixed_bfloat16", "dense(300, activation=relu)", 2, plain);
        snprintf(text, sizeof text, "%s(clipnorm=1e30)", optimizers[i]);
        fit_on(text, 2, NULL, "mixed_bfloat16", "dense(300, activation=relu)", 2, stored);
        assert_string_equal(plain, stored);
    }
}

static void any_threads_and_kernels_give_the_same_bits(void **state)
{
    static const char *const optimizers[] = {
        "adam(clipnorm=0.01, weight_decay=0.1, use_ema=1, gradient_accumulation_steps=2)",
        "sgd(global_clipnorm=0.01, use_ema=1, ema_overwrite_frequency=3)",
        "lamb(weight_decay=0.1)",
        "adafactor(clipnorm=0.1)",
        "muon(use_ema=1)",
        "schedule_free_adamw(warmup_steps=3)",
    };
    static const char dense[] = "dense(300, activation=relu, kernel_regularizer=l1_l2(0.01, 0.01), "
                                "activity_regularizer=l2, kernel_constraint=max_norm(0.5), bias_constraint=non_neg)";
    (void)state;
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++) {
        char one[65], other[65];
        fit(optimizers[i], 1, dense, 2, one);
        for (int threads = 2; threads <= 4; threads++) {
            fit(optimizers[i], threads, dense, 2, other);
            assert_string_equal(one, other);
        }
        fit_on(optimizers[i], 2, "c", "float32", dense, 2, other);
        assert_string_equal(one, other);
    }
}

static void decay_spares_what_is_excluded(void **state)
{
    static const struct {
        const char *words;
        int kernel_stays, bias_stays;
    } cases[] = {{"bias", 0, 1}, {"kernel bias", 1, 1}, {"dense/kernel", 1, 0}, {"dense", 0, 0}, {"other, bia", 0, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* With a learning rate this small only decay can be seen. */
        cn_model *model = cn_sequential();
        cn_add(model, cn_dense(1, .bias_initializer = "ones", .kernel_initializer = "ones", .input_shape = {1}));
        assert_int_equal(cn_compile(model, .loss = "mse",
                                    .optimizer = cn_sgd(.learning_rate = 1e-9, .weight_decay = 1e8,
                                                        .exclude_from_weight_decay = cases[i].words)), CN_OK);
        cn_tensor *x = cn_zeros(CN_FLOAT32, 1, 1), *y = cn_zeros(CN_FLOAT32, 1, 1);
        assert_int_equal(cn_train_step(model, x, y, NULL), CN_OK);
        cn_tensor *kernel = cn_model_get_weight(model, 0), *bias = cn_model_get_weight(model, 1);
        assert_true((cn_get(kernel, 0, 0) > 0.99) == cases[i].kernel_stays);
        assert_true((cn_get(bias, 0) > 0.99) == cases[i].bias_stays);
        cn_tensor_destroy(&kernel);
        cn_tensor_destroy(&bias);
        cn_tensor_destroy(&x);
        cn_tensor_destroy(&y);
        cn_model_destroy(&model);
    }
}

/* Keras's rule: an infinite norm over all gradients makes them NaN, so that nobody trains on with zeros. */
static void an_infinite_global_norm_is_seen(void **state)
{
    (void)state;
    cn_model *model = one_unit("sgd(0.1, global_clipnorm=1)", "float32");
    double w[3];
    step_by(model, (const double[]){INFINITY, 1, 1});
    read_weight(model, w);
    for (int i = 0; i < 3; i++) assert_true(isnan(w[i]));
    cn_model_destroy(&model);
}

static void bad_options_are_named(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"sgd(clipnorm=1, clipvalue=1)",
         "SGD: only one of clipnorm, global_clipnorm and clipvalue can be used, got clipnorm and clipvalue"},
        {"sgd(clipnorm=-1)", "SGD: clipnorm must be a number from 0 upwards, got -1"},
        {"sgd(global_clipnorm=nan)", "SGD: global_clipnorm must be a number from 0 upwards, got nan"},
        {"adam(weight_decay=-1)", "Adam: weight_decay must be a number from 0 upwards, got -1"},
        {"adam(use_ema=1, ema_momentum=1.5)", "Adam: ema_momentum must lie in 0 ... 1, got 1.5"},
        {"adam(ema_overwrite_frequency=-1)", "Adam: ema_overwrite_frequency must not be negative, got -1"},
        {"sgd(loss_scale_factor=-2)", "SGD: loss_scale_factor must be a positive number (or 0 for off), got -2"},
        {"loss_scale_optimizer", "LossScaleOptimizer needs inner_optimizer, as in loss_scale_optimizer(adam(0.001))"},
        {"LossScaleOptimizer(adm)", "optimizer: unknown name \"adm\"; did you mean \"adam\"?"},
        {"loss_scale_optimizer(loss_scale_optimizer(sgd))",
         "LossScaleOptimizer: inner_optimizer is a LossScaleOptimizer itself; give it the one inside"},
        {"loss_scale_optimizer(sgd, initial_scale=0)",
         "LossScaleOptimizer: initial_scale must be a positive number, got 0"},
        {"loss_scale_optimizer(sgd, initial_scale=nan)",
         "LossScaleOptimizer: initial_scale must be a positive number, got nan"},
        {"loss_scale_optimizer(sgd, dynamic_growth_steps=0)",
         "LossScaleOptimizer: dynamic_growth_steps must be at least 1, got 0"},
        {"loss_scale_optimizer(sgd, clipnorm=1)", "loss_scale_optimizer: unknown name \"clipnorm\""},
        {"adam(gradient_accumulation_steps=1)",
         "Adam: gradient_accumulation_steps must be at least 2 (or 0 for off), got 1"},
        {"adamax(beta_1=1)", "Adamax: beta_1 must lie in 0 ... 1 (1 excluded), got 1"},
        {"nadam(beta_2=-1)", "Nadam: beta_2 must lie in 0 ... 1 (1 excluded), got -1"},
        {"lion(beta_1=0)", "Lion: beta_1 must lie in 0 ... 1 (0 excluded), got 0"},
        {"adagrad(initial_accumulator_value=-1)",
         "Adagrad: initial_accumulator_value must be a number from 0 upwards, got -1"},
        {"adadelta(epsilon=0)", "Adadelta: epsilon must be at least 1e-37, got 0"},
        {"ftrl(learning_rate_power=0.5)", "Ftrl: learning_rate_power must lie in -10 ... 0, got 0.5"},
        {"ftrl(beta=-1)", "Ftrl: beta must be a number from 0 upwards, got -1"},
        {"lamb(beta_2=1)", "Lamb: beta_2 must lie in 0 ... 1 (1 excluded), got 1"},
        {"adafactor(beta_2_decay=0.5)", "Adafactor: beta_2_decay must not be above 0, got 0.5"},
        {"adafactor(epsilon_1=0)", "Adafactor: epsilon_1 must be above 0, got 0"},
        {"adafactor(epsilon_2=-1)", "Adafactor: epsilon_2 must not be negative, got -1"},
        {"adafactor(clip_threshold=nan)", "Adafactor: clip_threshold must be above 0, got nan"},
        {"muon(momentum=1)", "Muon: momentum must lie in 0 ... 1 (1 excluded), got 1"},
        {"muon(ns_steps=0)", "Muon: ns_steps must lie in 1 ... 100, got 0"},
        {"muon(muon_b=inf)", "Muon: muon_b must be a number, got inf"},
        {"muon(adam_weight_decay=-1)", "Muon: adam_weight_decay must be a number from 0 upwards, got -1"},
        {"muon(rms_rate=-1)", "Muon: rms_rate must be a number from 0 upwards, got -1"},
        {"muon(adam_lr_ratio=-1)", "Muon: adam_lr_ratio must be a number from 0 upwards, got -1"},
        {"schedule_free_adamw(beta_1=0)", "ScheduleFreeAdamW: beta_1 must lie in 0 ... 1 (0 excluded), got 0"},
        {"schedulefreeadamw(warmup_steps=-1)", "ScheduleFreeAdamW: warmup_steps must not be negative, got -1"},
        {"rmsprop(dialect=keras4)", "RMSprop: dialect: unknown name \"keras4\"; did you mean \"keras3\"?"},
        {"rmsprop(dialect=keras2, momentum=0.5)",
         "RMSprop: in the dialect keras2 it has no momentum (tf.keras 2 used the formula of keras3 with momentum), got "
         "0.5"},
        {"sgd(cosine_decay(0.1, 0))", "SGD: cosine_decay: the number of steps must be positive, got 0"},
        {"sgd(learning_rate=exponential(0.1))", "SGD: learning-rate schedule: unknown name \"exponential\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cn_optimizer *optimizer = cn_optimizer_from_text(cases[i].text);
        assert_null(optimizer);
        if (!strstr(cn_error_message(), cases[i].sentence)) print_message("%s\n", cn_error_message());
        assert_non_null(strstr(cn_error_message(), cases[i].sentence));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_steps_as_in_keras),
        cmocka_unit_test(a_saved_model_goes_on_as_in_keras),
        cmocka_unit_test(the_comparison_finds_other_options),
        cmocka_unit_test(stored_gradients_give_the_same_bits),
        cmocka_unit_test(any_threads_and_kernels_give_the_same_bits),
        cmocka_unit_test(decay_spares_what_is_excluded),
        cmocka_unit_test(an_infinite_global_norm_is_seen),
        cmocka_unit_test(bad_options_are_named),
        cmocka_unit_test(summary_counts_what_keras_keeps),
    };
    return cmocka_run_group_tests_name("optimizer_options", tests, prepare, scratch_teardown);
}
