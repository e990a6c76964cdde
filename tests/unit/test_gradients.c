/* Every layer with every activation, and every loss, against central differences in the float64 engine.
 *
 * The loss of a layer is L = sum r_i y_i with fixed random r. With step h the difference quotient is off by h^2 L'''/6
 * and by rounding, about 2^-52 |L| / h. For h = 1e-5 and sums of about 1 to 10 both are near 1e-10, so 1e-7 leaves room
 * for derivatives that are larger than 1 and would still notice a wrong sixth digit. */
#include "base/pool.h"
#include "engines.h"
#include "layers/activation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define STEP 1e-5
#define TOLERANCE 1e-7

enum { BATCH = 3, ROOM = 4096, MEMORY = 32768 };

/* How to write a layer of each class as text; %s is the activation. A class without a line fails the test. */
static const struct {
    const char *snake, *text;
    int ndim;
    int64_t shape[3];
} layers[] = {
    {"input_layer", "input_layer(2x3)", 2, {2, 3}},
    {"dense", "dense(4, activation=%s)", 1, {5}},
    {"dense", "dense(4, activation=%s, use_bias=false)", 1, {5}},
    {"dense", "dense(3, activation=%s)", 2, {2, 4}},
    {"activation", "activation(%s)", 1, {6}},
    {"activation", "activation(%s)", 2, {2, 4}},
    {"flatten", "flatten", 2, {2, 3}},
    {"flatten", "flatten(channels_first)", 3, {2, 3, 4}},
    {"conv2d", "conv2d(3, 2x3, activation=gelu, data_format=channels_first)", 3, {2, 4, 5}},
    {"max_pooling2d", "max_pooling2d(3, strides=2, data_format=channels_first)", 3, {2, 5, 6}},
    {"average_pooling2d", "average_pooling2d(3, strides=2, padding=same, data_format=channels_first)", 3, {2, 5, 4}},
    {"global_max_pooling2d", "global_max_pooling2d(channels_first)", 3, {2, 3, 4}},
    {"global_average_pooling2d", "global_average_pooling2d(channels_first, keepdims=true)", 3, {2, 3, 4}},
    {"zero_padding2d", "zero_padding2d(1x2, channels_first)", 3, {2, 2, 3}},
    {"random_rotation", "random_rotation(0.2, data_format=channels_first)", 3, {2, 4, 5}},
    {"rescaling", "rescaling(0.3, offset=-0.7)", 1, {6}},
    {"conv2d", "conv2d(3, 3, activation=%s)", 3, {5, 4, 2}},
    {"conv2d", "conv2d(4, 2x3, activation=%s, use_bias=false, strides=2x1, padding=same, groups=2)", 3, {5, 4, 2}},
    {"conv2d", "conv2d(2, 2, activation=%s, dilation_rate=2, padding=same)", 3, {4, 5, 3}},
    {"max_pooling2d", "max_pooling2d", 3, {5, 4, 3}},
    {"max_pooling2d", "max_pooling2d(3, strides=2x1, padding=same)", 3, {5, 4, 3}},
    {"average_pooling2d", "average_pooling2d(2x1)", 3, {5, 4, 3}},
    {"average_pooling2d", "average_pooling2d(3, strides=2, padding=same)", 3, {5, 4, 3}},
    {"global_max_pooling2d", "global_max_pooling2d(keepdims=true)", 3, {3, 4, 2}},
    {"global_average_pooling2d", "global_average_pooling2d", 3, {3, 4, 2}},
    {"reshape", "reshape((3, -1))", 1, {6}},
    {"permute", "permute((3, 1, 2))", 3, {2, 3, 4}},
    {"zero_padding2d", "zero_padding2d(((1, 0), (2, 3)))", 3, {2, 3, 2}},
    {"batch_normalization", "batch_normalization", 1, {5}},
    {"batch_normalization", "batch_normalization(1, scale=false)", 3, {2, 3, 2}},
    {"layer_normalization", "layer_normalization", 2, {3, 5}},
    {"layer_normalization", "layer_normalization((1, -1), center=false)", 3, {2, 3, 2}},
    {"random_translation", "random_translation(0.3, 0.4)", 3, {4, 5, 2}},
    {"random_rotation", "random_rotation(0.2, fill_mode=constant, fill_value=0.7)", 3, {4, 5, 1}},
    {"random_zoom", "random_zoom(0.4, fill_mode=wrap)", 3, {4, 5, 1}},
    {"batch_normalization", "batch_normalization(trainable=false)", 2, {2, 3}},
    {"re_lu", "re_lu(0.6, negative_slope=0.2, threshold=0.1)", 1, {6}},
    {"leaky_re_lu", "leaky_re_lu", 1, {6}},
    {"p_re_lu", "p_re_lu", 1, {6}},
    {"p_re_lu", "p_re_lu(shared_axes=(1, 3))", 3, {2, 3, 2}},
    {"elu", "elu", 1, {6}},
    {"softmax", "softmax", 1, {6}},
    {"softmax", "softmax(1)", 3, {3, 2, 2}},
    {"softmax", "softmax((1, 3))", 3, {3, 2, 2}},
    {"activation", "activation(softmax(1))", 3, {3, 2, 2}},
    {"activation", "activation(log_softmax(axis=-2))", 2, {3, 2}},
    {"activation", "activation(sparsemax(1))", 2, {3, 2}},
    {"activation", "activation(glu(axis=1))", 2, {4, 3}},
    {"dense", "dense(2, activation=softmax(1))", 2, {3, 2}},
    {"dense", "dense(2, activation=log_softmax(2))", 3, {2, 3, 2}},
    {"conv2d", "conv2d(2, 2, activation=softmax(2))", 3, {3, 4, 2}},
    {"conv2d", "conv2d(2, 2, activation=softmax, data_format=channels_first)", 3, {2, 3, 4}},
    {"conv2d", "conv2d(2, 2, activation=log_softmax(1), data_format=channels_first)", 3, {2, 3, 4}},
    {"rescaling", "rescaling([0.3, -2], offset=[0, 1])", 2, {3, 2}},
    /* r and d are constants for the gradient */
    {"batch_normalization", "batch_normalization(2, renorm=true, renorm_momentum=1, renorm_clipping="
                            "dict(rmax=1.3, rmin=1.3, dmax=0.01))", 3, {2, 3, 2}},
    {"dropout", "dropout(0.4, seed=3)", 2, {3, 5}},
    {"dropout", "dropout(0.4, noise_shape=3x1)", 2, {3, 5}},
};
enum { N_LAYERS = sizeof layers / sizeof *layers };

/* Every activation, and those with arguments also with others than the defaults. */
static const char *const activations[] = {
    "linear", "relu", "relu(0.1, max_value=0.7, threshold=0.2)", "sigmoid", "tanh", "softmax", "elu", "elu(0.3)",
    "selu", "celu", "celu(alpha=0.4)", "gelu", "gelu(approximate=true)", "silu", "softplus", "softsign",
    "exponential", "hard_sigmoid", "hard_silu", "relu6", "leaky_relu", "leaky_relu(-0.7)", "mish", "log_softmax",
    "log_sigmoid", "squareplus", "squareplus(b=0.2)", "hard_tanh", "tanh_shrink", "soft_shrink", "soft_shrink(0.2)",
    "hard_shrink", "hard_shrink(threshold=0.1)", "threshold(0.1, -0.3)", "sparse_plus", "sparse_sigmoid",
    "sparsemax", "glu",
};
enum { N_ACTIVATIONS = sizeof activations / sizeof *activations };

static void fill(double *out, int64_t n, uint32_t stream)
{
    cn__random random;
    cn__random_begin(&random, 4711, CN__FOR_USER, stream);
    for (int64_t i = 0; i < n; i++) {
        out[i] = 2 * cn__random_uniform(&random) - 1;
        /* nobody has a derivative at the corner of relu */
        if (fabs(out[i]) < 1e-3) out[i] = 0.5;
    }
}

/* A built layer with numbers around it. */
typedef struct bench {
    const cn__layer_math *math;
    cn_layer *layer;
    cn__pool *pool;
    double x[ROOM], y[ROOM], dy[ROOM], dx[ROOM], workspace[ROOM], direction[ROOM], threads[MEMORY], shared[MEMORY];
    double weight[CN__MAX_LAYER_WEIGHTS][ROOM], gradient[CN__MAX_LAYER_WEIGHTS][ROOM];
} bench;

static double run_forward(bench *b, cn__pass *pass)
{
    double sum = 0;
    b->math->forward(pass);
    for (int64_t i = 0; i < BATCH * b->layer->output_size; i++) sum += b->direction[i] * b->y[i];
    return sum;
}

/* The largest difference between `analytic` and difference quotients of n numbers. */
static double compare(bench *b, cn__pass *pass, double *at, const double *analytic, int64_t n)
{
    double worst = 0;
    for (int64_t i = 0; i < n; i++) {
        double kept = at[i];
        at[i] = kept + STEP;
        double above = run_forward(b, pass);
        at[i] = kept - STEP;
        double below = run_forward(b, pass);
        at[i] = kept;
        double off = fabs((above - below) / (2 * STEP) - analytic[i]);
        worst = isnan(off) ? INFINITY : fmax(worst, off);
    }
    return worst;
}

/* Largest error over the input and all weights. If an input of a relu came nearer to 0 than the step, this would show
 * as an error; with these random numbers none does. */
static double check_layer(const cn__layer_math *math, int which, const char *activation)
{
    static bench b;
    char text[128];
    void *weights[CN__MAX_LAYER_WEIGHTS];
    cn__sink sinks[CN__MAX_LAYER_WEIGHTS];
    memset(&b, 0, sizeof b);
    const char *at = strstr(layers[which].text, "%s");
    if (at)
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - layers[which].text), layers[which].text, activation, at + 2);
    else snprintf(text, sizeof text, "%s", layers[which].text);
    b.layer = cn_layer_from_text(text);
    b.pool = cn__pool_create(2);
    assert_non_null(b.layer);
    assert_int_equal(cn__layer_build(b.layer, layers[which].ndim, layers[which].shape), CN_OK);
    b.math = math ? math : cn__engine_find(64, CN__ISA_C)->layers[cn__layer_index(b.layer)];
    fill(b.x, BATCH * b.layer->input_size, 1);
    fill(b.direction, BATCH * b.layer->output_size, 2);
    for (int i = 0; i < b.layer->n_weights; i++) {
        const cn__weight *w = &b.layer->weights[i];
        assert_true(w->rows * w->stride <= ROOM);
        fill(b.weight[i], w->rows * w->stride, (uint32_t)(3 + i));
        /* no gradient reaches state, and some of it is a variance */
        for (int64_t k = 0; !w->trainable && k < w->rows * w->stride; k++) b.weight[i][k] = 0.2 + fabs(b.weight[i][k]);
        weights[i] = b.weight[i];
        sinks[i] = (cn__sink){.gradient = b.gradient[i], .stride = w->stride};
    }
    cn__pass pass = {.layer = b.layer, .pool = b.pool, .batch = BATCH, .training = 1, .x = b.x, .y = b.y, .dy = b.dy,
                     .dx = b.dx, .workspace = b.workspace, .thread_memory = b.threads, .shared_memory = b.shared,
                     .weights = weights, .sinks = sinks};
    assert_true(cn__thread_stride(b.layer->thread_size) * cn__pool_threads(b.pool) <= MEMORY);
    assert_true(b.layer->shared_size <= MEMORY);
    run_forward(&b, &pass);
    memcpy(b.dy, b.direction, sizeof b.dy);
    b.math->backward(&pass);
    double worst = compare(&b, &pass, b.x, b.dx, BATCH * b.layer->input_size);
    for (int i = 0; i < b.layer->n_weights; i++) {
        const cn__weight *w = &b.layer->weights[i];
        for (int64_t r = 0; w->trainable && r < w->rows; r++)
            worst = fmax(worst, compare(&b, &pass, b.weight[i] + r * w->stride, b.gradient[i] + r * w->stride,
                                        w->columns));
    }
    cn__pool_destroy(&b.pool);
    cn_layer_destroy(&b.layer);
    return worst;
}

static void every_layer_with_every_activation(void **state)
{
    (void)state;
    for (int i = 0; i < N_LAYERS; i++)
        for (int a = 0; a < (strstr(layers[i].text, "%s") ? N_ACTIVATIONS : 1); a++) {
            /* refused elsewhere */
            if (!strcmp(activations[a], "glu") && strcmp(layers[i].snake, "activation")) continue;
            double worst = check_layer(NULL, i, activations[a]);
            if (!(worst < TOLERANCE)) print_message("%s, %s: off by %g\n", layers[i].text, activations[a], worst);
            assert_true(worst < TOLERANCE);
        }
}

static void every_activation_is_covered(void **state)
{
    (void)state;
    for (int id = 0; id < CN__ACTIVATION_COUNT; id++) {
        int found = 0, index;
        cn__activation_options options;
        for (int a = 0; a < N_ACTIVATIONS; a++) {
            assert_int_equal(cn__activation_find("test", activations[a], &index, &options), CN_OK);
            found |= index == id;
        }
        if (!found) print_message("no case for %s\n", cn__activation_classes[id]->name);
        assert_true(found);
    }
}

static void every_layer_is_covered(void **state)
{
    (void)state;
    for (int id = 0; id < CN__LAYER_COUNT; id++) {
        int found = cn__layer_classes[id] == &cn__layer_tape; /* no text can hold it; test_tape_layer has its cases */
        for (int i = 0; i < N_LAYERS; i++) found |= strcmp(layers[i].snake, cn__layer_classes[id]->snake) == 0;
        if (!found) print_message("no case for %s\n", cn__layer_classes[id]->name);
        assert_true(found);
    }
}

/* --- losses --- */

enum { COLUMNS = 5 };

typedef struct scored {
    double output[BATCH * COLUMNS], target[BATCH * COLUMNS], p[BATCH * COLUMNS], row_loss[BATCH];
    double gradient[BATCH * COLUMNS];
    double room[BATCH * 64]; /* of sequences of one step */
    int32_t labels[BATCH];
    const cn__loss_options *options;
} scored;

/* Mean over the rows, which is what `gradient` belongs to. */
static double measure(void (*function)(const cn__scores *), int sparse, scored *s, int with_gradient)
{
    function(&(cn__scores){.rows = BATCH, .columns = COLUMNS, .options = s->options,
                           .target = sparse ? NULL : s->target, .labels = sparse ? s->labels : NULL,
                           .output = s->output, .probabilities = s->p, .row_loss = s->row_loss,
                           .gradient = with_gradient ? s->gradient : NULL, .divisor = BATCH, .steps = 1, .length = 1,
                           .room = s->room});
    double sum = 0;
    for (int r = 0; r < BATCH; r++) sum += s->row_loss[r];
    return sum / BATCH;
}

static double check_loss(int id, void (*function)(const cn__scores *), int as_probabilities, int soft_targets)
{
    scored s = {.labels = {3, 0, 4}, .options = &cn__loss_classes[id]->defaults};
    int sparse = cn__loss_classes[id]->sparse;
    double worst = 0;
    fill(s.output, BATCH * COLUMNS, 7);
    /* rows that do not add up to 1: the losses divide by their sum */
    for (int i = 0; as_probabilities && i < BATCH * COLUMNS; i++) s.output[i] = 0.05 + fabs(s.output[i]);
    for (int r = 0; r < BATCH; r++) s.target[r * COLUMNS + s.labels[r]] = 1;
    if (soft_targets) fill(s.target, BATCH * COLUMNS, 8);
    measure(function, sparse, &s, 1);
    for (int i = 0; i < BATCH * COLUMNS; i++) {
        double kept = s.output[i];
        s.output[i] = kept + STEP;
        double above = measure(function, sparse, &s, 0);
        s.output[i] = kept - STEP;
        double below = measure(function, sparse, &s, 0);
        s.output[i] = kept;
        /* relative where it is large: a percentage of a target of 0 is 1e9 */
        double off = fabs((above - below) / (2 * STEP) - s.gradient[i]) / (1 + fabs(s.gradient[i]) + fabs(above));
        worst = isnan(off) ? INFINITY : fmax(worst, off);
    }
    return worst;
}

static void every_loss(void **state)
{
    (void)state;
    const cn__engine *engine = cn__engine_find(64, CN__ISA_C);
    for (int id = 0; id < CN__LOSS_COUNT; id++)
        for (int soft = 0; soft <= !cn__loss_classes[id]->sparse; soft++) {
            const cn__loss_math *math = engine->losses[id];
            double worst = check_loss(id, math->measure, 1, soft), logits = 0;
            if (math->measure_from_logits) logits = check_loss(id, math->measure_from_logits, 0, soft);
            if (!(worst < TOLERANCE && logits < TOLERANCE))
                print_message("%s: off by %g, from logits by %g\n", cn__loss_classes[id]->name, worst, logits);
            assert_true(worst < TOLERANCE && logits < TOLERANCE);
        }
}

/* --- wrong ones, which must be reported --- */

static const cn__layer_math *right(void) { return cn__engine_find(64, CN__ISA_C)->layers[CN__LAYER_dense]; }

static void forgets_the_batch_mean(const cn__scores *s)
{
    cn__scores other = *s;
    other.divisor = 1;
    cn__engine_find(64, CN__ISA_C)->losses[CN__LOSS_mean_squared_error]->measure(&other);
}

static void is_slightly_off(const cn__pass *pass)
{
    right()->backward(pass);
    ((double *)pass->dx)[1] *= 1.00001;
}

static void leaves_the_bias_out(const cn__pass *pass)
{
    right()->backward(pass);
    memset(pass->sinks[1].gradient, 0, sizeof(double));
}

static void gives_nan(const cn__pass *pass)
{
    right()->backward(pass);
    ((double *)pass->sinks[0].gradient)[2] = NAN;
}

static void the_check_finds_wrong_gradients(void **state)
{
    (void)state;
    void (*const wrong[])(const cn__pass *) = {is_slightly_off, leaves_the_bias_out, gives_nan};
    assert_true(check_layer(right(), 1, "tanh") < TOLERANCE);
    for (int i = 0; i < 3; i++) {
        cn__layer_math math = {right()->forward, wrong[i]};
        assert_false(check_layer(&math, 1, "tanh") < TOLERANCE);
    }
    assert_false(check_loss(CN__LOSS_mean_squared_error, forgets_the_batch_mean, 1, 0) < TOLERANCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_is_covered),
        cmocka_unit_test(every_activation_is_covered),
        cmocka_unit_test(every_layer_with_every_activation),
        cmocka_unit_test(every_loss),
        cmocka_unit_test(the_check_finds_wrong_gradients),
    };
    return cmocka_run_group_tests_name("gradients", tests, NULL, NULL);
}
