/* A model used wrongly: the status, and a sentence that names the thing and the way out. */
#include "small_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* `parts` ends with NULL; each must stand in the sentence. */
static void expect(int status, int wanted, const char *const *parts)
{
    assert_int_equal(status, wanted);
    for (; *parts; parts++) {
        if (!strstr(cn_error_message(), *parts)) print_message("no \"%s\" in: %s\n", *parts, cn_error_message());
        assert_non_null(strstr(cn_error_message(), *parts));
    }
}
#define EXPECT(status, wanted, ...) expect(status, wanted, (const char *const[]){__VA_ARGS__, NULL})

static void the_check_reads_the_sentence(void **state)
{
    (void)state;
    cn_layer *none = cn_dense(0);
    assert_null(none);
    assert_non_null(strstr(cn_error_message(), "units"));
    assert_null(strstr(cn_error_message(), "softmax"));
}

static void unknown_names_are_met_with_a_guess(void **state)
{
    (void)state;
    EXPECT(cn_compile(model, .loss = "categorical_crosentropy"), CN_ENAME, "categorical_crosentropy",
           "did you mean \"categorical_crossentropy\"");
    EXPECT(cn_compile(model, .loss = "mse", .optimizer_name = "rmsprob"), CN_ENAME, "rmsprob",
           "did you mean \"rmsprop\"");
    EXPECT(cn_compile(model, .loss = "mse", .metrics = {"acuracy"}), CN_ENAME, "acuracy", "accuracy");
    EXPECT(cn_compile(model, .loss = "mse", .optimizer_name = "sgd(momentun=1)"), CN_ENAME, "momentun", "momentum");
    assert_null(cn_dense(3, .activation = "rellu"));
    EXPECT(cn_error_status(), CN_ENAME, "rellu", "did you mean \"relu\"");
    assert_null(cn_dense(3, .kernel_initializer = "glorot"));
    EXPECT(cn_error_status(), CN_ENAME, "glorot");
    assert_null(cn_layer_from_text("dence(3)"));
    EXPECT(cn_error_status(), CN_ENAME, "dence", "dense");
    assert_null(cn_sequential(.precision = "float23"));
    EXPECT(cn_error_status(), CN_ENAME, "float23", "float32");
    assert_null(cn_sequential(.isa = "avx3"));
    EXPECT(cn_error_status(), CN_ENAME, "avx3");
}

static void arguments_out_of_range(void **state)
{
    (void)state;
    EXPECT(cn_compile(model, .loss = "mse", .optimizer_name = "sgd(-0.1)"), CN_EINVAL, "learning_rate", "-0.1");
    EXPECT(cn_compile(model, .loss = "mse", .optimizer = cn_rmsprop(.learning_rate = NAN)), CN_EINVAL, "learning_rate");
    EXPECT(cn_compile(model, .loss = "mse", .optimizer = cn_rmsprop(.rho = 1)), CN_EINVAL, "rho");
    EXPECT(cn_compile(model, .loss = "mse", .optimizer = cn_sgd(.momentum = 1.5)), CN_EINVAL, "momentum");
    assert_int_equal(small_compile(model), CN_OK);
    EXPECT(cn_fit(model, x, y, .batch_size = 0), CN_EINVAL, "batch_size", "0");
    EXPECT(cn_fit(model, x, y, .epochs = -1), CN_EINVAL, "epochs");
    EXPECT(cn_fit(model, x, y, .validation_split = 1), CN_EINVAL, "validation_split");
    EXPECT(cn_fit(model, x, y, .validation_split = NAN), CN_EINVAL, "validation_split");
    EXPECT(cn_fit(model, x, y, .validation_split = 0.999), CN_EINVAL, "validation_split", "10");
    cn_result result;
    EXPECT(cn_evaluate(model, x, y, &result, .batch_size = -3), CN_EINVAL, "batch_size", "-3");
    assert_null(cn_predict(model, x, .batch_size = 0));
    EXPECT(cn_error_status(), CN_EINVAL, "batch_size");
    assert_null(cn_dense(-2));
    EXPECT(cn_error_status(), CN_EINVAL, "units", "-2");
    assert_null(cn_dense(1, .activation = "softmax"));
    EXPECT(cn_error_status(), CN_EINVAL, "softmax", "sigmoid");
}

static void softmax_over_one_unit_in_a_layer_of_its_own(void **state)
{
    (void)state;
    cn_model *single = cn_sequential();
    cn_add(single, cn_dense(1, .input_shape = {4}));
    EXPECT(cn_add(single, cn_activation("softmax")), CN_EINVAL, "softmax", "sigmoid");
    cn_model_destroy(&single);
}

static void shapes_that_do_not_fit(void **state)
{
    (void)state;
    cn_tensor *wide = cn_zeros(CN_FLOAT32, 10, 7), *short_y = small_y(9), *empty = cn_zeros(CN_FLOAT32, 0, 4);
    cn_tensor *no_labels = cn_zeros(CN_UINT8, 0), *one_hot = cn_zeros(CN_FLOAT32, 10, 3);
    EXPECT(cn_fit(model, wide, y), CN_ESHAPE, "dense", "(None, 4)", "(10, 7)");
    EXPECT(cn_fit(model, x, short_y), CN_ESHAPE, "10", "9");
    EXPECT(cn_fit(model, x, one_hot), CN_ESHAPE, "categorical_crossentropy", "(10, 3)");
    EXPECT(cn_fit(model, empty, no_labels), CN_EINVAL, "(0, 4)");
    cn_error_clear(); /* a NULL tensor passes on why it is NULL, if there is a reason */
    EXPECT(cn_fit(model, x, NULL), CN_EINVAL, "y is NULL");
    assert_null(cn_predict(model, wide));
    EXPECT(cn_error_status(), CN_ESHAPE, "dense", "(None, 4)", "(10, 7)");
    assert_int_equal(cn_compile(model, .loss = "categorical_crossentropy"), CN_OK);
    EXPECT(cn_fit(model, x, y), CN_ESHAPE, "cn_to_categorical", "(10,)");
    EXPECT(cn_model_set_weight(model, 0, wide), CN_ESHAPE, "dense");
    cn_tensor_destroy(&wide);
    cn_tensor_destroy(&short_y);
    cn_tensor_destroy(&empty);
    cn_tensor_destroy(&no_labels);
    cn_tensor_destroy(&one_hot);
}

static void labels_out_of_range(void **state)
{
    (void)state;
    cn_tensor *wrong = cn_astype(y, CN_FLOAT32);
    cn_tensor_set(wrong, (int64_t[]){6}, 3);
    EXPECT(cn_fit(model, x, wrong), CN_EINVAL, "label 3", "row 6", "0 ... 2");
    cn_tensor_set(wrong, (int64_t[]){6}, -1);
    EXPECT(cn_fit(model, x, wrong), CN_EINVAL, "label -1");
    cn_tensor_set(wrong, (int64_t[]){6}, 0.5);
    EXPECT(cn_fit(model, x, wrong), CN_EINVAL, "label 0.5");
    cn_tensor_set(wrong, (int64_t[]){6}, NAN);
    EXPECT(cn_fit(model, x, wrong), CN_EINVAL, "row 6");
    cn_tensor_destroy(&wrong);
}

static void the_wrong_order(void **state)
{
    (void)state;
    cn_model *fresh = small_model(), *empty = cn_sequential(), *unbuilt = cn_sequential();
    cn_result result;
    EXPECT(cn_fit(fresh, x, y), CN_ESTATE, "cn_compile");
    EXPECT(cn_evaluate(fresh, x, y, &result), CN_ESTATE, "cn_compile");
    EXPECT(small_compile(empty), CN_ESTATE, "cn_add");
    cn_add(unbuilt, cn_dense(3));
    assert_null(cn_predict(unbuilt, x));
    EXPECT(cn_error_status(), CN_ESTATE, "input_shape");
    EXPECT(cn_fit(NULL, x, y), CN_EINVAL, "NULL");
    cn_model_destroy(&fresh);
    cn_model_destroy(&empty);
    cn_model_destroy(&unbuilt);
}

/* cn_add keeps the first failure and cn_compile reports it. */
static void failures_of_add_are_remembered(void **state)
{
    (void)state;
    cn_model *broken = cn_sequential();
    cn_add(broken, cn_dense(3, .activation = "rellu", .input_shape = {4}));
    cn_add(broken, cn_dense(2));
    EXPECT(small_compile(broken), CN_ENAME, "rellu");
    EXPECT(cn_fit(broken, x, y), CN_ENAME, "rellu");
    cn_model_destroy(&broken);
    cn_model *twice = cn_sequential();
    cn_add(twice, cn_dense(3, .name = "same", .input_shape = {4}));
    EXPECT(cn_add(twice, cn_dense(3, .name = "same")), CN_EINVAL, "same");
    cn_model_destroy(&twice);
}

/* After any of these the model still works. */
static void a_refused_call_leaves_the_model_usable(void **state)
{
    (void)state;
    char before[65], after[65];
    cn_model_weights_sha256(model, before);
    assert_int_equal(cn_fit(model, x, y, .batch_size = 0), CN_EINVAL);
    cn_model_weights_sha256(model, after);
    assert_string_equal(before, after);
    assert_int_equal(cn_fit(model, x, y), CN_OK);
    cn_model_weights_sha256(model, after);
    assert_string_not_equal(before, after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_check_reads_the_sentence),   TEST(unknown_names_are_met_with_a_guess),
        TEST(arguments_out_of_range),         TEST(softmax_over_one_unit_in_a_layer_of_its_own),
        TEST(shapes_that_do_not_fit),         TEST(labels_out_of_range),
        TEST(the_wrong_order),                TEST(failures_of_add_are_remembered),
        TEST(a_refused_call_leaves_the_model_usable),
    };
    return cmocka_run_group_tests_name("mistakes", tests, NULL, NULL);
}
