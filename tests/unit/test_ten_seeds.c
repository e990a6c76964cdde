/* Ten seeds of the main job reach the accuracy that Keras is known to reach: mean 0.9790, standard deviation 0.0011. */
#include "engines.h"

#include <cornu/dataset.h>
#include <cornu/model.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { SEEDS = 10 };

static double accuracy_of(const cn_dataset *data, uint64_t seed)
{
    cn_tensor *y = cn_to_categorical(data->train_labels, 10), *test_y = cn_to_categorical(data->test_labels, 10);
    cn_tensor *x = cn_scale(cn_reshape(data->train_images, 60000, 784), 1.0 / 255);
    cn_tensor *test_x = cn_scale(cn_reshape(data->test_images, 10000, 784), 1.0 / 255);
    cn_model *model = cn_sequential(.seed = seed);
    cn_result result;
    cn_add(model, cn_dense(512, .activation = "relu", .input_shape = {784}));
    cn_add(model, cn_dense(10, .activation = "softmax"));
    assert_int_equal(cn_compile(model, .loss = "categorical_crossentropy", .metrics = {"accuracy"}), CN_OK);
    assert_int_equal(cn_fit(model, x, y, .epochs = 5, .batch_size = 128), CN_OK);
    assert_int_equal(cn_evaluate(model, test_x, test_y, &result), CN_OK);
    cn_model_destroy(&model);
    cn_tensor_destroy(&y);
    cn_tensor_destroy(&test_y);
    return result.accuracy;
}

static void the_mean_is_keras_mean(void **state)
{
    (void)state;
    if (engines_quick()) {
        print_message("left out: CORNU_QUICK is set, and ten whole runs take too long under a sanitizer\n");
        skip();
    }
    cn_dataset data;
    assert_int_equal(cn_dataset_load(&data, "mnist", .download = 0), CN_OK);
    double sum = 0, squares = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        double accuracy = accuracy_of(&data, seed);
        print_message("seed %llu: %.4f\n", (unsigned long long)seed, accuracy);
        assert_true(accuracy > 0.974);
        sum += accuracy;
        squares += accuracy * accuracy;
    }
    double mean = sum / SEEDS;
    print_message("mean %.5f, standard deviation %.5f\n", mean, sqrt((squares - SEEDS * mean * mean) / (SEEDS - 1)));
    assert_true(mean >= 0.9775 && mean <= 0.9805);
    cn_dataset_destroy(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_mean_is_keras_mean)};
    return cmocka_run_group_tests_name("ten_seeds", tests, NULL, NULL);
}
