/* The learning rate while a model trains, and schedules against Keras (tests/parity/schedules.txt). */
#define _GNU_SOURCE
#include "base/exact.h"
#include "parity.h"
#include "scratch.h"
#include "small_model.h"
#include "train/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static cn_model *compiled(const char *optimizer)
{
    cn_model *model = small_model();
    assert_int_equal(cn_compile(model, .optimizer_name = optimizer, .loss = "sparse_categorical_crossentropy"), 0);
    return model;
}

static void it_can_be_read_and_set(void **state)
{
    (void)state;
    cn_model *model = small_model();
    cn_tensor *x = small_x(6), *y = small_y(6);
    char before[65], after[65];
    assert_true(isnan(cn_model_get_learning_rate(model)));
    assert_int_equal(cn_model_set_learning_rate(model, 0.1), CN_ESTATE);
    assert_int_equal(cn_compile(model, .optimizer_name = "adam", .loss = "sparse_categorical_crossentropy"), 0);
    assert_true(cn_model_get_learning_rate(model) == 0.001);
    assert_int_equal(cn_model_set_learning_rate(model, 0), 0);
    assert_int_equal(cn_model_weights_sha256(model, before), 0);
    assert_int_equal(cn_train_step(model, x, y, NULL), 0);
    assert_int_equal(cn_model_weights_sha256(model, after), 0);
    assert_string_equal(before, after);
    assert_int_equal(cn_model_iterations(model), 1);
    assert_int_equal(cn_model_set_learning_rate(model, 0.5), 0);
    assert_int_equal(cn_train_step(model, x, y, NULL), 0);
    assert_int_equal(cn_model_weights_sha256(model, after), 0);
    assert_string_not_equal(before, after);
    assert_int_equal(cn_model_set_learning_rate(model, -1), CN_EINVAL);
    assert_int_equal(cn_model_set_learning_rate(model, NAN), CN_EINVAL);
    assert_non_null(strstr(cn_error_message(), "nan"));
    assert_true(cn_model_get_learning_rate(model) == 0.5);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_model_destroy(&model);
}

static void a_saved_model_keeps_it(void **state)
{
    cn_model *model = compiled("sgd(learning_rate=0.1)");
    const char *path = scratch_path("m.safetensors");
    (void)state;
    assert_int_equal(cn_model_set_learning_rate(model, 0.0625), 0);
    int status = cn_model_save(model, path);
    cn_model_destroy(&model);
    if (status == CN_ENOTSUP) skip(); /* built without jansson */
    assert_int_equal(status, 0);
    model = cn_model_load(path);
    assert_non_null(model);
    assert_true(cn_model_get_learning_rate(model) == 0.0625);
    cn_model_destroy(&model);
}

/* --- schedules --- */

enum { STEPS = 13 };

/* Largest relative difference of a schedule from the record of `name`. */
static double difference(const char *name, const cn_schedule *schedule)
{
    char key[80];
    double steps[STEPS], expected[STEPS], worst = 0;
    assert_int_equal(parity_numbers("schedules.txt", "steps", steps, STEPS), STEPS);
    snprintf(key, sizeof key, "%.47s.values", name);
    assert_int_equal(parity_numbers("schedules.txt", key, expected, STEPS), STEPS);
    for (int i = 0; i < STEPS; i++) {
        double value = cn_schedule_value(schedule, (int64_t)steps[i]);
        double off = fabs(value - expected[i]) / (fabs(expected[i]) + 0.01);
        worst = isnan(off) ? INFINITY : fmax(worst, off);
    }
    return worst;
}

static void schedules_are_those_of_keras(void **state)
{
    static char names[64][48];
    int n = parity_cases("schedules.txt", "text", names, 64), found[CN__SCHEDULE_COUNT] = {0};
    (void)state;
    assert_true(n >= 19);
    for (int i = 0; i < n; i++) {
        char key[80];
        cn_schedule schedule;
        snprintf(key, sizeof key, "%.47s.text", names[i]);
        assert_int_equal(cn__schedule_read(parity_text("schedules.txt", key), &schedule), 0);
        double off = difference(names[i], &schedule);
        if (!(off < 1e-5)) print_message("%s: off by %g\n", names[i], off);
        assert_true(off < 1e-5); /* Keras computes s/D, powers and cosines in float32 */
        for (int c = 0; c < CN__SCHEDULE_COUNT; c++)
            found[c] |= cn__schedule_class_find(schedule.name) == cn__schedule_classes[c];
    }
    for (int c = 0; c < CN__SCHEDULE_COUNT; c++) assert_true(found[c]);
    assert_false(difference("cosine", cn_cosine_decay(0.1, 11)) < 1e-4);
}

static void macros_give_the_same(void **state)
{
    (void)state;
    assert_true(difference("exponential_staircase", cn_exponential_decay(0.1, 10, 0.5, .staircase = 1)) < 1e-5);
    assert_true(difference("inverse_time", cn_inverse_time_decay(0.1, 10, 0.5)) < 1e-5);
    assert_true(difference("polynomial", cn_polynomial_decay(0.1, 10)) < 1e-5);
    assert_true(difference("polynomial_cycle",
                           cn_polynomial_decay(0.1, 10, .end_learning_rate = 0.01, .cycle = 1)) < 1e-5);
    assert_true(difference("cosine_warmup", cn_cosine_decay(0, 10, .warmup_target = 0.1, .warmup_steps = 4)) < 1e-5);
    assert_true(difference("restarts", cn_cosine_decay_restarts(0.1, 4)) < 1e-5);
    assert_true(difference("piecewise",
                           cn_piecewise_constant_decay(.boundaries = {5, 10}, .values = {1, 0.5, 0.1})) < 1e-5);
}

static void a_model_follows_its_schedule(void **state)
{
    (void)state;
    cn_tensor *x = small_x(6), *y = small_y(6);
    cn_model *model = small_model();
    assert_int_equal(cn_compile(model, .loss = "sparse_categorical_crossentropy",
                                .optimizer = cn_sgd(.schedule = cn_exponential_decay(0.5, 1, 0.5))), 0);
    for (int i = 0; i < 4; i++) {
        assert_true(fabs(cn_model_get_learning_rate(model) - ldexp(0.5, -i)) < 1e-16);
        assert_int_equal(cn_train_step(model, x, y, NULL), 0);
    }
    assert_int_equal(cn_model_set_learning_rate(model, 1), CN_ESTATE);
    assert_non_null(strstr(cn_error_message(), "exponential_decay"));
    cn_model_destroy(&model);

    /* A schedule that is 0 from the second step on, and one step with the same rate. */
    char scheduled[65], once[65];
    model = compiled("adam(piecewise_constant_decay([0.5], [0.125, 0]))");
    for (int i = 0; i < 3; i++) assert_int_equal(cn_train_step(model, x, y, NULL), 0);
    assert_int_equal(cn_model_weights_sha256(model, scheduled), 0);
    cn_model_destroy(&model);
    model = compiled("adam(0.125)");
    assert_int_equal(cn_train_step(model, x, y, NULL), 0);
    assert_int_equal(cn_model_weights_sha256(model, once), 0);
    assert_string_equal(scheduled, once);
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

static void a_saved_model_keeps_its_schedule(void **state)
{
    const char *path = scratch_path("scheduled.safetensors");
    static const char *const texts[] = {"sgd(piecewise_constant_decay([2, 3], [0.5, 0.25, 0.125]))",
                                        "adam(cosine_decay(0.1, 5, warmup_target=0.2, warmup_steps=2))",
                                        "rmsprop(learning_rate=polynomial_decay(0.1, 3, cycle=true))"};
    (void)state;
    cn_tensor *x = small_x(6), *y = small_y(6);
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        cn_model *model = compiled(texts[k]), *loaded;
        assert_int_equal(cn_train_step(model, x, y, NULL), 0);
        int status = cn_model_save(model, path, .include_optimizer = 1);
        if (status == CN_ENOTSUP) {
            cn_model_destroy(&model);
            break; /* built without jansson */
        }
        assert_int_equal(status, 0);
        loaded = cn_model_load(path);
        assert_non_null(loaded);
        for (int i = 0; i < 4; i++) {
            assert_true(cn_model_get_learning_rate(loaded) == cn_model_get_learning_rate(model));
            assert_int_equal(cn_train_step(model, x, y, NULL), 0);
            assert_int_equal(cn_train_step(loaded, x, y, NULL), 0);
        }
        char a[65], b[65];
        assert_int_equal(cn_model_weights_sha256(model, a), 0);
        assert_int_equal(cn_model_weights_sha256(loaded, b), 0);
        assert_string_equal(a, b);
        cn_model_destroy(&model);
        cn_model_destroy(&loaded);
    }
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

static void bad_schedules_are_named(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"exponential_decay(0.1, -1, 0.5)", "exponential_decay: the number of steps must be positive, got -1"},
        {"exponential_decay(-0.1, 10, 0.5)",
         "exponential_decay: initial_learning_rate must be a number from 0 upwards"},
        {"exponential_decay(0.1, 10, nan)", "exponential_decay: decay_rate must be a number from 0 upwards, got nan"},
        {"cosine_decay(0.1, 10, warmup_steps=5)", "cosine_decay: warmup_steps needs a warmup_target above 0, got 0"},
        {"cosine_decay(0.1, 10, warmup_steps=-5)", "cosine_decay: warmup_steps must not be negative, got -5"},
        {"cosine_decay_restarts(0.1, 10, t_mul=0.5)", "cosine_decay_restarts: t_mul must be at least 1, got 0.5"},
        {"piecewise_constant_decay([5, 3], [1, 2, 3])",
         "piecewise_constant_decay: boundaries must be positive and ascend, got 3 behind 5"},
        {"piecewise_constant_decay([5, 6], [1, 2, 3, 4])",
         "piecewise_constant_decay: 2 boundaries need 3 values, got more"},
        {"piecewise_constant_decay([5], [-1, 1])",
         "piecewise_constant_decay: values must be numbers from 0 upwards, got -1"},
        {"piecewise_constant_decay()", "piecewise_constant_decay: boundaries are missing"},
        {"piecewise_constant_decay([1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17])",
         "piecewise_constant_decay: boundaries takes at most 16 numbers"},
        {"piecewise_constant_decay([5, [1, 2])", "a closing bracket is missing"},
        {"piecewise_constant_decay([5, x], [1, 2])",
         "piecewise_constant_decay: boundaries must be a number, got \"x\""},
        {"polynomial_decay(0.1, 10, half=1)", "polynomial_decay: unknown name \"half\""},
        {"cosine_decoy(0.1, 10)",
         "learning-rate schedule: unknown name \"cosine_decoy\"; did you mean \"cosine_decay\"?"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cn_schedule schedule;
        assert_true(cn__schedule_read(cases[i].text, &schedule) < 0);
        if (!strstr(cn_error_message(), cases[i].sentence)) print_message("%s\n", cn_error_message());
        assert_non_null(strstr(cn_error_message(), cases[i].sentence));
    }
    assert_true(isnan(cn_schedule_value(NULL, 0)));
    assert_true(isnan(cn_schedule_value(cn_cosine_decay(0.1, 0), 0)));
    assert_null(cn_sgd(.schedule = cn_cosine_decay(0.1, 0)));
    assert_non_null(strstr(cn_error_message(), "SGD: cosine_decay: the number of steps"));
}

static double relative(double got, double expected)
{
    return fabs(got - expected) / fabs(expected);
}

static void exact_functions_are_exact(void **state)
{
    (void)state;
    for (double x = -700; x <= 700; x += 0.37) assert_true(relative(cn__exact_exp(x), exp(x)) < 6e-16);
    assert_true(cn__exact_exp(-800) == 0 && isinf(cn__exact_exp(800)) && isnan(cn__exact_exp(NAN)));
    assert_true(cn__exact_exp(0) == 1);
    for (double x = 0; x <= 1; x += 0.001)
        assert_true(fabs(cn__exact_cos_pi(x) - cos(3.141592653589793 * x)) < 1e-15);
    assert_true(cn__exact_cos_pi(0) == 1 && cn__exact_cos_pi(0.5) == 0 && cn__exact_cos_pi(1) == -1);
    for (double x = 0.01; x < 3; x += 0.07)
        for (double y = -5; y < 5; y += 0.3) assert_true(relative(cn__exact_real_power(x, y), pow(x, y)) < 1e-14);
    assert_true(cn__exact_real_power(0, 0) == 1 && cn__exact_real_power(0, 2) == 0 && cn__exact_real_power(3, 1) == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_can_be_read_and_set),
        cmocka_unit_test(a_saved_model_keeps_it),
        cmocka_unit_test(schedules_are_those_of_keras),
        cmocka_unit_test(macros_give_the_same),
        cmocka_unit_test(a_model_follows_its_schedule),
        cmocka_unit_test(a_saved_model_keeps_its_schedule),
        cmocka_unit_test(bad_schedules_are_named),
        cmocka_unit_test(exact_functions_are_exact),
    };
    return cmocka_run_group_tests_name("learning rate", tests, scratch_setup, scratch_teardown);
}
