/* cn_apply_gradients: every optimizer against Keras (tests/parity/optimizers.txt), norms over several variables, a
 * network on the tape, and what is refused. */
#include "base/memory.h"
#include "parity.h"

#include <cornu/model.h>
#include <cornu/tape.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const double start[3] = {1, -2, 0.5};
static const double recorded[3][3] = {{0.1, -0.2, 0}, {0.3, 0.4, 1e-4}, {-0.5, 0.05, 2}};

static char names[64][48];
static int n_names;

static int prepare(void **state)
{
    (void)state;
    n_names = parity_cases("optimizers.txt", "text", names, 64);
    return n_names >= 40 ? 0 : -1;
}

static cn_tensor *numbers(cn_dtype dtype, int n, const double *values)
{
    cn_tensor *wide = cn_tensor_from(CN_FLOAT64, 1, (int64_t[]){n}, values), *tensor = cn_astype(wide, dtype);
    cn_tensor_destroy(&wide);
    return tensor;
}

static int step(cn_optimizer *optimizer, cn_dtype dtype, const double *values, cn_tensor *variable)
{
    cn_tensor *gradient = numbers(dtype, (int)cn_size(variable), values);
    int status = cn_apply_gradients(optimizer, 1, &gradient, &variable);
    cn_tensor_destroy(&gradient);
    return status;
}

/* Largest difference from the three recorded steps of the case `name`, moved by the optimizer `text`. */
static double difference(const char *name, const char *text, cn_dtype dtype)
{
    cn_tensor *weight = numbers(dtype, 3, start), *w = cn_variable(weight);
    cn_optimizer *optimizer = cn_optimizer_from_text(text);
    double worst = 0;
    for (int t = 0; t < 3; t++) {
        char key[80];
        double expected[3];
        /* gradients of another dtype than the variable's are converted */
        if (step(optimizer, t == 1 ? CN_FLOAT64 : dtype, recorded[t], w) < 0) fail_msg("%s", cn_error_message());
        snprintf(key, sizeof key, "%.47s.step%d", name, t + 1);
        assert_int_equal(parity_numbers("optimizers.txt", key, expected, 3), 3);
        for (int i = 0; i < 3; i++) {
            double off = fabs(cn_get(w, i) - expected[i]) / (fabs(expected[i]) + 0.1);
            worst = isnan(off) ? INFINITY : fmax(worst, off);
        }
    }
    cn_optimizer_destroy(&optimizer);
    cn_tensor_destroy(&weight);
    cn_tensor_destroy(&w);
    return worst;
}

static void every_optimizer_moves_as_in_keras(void **state)
{
    (void)state;
    for (int i = 0; i < n_names; i++) {
        char key[64], text[512];
        snprintf(key, sizeof key, "%.47s.text", names[i]);
        snprintf(text, sizeof text, "%s", parity_text("optimizers.txt", key));
        double narrow = difference(names[i], text, CN_FLOAT32), wide = difference(names[i], text, CN_FLOAT64);
        if (!(narrow < 3e-6 && wide < 8e-7)) print_message("%s: off by %.1e, %.1e\n", names[i], narrow, wide);
        assert_true(narrow < 3e-6 && wide < 8e-7);
    }
    assert_false(difference("sgd", "sgd(learning_rate=0.1001)", CN_FLOAT64) < 8e-7);
}

/* Gradients of a loss that was not multiplied: the recorded steps are as much smaller. */
static void a_loss_scale_factor_divides(void **state)
{
    static char scaled[8][48];
    int n = parity_cases("optimizers.txt", "applied", scaled, 8);
    (void)state;
    assert_int_equal(n, 2);
    for (int i = 0; i < n; i++) {
        char key[64], text[512];
        snprintf(key, sizeof key, "%.47s.applied", scaled[i]);
        snprintf(text, sizeof text, "%s", parity_text("optimizers.txt", key));
        assert_true(difference(scaled[i], text, CN_FLOAT32) < 3e-6 && difference(scaled[i], text, CN_FLOAT64) < 8e-7);
    }
    assert_false(difference("sgd_loss_scale_factor", "sgd(learning_rate=0.1)", CN_FLOAT64) < 8e-7);
}

static void a_schedule_counts_the_calls(void **state)
{
    (void)state;
    cn_optimizer *optimizer = cn_sgd(.schedule = cn_exponential_decay(1, 1, 0.5));
    cn_tensor *w = numbers(CN_FLOAT64, 1, (double[]){0});
    for (int i = 0; i < 3; i++) assert_int_equal(step(optimizer, CN_FLOAT64, (double[]){1}, w), CN_OK);
    assert_true(cn_get(w, 0) == -1.75);
    cn_optimizer_destroy(&optimizer);
    cn_tensor_destroy(&w);
}

/* Two variables of different dtypes and a third without a gradient. */
static void a_global_norm_is_over_all_variables(void **state)
{
    (void)state;
    cn_optimizer *optimizer = cn_sgd(.learning_rate = 1, .global_clipnorm = 1);
    cn_tensor *w[] = {numbers(CN_FLOAT64, 1, (double[]){0}), numbers(CN_FLOAT32, 1, (double[]){0}),
                      numbers(CN_FLOAT64, 1, (double[]){7})};
    cn_tensor *g[] = {numbers(CN_FLOAT64, 1, (double[]){3}), numbers(CN_FLOAT32, 1, (double[]){4}), NULL};
    assert_int_equal(cn_apply_gradients(optimizer, 3, g, w), CN_OK);
    assert_true(fabs(cn_get(w[0], 0) + 0.6) < 1e-15);
    assert_true(fabs(cn_get(w[1], 0) + 0.8) < 1e-7);
    assert_true(cn_get(w[2], 0) == 7);
    cn_optimizer_destroy(&optimizer);
    for (int i = 0; i < 3; i++) {
        cn_tensor_destroy(&w[i]);
        cn_tensor_destroy(&g[i]);
    }
}

static void averages_come_at_the_end(void **state)
{
    (void)state;
    cn_optimizer *optimizer = cn_sgd(.learning_rate = 1, .use_ema = 1, .ema_momentum = 0.5);
    cn_tensor *w = numbers(CN_FLOAT64, 1, (double[]){0});
    assert_int_equal(cn_finalize_variables(optimizer), CN_EINVAL);
    assert_int_equal(cn_finalize_variables(NULL), CN_EINVAL);
    for (int i = 0; i < 2; i++) assert_int_equal(step(optimizer, CN_FLOAT64, (double[]){1}, w), CN_OK);
    assert_true(cn_get(w, 0) == -2);
    assert_int_equal(cn_finalize_variables(optimizer), CN_OK);
    assert_true(cn_get(w, 0) == -1.5);
    cn_optimizer_destroy(&optimizer);
    cn_tensor_destroy(&w);
}

/* A line through points, on the tape: steps after the first allocate nothing in the optimizer. */
static void a_loop_on_the_tape_learns(void **state)
{
    enum { N = 20 };
    (void)state;
    cn_scope *scope = cn_scope_begin();
    cn_tensor *x = cn_keep(cn_tensor_linspace(CN_FLOAT64, -1, 1, N));
    cn_tensor *y = cn_keep(cn_tensor_add(cn_tensor_multiply(cn_float(3), x), cn_float(-2)));
    cn_tensor *w[] = {cn_keep(cn_variable(cn_scalar(CN_FLOAT64, 0))), cn_keep(cn_variable(cn_scalar(CN_FLOAT64, 0)))};
    cn_scope_end(&scope);
    cn_optimizer *optimizer = cn_adam(.learning_rate = 0.1);
    for (int i = 0; i < 300; i++) {
        cn_tensor *gradients[2];
        cn_tape *tape = cn_tape_create(NULL);
        const cn_tensor *off = cn_tensor_subtract(cn_tensor_add(cn_tensor_multiply(w[0], x), w[1]), y);
        assert_int_equal(cn_tape_gradient(tape, cn_mean(cn_tensor_square(off)), 2, w, gradients), CN_OK);
        uint64_t before = cn__memory_allocations();
        assert_int_equal(cn_apply_gradients(optimizer, 2, gradients, w), CN_OK);
        assert_true(i == 0 || cn__memory_allocations() == before);
        cn_tape_destroy(&tape);
    }
    assert_true(fabs(cn_item(w[0]) - 3) < 1e-3 && fabs(cn_item(w[1]) + 2) < 1e-3);
    cn_optimizer_destroy(&optimizer);
    cn_tensor **all[] = {&x, &y, &w[0], &w[1]};
    for (int i = 0; i < 4; i++) cn_tensor_destroy(all[i]);
}

/* The same three steps by a model and by hand, for optimizers that look at whole matrices, too. */
static double difference_from_model(const char *text)
{
    enum { N = 6, INPUTS = 4, UNITS = 3 };
    float inputs[N * INPUTS], targets[N * UNITS];
    for (int i = 0; i < N * INPUTS; i++) inputs[i] = (float)(i * 5 % 13) / 13;
    for (int i = 0; i < N * UNITS; i++) targets[i] = (float)(i * 7 % 11) / 11;
    cn_tensor *x = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){N, INPUTS}, inputs);
    cn_tensor *y = cn_tensor_from(CN_FLOAT32, 2, (int64_t[]){N, UNITS}, targets);
    cn_model *model = cn_sequential(.threads = 1);
    cn_add(model, cn_dense(UNITS, .input_shape = {INPUTS}));
    if (cn_compile(model, .optimizer_name = text, .loss = "mse") < 0) fail_msg("%s", cn_error_message());
    cn_optimizer *optimizer = cn_optimizer_from_text(text);
    cn_tensor *w[2], *gradients[2];
    for (int i = 0; i < 2; i++) w[i] = cn_model_get_weight(model, i);
    for (int step = 0; step < 3; step++) {
        assert_int_equal(cn_train_step(model, x, y, NULL), CN_OK);
        cn_tape *tape = cn_tape_create(NULL);
        for (int i = 0; i < 2; i++) assert_int_equal(cn_tape_watch(tape, w[i]), CN_OK);
        const cn_tensor *off = cn_tensor_subtract(cn_tensor_add(cn_matmul(x, w[0]), w[1]), y);
        assert_int_equal(cn_tape_gradient(tape, cn_mean(cn_tensor_square(off)), 2, w, gradients), CN_OK);
        if (cn_apply_gradients(optimizer, 2, gradients, w) < 0) fail_msg("%s", cn_error_message());
        cn_tape_destroy(&tape);
    }
    double worst = 0;
    for (int i = 0; i < 2; i++) {
        cn_tensor *other = cn_model_get_weight(model, i);
        for (int64_t k = 0; k < cn_size(other); k++)
            worst = fmax(worst, (double)fabsf(((float *)cn_data(other))[k] - ((float *)cn_data(w[i]))[k]));
        cn_tensor_destroy(&other);
        cn_tensor_destroy(&w[i]);
    }
    cn_optimizer_destroy(&optimizer);
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    return worst;
}

static void steps_by_hand_are_those_of_a_model(void **state)
{
    static const char *const texts[] = {
        "sgd(0.1, momentum=0.9, clipnorm=0.1)", "rmsprop(0.01, centered=1)",
        "adam(0.01, global_clipnorm=0.1, weight_decay=0.1)",
        "adamw(0.01, use_ema=1, ema_momentum=0.5, ema_overwrite_frequency=2)",
        "nadam(0.01, gradient_accumulation_steps=2)", "lamb(0.01)", "lamb(0.01, clipvalue=0.05, weight_decay=0.2)",
        "adafactor(0.01)", "muon(0.01)", "muon(0.01, clipnorm=0.1)", "schedulefreeadamw(0.01)", "ftrl(0.1)"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double off = difference_from_model(texts[i]);
        if (!(off < 2e-6)) print_message("%s: off by %.1e\n", texts[i], off);
        assert_true(off < 2e-6);
    }
}

static void refused(int status, int expected, const char *words)
{
    if (status != expected || !strstr(cn_error_message(), words)) fail_msg("%d: %s", status, cn_error_message());
}

static void nothing_moves_when_something_is_wrong(void **state)
{
    (void)state;
    cn_optimizer *optimizer = cn_sgd(), *naming = cn_adamw(.exclude_from_weight_decay = "bias");
    cn_tensor *w = numbers(CN_FLOAT32, 2, (double[]){1, 2}), *other = numbers(CN_FLOAT32, 2, (double[]){1, 2});
    cn_tensor *long_ = numbers(CN_FLOAT32, 3, start), *integers = cn_zeros(CN_INT32, 2),
              *half = cn_zeros(CN_FLOAT16, 2);
    cn_tensor *g = numbers(CN_FLOAT32, 2, (double[]){1, 1}), *none = NULL, *few[] = {g, NULL}, *two[] = {w, other};
    cn_tensor *wide = cn_zeros(CN_FLOAT32, 2, 2), *column = cn_slice(wide, CN_ALL, {0, 1});
    refused(cn_apply_gradients(NULL, 1, &g, &w), CN_EINVAL, "the optimizer is NULL");
    refused(cn_apply_gradients(optimizer, 1, NULL, &w), CN_EINVAL, "the gradients are NULL");
    refused(cn_apply_gradients(optimizer, 1, &g, NULL), CN_EINVAL, "the variables are NULL");
    refused(cn_apply_gradients(optimizer, 1, &g, &none), CN_EINVAL, "variable 0 is NULL");
    refused(cn_apply_gradients(optimizer, 1, &none, &w), CN_EINVAL, "no gradient for any of the 1 variables");
    refused(cn_apply_gradients(optimizer, 0, &g, &w), CN_EINVAL, "no gradient for any of the 0 variables");
    refused(cn_apply_gradients(optimizer, 1, &g, &long_), CN_ESHAPE, "variable 0 has shape (3,), its gradient (2,)");
    refused(cn_apply_gradients(optimizer, 1, &g, &integers), CN_EDTYPE, "variable 0 is of int32");
    refused(cn_apply_gradients(optimizer, 1, &g, &half), CN_EDTYPE, "variable 0 is of float16");
    refused(cn_apply_gradients(optimizer, 1, &g, &column), CN_EINVAL, "a view with gaps");
    refused(cn_apply_gradients(naming, 1, &g, &w), CN_EINVAL, "exclude_from_weight_decay goes by names");
    assert_int_equal(cn_apply_gradients(optimizer, 1, &g, &w), CN_OK);
    refused(cn_apply_gradients(optimizer, 1, &g, &other), CN_EINVAL, "not the one of the first call");
    refused(cn_apply_gradients(optimizer, 2, few, two), CN_EINVAL, "the first call had 1 variables, this one has 2");
    assert_true(cn_get(w, 0) == (double)0.99f && cn_get(other, 0) == 1);
    cn_optimizer_destroy(&optimizer);
    cn_optimizer_destroy(&naming);
    cn_tensor **all[] = {&w, &other, &long_, &integers, &half, &g, &wide};
    for (int i = 0; i < 7; i++) cn_tensor_destroy(all[i]);
}

/* Gradients times the scale of their step; some are infinite or NaN. */
static void a_loss_scale_finds_its_size(void **state)
{
    static const char *const cases[] = {"loss_scale_sgd", "loss_scale_adam"};
    (void)state;
    for (int c = 0; c < 2; c++) {
        char key[64];
        double expected[3], gradient[3], scale;
        snprintf(key, sizeof key, "%s.scaled", cases[c]);
        cn_optimizer *optimizer = cn_optimizer_from_text(parity_text("optimizers.txt", key));
        cn_tensor *weight = numbers(CN_FLOAT32, 3, start), *w = cn_variable(weight);
        assert_non_null(optimizer);
        for (int t = 1; t <= 6; t++) {
            snprintf(key, sizeof key, "%s.scale%d", cases[c], t);
            assert_int_equal(parity_numbers("optimizers.txt", key, &scale, 1), 1);
            assert_true(cn_loss_scale(optimizer) == scale);
            snprintf(key, sizeof key, "%s.gradient%d", cases[c], t);
            assert_int_equal(parity_numbers("optimizers.txt", key, gradient, 3), 3);
            assert_int_equal(step(optimizer, CN_FLOAT32, gradient, w), CN_OK);
            snprintf(key, sizeof key, "%s.step%d", cases[c], t);
            assert_int_equal(parity_numbers("optimizers.txt", key, expected, 3), 3);
            for (int i = 0; i < 3; i++) assert_true(fabs(cn_get(w, i) - expected[i]) < 3e-7);
        }
        cn_optimizer_destroy(&optimizer);
        cn_tensor_destroy(&weight);
        cn_tensor_destroy(&w);
    }
    cn_optimizer *plain = cn_sgd(), *fixed = cn_sgd(.loss_scale_factor = 16);
    assert_true(cn_loss_scale(plain) == 1 && cn_loss_scale(fixed) == 16);
    fixed = cn_loss_scale_optimizer(fixed);
    assert_true(cn_loss_scale(fixed) == 32768);
    assert_true(cn_loss_scale(NULL) == 0);
    assert_string_equal(cn_error_message(), "cn_loss_scale: the optimizer is NULL");
    assert_null(cn_loss_scale_optimizer_create(NULL, NULL));
    cn_optimizer_destroy(&plain);
    cn_optimizer_destroy(&fixed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_optimizer_moves_as_in_keras), cmocka_unit_test(a_loss_scale_factor_divides),
        cmocka_unit_test(a_loss_scale_finds_its_size), cmocka_unit_test(a_schedule_counts_the_calls),
        cmocka_unit_test(a_global_norm_is_over_all_variables), cmocka_unit_test(averages_come_at_the_end),
        cmocka_unit_test(a_loop_on_the_tape_learns), cmocka_unit_test(steps_by_hand_are_those_of_a_model),
        cmocka_unit_test(nothing_moves_when_something_is_wrong),
    };
    return cmocka_run_group_tests_name("apply_gradients", tests, prepare, NULL);
}
