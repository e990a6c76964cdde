/* cn_model_load_weights: into a model with a layer that no file can hold, with and without the optimizer's state, and
 * what it refuses. */
#define _GNU_SOURCE
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <cornu/cornu.h>
#include <string.h>

static int build(cn_layer *layer, int ndim, const int64_t *shape, void *context)
{
    (void)context;
    return cn_layer_add_weight(layer, "kernel", "glorot_uniform", CN_SHAPE(shape[ndim - 1], 6));
}

static cn_tensor *call(const cn_tensor *x, cn_tensor *const *weights, int training, void *context)
{
    (void)training, (void)context;
    return cn_tensor_tanh(cn_matmul(x, weights[0]));
}

static cn_model *make(uint64_t seed, int64_t units, const char *optimizer)
{
    cn_model *model = cn_sequential(.seed = seed);
    cn_add(model, cn_tape_layer(call, .build = build, .input_shape = {4}));
    cn_add(model, cn_dense(units, .activation = "softmax"));
    if (cn_compile(model, .loss = "sparse_categorical_crossentropy", .optimizer_name = optimizer) < 0)
        fail_msg("%s", cn_error_message());
    return model;
}

static void train(cn_model *model, int initial_epoch, int epochs)
{
    cn_generator random = {.seed = 1};
    cn_tensor *x = cn_random_uniform(&random, -1, 1, CN_FLOAT32, CN_SHAPE(40, 4));
    cn_tensor *y = cn_random_integers(&random, 0, 3, CN_INT64, CN_SHAPE(40));
    assert_int_equal(cn_fit(model, x, y, .batch_size = 8, .initial_epoch = initial_epoch, .epochs = epochs), CN_OK);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

/* Saved after two epochs, read into another model and gone on with: what four epochs at a stretch give. */
static void training_goes_on_with_the_same_bits(void **state)
{
    (void)state;
    char whole[65], again[65];
    const char *path = scratch_path("adam.safetensors");
    cn_model *first = make(5, 3, "adam(0.01)");
    train(first, 0, 2);
    assert_int_equal(cn_model_save(first, path, .include_optimizer = 1), CN_OK);
    train(first, 2, 4);
    cn_model_weights_sha256(first, whole);

    assert_null(cn_model_load(path));
    assert_non_null(strstr(cn_error_message(), "cn_model_load_weights"));
    cn_model *second = make(5, 3, "adam(0.01)"); /* the seed decides the order of the rows, too */
    train(second, 0, 1);
    assert_int_equal(cn_model_load_weights(second, path), CN_OK);
    assert_int_equal(cn_model_iterations(second), 10);
    train(second, 2, 4);
    cn_model_weights_sha256(second, again);
    assert_string_equal(whole, again);
    cn_model_destroy(&first);
    cn_model_destroy(&second);
}

static void another_optimizer_stays_as_it_is(void **state)
{
    (void)state;
    char saved[65], read[65];
    const char *path = scratch_path("weights.safetensors");
    cn_model *first = make(5, 3, "adam(0.01)"), *second = make(6, 3, "sgd(0.1, momentum=0.9)");
    train(first, 0, 1);
    train(second, 0, 3);
    cn_model_weights_sha256(first, saved);
    assert_int_equal(cn_model_save(first, path, .include_optimizer = 1), CN_OK);
    assert_int_equal(cn_model_load_weights(second, path), CN_OK);
    cn_model_weights_sha256(second, read);
    assert_string_equal(saved, read);
    assert_int_equal(cn_model_iterations(second), 15);
    cn_model_destroy(&first);
    cn_model_destroy(&second);
}

static void what_does_not_fit_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    char before[65], after[65];
    const char *path = scratch_path("three.safetensors");
    cn_model *three = make(5, 3, "adam"), *four = make(5, 4, "adam"), *unbuilt = cn_sequential();
    assert_int_equal(cn_model_save(three, path, .include_optimizer = 1), CN_OK);
    cn_model_weights_sha256(four, before);
    assert_int_equal(cn_model_load_weights(four, path), CN_EFORMAT);
    assert_non_null(strstr(cn_error_message(), "three.safetensors"));
    assert_non_null(strstr(cn_error_message(), "the shape of \"dense/kernel\" does not fit"));
    assert_int_equal(cn_model_load_weights(four, scratch_path("nowhere")), CN_ENOTFOUND);
    assert_int_equal(cn_model_load_weights(four, NULL), CN_EINVAL);
    assert_int_equal(cn_model_load_weights(unbuilt, path), CN_ESTATE);
    assert_int_equal(cn_model_load_weights(NULL, path), CN_EINVAL);

    cn_model *longer = make(5, 4, "adam");
    cn_add(longer, cn_dense(2, .name = "more"));
    assert_int_equal(cn_model_save(four, path), CN_OK);
    assert_int_equal(cn_model_load_weights(longer, path), CN_ENAME);
    assert_non_null(strstr(cn_error_message(), "more/kernel"));
    cn_model_weights_sha256(four, after);
    assert_string_equal(before, after);
    cn_model_destroy(&three);
    cn_model_destroy(&four);
    cn_model_destroy(&unbuilt);
    cn_model_destroy(&longer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_goes_on_with_the_same_bits),
        cmocka_unit_test(another_optimizer_stays_as_it_is),
        cmocka_unit_test(what_does_not_fit_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests_name("load_weights", tests, scratch_setup, scratch_teardown);
}
