/* What Conv2D and the pooling layers accept, what they say about the rest, and that a saved model has the same
 * layers. */
#define _GNU_SOURCE
#include "scratch.h"

#include <cornu/model.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The layer cannot be made, and each of the parts, which end with NULL, stands in the sentence. */
static int refused(cn_layer *layer, int status, const char *const *parts)
{
    if (layer) {
        cn_layer_destroy(&layer);
        return 0;
    }
    if (cn_error_status() != status) return 0;
    for (; *parts; parts++) {
        if (strstr(cn_error_message(), *parts)) continue;
        print_message("no \"%s\" in: %s\n", *parts, cn_error_message());
        return 0;
    }
    return 1;
}
#define REFUSED(layer, status, ...) refused(layer, status, (const char *const[]){__VA_ARGS__, NULL})

static void the_check_reads_the_sentence(void **state)
{
    (void)state;
    assert_false(REFUSED(cn_conv2d(3, {3, 3}), CN_EINVAL, "conv2d"));
    assert_false(REFUSED(cn_conv2d(0, {3, 3}), CN_EINVAL, "kernel_size"));
    assert_false(REFUSED(cn_conv2d(0, {3, 3}), CN_ESHAPE, "filters"));
}

static void bad_arguments_of_a_convolution(void **state)
{
    (void)state;
    assert_true(REFUSED(cn_conv2d(0, {3, 3}), CN_EINVAL, "conv2d", "filters", "0"));
    assert_true(REFUSED(cn_conv2d(-4, {3, 3}, .name = "eyes"), CN_EINVAL, "eyes", "filters", "-4"));
    assert_true(REFUSED(cn_layer_from_text("conv2d(8)"), CN_EINVAL, "conv2d", "kernel_size is missing"));
    assert_true(REFUSED(cn_conv2d(8, {3, 3, 3}), CN_EINVAL, "kernel_size", "3x3"));
    assert_true(REFUSED(cn_conv2d(8, {3, -1}), CN_EINVAL, "kernel_size", "-1"));
    assert_true(REFUSED(cn_conv2d(8, {3}, .strides = {-2, 1}), CN_EINVAL, "strides", "-2"));
    assert_true(REFUSED(cn_conv2d(8, {3}, .dilation_rate = {1, 1, 1}), CN_EINVAL, "dilation_rate"));
    assert_true(REFUSED(cn_layer_from_text("conv2d(8, 3, padding=full)"), CN_EINVAL, "valid or same", "full"));
    assert_true(REFUSED(cn_layer_from_text("conv2d(8, 3, data_format=nchw)"), CN_EINVAL, "channels_last", "nchw"));
    assert_true(REFUSED(cn_conv2d(8, {3}, .strides = {2, 1}, .dilation_rate = {1, 2}), CN_EINVAL, "strides 2x1",
                        "dilation_rate 1x2"));
    assert_true(REFUSED(cn_layer_from_text("conv2d(8, 3, groups=3)"), CN_EINVAL, "groups", "8 filters", "3"));
    assert_true(REFUSED(cn_layer_from_text("conv2d(8, 3, groups=0)"), CN_EINVAL, "groups", "0"));
    assert_true(REFUSED(cn_conv2d(1, {3}, .activation = "softmax"), CN_EINVAL, "softmax", "sigmoid"));
    assert_true(REFUSED(cn_conv2d(8, {3}, .activation = "glu"), CN_EINVAL, "conv2d", "half", "activation(glu)"));
    assert_true(REFUSED(cn_conv2d(8, {3}, .activation = "rellu"), CN_ENAME, "conv2d", "rellu", "relu"));
    assert_true(REFUSED(cn_layer_from_text("conv2d(8, 3, kernel_initializer=glorot)"), CN_ENAME, "conv2d", "glorot"));
    assert_true(REFUSED(cn_layer_from_text("conv2d(8, 3, pading=same)"), CN_ENAME, "pading", "padding"));
}

static void bad_arguments_of_pooling(void **state)
{
    (void)state;
    assert_true(REFUSED(cn_max_pooling2d({2, 0, 2}), CN_EINVAL, "max_pooling2d", "pool_size"));
    assert_true(REFUSED(cn_average_pooling2d({-2}), CN_EINVAL, "average_pooling2d", "pool_size", "-2"));
    assert_true(REFUSED(cn_max_pooling2d({2}, .strides = {0, 2, 2}), CN_EINVAL, "strides"));
    assert_true(REFUSED(cn_layer_from_text("max_pooling2d(2, padding=SAME)"), CN_EINVAL, "valid or same", "SAME"));
    assert_true(REFUSED(cn_layer_from_text("global_max_pooling2d(nchw)"), CN_EINVAL, "channels_last"));
    assert_true(REFUSED(cn_layer_from_text("max_pooling(2)"), CN_ENAME, "max_pooling2d"));
}

/* What cn_add says of a layer behind an input of that shape, "" if nothing. */
static const char *said_of(const char *text, int64_t height, int64_t width, int64_t channels)
{
    static char said[1024];
    cn_model *model = cn_sequential();
    cn_add(model, channels ? cn_input(height, width, channels) : cn_input(height, width));
    int status = cn_add(model, cn_layer_from_text(text));
    snprintf(said, sizeof said, "%s", status < 0 ? cn_error_message() : "");
    cn_model_destroy(&model);
    return said;
}

static void pictures_that_do_not_fit(void **state)
{
    (void)state;
    assert_string_equal(said_of("conv2d(4, 3)", 3, 3, 1), "");
    assert_non_null(strstr(said_of("conv2d(4, 3)", 28, 28, 0), "28x28x1"));
    assert_non_null(strstr(said_of("global_average_pooling2d", 28, 28, 0), "three axes"));
    assert_non_null(strstr(said_of("conv2d(4, 3)", 3, 2, 1), "width of 2"));
    assert_string_equal(said_of("conv2d(4, 3, padding=same)", 1, 1, 1), "");
    assert_non_null(strstr(said_of("conv2d(4, 3, dilation_rate=2)", 4, 9, 1), "window of 5"));
    assert_non_null(strstr(said_of("max_pooling2d(4x2)", 3, 2, 1), "height of 3"));
    assert_non_null(strstr(said_of("conv2d(4, 3, groups=2)", 5, 5, 3), "3 channels"));
}

static void a_saved_model_has_the_same_layers(void **state)
{
    (void)state;
    static const char *const texts[] = {"conv2d(4, 3x2, 1x2, padding=same, activation=relu)",
                                        "conv2d(4, 2, dilation_rate=2x1, groups=2, use_bias=false)",
                                        "max_pooling2d(3x2, strides=1, padding=same)", "average_pooling2d(2)",
                                        "global_max_pooling2d(keepdims=true)", "global_average_pooling2d"};
    const char *path = scratch_path("convolutions.safetensors");
    cn_model *model = cn_sequential(.seed = 5);
    cn_add(model, cn_input(9, 8, 2));
    for (int i = 0; i < 6; i++) cn_add(model, cn_layer_from_text(texts[i]));
    cn_tensor *x = cn_zeros(CN_FLOAT32, 3, 9, 8, 2);
    for (int64_t i = 0; i < cn_size(x); i++) ((float *)cn_data(x))[i] = (float)(i * 7 % 23) / 10;
    cn_tensor *before = cn_predict(model, x);
    assert_non_null(before);
    int status = cn_model_save(model, path);
    cn_model_destroy(&model);
    if (status == CN_ENOTSUP) skip();
    assert_int_equal(status, CN_OK);
    model = cn_model_load(path);
    assert_non_null(model);
    cn_tensor *after = cn_predict(model, x);
    assert_int_equal(cn_size(after), 3 * 4);
    assert_memory_equal(cn_data(before), cn_data(after), (size_t)cn_size(after) * sizeof(float));
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&before);
    cn_tensor_destroy(&after);
    cn_model_destroy(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_reads_the_sentence),
        cmocka_unit_test(bad_arguments_of_a_convolution),
        cmocka_unit_test(bad_arguments_of_pooling),
        cmocka_unit_test(pictures_that_do_not_fit),
        cmocka_unit_test(a_saved_model_has_the_same_layers),
    };
    return cmocka_run_group_tests_name("options of convolutions", tests, scratch_setup, scratch_teardown);
}
