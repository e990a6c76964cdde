/* Every built-in layer again, written as tensor operations: what it computes, and the gradients that its backward pass
 * works out by hand, against those of the tape. float64, so that two right answers are near each other. */
#include "base/pool.h"
#include "engines.h"
#include "layers/activation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <cornu/cornu.h>

#define TOLERANCE 1e-11

enum { BATCH = 3, ROOM = 4096 };

typedef const cn_tensor tensor;
typedef cn_tensor *const *weights;

/* --- short names for tensor operations --- */

static tensor *plus(tensor *a, tensor *b) { return cn_tensor_add(a, b); }
static tensor *minus(tensor *a, tensor *b) { return cn_tensor_subtract(a, b); }
static tensor *times(tensor *a, tensor *b) { return cn_tensor_multiply(a, b); }
static tensor *over(tensor *a, tensor *b) { return cn_tensor_divide(a, b); }
static tensor *least(tensor *a, double b) { return cn_tensor_maximum(a, cn_float(b)); }
static tensor *most(tensor *a, double b) { return cn_tensor_minimum(a, cn_float(b)); }
static tensor *num(double x) { return cn_float(x); }

/* --- activations: Keras's definitions --- */

static tensor *linear(tensor *x) { return x; }
static tensor *relu(tensor *x) { return least(x, 0); }
static tensor *sigmoid(tensor *x) { return cn_tensor_sigmoid(x); }
static tensor *tanh_(tensor *x) { return cn_tensor_tanh(x); }
static tensor *softmax(tensor *x) { return cn_tensor_softmax(x, -1); }
static tensor *exponential(tensor *x) { return cn_tensor_exp(x); }
static tensor *relu6(tensor *x) { return most(least(x, 0), 6); }
static tensor *leaky(tensor *x) { return cn_tensor_maximum(x, times(x, num(0.2))); }
static tensor *silu(tensor *x) { return times(x, sigmoid(x)); }
static tensor *softplus(tensor *x) { return cn_tensor_log1p(cn_tensor_exp(x)); }
static tensor *log_sigmoid(tensor *x) { return cn_tensor_negative(softplus(cn_tensor_negative(x))); }
static tensor *softsign(tensor *x) { return over(x, plus(cn_tensor_absolute(x), num(1))); }
static tensor *mish(tensor *x) { return times(x, tanh_(softplus(x))); }
static tensor *hard_sigmoid(tensor *x) { return over(relu6(plus(x, num(3))), num(6)); }
static tensor *hard_silu(tensor *x) { return times(x, hard_sigmoid(x)); }
static tensor *hard_tanh(tensor *x) { return most(least(x, -1), 1); }
static tensor *tanh_shrink(tensor *x) { return minus(x, tanh_(x)); }
static tensor *elu(tensor *x) { return plus(relu(x), cn_tensor_expm1(most(x, 0))); }
static tensor *celu(tensor *x) { return plus(relu(x), times(cn_tensor_expm1(over(most(x, 0), num(0.4))), num(0.4))); }

static tensor *selu(tensor *x)
{
    return times(plus(relu(x), times(cn_tensor_expm1(most(x, 0)), num(1.6732632423543772848170429916717))),
                 num(1.0507009873554804934193349852946));
}

static tensor *gelu_by_tanh(tensor *x)
{
    tensor *cube = times(times(x, times(x, x)), num(0.044715));
    return times(times(x, num(0.5)), plus(num(1), tanh_(times(plus(x, cube), num(0.7978845608028653558798921)))));
}

static tensor *log_softmax(tensor *x)
{
    return minus(x, cn_tensor_log(cn_tensor_sum(cn_tensor_exp(x), CN_AXES(-1), 1)));
}

static tensor *squareplus(tensor *x)
{
    return times(plus(x, cn_tensor_sqrt(plus(cn_tensor_square(x), num(4)))), num(0.5));
}

static tensor *soft_shrink(tensor *x)
{
    return minus(least(minus(x, num(0.2)), 0), least(minus(num(-0.2), x), 0));
}

static const struct {
    const char *text;
    tensor *(*f)(tensor *);
} activations[] = {
    {"linear", linear},           {"relu", relu},
    {"sigmoid", sigmoid},         {"tanh", tanh_},
    {"softmax", softmax},         {"exponential", exponential},
    {"relu6", relu6},             {"leaky_relu", leaky},
    {"silu", silu},               {"softplus", softplus},
    {"log_sigmoid", log_sigmoid}, {"softsign", softsign},
    {"mish", mish},               {"hard_sigmoid", hard_sigmoid},
    {"hard_silu", hard_silu},     {"hard_tanh", hard_tanh},
    {"tanh_shrink", tanh_shrink}, {"elu", elu},
    {"celu(alpha=0.4)", celu},    {"selu", selu},
    {"log_softmax", log_softmax}, {"gelu(approximate=true)", gelu_by_tanh},
    {"squareplus", squareplus},   {"soft_shrink(0.2)", soft_shrink},
};
enum { N_ACTIVATIONS = sizeof activations / sizeof *activations };

/* --- layers: x (batch, ...) and the layer's weights --- */

static tensor *same(tensor *x, weights w) { (void)w; return cn_tensor_add(x, num(0)); }
static tensor *dense(tensor *x, weights w) { return plus(cn_tensor_dot(x, w[0]), w[1]); }
static tensor *dense_without_bias(tensor *x, weights w) { return cn_tensor_dot(x, w[0]); }
static tensor *flatten(tensor *x, weights w) { (void)w; return cn_reshape(x, BATCH, -1); }
static tensor *rescaling(tensor *x, weights w) { (void)w; return plus(times(x, num(0.3)), num(-0.7)); }
static tensor *reshape(tensor *x, weights w) { (void)w; return cn_reshape(x, BATCH, 3, 2); }

static tensor *permute(tensor *x, weights w)
{
    (void)w;
    return cn_tensor_transpose(x, (const int[]){0, 3, 1, 2});
}

static tensor *zero_padding(tensor *x, weights w)
{
    (void)w;
    return cn_tensor_pad(x, (const int64_t[][2]){{0, 0}, {1, 0}, {2, 3}, {0, 0}}, 0);
}

/* A window that walks over an image: size, strides, dilation, and Keras's padding. */
typedef struct window {
    int64_t size[2], strides[2], dilation;
    int same;
} window;

/* Pads so that ceil(n / stride) positions fit, the odd one behind; out[k] gets the number of positions. */
static tensor *padded(tensor *x, const window *v, double value, int64_t out[2])
{
    int64_t widths[4][2] = {{0}};
    for (int k = 0; k < 2; k++) {
        int64_t n = cn_shape(x)[1 + k], reach = (v->size[k] - 1) * v->dilation + 1;
        out[k] = v->same ? (n + v->strides[k] - 1) / v->strides[k] : (n - reach) / v->strides[k] + 1;
        int64_t missing = (out[k] - 1) * v->strides[k] + reach - n;
        if (!v->same || missing < 0) missing = 0;
        widths[1 + k][0] = missing / 2;
        widths[1 + k][1] = missing - missing / 2;
    }
    return cn_tensor_pad(x, (const int64_t(*)[2])widths, value);
}

/* What position (i, j) of the window sees as it walks: (batch, out height, out width, channels). */
static tensor *seen_at(tensor *x, const window *v, const int64_t out[2], int64_t i, int64_t j)
{
    int64_t top = i * v->dilation, left = j * v->dilation;
    return cn_slice(x, CN_ALL, {top, top + (out[0] - 1) * v->strides[0] + 1, v->strides[0]},
                    {left, left + (out[1] - 1) * v->strides[1] + 1, v->strides[1]});
}

static tensor *channels(tensor *x, int64_t first, int64_t n)
{
    return cn_slice(x, CN_ALL, CN_ALL, CN_ALL, {first, first + n});
}

/* kernel (height, width, channels / groups, filters) */
static tensor *convolution(tensor *x, tensor *kernel, const window *v, int groups)
{
    int64_t out[2], inputs = cn_shape(x)[3] / groups, filters = cn_shape(kernel)[3] / groups;
    tensor *wide = padded(x, v, 0, out), *parts[4];
    for (int g = 0; g < groups; g++) {
        parts[g] = NULL;
        for (int64_t i = 0; i < v->size[0]; i++)
            for (int64_t j = 0; j < v->size[1]; j++) {
                tensor *seen = channels(seen_at(wide, v, out, i, j), g * inputs, inputs);
                tensor *matrix = cn_slice(cn_index(kernel, i, j), CN_ALL, {g * filters, (g + 1) * filters});
                tensor *product = cn_tensor_dot(seen, matrix);
                parts[g] = parts[g] ? plus(parts[g], product) : product;
            }
    }
    return cn_tensor_concatenate(groups, parts, 3);
}

static tensor *conv2d(tensor *x, weights w)
{
    return plus(convolution(x, w[0], &(window){{3, 3}, {1, 1}, 1, 0}, 1), w[1]);
}

static tensor *conv2d_groups(tensor *x, weights w)
{
    return convolution(x, w[0], &(window){{2, 3}, {2, 1}, 1, 1}, 2);
}

static tensor *conv2d_dilated(tensor *x, weights w)
{
    return plus(convolution(x, w[0], &(window){{2, 2}, {1, 1}, 2, 1}, 1), w[1]);
}

static tensor *max_pooling(tensor *x, const window *v)
{
    int64_t out[2];
    tensor *wide = padded(x, v, -1e300, out), *largest = NULL;
    for (int64_t i = 0; i < v->size[0]; i++)
        for (int64_t j = 0; j < v->size[1]; j++) {
            tensor *seen = seen_at(wide, v, out, i, j);
            largest = largest ? cn_tensor_maximum(largest, seen) : seen;
        }
    return largest;
}

static tensor *sum_pooling(tensor *x, const window *v)
{
    int64_t out[2];
    tensor *wide = padded(x, v, 0, out), *sum = NULL;
    for (int64_t i = 0; i < v->size[0]; i++)
        for (int64_t j = 0; j < v->size[1]; j++) {
            tensor *seen = seen_at(wide, v, out, i, j);
            sum = sum ? plus(sum, seen) : seen;
        }
    return sum;
}

/* Padding does not count in the mean. */
static tensor *average_pooling(tensor *x, const window *v)
{
    tensor *ones = cn_tensor_full(CN_FLOAT64, cn_ndim(x), cn_shape(x), 1);
    return over(sum_pooling(x, v), sum_pooling(ones, v));
}

static tensor *max_2(tensor *x, weights w) { (void)w; return max_pooling(x, &(window){{2, 2}, {2, 2}, 1, 0}); }
static tensor *max_3(tensor *x, weights w) { (void)w; return max_pooling(x, &(window){{3, 3}, {2, 1}, 1, 1}); }
static tensor *mean_2(tensor *x, weights w) { (void)w; return average_pooling(x, &(window){{2, 1}, {2, 1}, 1, 0}); }
static tensor *mean_3(tensor *x, weights w) { (void)w; return average_pooling(x, &(window){{3, 3}, {2, 2}, 1, 1}); }
static tensor *global_max(tensor *x, weights w) { (void)w; return cn_tensor_max(x, CN_AXES(1, 2), 1); }
static tensor *global_mean(tensor *x, weights w) { (void)w; return cn_tensor_mean(x, CN_AXES(1, 2), 0); }

/* (x - mean) / sqrt(variance + epsilon) * gamma + beta; axes are those that mean and variance are taken over. */
static tensor *normalized(tensor *x, int n_axes, const int *axes, double epsilon, tensor *gamma, tensor *beta)
{
    tensor *mean = cn_tensor_mean(x, n_axes, axes, 1), *variance = cn_tensor_var(x, n_axes, axes, 0, 1);
    tensor *z = over(minus(x, mean), cn_tensor_sqrt(plus(variance, num(epsilon))));
    if (gamma) z = times(z, gamma);
    return beta ? plus(z, beta) : z;
}

static tensor *batch_norm(tensor *x, weights w) { return normalized(x, CN_AXES(0), 1e-3, w[0], w[1]); }

/* Channels on the first axis of a sample: gamma and beta get an axis for what is behind it. */
static tensor *batch_norm_first(tensor *x, weights w)
{
    return normalized(x, CN_AXES(0, 2), 0.01, cn_tensor_expand_dims(w[0], 1), cn_tensor_expand_dims(w[1], 1));
}

static tensor *batch_norm_plain(tensor *x, weights w)
{
    (void)w;
    return normalized(x, CN_AXES(0, 1), 1e-3, NULL, NULL);
}

static tensor *layer_norm(tensor *x, weights w) { return normalized(x, CN_AXES(-1), 1e-3, w[0], w[1]); }
static tensor *layer_norm_plain(tensor *x, weights w) { (void)w; return normalized(x, CN_AXES(-1), 0.1, NULL, NULL); }

static tensor *re_lu(tensor *x, weights w) { (void)w; return relu(x); }
static tensor *leaky_re_lu(tensor *x, weights w) { (void)w; return cn_tensor_maximum(x, times(x, num(0.3))); }
static tensor *elu_layer(tensor *x, weights w) { (void)w; return elu(x); }
static tensor *softmax_1(tensor *x, weights w) { (void)w; return cn_tensor_softmax(x, 1); }
static tensor *p_re_lu(tensor *x, weights w) { return plus(relu(x), times(w[0], most(x, 0))); }

/* Augmentation moves the pixels of each sample by a linear map of its own, plus what fill_value gives. The tape has no
 * operation that looks between pixels, but what a linear map is can be seen from where it takes each pixel: the layer's
 * forward pass, which test_parity_layers.c compares with Keras, makes the matrices; their product with x is the
 * tape's. */
static const cn_layer *moving; /* the layer that is compared at the moment */

static void move(const double *x, double *y)
{
    cn__pool *pool = cn__pool_create(1);
    cn__pass pass = {.layer = moving, .pool = pool, .batch = BATCH, .training = 1, .x = x, .y = y};
    cn__engine_find(64, CN__ISA_C)->layers[cn__layer_index(moving)]->forward(&pass);
    cn__pool_destroy(&pool);
}

static tensor *moved(tensor *x, weights w)
{
    enum { MOST = 64 };
    static double unit[BATCH * MOST], seen[BATCH * MOST], rest[BATCH * MOST], matrices[BATCH * MOST * MOST];
    int64_t n = moving->input_size;
    (void)w;
    assert_true(n <= MOST);
    memset(unit, 0, sizeof unit);
    move(unit, rest);
    for (int64_t j = 0; j < n; j++) {
        for (int64_t b = 0; b < BATCH; b++) unit[b * n + j] = 1;
        move(unit, seen);
        for (int64_t b = 0; b < BATCH; b++) {
            unit[b * n + j] = 0;
            for (int64_t k = 0; k < n; k++) matrices[(b * n + j) * n + k] = seen[b * n + k] - rest[b * n + k];
        }
    }
    tensor *by = cn_tensor_from(CN_FLOAT64, 3, (const int64_t[]){BATCH, n, n}, matrices);
    tensor *offset = cn_tensor_from(CN_FLOAT64, 3, (const int64_t[]){BATCH, 1, n}, rest);
    tensor *y = plus(cn_matmul(cn_reshape(x, BATCH, 1, n), by), offset);
    return cn_reshape(y, BATCH, moving->output_shape[0], moving->output_shape[1], moving->output_shape[2]);
}

static const struct {
    const char *text; /* %s is an activation, applied to the last axis of what f gives */
    tensor *(*f)(tensor *x, weights w);
    int ndim;
    int64_t shape[3];
    int is_random; /* which numbers were dropped is learned from the output */
} layers[] = {
    {"input_layer(2x3)", same, 2, {2, 3}, 0},
    {"dense(4, activation=%s)", dense, 1, {5}, 0},
    {"dense(4, activation=%s, use_bias=false)", dense_without_bias, 1, {5}, 0},
    {"dense(3, activation=%s)", dense, 2, {2, 4}, 0},
    {"activation(%s)", same, 2, {2, 4}, 0},
    {"flatten", flatten, 2, {2, 3}, 0},
    {"rescaling(0.3, offset=-0.7)", rescaling, 1, {6}, 0},
    {"conv2d(3, 3, activation=%s)", conv2d, 3, {5, 4, 2}, 0},
    {"conv2d(4, 2x3, activation=%s, use_bias=false, strides=2x1, padding=same, groups=2)", conv2d_groups, 3, {5, 4, 2},
     0},
    {"conv2d(2, 2, activation=%s, dilation_rate=2, padding=same)", conv2d_dilated, 3, {4, 5, 3}, 0},
    {"max_pooling2d", max_2, 3, {5, 4, 3}, 0},
    {"max_pooling2d(3, strides=2x1, padding=same)", max_3, 3, {5, 4, 3}, 0},
    {"average_pooling2d(2x1)", mean_2, 3, {5, 4, 3}, 0},
    {"average_pooling2d(3, strides=2, padding=same)", mean_3, 3, {5, 4, 3}, 0},
    {"global_max_pooling2d(keepdims=true)", global_max, 3, {3, 4, 2}, 0},
    {"global_average_pooling2d", global_mean, 3, {3, 4, 2}, 0},
    {"reshape((3, -1))", reshape, 1, {6}, 0},
    {"permute((3, 1, 2))", permute, 3, {2, 3, 4}, 0},
    {"zero_padding2d(((1, 0), (2, 3)))", zero_padding, 3, {2, 3, 2}, 0},
    {"dropout(0.4, seed=3)", same, 2, {3, 5}, 1},
    {"random_translation(0.4, 0.5, seed=3)", moved, 3, {4, 5, 2}, 0},
    {"random_translation(0.9, 0.9, fill_mode=wrap, interpolation=nearest)", moved, 3, {4, 5, 2}, 0},
    {"random_rotation(0.3, fill_mode=constant, fill_value=0.7)", moved, 3, {5, 4, 2}, 0},
    {"random_rotation(0.5, fill_mode=nearest)", moved, 3, {4, 4, 1}, 0},
    {"random_zoom(0.7, 0.3, seed=1)", moved, 3, {4, 5, 1}, 0},
    {"random_zoom((-0.6, 0.2), fill_mode=wrap)", moved, 3, {4, 4, 2}, 0},
    {"re_lu", re_lu, 1, {6}, 0},
    {"leaky_re_lu", leaky_re_lu, 1, {6}, 0},
    {"p_re_lu", p_re_lu, 1, {6}, 0},
    {"p_re_lu(shared_axes=1)", p_re_lu, 2, {3, 4}, 0},
    {"elu", elu_layer, 1, {6}, 0},
    {"softmax(1)", softmax_1, 2, {3, 4}, 0},
    {"batch_normalization", batch_norm, 1, {4}, 0},
    {"batch_normalization(axis=1, epsilon=0.01)", batch_norm_first, 2, {3, 4}, 0},
    {"batch_normalization(center=false, scale=false)", batch_norm_plain, 2, {3, 4}, 0},
    {"layer_normalization", layer_norm, 2, {3, 4}, 0},
    {"layer_normalization(center=false, scale=false, epsilon=0.1)", layer_norm_plain, 1, {5}, 0},
};
enum { N_LAYERS = sizeof layers / sizeof *layers };

/* --- one layer, both ways --- */

typedef struct bench {
    cn_layer *layer;
    double x[ROOM], y[ROOM], dy[ROOM], dx[ROOM], workspace[ROOM], direction[ROOM], threads[ROOM], shared[ROOM];
    double weight[CN__MAX_LAYER_WEIGHTS][ROOM], gradient[CN__MAX_LAYER_WEIGHTS][ROOM];
} bench;

static void fill(double *out, int64_t n, uint32_t stream)
{
    cn__random random;
    cn__random_begin(&random, 4711, CN__FOR_USER, stream);
    for (int64_t i = 0; i < n; i++) {
        out[i] = 2 * cn__random_uniform(&random) - 1;
        if (fabs(out[i]) < 1e-3) out[i] = 0.5; /* away from the corners of relu and its like */
    }
}

static void run_by_hand(bench *b)
{
    void *pointers[CN__MAX_LAYER_WEIGHTS];
    cn__sink sinks[CN__MAX_LAYER_WEIGHTS];
    const cn__layer_math *math = cn__engine_find(64, CN__ISA_C)->layers[cn__layer_index(b->layer)];
    cn__pool *pool = cn__pool_create(2);
    fill(b->x, BATCH * b->layer->input_size, 1);
    fill(b->direction, BATCH * b->layer->output_size, 2);
    memcpy(b->dy, b->direction, sizeof b->dy);
    for (int i = 0; i < b->layer->n_weights; i++) {
        const cn__weight *w = &b->layer->weights[i];
        assert_true(w->rows * w->stride <= ROOM);
        fill(b->weight[i], w->rows * w->stride, (uint32_t)(3 + i));
        pointers[i] = b->weight[i];
        sinks[i] = (cn__sink){.gradient = b->gradient[i], .stride = w->stride};
    }
    cn__pass pass = {.layer = b->layer, .pool = pool, .batch = BATCH, .training = 1, .x = b->x, .y = b->y, .dy = b->dy,
                     .dx = b->dx, .workspace = b->workspace, .thread_memory = b->threads, .shared_memory = b->shared,
                     .weights = pointers, .sinks = sinks};
    math->forward(&pass);
    math->backward(&pass);
    cn__pool_destroy(&pool);
}

static cn_tensor *weight_tensor(const cn__weight *w, const double *numbers)
{
    cn_tensor *t = cn_tensor_create(CN_FLOAT64, w->ndim, w->shape);
    assert_non_null(t);
    for (int64_t r = 0; r < w->rows; r++)
        memcpy((double *)cn_data(t) + r * w->columns, numbers + r * w->stride, (size_t)w->columns * sizeof *numbers);
    return t;
}

static cn_tensor *batch_tensor(int ndim, const int64_t *shape, const double *numbers)
{
    int64_t whole[CN_MAX_NDIM] = {BATCH};
    for (int i = 0; i < ndim; i++) whole[i + 1] = shape[i];
    cn_tensor *t = cn_tensor_from(CN_FLOAT64, ndim + 1, whole, numbers);
    assert_non_null(t);
    return t;
}

static double difference(const cn_tensor *t, const double *numbers)
{
    double worst = 0;
    const double *at = cn_data(t);
    for (int64_t i = 0; i < cn_size(t); i++) {
        double off = fabs(at[i] - numbers[i]);
        worst = isnan(off) ? INFINITY : fmax(worst, off);
    }
    return worst;
}

/* The largest difference in the output and all gradients. */
static double compare(const bench *b, int which, tensor *(*activation)(tensor *))
{
    const cn_layer *layer = b->layer;
    cn_tensor *sources[1 + CN__MAX_LAYER_WEIGHTS], *gradients[1 + CN__MAX_LAYER_WEIGHTS];
    int n = 0;
    while (n < layer->n_weights && layer->weights[n].trainable) n++; /* states come last */
    for (int i = 0; i < n; i++) sources[i] = weight_tensor(&layer->weights[i], b->weight[i]);
    sources[n] = batch_tensor(layer->input_ndim, layer->input_shape, b->x);
    cn_tape *tape = cn_tape_create(NULL);
    for (int i = 0; i <= n; i++) assert_int_equal(cn_tape_watch(tape, sources[i]), CN_OK);
    moving = layer;
    tensor *y = layers[which].f(sources[n], sources);
    if (activation) y = activation(y);
    if (layers[which].is_random) {
        cn_tensor *mask = batch_tensor(layer->output_ndim, layer->output_shape, b->y);
        y = times(y, cn_tensor_divide(mask, cn_stop_gradient(y)));
    }
    if (!y) fail_msg("%s: %s", layers[which].text, cn_error_message());
    tensor *flat = cn_copy(y);
    assert_int_equal(cn_size(y), BATCH * layer->output_size);
    double worst = difference(flat, b->y);
    tensor *score = cn_sum(times(y, batch_tensor(layer->output_ndim, layer->output_shape, b->direction)));
    assert_int_equal(cn_tape_gradient(tape, score, n + 1, sources, gradients), CN_OK);
    worst = fmax(worst, difference(gradients[n], b->dx));
    for (int i = 0; i < n; i++) {
        cn_tensor *by_hand = weight_tensor(&layer->weights[i], b->gradient[i]);
        worst = fmax(worst, difference(gradients[i], cn_data(by_hand)));
        cn_tensor_destroy(&by_hand);
    }
    cn_tape_destroy(&tape);
    for (int i = 0; i <= n; i++) cn_tensor_destroy(&sources[i]);
    return worst;
}

static void every_layer_is_covered(void **state)
{
    (void)state;
    for (int id = 0; id < CN__LAYER_COUNT; id++) {
        const char *snake = cn__layer_classes[id]->snake;
        int found = cn__layer_classes[id] == &cn__layer_tape;
        for (int i = 0; i < N_LAYERS; i++) {
            size_t length = strcspn(layers[i].text, "(");
            found |= strlen(snake) == length && !strncmp(layers[i].text, snake, length);
        }
        if (!found) print_message("no case for %s\n", snake);
        assert_true(found);
    }
}

/* `spoil` is added to one number of the layer's own gradient: the checker must find it. */
static double check(int which, int a, double spoil)
{
    static bench b;
    char text[128];
    const char *at = strstr(layers[which].text, "%s");
    memset(&b, 0, sizeof b);
    if (at)
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - layers[which].text), layers[which].text, activations[a].text,
                 at + 2);
    else snprintf(text, sizeof text, "%s", layers[which].text);
    b.layer = cn_layer_from_text(text);
    if (!b.layer) fail_msg("%s", cn_error_message());
    assert_int_equal(cn__layer_build(b.layer, layers[which].ndim, layers[which].shape), CN_OK);
    run_by_hand(&b);
    b.dx[0] += spoil;
    double worst = compare(&b, which, at ? activations[a].f : NULL);
    cn_layer_destroy(&b.layer);
    return worst;
}

/* The plan passes these by, and their backward copies nothing. */
static int has_no_backward(int which)
{
    return !strncmp(layers[which].text, "input", 5);
}

static void layers_agree_with_the_tape(void **state)
{
    (void)state;
    int wrong = 0;
    for (int i = 0; i < N_LAYERS; i++)
        for (int a = 0; a < (strstr(layers[i].text, "%s") ? N_ACTIVATIONS : 1); a++) {
            if (has_no_backward(i)) continue;
            double worst = check(i, a, 0);
            if (worst < TOLERANCE) continue;
            print_message("%s, %s: off by %g\n", layers[i].text, activations[a].text, worst);
            wrong++;
        }
    assert_int_equal(wrong, 0);
}

static void a_wrong_layer_is_found(void **state)
{
    (void)state;
    for (int i = 0; i < N_LAYERS; i++)
        if (!has_no_backward(i)) assert_false(check(i, 0, 1e-6) < TOLERANCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_agree_with_the_tape),
        cmocka_unit_test(every_layer_is_covered),
        cmocka_unit_test(a_wrong_layer_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
