/* Conv2D and the pooling layers against Keras (tests/parity/convolutions.txt): outputs, gradients, three training
 * steps, in every engine. */

#include <cornu/model.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "recorded_layer.h"

/* Sums of up to 50 terms of about 0.5, in another order than Keras's. */
#define TOLERANCE 2e-6

static const char *const file = "convolutions.txt";
static const recorded_layer cases[] = {
    {"plain", "conv2d(3, 3)", {5, 6, 2}},
    {"flat_kernel", "conv2d(2, 2x4, activation=relu)", {4, 6, 3}},
    {"same", "Conv2D(3, 3x3, padding=same)", {5, 4, 2}},
    {"same_even", "conv2d(2, 2x4, padding=same, use_bias=false)", {5, 6, 1}},
    {"strides", "conv2d(3, 3, 2x3)", {7, 8, 2}},
    {"same_strides", "conv2d(2, 3x2, strides=2, padding=same)", {6, 7, 2}},
    {"wide_strides", "conv2d(2, 2, strides=3, padding=same)", {7, 8, 1}},
    {"dilation", "conv2d(2, 3, dilation_rate=2x1)", {7, 5, 2}},
    {"same_dilation", "conv2d(2, 2x3, dilation_rate=2, padding=same)", {5, 6, 2}},
    {"groups", "conv2d(4, 2, groups=2)", {4, 5, 6}},
    {"tanh", "conv2d(3, 1, activation=tanh)", {3, 3, 4}},
    {"softmax", "conv2d(3, 2, activation=softmax)", {3, 4, 2}},
    {"max", "max_pooling2d", {5, 6, 2}},
    {"max_flat", "max_pooling2d(3x1)", {6, 4, 2}},
    {"max_overlap", "MaxPooling2D(3, strides=1x2)", {5, 6, 2}},
    {"max_same", "max_pooling2d(3, 2, padding=same)", {5, 6, 3}},
    {"max_ties", "max_pooling2d(2)", {4, 4, 2}},
    {"average", "average_pooling2d(2)", {5, 6, 2}},
    {"average_overlap", "AveragePooling2D(3x2, strides=1)", {5, 4, 2}},
    {"average_same", "average_pooling2d(3, 2, same)", {6, 5, 2}},
    {"global_max", "global_max_pooling2d", {3, 4, 2}},
    {"global_max_ties", "GlobalMaxPooling2D(keepdims=true)", {3, 3, 2}},
    {"global_average", "global_average_pooling2d", {3, 4, 2}},
    {"global_average_keepdims", "GlobalAveragePooling2D(keepdims=true)", {3, 4, 2}},
};
enum { N_CASES = sizeof cases / sizeof *cases };

static void every_layer_with_every_argument(void **state)
{
    (void)state;
    const cn__engine *engines[CN__ISA_COUNT];
    int n = engines_usable(engines);
    for (int e = 0; e < n; e++)
        for (int i = 0; i < N_CASES; i++) {
            double worst = check_layer(file, &cases[i], NULL, engines[e], 1 + i % 3);
            if (!(worst < TOLERANCE))
                print_message("%s, %s: off by %g\n", cn__isa_name(engines[e]->isa), cases[i].text, worst);
            assert_true(worst < TOLERANCE);
        }
}

/* --- three steps of a small network --- */

static cn_model *small_network(void)
{
    static const char *const texts[] = {"conv2d(3, 3, activation=relu, padding=same)", "max_pooling2d",
                                        "conv2d(4, 2, activation=relu)", "average_pooling2d(3, 1, same)",
                                        "global_max_pooling2d", "dense(3, activation=softmax)"};
    cn_model *model = cn_sequential(.threads = 2);
    cn_add(model, cn_input(8, 8, 1));
    for (int i = 0; i < 6; i++) cn_add(model, cn_layer_from_text(texts[i]));
    assert_int_equal(cn_compile(model, .loss = "sparse_categorical_crossentropy",
                                .optimizer = cn_rmsprop(.learning_rate = 0.01)), CN_OK);
    for (int i = 0; i < cn_model_n_weights(model); i++) {
        cn_tensor *weight = cn_model_get_weight(model, i);
        for (int64_t k = 0; k < cn_size(weight); k++)
            ((float *)cn_data(weight))[k] = i % 2 ? number(k, 2, 5, 0) : number(k, 5, 17, 0);
        assert_int_equal(cn_model_set_weight(model, i, weight), CN_OK);
        cn_tensor_destroy(&weight);
    }
    return model;
}

static double predictions(cn_model *model, const cn_tensor *x, const char *part)
{
    cn_tensor *p = cn_predict(model, x);
    double off = distance(file, "training", part, cn_size(p), cn_data(p), ROOM, ROOM);
    cn_tensor_destroy(&p);
    return off;
}

static void three_training_steps(void **state)
{
    (void)state;
    cn_model *model = small_network();
    cn_tensor *x = cn_zeros(CN_FLOAT32, 6, 8, 8, 1), *y = cn_zeros(CN_UINT8, 6);
    float losses[3];
    fill(cn_data(x), 6 * 64, 7, 23, 0);
    for (int i = 0; i < 6; i++) ((uint8_t *)cn_data(y))[i] = (uint8_t)(5 * i % 3);
    assert_true(predictions(model, x, "predict_before") < TOLERANCE);
    for (int i = 0; i < 3; i++) {
        double loss;
        assert_int_equal(cn_train_step(model, x, y, &loss), CN_OK);
        losses[i] = (float)loss;
    }
    assert_true(distance(file, "training", "loss", 3, losses, 3, 3) < TOLERANCE);
    assert_true(predictions(model, x, "predict_after") < 10 * TOLERANCE);
    static const char *const names[] = {"conv2d.kernel", "conv2d.bias", "conv2d_1.kernel", "conv2d_1.bias",
                                        "dense.kernel",  "dense.bias"};
    for (int i = 0; i < 6; i++) {
        cn_tensor *weight = cn_model_get_weight(model, i);
        assert_true(distance(file, "training", names[i], cn_size(weight), cn_data(weight), ROOM, ROOM) <
                    10 * TOLERANCE);
        cn_tensor_destroy(&weight);
    }
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    cn_model_destroy(&model);
}

/* --- wrong layers must be found --- */

static const cn__layer_math *right(int id) { return cn__engine_find(32, CN__ISA_C)->layers[id]; }

static void forgets_a_gradient(const cn__pass *pass)
{
    right(CN__LAYER_conv2d)->backward(pass);
    ((float *)pass->sinks[0].gradient)[1] = 0;
}

static void shifts_the_input_gradient(const cn__pass *pass)
{
    right(CN__LAYER_conv2d)->backward(pass);
    memmove(pass->dx, (float *)pass->dx + 2, sizeof(float));
}

static void takes_the_last_of_equals(const cn__pass *pass)
{
    right(CN__LAYER_max_pooling2d)->forward(pass);
    memset(pass->workspace, 3, (size_t)(BATCH * pass->layer->output_size));
}

static void the_check_finds_wrong_layers(void **state)
{
    (void)state;
    const cn__engine *engine = cn__engine_find(32, CN__ISA_C);
    cn__layer_math forgets = {right(CN__LAYER_conv2d)->forward, forgets_a_gradient};
    cn__layer_math shifts = {right(CN__LAYER_conv2d)->forward, shifts_the_input_gradient};
    cn__layer_math last = {takes_the_last_of_equals, right(CN__LAYER_max_pooling2d)->backward};
    assert_false(check_layer(file, &cases[0], &forgets, engine, 1) < TOLERANCE);
    assert_false(check_layer(file, &cases[0], &shifts, engine, 1) < TOLERANCE);
    assert_false(check_layer(file, &cases[16], &last, engine, 1) < TOLERANCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_with_every_argument),
        cmocka_unit_test(three_training_steps),
        cmocka_unit_test(the_check_finds_wrong_layers),
    };
    return cmocka_run_group_tests_name("parity with Keras: convolutions", tests, NULL, NULL);
}
