/* data_format=channels_first: against Keras (tests/parity/channels_first.txt), and bit for bit against channels_last on
 * the same pictures, in training, in evaluation and from a file. */
#define _GNU_SOURCE
#include "scratch.h"

#include <cornu/model.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "recorded_layer.h"

#define TOLERANCE 2e-6 /* sums of up to 50 terms of about 0.5, in another order than Keras's */

static const char *const file = "channels_first.txt";
static const recorded_layer cases[] = {
    {"conv2d", "conv2d(3, 3x2, data_format=channels_first)", {2, 5, 6}},
    {"conv2d_same", "conv2d(2, 3, 2x1, same, channels_first, activation=tanh)", {3, 4, 5}},
    {"conv2d_dilation", "conv2d(2, 2x3, dilation_rate=2, padding=same, use_bias=false, data_format=channels_first)",
     {2, 5, 6}},
    {"conv2d_groups", "conv2d(4, 2, groups=2, activation=gelu, data_format=channels_first)", {4, 4, 3}},
    {"max", "max_pooling2d(2x3, 2, same, channels_first)", {2, 5, 6}},
    {"average", "average_pooling2d(3x2, strides=1, data_format=channels_first)", {3, 5, 4}},
    {"global_max", "global_max_pooling2d(channels_first)", {2, 3, 4}},
    {"global_max_keepdims", "global_max_pooling2d(channels_first, keepdims=true)", {2, 3, 4}},
    {"global_average", "global_average_pooling2d(data_format=channels_first)", {2, 3, 4}},
    {"global_average_keepdims", "global_average_pooling2d(channels_first, true)", {2, 3, 4}},
    {"zero_padding", "zero_padding2d(((1, 0), (2, 3)), data_format=channels_first)", {2, 2, 3}},
    {"flatten", "flatten(channels_first)", {2, 3, 4}},
    {"flatten_rows", "flatten(data_format=channels_first)", {3, 4}, 2},
};
enum { N_CASES = sizeof cases / sizeof *cases };

static void every_layer_as_in_keras(void **state)
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

static void three_training_steps_as_in_keras(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "zero_padding2d(1x0, channels_first)", "conv2d(3, 3, activation=relu, data_format=channels_first)",
        "max_pooling2d(data_format=channels_first)", "conv2d(4, 2, activation=relu, data_format=channels_first)",
        "average_pooling2d(2, 1, data_format=channels_first)", "flatten(channels_first)",
        "dense(3, activation=softmax)"};
    static const char *const names[] = {"conv2d.kernel", "conv2d.bias", "conv2d_1.kernel", "conv2d_1.bias",
                                        "dense.kernel",  "dense.bias"};
    cn_model *model = cn_sequential(.threads = 2);
    cn_add(model, cn_input(2, 8, 8));
    for (int i = 0; i < 7; i++) cn_add(model, cn_layer_from_text(texts[i]));
    assert_int_equal(cn_compile(model, .loss = "sparse_categorical_crossentropy",
                                .optimizer = cn_rmsprop(.learning_rate = 0.01)), CN_OK);
    for (int i = 0; i < 6; i++) {
        cn_tensor *weight = cn_model_get_weight(model, i);
        fill(cn_data(weight), cn_size(weight), i % 2 ? 2 : 5, i % 2 ? 5 : 17, 0);
        assert_int_equal(cn_model_set_weight(model, i, weight), CN_OK);
        cn_tensor_destroy(&weight);
    }
    cn_tensor *x = cn_zeros(CN_FLOAT32, 6, 2, 8, 8), *y = cn_zeros(CN_UINT8, 6);
    float losses[3];
    fill(cn_data(x), cn_size(x), 7, 23, 0);
    for (int i = 0; i < 6; i++) ((uint8_t *)cn_data(y))[i] = (uint8_t)(5 * i % 3);
    cn_tensor *p = cn_predict(model, x);
    assert_true(distance(file, "training", "predict_before", 18, cn_data(p), ROOM, ROOM) < TOLERANCE);
    cn_tensor_destroy(&p);
    for (int i = 0; i < 3; i++) {
        double loss;
        assert_int_equal(cn_train_step(model, x, y, &loss), CN_OK);
        losses[i] = (float)loss;
    }
    assert_true(distance(file, "training", "loss", 3, losses, 3, 3) < TOLERANCE);
    p = cn_predict(model, x);
    assert_true(distance(file, "training", "predict_after", 18, cn_data(p), ROOM, ROOM) < 10 * TOLERANCE);
    cn_tensor_destroy(&p);
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

/* --- the same bits as channels_last --- */

/* Each takes what the one above gives; %s is the data_format. The pooling behind the first Conv2D is computed along
 * with it in channels_last only. */
static const char *const network[] = {
    "random_translation(0.2, 0.1, data_format=%s)", "random_rotation((-0.1, 0.2), data_format=%s)",
    "random_zoom(0.2, fill_mode=constant, data_format=%s)", "zero_padding2d(((1, 0), (2, 1)), data_format=%s)",
    "conv2d(6, 3, padding=same, activation=relu, data_format=%s)", "max_pooling2d(2, data_format=%s)",
    ("conv2d(4, 3x2, groups=2, activation=mish, kernel_regularizer=l2(0.01), activity_regularizer=l1(0.01), "
     "data_format=%s)"),
    "average_pooling2d(2, strides=1, data_format=%s)", "flatten(%s)", "dense(3, activation=softmax)",
};
enum { N_NETWORK = sizeof network / sizeof *network, SAMPLES = 40, HEIGHT = 9, WIDTH = 7, CHANNELS = 2 };

static cn_tensor *first, *last, *labels;

static int make_data(void **state)
{
    if (scratch_setup(state) < 0) return -1;
    last = cn_zeros(CN_FLOAT32, SAMPLES, HEIGHT, WIDTH, CHANNELS);
    labels = cn_zeros(CN_UINT8, SAMPLES);
    if (!last || !labels) return -1;
    engines_fill(cn_data(last), cn_size(last), 5);
    first = cn_zeros(CN_FLOAT32, SAMPLES, CHANNELS, HEIGHT, WIDTH);
    if (!first) return -1;
    for (int64_t b = 0; b < SAMPLES; b++)
        for (int64_t i = 0; i < HEIGHT * WIDTH; i++)
            for (int64_t c = 0; c < CHANNELS; c++)
                ((float *)cn_data(first))[(b * CHANNELS + c) * HEIGHT * WIDTH + i] =
                    ((const float *)cn_data(last))[(b * HEIGHT * WIDTH + i) * CHANNELS + c];
    for (int i = 0; i < SAMPLES; i++) ((uint8_t *)cn_data(labels))[i] = (uint8_t)(i * 5 % 3);
    return 0;
}

static int drop_data(void **state)
{
    cn_tensor_destroy(&first);
    cn_tensor_destroy(&last);
    cn_tensor_destroy(&labels);
    return scratch_teardown(state);
}

static cn_model *make_model(int is_first, int threads, const char *isa, const char *precision)
{
    cn_model *model = cn_sequential(.threads = threads, .isa = isa, .seed = 3, .precision = precision);
    cn_add(model, is_first ? cn_input(CHANNELS, HEIGHT, WIDTH) : cn_input(HEIGHT, WIDTH, CHANNELS));
    for (int i = 0; i < N_NETWORK; i++) {
        char text[160];
        const char *at = strstr(network[i], "%s");
        if (at) snprintf(text, sizeof text, "%.*s%s%s", (int)(at - network[i]), network[i],
                         is_first ? "channels_first" : "channels_last", at + 2);
        else snprintf(text, sizeof text, "%s", network[i]);
        cn_add(model, cn_layer_from_text(text));
    }
    int status = cn_compile(model, .optimizer_name = "adam", .loss = "sparse_categorical_crossentropy");
    if (status < 0) print_message("%s\n", cn_error_message());
    assert_int_equal(status, CN_OK);
    return model;
}

/* The digest of the weights after two epochs, and the loss of evaluate. */
static double train(int is_first, int threads, const char *isa, const char *precision, char digest[65])
{
    cn_model *model = make_model(is_first, threads, isa, precision);
    cn_result result;
    assert_int_equal(cn_fit(model, is_first ? first : last, labels, .batch_size = 16, .epochs = 2), CN_OK);
    assert_int_equal(cn_evaluate(model, is_first ? first : last, labels, &result), CN_OK);
    assert_int_equal(cn_model_weights_sha256(model, digest), CN_OK);
    cn_model_destroy(&model);
    return result.loss;
}

static void the_same_bits_as_channels_last(void **state)
{
    (void)state;
    static const char *const precisions[] = {"float32", "mixed_bfloat16", "float64"};
    const cn__engine *engines[CN__ISA_COUNT];
    int n = engines_usable(engines);
    for (int p = 0; p < 3; p++)
        for (int e = 0; e < (p == 2 ? 1 : n); e++) {
            char expected[65], digest[65];
            const char *isa = cn__isa_name(engines[e]->isa);
            double loss = train(0, 2, isa, precisions[p], expected);
            for (int threads = 1; threads <= 3; threads += 2) {
                assert_true(train(1, threads, isa, precisions[p], digest) == loss);
                assert_string_equal(digest, expected);
            }
        }
}

/* Otherwise the test above could compare two models that see nothing of the order. */
static void the_order_matters(void **state)
{
    (void)state;
    cn_model *model = make_model(1, 1, NULL, "float32"), *other = make_model(1, 1, NULL, "float32");
    cn_tensor *wrong = cn_reshape(last, SAMPLES, CHANNELS, HEIGHT, WIDTH);
    cn_tensor *p = cn_predict(model, first), *q = cn_predict(other, wrong);
    assert_false(engines_same(cn_data(p), cn_data(q), (size_t)cn_size(p) * sizeof(float)));
    cn_tensor_destroy(&wrong);
    cn_tensor_destroy(&p);
    cn_tensor_destroy(&q);
    cn_model_destroy(&model);
    cn_model_destroy(&other);
}

static void the_plan_in_words(void **state)
{
    (void)state;
    cn_model *model = make_model(1, 1, NULL, "float32");
    char *text = cn_model_plan(model, first, 16);
    assert_non_null(text);
    assert_non_null(strstr(text, "conv2d: 16 pictures, 10x10 windows of 18 numbers -> 6\n"
                                 "  channels_first   turned into channels_last and back\n"));
    assert_non_null(strstr(text, "max_pooling2d: number by number")); /* not along with conv2d */
    cn_string_free(text);
    cn_model_destroy(&model);
}

static void the_order_is_in_the_file(void **state)
{
    (void)state;
    const char *path = scratch_path("first.safetensors");
    cn_model *model = make_model(1, 1, NULL, "float32");
    cn_tensor *before = cn_predict(model, first);
    int status = cn_model_save(model, path);
    cn_model_destroy(&model);
    if (status == CN_ENOTSUP) {
        cn_tensor_destroy(&before);
        skip();
    }
    assert_int_equal(status, CN_OK);
    model = cn_model_load(path);
    assert_non_null(model);
    cn_tensor *after = cn_predict(model, first);
    assert_true(engines_same(cn_data(before), cn_data(after), (size_t)cn_size(before) * sizeof(float)));
    char *summary = cn_model_summary(model, 100);
    assert_non_null(strstr(summary, "(None, 6, 10, 10)")); /* the first Conv2D */
    cn_string_free(summary);
    cn_tensor_destroy(&before);
    cn_tensor_destroy(&after);
    cn_model_destroy(&model);
}

/* --- what is refused --- */

static void sentences(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int ndim;
        int64_t shape[3];
        const char *sentence;
    } refused[] = {
        {"conv2d(3, 3, data_format=nchw)", 3, {5, 5, 1},
         "conv2d: data_format must be channels_last or channels_first, got \"nchw\""},
        {"global_max_pooling2d(channel_first)", 3, {5, 5, 1},
         "global_max_pooling2d: data_format must be channels_last or channels_first, got \"channel_first\""},
        {"random_zoom(0.1, data_format=first)", 3, {5, 5, 1},
         "random_zoom: data_format must be channels_last or channels_first, got \"first\""},
        {"flatten(last)", 1, {5}, "flatten: data_format must be channels_last or channels_first, got \"last\""},
        {"conv2d(3, 3, data_format=channels_first)", 2, {28, 28},
         "conv2d: takes pictures of three axes (channels, height, width), got 2 axes; an input_shape such as 1x28x28 "},
        {"max_pooling2d(3, data_format=channels_first)", 3, {28, 28, 1},
         "max_pooling2d: a window of 3 does not fit into the width of 1"},
        {"conv2d(4, 3, groups=2, data_format=channels_first)", 3, {3, 8, 8},
         "conv2d: groups must divide the 3 channels of its input, got 2"},
        {"random_rotation(0.1, data_format=channels_first)", 2, {4, 4},
         "random_rotation: needs images (channels, height, width), got samples of 2 axes; a"},
        {"zero_padding2d(data_format=channels_first)", 1, {4},
         "zero_padding2d: needs images (channels, height, width), got samples of 1 axes"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        cn_error_clear();
        cn_layer *layer = cn_layer_from_text(refused[i].text);
        if (layer) assert_true(cn__layer_build(layer, refused[i].ndim, refused[i].shape) < 0);
        if (strncmp(cn_error_message(), refused[i].sentence, strlen(refused[i].sentence)) != 0)
            print_message("%s: %s\n", refused[i].text, cn_error_message());
        assert_int_equal(strncmp(cn_error_message(), refused[i].sentence, strlen(refused[i].sentence)), 0);
        cn_layer_destroy(&layer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_as_in_keras),
        cmocka_unit_test(three_training_steps_as_in_keras),
        cmocka_unit_test(the_same_bits_as_channels_last),
        cmocka_unit_test(the_order_matters),
        cmocka_unit_test(the_plan_in_words),
        cmocka_unit_test(the_order_is_in_the_file),
        cmocka_unit_test(sentences),
    };
    return cmocka_run_group_tests_name("channels_first", tests, make_data, drop_data);
}
