/* Layers written as tensor operations: they train like the built-in ones, and what goes wrong in their callbacks is
 * said. */
#define _GNU_SOURCE
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"

#include <cornu/cornu.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 50, INPUTS = 4, CLASSES = 3 };

static cn_tensor *inputs(void)
{
    cn_tensor *x = cn_zeros(CN_FLOAT32, ROWS, INPUTS);
    for (int64_t i = 0; i < cn_size(x); i++) ((float *)cn_data(x))[i] = (float)(i * 7 % 11) / 10;
    return x;
}

static cn_tensor *labels(void)
{
    cn_tensor *y = cn_zeros(CN_UINT8, ROWS);
    for (int64_t i = 0; i < ROWS; i++) ((uint8_t *)cn_data(y))[i] = (uint8_t)(5 * i % CLASSES);
    return y;
}

/* --- a dense layer with relu, and a softmax over three --- */

typedef struct dense {
    int64_t units;
    int calls, trained, fails_after; /* calls that are left before call returns NULL; 0: never */
} dense;

static int build_dense(cn_layer *layer, int ndim, const int64_t *input_shape, void *context)
{
    const dense *d = context;
    int status = cn_layer_add_weight(layer, "kernel", "glorot_uniform", CN_SHAPE(input_shape[ndim - 1], d->units));
    return status < 0 ? status : cn_layer_add_weight(layer, "bias", "zeros", CN_SHAPE(d->units));
}

static cn_tensor *call_dense(const cn_tensor *x, cn_tensor *const *weights, int training, void *context)
{
    dense *d = context;
    d->calls++;
    d->trained += training;
    if (d->fails_after && d->calls >= d->fails_after) return cn_tensor_add(x, cn_index(x, 0, 99)); /* no such column */
    return cn_tensor_relu(cn_tensor_add(cn_matmul(x, weights[0]), weights[1]));
}

static cn_model *model_with(cn_layer *hidden, const char *precision, const char *optimizer)
{
    cn_model *model = cn_sequential(.threads = 2, .seed = 3, .precision = precision);
    cn_add(model, hidden);
    cn_add(model, cn_dense(CLASSES, .activation = "softmax"));
    assert_int_equal(cn_compile(model, .optimizer_name = optimizer, .loss = "sparse_categorical_crossentropy",
                                .metrics = {"accuracy"}), CN_OK);
    return model;
}

/* Largest difference between the weights of two models. */
static double distance(const cn_model *a, const cn_model *b)
{
    double worst = 0;
    assert_int_equal(cn_model_n_weights(a), cn_model_n_weights(b));
    for (int i = 0; i < cn_model_n_weights(a); i++) {
        cn_tensor *x = cn_model_get_weight(a, i), *y = cn_model_get_weight(b, i);
        cn_scope *scope = cn_scope_begin();
        cn_tensor *off = cn_astype(cn_max(cn_tensor_absolute(cn_tensor_subtract(x, y))), CN_FLOAT64);
        double number = *(double *)cn_data(off);
        worst = isnan(number) ? INFINITY : fmax(worst, number);
        cn_scope_end(&scope);
        cn_tensor_destroy(&x);
        cn_tensor_destroy(&y);
    }
    return worst;
}

static void trains_like_the_built_in_layer(void **state)
{
    (void)state;
    const char *const optimizers[] = {"rmsprop", "adam", "sgd(momentum=0.9)"};
    cn_tensor *x = inputs(), *y = labels();
    for (int i = 0; i < 3; i++) {
        dense d = {.units = 8};
        cn_model *own = model_with(cn_tape_layer(call_dense, .build = build_dense, .context = &d,
                                                 .input_shape = {INPUTS}),
                                   "float64", optimizers[i]);
        cn_model *built_in = model_with(cn_dense(8, .activation = "relu", .input_shape = {INPUTS}), "float64",
                                        optimizers[i]);
        assert_true(distance(own, built_in) == 0); /* the same initial weights */
        assert_int_equal(cn_fit(own, x, y, .epochs = 3, .batch_size = 16, .verbose = 0), CN_OK);
        assert_int_equal(cn_fit(built_in, x, y, .epochs = 3, .batch_size = 16, .verbose = 0), CN_OK);
        assert_true(distance(own, built_in) < 1e-12);
        assert_int_equal(d.trained, 3 * 4);
        cn_result a, b;
        assert_int_equal(cn_evaluate(own, x, y, &a), CN_OK);
        assert_int_equal(cn_evaluate(built_in, x, y, &b), CN_OK);
        assert_true(fabs(a.loss - b.loss) < 1e-12);
        cn_tensor *first = cn_model_predict(own, x, NULL), *second = cn_model_predict(built_in, x, NULL);
        assert_int_equal(d.trained, 3 * 4); /* evaluate and predict do not train */
        assert_int_equal(cn_size(first), cn_size(second));
        cn_tensor_destroy(&first);
        cn_tensor_destroy(&second);
        cn_model_destroy(&own);
        cn_model_destroy(&built_in);
    }
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

/* As the first, a middle and the last layer; without weights; and in float32. */
static cn_tensor *call_scale(const cn_tensor *x, cn_tensor *const *weights, int training, void *context)
{
    (void)weights, (void)training, (void)context;
    return cn_tensor_multiply(cn_reshape(x, -1, 2, 2), cn_float(2));
}

static cn_tensor *call_softmax(const cn_tensor *x, cn_tensor *const *weights, int training, void *context)
{
    (void)weights, (void)training, (void)context;
    return cn_tensor_softmax(x, -1);
}

static void stands_anywhere(void **state)
{
    (void)state;
    cn_tensor *x = inputs(), *y = labels();
    dense d = {.units = 6};
    cn_model *model = cn_sequential(.threads = 1, .seed = 5);
    cn_add(model, cn_input(INPUTS));
    cn_add(model, cn_tape_layer(call_scale));
    cn_add(model, cn_flatten());
    cn_add(model, cn_tape_layer(call_dense, .build = build_dense, .context = &d, .name = "own"));
    cn_add(model, cn_dense(CLASSES));
    cn_add(model, cn_tape_layer(call_softmax));
    assert_int_equal(cn_compile(model, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}), CN_OK);
    cn_result before, after;
    assert_int_equal(cn_evaluate(model, x, y, &before), CN_OK);
    assert_int_equal(cn_fit(model, x, y, .epochs = 20, .batch_size = 10, .verbose = 0), CN_OK);
    assert_int_equal(cn_evaluate(model, x, y, &after), CN_OK);
    assert_true(after.loss < before.loss);
    char *summary = cn_model_summary(model, 0);
    assert_non_null(strstr(summary, "own (TapeLayer)"));
    assert_non_null(strstr(summary, "(None, 2, 2)"));
    cn_string_free(summary);
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

/* --- what goes wrong --- */

static void expect(int status, const char *part)
{
    assert_true(status < 0);
    if (!strstr(cn_error_message(), part)) fail_msg("\"%s\" lacks \"%s\"", cn_error_message(), part);
}

static void failing_calls_stop_the_fit(void **state)
{
    (void)state;
    int64_t before = cn__memory_live_blocks();
    cn_tensor *x = inputs(), *y = labels();
    dense d = {.units = 8, .fails_after = 4};
    cn_model *model = model_with(cn_tape_layer(call_dense, .build = build_dense, .context = &d,
                                               .input_shape = {INPUTS}),
                                 "float32", "rmsprop");
    expect(cn_fit(model, x, y, .epochs = 3, .batch_size = 16, .verbose = 0), "tape_layer: cn_index");
    assert_int_equal(d.calls, 4);
    expect(cn_evaluate(model, x, y, NULL), "tape_layer: cn_index");
    assert_null(cn_model_predict(model, x, NULL));
    d.fails_after = 0; /* nothing of it is left */
    assert_int_equal(cn_fit(model, x, y, .epochs = 1, .verbose = 0), CN_OK);
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
    assert_int_equal(cn__memory_live_blocks(), before);
}

static int refuse(void *context, const cn_tensor *g, const cn_tensor *output, int n, const cn_tensor *const *in,
                  cn_tensor **gradients)
{
    (void)context, (void)g, (void)output, (void)n, (void)in, (void)gradients;
    return CN_ESTOPPED;
}

static cn_tensor *call_refusing(const cn_tensor *x, cn_tensor *const *weights, int training, void *context)
{
    (void)weights, (void)training, (void)context;
    return cn_custom_gradient(x, 1, &x, refuse, NULL);
}

static void failing_gradients_stop_the_fit(void **state)
{
    (void)state;
    cn_tensor *x = inputs(), *y = labels();
    cn_model *model = cn_sequential(.seed = 3);
    cn_add(model, cn_dense(4, .input_shape = {INPUTS}));
    cn_add(model, cn_tape_layer(call_refusing));
    cn_add(model, cn_dense(CLASSES, .activation = "softmax"));
    assert_int_equal(cn_compile(model, .loss = "sparse_categorical_crossentropy"), CN_OK);
    assert_int_equal(cn_fit(model, x, y, .verbose = 0), CN_ESTOPPED);
    assert_int_equal(cn_evaluate(model, x, y, NULL), CN_OK);
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

static cn_tensor *call_mean(const cn_tensor *x, cn_tensor *const *weights, int training, void *context)
{
    (void)weights, (void)training, (void)context;
    return cn_mean(x); /* the batch is gone */
}

static cn_tensor *call_null(const cn_tensor *x, cn_tensor *const *weights, int training, void *context)
{
    (void)x, (void)weights, (void)training, (void)context;
    return NULL;
}

static int build_five(cn_layer *layer, int ndim, const int64_t *shape, void *context)
{
    (void)ndim, (void)shape, (void)context;
    int status = CN_OK;
    for (int i = 0; i < 5 && status >= 0; i++) status = cn_layer_add_weight(layer, "w", "zeros", CN_SHAPE(2));
    return status;
}

static int build_nameless(cn_layer *layer, int ndim, const int64_t *shape, void *context)
{
    (void)ndim, (void)shape, (void)context;
    return cn_layer_add_weight(layer, "", "zeros", CN_SHAPE(2));
}

static int build_unknown(cn_layer *layer, int ndim, const int64_t *shape, void *context)
{
    (void)ndim, (void)shape, (void)context;
    return cn_layer_add_weight(layer, "w", "glorot", CN_SHAPE(2));
}

static int build_empty(cn_layer *layer, int ndim, const int64_t *shape, void *context)
{
    (void)ndim, (void)shape, (void)context;
    return cn_layer_add_weight(layer, "w", "zeros", CN_SHAPE(2, 0));
}

static void refused(cn_layer *layer, const char *part)
{
    cn_model *model = cn_sequential();
    cn_add(model, layer);
    expect(cn_compile(model, .loss = "mean_squared_error"), part);
    cn_model_destroy(&model);
    cn_error_clear();
}

static void mistakes(void **state)
{
    (void)state;
    assert_null(cn_tape_layer_create(NULL));
    assert_null(cn_tape_layer(NULL));
    refused(cn_tape_layer(NULL), "the function that computes the layer is NULL");
    refused(cn_tape_layer(call_mean, .input_shape = {4}), "the first axis is the batch");
    refused(cn_tape_layer(call_null, .input_shape = {4}), "its call returned NULL");
    refused(cn_tape_layer(call_softmax, .build = build_five, .input_shape = {4}), "at most 4 weights");
    refused(cn_tape_layer(call_softmax, .build = build_nameless, .input_shape = {4}), "1 ... 63 characters");
    refused(cn_tape_layer(call_softmax, .build = build_unknown, .input_shape = {4}), "glorot_uniform");
    refused(cn_tape_layer(call_softmax, .build = build_empty, .input_shape = {4}), "an axis of size 0");
    expect(cn_layer_add_weight(NULL, "w", "zeros", CN_SHAPE(2)), "build function");
    cn_layer *layer = cn_dense(3);
    expect(cn_layer_add_weight(layer, "w", "zeros", CN_SHAPE(2)), "build function");
    cn_layer_destroy(&layer);
    refused(cn_layer_from_text("tape_layer(input_shape=4)"), "code that no text or file can hold");
}

static int small_job(const cn_tensor *x, const cn_tensor *y)
{
    dense d = {.units = 2};
    cn_model *model = cn_sequential(.threads = 1, .seed = 3);
    cn_add(model, cn_tape_layer(call_dense, .build = build_dense, .context = &d, .input_shape = {INPUTS}));
    cn_add(model, cn_dense(CLASSES, .activation = "softmax"));
    int status = cn_compile(model, .loss = "sparse_categorical_crossentropy");
    if (status == CN_OK) status = cn_fit(model, x, y, .verbose = 0);
    cn_model_destroy(&model);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    cn_tensor *x = inputs(), *y = labels();
    int64_t before = cn__memory_live_blocks();
    int failures = 0;
    for (uint64_t n = 1; failures < 2000; n++, failures++) {
        cn_error_clear();
        cn__memory_fail_after(n);
        int status = small_job(x, y);
        cn__memory_fail_after(0);
        assert_int_equal(cn__memory_live_blocks(), before);
        if (status == CN_OK) break;
    }
    assert_in_range(failures, 50, 1999);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

/* The file has the weights, but no text can hold the code. */
static void is_saved_but_not_read(void **state)
{
    (void)state;
    const char *path = scratch_path("own.safetensors");
    dense d = {.units = 8};
    cn_model *model = model_with(cn_tape_layer(call_dense, .build = build_dense, .context = &d,
                                               .input_shape = {INPUTS}),
                                 "float32", "rmsprop");
    int status = cn_model_save(model, path);
    cn_model_destroy(&model);
    if (status == CN_ENOTSUP) skip();
    assert_int_equal(status, CN_OK);
    assert_null(cn_model_load(path));
    expect(cn_error_status(), "tape_layer: a layer written as tensor operations is code");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trains_like_the_built_in_layer),
        cmocka_unit_test(stands_anywhere),
        cmocka_unit_test(failing_calls_stop_the_fit),
        cmocka_unit_test(failing_gradients_stop_the_fit),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(is_saved_but_not_read),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
