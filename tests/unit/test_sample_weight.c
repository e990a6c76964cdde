/* sample_weight and class_weight in fit and evaluate: what they multiply, and what is refused. */
#include "small_model.h"

#include <cornu/cornu.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 30 };

static cn_tensor *weights_of(int64_t n, double every_third)
{
    cn_tensor *weights = cn_zeros(CN_FLOAT64, n);
    for (int64_t i = 0; i < n; i++) ((double *)cn_data(weights))[i] = i % 3 == 0 ? every_third : 1;
    return weights;
}

static double loss_with(const cn_tensor *weights, const char *loss)
{
    cn_model *model = small_model();
    cn_tensor *x = small_x(ROWS), *y = small_y(ROWS);
    cn_result result = {.loss = NAN};
    assert_int_equal(cn_compile(model, .loss = loss, .metrics = {"accuracy"}), CN_OK);
    assert_int_equal(cn_evaluate(model, x, y, &result, .sample_weight = weights, .batch_size = ROWS), CN_OK);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_model_destroy(&model);
    return result.loss;
}

static void weights_are_not_in_the_denominator(void **state)
{
    (void)state;
    cn_tensor *ones = weights_of(ROWS, 1), *halves = weights_of(ROWS, 1);
    for (int i = 0; i < ROWS; i++) ((double *)cn_data(halves))[i] = 0.5;
    const char *loss = "sparse_categorical_crossentropy";
    const char *mean = "sparse_categorical_crossentropy(reduction=mean_with_sample_weight)";
    double plain = loss_with(NULL, loss);
    assert_true(loss_with(ones, loss) == plain);
    assert_true(fabs(loss_with(halves, loss) - plain / 2) < 1e-6);
    assert_true(fabs(loss_with(halves, mean) - plain) < 1e-6);
    cn_tensor_destroy(&ones);
    cn_tensor_destroy(&halves);
}

/* Training with weight 0 on some rows is training on the others, if the mean is over the weights. */
static void a_weight_of_zero_takes_a_row_out(void **state)
{
    (void)state;
    char digests[2][65];
    for (int without = 0; without < 2; without++) {
        cn_model *model = small_model();
        cn_tensor *x = small_x(ROWS), *y = small_y(ROWS), *weights = weights_of(ROWS, 1);
        for (int i = ROWS / 2; i < ROWS; i++) ((double *)cn_data(weights))[i] = 0;
        assert_int_equal(cn_compile(model, .optimizer_name = "sgd(0.5)",
                                    .loss = "sparse_categorical_crossentropy(reduction=sum)"), CN_OK);
        if (without)
            assert_int_equal(cn_fit(model, cn_slice(x, {0, ROWS / 2}), cn_slice(y, {0, ROWS / 2}), .batch_size = ROWS,
                                    .shuffle = 0, .epochs = 3), CN_OK);
        else
            assert_int_equal(cn_fit(model, x, y, .sample_weight = weights, .batch_size = ROWS, .shuffle = 0,
                                    .epochs = 3),
                             CN_OK);
        assert_int_equal(cn_model_weights_sha256(model, digests[without]), CN_OK);
        cn_tensor_destroy(&x);
        cn_tensor_destroy(&y);
        cn_tensor_destroy(&weights);
        cn_model_destroy(&model);
    }
    assert_string_equal(digests[0], digests[1]);
}

/* class_weight is the sample_weight of each row's class, but does not weigh in validation. */
static void class_weight_is_a_sample_weight_for_training(void **state)
{
    (void)state;
    char digests[2][65];
    double validation[2];
    for (int by_class = 0; by_class < 2; by_class++) {
        cn_model *model = small_model();
        cn_tensor *x = small_x(ROWS), *y = small_y(ROWS), *weights = cn_zeros(CN_FLOAT64, ROWS);
        cn_tensor *classes = cn_tensor_from(CN_FLOAT64, 1, (int64_t[]){2}, (double[]){3, 0.25}); /* class 2: 1 */
        for (int i = 0; i < ROWS; i++) {
            double class_ = cn_get(y, i);
            ((double *)cn_data(weights))[i] = class_ == 0 ? 3 : class_ == 1 ? 0.25 : 1;
        }
        assert_int_equal(small_compile(model), CN_OK);
        assert_int_equal(cn_fit(model, x, y, .sample_weight = by_class ? NULL : weights,
                                .class_weight = by_class ? classes : NULL, .batch_size = 7, .epochs = 2,
                                .validation_split = 0.2), CN_OK);
        assert_int_equal(cn_model_weights_sha256(model, digests[by_class]), CN_OK);
        validation[by_class] = cn_history_get(cn_model_history(model), "val_loss")[1];
        cn_tensor_destroy(&x);
        cn_tensor_destroy(&y);
        cn_tensor_destroy(&weights);
        cn_tensor_destroy(&classes);
        cn_model_destroy(&model);
    }
    assert_string_equal(digests[0], digests[1]);
    assert_true(fabs(validation[0] - validation[1]) > 1e-3);
}

static void refuses(const char *words, const cn_tensor *sample_weight, const cn_tensor *class_weight)
{
    cn_model *model = small_model();
    cn_tensor *x = small_x(ROWS), *y = small_y(ROWS);
    assert_int_equal(small_compile(model), CN_OK);
    assert_true(cn_fit(model, x, y, .sample_weight = sample_weight, .class_weight = class_weight) < 0);
    if (!strstr(cn_error_message(), words)) print_message("%s\n", cn_error_message());
    assert_non_null(strstr(cn_error_message(), words));
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_model_destroy(&model);
}

static void bad_weights_are_refused(void **state)
{
    (void)state;
    cn_tensor *good = weights_of(ROWS, 2), *short_ = weights_of(ROWS - 1, 2), *nan = weights_of(ROWS, NAN);
    cn_tensor *square = cn_zeros(CN_FLOAT32, 3, 3), *endless = weights_of(3, INFINITY);
    refuses("both given", good, good);
    refuses("one number for each of the 30 samples, got shape (29,)", short_, NULL);
    refuses("one number for each of the 30 samples, got shape (3, 3)", square, NULL);
    refuses("sample_weight of row 0 is nan", nan, NULL);
    refuses("shape (classes,)", NULL, square);
    refuses("class_weight of class 0 is inf", NULL, endless);
    cn_tensor_destroy(&good);
    cn_tensor_destroy(&short_);
    cn_tensor_destroy(&nan);
    cn_tensor_destroy(&square);
    cn_tensor_destroy(&endless);
}

static void weights_for_validation_need_its_data(void **state)
{
    (void)state;
    cn_model *model = small_model();
    cn_tensor *x = small_x(ROWS), *y = small_y(ROWS), *weights = weights_of(ROWS, 2), *few = weights_of(3, 2);
    assert_int_equal(small_compile(model), CN_OK);
    assert_int_equal(cn_fit(model, x, y, .validation_sample_weight = weights), CN_EINVAL);
    assert_non_null(strstr(cn_error_message(), "validation_x, which is missing"));
    assert_int_equal(cn_fit(model, x, y, .validation_x = x, .validation_y = y, .validation_sample_weight = few),
                     CN_ESHAPE);
    assert_non_null(strstr(cn_error_message(), "validation: sample_weight needs one number for each of the 30"));
    assert_int_equal(cn_fit(model, x, y, .validation_x = x, .validation_y = y, .validation_sample_weight = weights),
                     CN_OK);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_tensor_destroy(&weights);
    cn_tensor_destroy(&few);
    cn_model_destroy(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_not_in_the_denominator),
        cmocka_unit_test(a_weight_of_zero_takes_a_row_out),
        cmocka_unit_test(class_weight_is_a_sample_weight_for_training),
        cmocka_unit_test(bad_weights_are_refused),
        cmocka_unit_test(weights_for_validation_need_its_data),
    };
    return cmocka_run_group_tests_name("sample_weight", tests, NULL, NULL);
}
