/* Conv2D and the pooling layers against Keras (tests/parity/convolutions.txt): outputs, gradients, three training steps,
 * in every engine. */
#include "base/memory.h"
#include "engines.h"
#include "parity.h"

#include <cornu/model.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Sums of up to 50 terms of about 0.5, in another order than Keras's. */
#define TOLERANCE 2e-6

enum { BATCH = 2, ROOM = 1024 };

static const struct {
    const char *name, *text;
    int64_t shape[3];
} cases[] = {
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

/* The same rules as in record_convolutions.py. */
static float number(int64_t i, int64_t factor, int64_t modulus, int ties)
{
    int64_t value = (i * factor + 3) % modulus;
    return (float)((double)(ties ? value % 3 : value - modulus / 2) / 10);
}

static void fill(float *out, int64_t n, int64_t factor, int64_t modulus, int ties)
{
    for (int64_t i = 0; i < n; i++) out[i] = number(i, factor, modulus, ties);
}

/* Largest distance from the recorded values; infinite when their number differs. */
static double distance(const char *name, const char *part, int64_t n, const float *values, int64_t columns, int64_t stride)
{
    static double recorded[ROOM];
    char key[64];
    double worst = 0;
    snprintf(key, sizeof key, "%s.%s", name, part);
    if (parity_numbers("convolutions.txt", key, recorded, ROOM) != n) return INFINITY;
    for (int64_t i = 0; i < n; i++) {
        double off = fabs((double)values[i / columns * stride + i % columns] - recorded[i]);
        worst = isnan(off) ? INFINITY : fmax(worst, off);
    }
    return worst;
}

static double check_layer(const cn__layer_math *math, const cn__engine *engine, int which, int threads)
{
    static float x[ROOM], y[ROOM], dy[ROOM], dx[ROOM], workspace[ROOM], weight[2][ROOM], gradient[2][ROOM];
    const char *name = cases[which].name;
    int64_t weight_rules[2][2] = {{5, 17}, {2, 5}};
    void *weights[] = {weight[0], weight[1]};
    cn__sink sinks[2] = {{.gradient = gradient[0]}, {.gradient = gradient[1]}};
    cn_layer *layer = cn_layer_from_text(cases[which].text);
    assert_non_null(layer);
    assert_int_equal(cn__layer_build(layer, 3, cases[which].shape), CN_OK);
    cn__pool *pool = cn__pool_create(threads);
    for (int i = 0; i < layer->n_weights; i++) {
        const cn__weight *w = &layer->weights[i];
        sinks[i].stride = w->stride;
        for (int64_t r = 0; r < w->rows; r++)
            for (int64_t c = 0; c < w->columns; c++)
                weight[i][r * w->stride + c] = number(r * w->columns + c, weight_rules[i][0], weight_rules[i][1], 0);
    }
    fill(x, BATCH * layer->input_size, 7, 23, strstr(name, "ties") != NULL);
    fill(dy, BATCH * layer->output_size, 3, 13, 0);
    float *memory = cn__alloc((size_t)(layer->shared_size + threads * cn__thread_stride(layer->thread_size)), 4, "a test");
    cn__pass pass = {.layer = layer, .pool = pool, .batch = BATCH, .training = 1, .x = x, .y = y, .dy = dy, .dx = dx,
                     .workspace = workspace, .shared_memory = memory, .thread_memory = memory + layer->shared_size,
                     .weights = weights, .sinks = sinks};
    if (!math) math = engine->layers[cn__layer_index(layer)];
    math->forward(&pass);
    double worst = distance(name, "y", BATCH * layer->output_size, y, ROOM, ROOM);
    math->backward(&pass);
    worst = fmax(worst, distance(name, "dx", BATCH * layer->input_size, dx, ROOM, ROOM));
    for (int i = 0; i < layer->n_weights; i++) {
        const cn__weight *w = &layer->weights[i];
        worst = fmax(worst, distance(name, w->name, w->rows * w->columns, gradient[i], w->columns, w->stride));
    }
    cn__free(memory);
    cn__pool_destroy(&pool);
    cn_layer_destroy(&layer);
    return worst;
}

static void every_layer_with_every_argument(void **state)
{
    (void)state;
    const cn__engine *engines[CN__ISA_COUNT];
    int n = engines_usable(engines);
    for (int e = 0; e < n; e++)
        for (int i = 0; i < N_CASES; i++) {
            double worst = check_layer(NULL, engines[e], i, 1 + i % 3);
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
    double off = distance("training", part, cn_size(p), cn_data(p), ROOM, ROOM);
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
    assert_true(distance("training", "loss", 3, losses, 3, 3) < TOLERANCE);
    assert_true(predictions(model, x, "predict_after") < 10 * TOLERANCE);
    static const char *const names[] = {"conv2d.kernel", "conv2d.bias", "conv2d_1.kernel", "conv2d_1.bias",
                                        "dense.kernel",  "dense.bias"};
    for (int i = 0; i < 6; i++) {
        cn_tensor *weight = cn_model_get_weight(model, i);
        assert_true(distance("training", names[i], cn_size(weight), cn_data(weight), ROOM, ROOM) < 10 * TOLERANCE);
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
    assert_false(check_layer(&forgets, engine, 0, 1) < TOLERANCE);
    assert_false(check_layer(&shifts, engine, 0, 1) < TOLERANCE);
    assert_false(check_layer(&last, engine, 16, 1) < TOLERANCE);
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
