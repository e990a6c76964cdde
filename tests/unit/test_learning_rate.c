/* The learning rate while a model trains. */
#define _GNU_SOURCE
#include "scratch.h"
#include "small_model.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_can_be_read_and_set),
        cmocka_unit_test(a_saved_model_keeps_it),
    };
    return cmocka_run_group_tests_name("learning rate", tests, scratch_setup, scratch_teardown);
}
