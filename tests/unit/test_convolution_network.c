/* A network of convolutions as a whole: the same bits for any number of threads and on each instruction set, and
 * whether or not a pooling is computed along with the convolution in front of it. */
#include "engines.h"
#include "layers/layer.h"

#include <cornu/model.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { SAMPLES = 40, SIDE = 13 };

static cn_tensor *x, *y;

static int setup(void **state)
{
    (void)state;
    x = cn_zeros(CN_FLOAT32, SAMPLES, SIDE, SIDE, 1);
    y = cn_zeros(CN_UINT8, SAMPLES);
    engines_fill(cn_data(x), SAMPLES * SIDE * SIDE, 1);
    for (int i = 0; i < SAMPLES; i++) ((uint8_t *)cn_data(y))[i] = (uint8_t)(i * 7 % 4);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    return 0;
}

/* Trains layers that end with NULL for two epochs; digest of the weights. */
static void train(const char *const *layers, int threads, const char *isa, const char *precision, char digest[65])
{
    cn_model *model = cn_sequential(.threads = threads, .isa = isa, .seed = 4, .precision = precision);
    cn_add(model, cn_input(SIDE, SIDE, 1));
    for (; *layers; layers++) cn_add(model, cn_layer_from_text(*layers));
    assert_int_equal(cn_compile(model, .loss = "sparse_categorical_crossentropy", .optimizer_name = "adam"), CN_OK);
    assert_int_equal(cn_fit(model, x, y, .batch_size = 16, .epochs = 2), CN_OK);
    assert_int_equal(cn_model_weights_sha256(model, digest), CN_OK);
    cn_model_destroy(&model);
}

static const char *const network[] = {"conv2d(20, 3, activation=relu)", "conv2d(33, 3, padding=same, activation=relu)",
                                      "max_pooling2d(2)", "dropout(0.25)", "flatten", "dense(4, activation=softmax)",
                                      NULL};

static void same_bits_everywhere(void **state)
{
    (void)state;
    char expected[65], digest[65];
    const cn__engine *engines[CN__ISA_COUNT];
    int n = engines_usable(engines);
    train(network, 1, NULL, "float32", expected);
    for (int threads = 2; threads <= 4; threads++) {
        train(network, threads, NULL, "float32", digest);
        assert_string_equal(digest, expected);
    }
    for (int e = 0; e < n; e++) {
        train(network, 2, cn__isa_name(engines[e]->isa), "float32", digest);
        assert_string_equal(digest, expected);
    }
    train(network, 2, NULL, "mixed_bfloat16", digest);
    assert_string_not_equal(digest, expected);
}

/* A linear activation in between changes nothing, but then the pooling is computed by its own layer. */
static void a_pooling_that_is_computed_along(void **state)
{
    (void)state;
    static const char *const convolutions[] = {
        "conv2d(20, 3, activation=relu)", "conv2d(17, 2x3, strides=2x1, activation=tanh, padding=same)",
        "conv2d(6, 3, dilation_rate=2, use_bias=false)", "conv2d(5, 4, activation=sigmoid)"};
    static const char *const poolings[] = {"max_pooling2d(2)", "max_pooling2d(3x2, strides=4x2, padding=same)",
                                           "max_pooling2d(1x3)", "max_pooling2d(2, strides=3)"};
    for (int c = 0; c < 4; c++)
        for (int p = 0; p < 4; p++)
            for (int bf16 = 0; bf16 < 2; bf16++) {
                const char *together[] = {convolutions[c], poolings[p], "flatten", "dense(4, activation=softmax)",
                                          NULL};
                const char *apart[] = {convolutions[c], "activation(linear)", poolings[p], "flatten",
                                       "dense(4, activation=softmax)", NULL};
                char digest[65], other[65];
                train(together, 3, NULL, bf16 ? "mixed_bfloat16" : "float32", digest);
                train(apart, 2, NULL, bf16 ? "mixed_bfloat16" : "float32", other);
                if (strcmp(digest, other)) print_message("%s, %s\n", convolutions[c], poolings[p]);
                assert_string_equal(digest, other);
            }
}

static void which_poolings_are_computed_along(void **state)
{
    (void)state;
    static const struct {
        const char *convolution, *pooling;
        int together;
    } pairs[] = {
        {"conv2d(4, 3, activation=relu)", "max_pooling2d(2)", 1},
        {"conv2d(4, 3)", "max_pooling2d(2, strides=3)", 1},
        {"conv2d(4, 3, activation=relu)", "max_pooling2d(3, strides=2)", 0}, /* its windows overlap */
        {"conv2d(4, 3, activation=softmax)", "max_pooling2d(2)", 0},
        {"conv2d(4, 3, activation=gelu)", "max_pooling2d(2)", 0},
        {"conv2d(4, 3, activity_regularizer=l2)", "max_pooling2d(2)", 0},
        {"conv2d(4, 3)", "average_pooling2d(2)", 0},
        {"conv2d(4, 3, data_format=channels_first)", "max_pooling2d(2)", 0},
        {"conv2d(4, 3)", "max_pooling2d(2, data_format=channels_first)", 0},
        {"dense(4)", "max_pooling2d(2)", 0},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        cn_layer *convolution = cn_layer_from_text(pairs[i].convolution),
                 *pooling = cn_layer_from_text(pairs[i].pooling);
        assert_int_equal(cn__conv2d_pools(convolution, pooling), pairs[i].together);
        cn_layer_destroy(&convolution);
        cn_layer_destroy(&pooling);
    }
}

static void the_plan_in_words(void **state)
{
    (void)state;
    cn_model *model = cn_sequential(.threads = 2);
    cn_add(model, cn_input(SIDE, SIDE, 1));
    for (const char *const *layer = network; *layer; layer++) cn_add(model, cn_layer_from_text(*layer));
    assert_int_equal(cn_compile(model, .loss = "sparse_categorical_crossentropy"), CN_OK);
    char *text = cn_model_plan(model, x, 16);
    assert_non_null(text);
    assert_non_null(strstr(text, "conv2d: 16 pictures, 11x11 windows of 9 numbers -> 20\n"));
    assert_non_null(strstr(text, "max_pooling2d: along with conv2d_1, picture by picture\n"));
    cn_string_free(text);
    cn_model_destroy(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_everywhere),
        cmocka_unit_test(a_pooling_that_is_computed_along),
        cmocka_unit_test(which_poolings_are_computed_along),
        cmocka_unit_test(the_plan_in_words),
    };
    return cmocka_run_group_tests_name("networks of convolutions", tests, setup, teardown);
}
