/* Conv2D of every engine against plain loops that keep the documented order of sums (kernels/conv2d.h): the same bits
 * at odd sizes, for any number of threads, between guard pages, with NaN and infinity, for gradients full of zeros.
 * MaxPooling2D and AveragePooling2D likewise. At the end, wrong kernels must each be noticed. */
#define _GNU_SOURCE
#include "base/pool.h"
#include "engines.h"
#include "guarded.h"
#include "kernels/conv2d.h"

#include <stdio.h>

typedef struct one_case {
    const char *text; /* the layer */
    int64_t batch, shape[3];
    double density; /* share of the gradients, and of x, that are not 0 */
    int strange;    /* NaN and infinities in x */
} one_case;

enum { X, KERNEL, BIAS, DY, Y, DX, GRADIENT, BIAS_GRADIENT, WORKSPACE, THREADS, SHARED, N_ARRAYS };
enum { FIRST_OUTPUT = Y, FIRST_MEMORY = WORKSPACE };

typedef struct arrays {
    int64_t count[N_ARRAYS];
    float *at[N_ARRAYS];
    guarded memory[N_ARRAYS];
} arrays;

static void open_arrays(arrays *a, const one_case *c, const cn_layer *layer, int threads, int at_end)
{
    int64_t kernel = layer->n_weights ? layer->weights[0].rows * layer->weights[0].stride : 1;
    int64_t bias = layer->n_weights > 1 ? layer->weights[1].columns : 1;
    int64_t x = c->batch * layer->input_size, y = c->batch * layer->output_size;
    int64_t counts[N_ARRAYS] = {x, kernel, bias, y, y, x, kernel, bias, c->batch * layer->workspace_size,
                                threads * cn__thread_stride(layer->thread_size), layer->shared_size};
    for (int i = 0; i < N_ARRAYS; i++) {
        /* memory for the layer itself is aligned, so what would lie behind it cannot end at a page */
        a->count[i] = i < FIRST_MEMORY ? counts[i] : (counts[i] + 15) / 16 * 16;
        a->memory[i] = guard(a->count[i], at_end);
        a->at[i] = a->memory[i].numbers;
        if (i < FIRST_OUTPUT) engines_fill(a->at[i], counts[i], (uint32_t)i);
    }
    cn__random random;
    cn__random_begin(&random, 7, CN__FOR_USER, 99);
    for (int64_t i = 0; i < y; i++)
        if (cn__random_uniform(&random) >= c->density) a->at[DY][i] = 0;
    for (int64_t i = 0; i < x; i++)
        if (cn__random_uniform(&random) >= c->density) a->at[X][i] = 0;
    if (c->strange) {
        a->at[X][x / 2] = NAN;
        a->at[X][x / 3] = INFINITY;
    }
}

/* --- plain loops --- */

/* Number k of the window of (p,q) for channels of group g, 0 outside the picture. */
static float under_window(const cn_layer *layer, const cn_conv2d_options *o, const int64_t before[2], const float *x,
                          int64_t p, int64_t q, int64_t g, int64_t k, int64_t *at)
{
    int64_t channels = layer->input_shape[2], n = channels / o->groups;
    int64_t row = p * o->strides[0] - before[0] + k / n / o->kernel_size[1] * o->dilation_rate[0];
    int64_t column = q * o->strides[1] - before[1] + k / n % o->kernel_size[1] * o->dilation_rate[1];
    *at = -1;
    if (row < 0 || column < 0 || row >= layer->input_shape[0] || column >= layer->input_shape[1]) return 0;
    *at = (row * layer->input_shape[1] + column) * channels + g * n + k % n;
    return x[*at];
}

static void convolve_naively(const one_case *c, const cn_layer *layer, const arrays *a, float *results[N_ARRAYS])
{
    const cn_conv2d_options *o = layer->options;
    int64_t before[2], stride = layer->weights[0].stride, terms = layer->weights[0].rows, at;
    int64_t places = layer->output_shape[0] * layer->output_shape[1], share = o->filters / o->groups;
    for (int i = 0; i < 2; i++) {
        int64_t reach = (layer->output_shape[i] - 1) * o->strides[i] + 1 +
                        o->dilation_rate[i] * (o->kernel_size[i] - 1);
        int64_t all = strcmp(o->padding, "same") ? 0 : reach - layer->input_shape[i];
        before[i] = all > 0 ? all / 2 : 0;
    }
    cn__conv2d shape = {.channels = layer->input_shape[2], .filters = o->filters, .groups = o->groups,
                        .size = {o->kernel_size[0], o->kernel_size[1]}};
    int64_t pieces = cn__conv2d_pieces(&shape);
    if (pieces > c->batch) pieces = c->batch;
    float *partial = malloc((size_t)(terms * o->filters + o->filters) * sizeof *partial), *w = a->at[KERNEL];
    memset(results[DX], 0, (size_t)(c->batch * layer->input_size) * sizeof(float));
    memset(results[GRADIENT], 0, (size_t)a->count[GRADIENT] * sizeof(float));
    memset(results[BIAS_GRADIENT], 0, (size_t)a->count[BIAS_GRADIENT] * sizeof(float));
    for (int64_t piece = 0; piece < pieces; piece++) {
        memset(partial, 0, (size_t)(terms * o->filters + o->filters) * sizeof *partial);
        float *bias = partial + terms * o->filters;
        for (int64_t b = c->batch * piece / pieces; b < c->batch * (piece + 1) / pieces; b++) {
            const float *x = a->at[X] + b * layer->input_size;
            for (int64_t place = 0; place < places; place++) {
                int64_t p = place / layer->output_shape[1], q = place % layer->output_shape[1];
                const float *dz = a->at[DY] + (b * places + place) * o->filters;
                for (int64_t f = 0; f < o->filters; f++) {
                    float sum = 0;
                    for (int64_t k = 0; k < terms; k++) {
                        float number = under_window(layer, o, before, x, p, q, f / share, k, &at);
                        sum = fmaf(number, w[k * stride + f], sum);
                        if (dz[f] != 0) partial[k * o->filters + f] = fmaf(number, dz[f], partial[k * o->filters + f]);
                    }
                    results[Y][(b * places + place) * o->filters + f] =
                        sum + (layer->n_weights > 1 ? a->at[BIAS][f] : 0);
                    bias[f] += dz[f];
                }
                for (int64_t f = 0; f < o->filters; f++)
                    for (int64_t k = 0; k < terms; k++) {
                        float *dx = results[DX] + b * layer->input_size;
                        under_window(layer, o, before, x, p, q, f / share, k, &at);
                        if (at >= 0) dx[at] = fmaf(dz[f], w[k * stride + f], dx[at]);
                    }
            }
        }
        for (int64_t k = 0; k < terms; k++)
            for (int64_t f = 0; f < o->filters; f++) results[GRADIENT][k * stride + f] += partial[k * o->filters + f];
        for (int64_t f = 0; f < o->filters && layer->n_weights > 1; f++) results[BIAS_GRADIENT][f] += bias[f];
    }
    free(partial);
}

static void pool_naively(const one_case *c, const cn_layer *layer, const arrays *a, float *results[N_ARRAYS])
{
    const cn_pooling2d_options *o = layer->options;
    int is_max = strcmp(layer->class_->snake, "max_pooling2d") == 0;
    int64_t height = layer->input_shape[0], width = layer->input_shape[1], channels = layer->input_shape[2], before[2];
    for (int i = 0; i < 2; i++) {
        int64_t all = (layer->output_shape[i] - 1) * o->strides[i] + o->pool_size[i] - layer->input_shape[i];
        before[i] = strcmp(o->padding, "same") || all < 0 ? 0 : all / 2;
    }
    memset(results[DX], 0, (size_t)(c->batch * layer->input_size) * sizeof(float));
    for (int64_t y = 0; y < c->batch * layer->output_size; y++) {
        int64_t channel = y % channels, q = y / channels % layer->output_shape[1];
        int64_t p = y / channels / layer->output_shape[1] % layer->output_shape[0], b = y / layer->output_size;
        int64_t count = 0, inside[64] = {0}, best = 0;
        float sum = 0;
        for (int64_t i = 0; i < o->pool_size[0]; i++)
            for (int64_t j = 0; j < o->pool_size[1]; j++) {
                int64_t row = p * o->strides[0] - before[0] + i, column = q * o->strides[1] - before[1] + j;
                if (row < 0 || column < 0 || row >= height || column >= width) continue;
                inside[count] = ((b * height + row) * width + column) * channels + channel;
                float number = a->at[X][inside[count]], so_far = a->at[X][inside[best]];
                sum += number;
                if (number > so_far || (isnan(number) && !isnan(so_far))) best = count;
                count++;
            }
        results[Y][y] = is_max ? a->at[X][inside[best]] : sum / (float)count;
        for (int64_t i = 0; i < count; i++)
            if (!is_max) results[DX][inside[i]] += a->at[DY][y] / (float)count;
        if (is_max) results[DX][inside[best]] += a->at[DY][y];
    }
}

/* --- the comparison --- */

static void compute(const cn__engine *engine, const one_case *c, const cn_layer *layer, cn__pool *pool, arrays *a)
{
    void *weights[] = {a->at[KERNEL], a->at[BIAS]};
    cn__sink sinks[2] = {{.gradient = a->at[GRADIENT]}, {.gradient = a->at[BIAS_GRADIENT]}};
    for (int i = 0; i < layer->n_weights; i++) sinks[i].stride = layer->weights[i].stride;
    cn__pass pass = {.layer = layer, .pool = pool, .batch = c->batch, .training = 1, .x = a->at[X], .y = a->at[Y],
                     .dy = a->at[DY], .dx = a->at[DX], .weights = weights, .sinks = sinks,
                     .workspace = a->at[WORKSPACE], .thread_memory = a->at[THREADS], .shared_memory = a->at[SHARED]};
    const cn__layer_math *math = engine->layers[cn__layer_index(layer)];
    math->forward(&pass);
    math->backward(&pass);
}

/* Equal as numbers and bits; a zero may have the other sign and a NaN another payload. */
static int same_number(float a, float b)
{
    return (isnan(a) && isnan(b)) || a == b;
}

static cn_layer *make_layer(const one_case *c)
{
    cn_layer *layer = cn_layer_from_text(c->text);
    assert_non_null(layer);
    assert_int_equal(cn__layer_build(layer, 3, c->shape), CN_OK);
    return layer;
}

/* What every engine is held to; you free it with forget. */
static void expect(const one_case *c, float *expected[N_ARRAYS])
{
    cn_layer *layer = make_layer(c);
    arrays a;
    open_arrays(&a, c, layer, 1, 0);
    for (int i = 0; i < N_ARRAYS; i++)
        expected[i] = i < FIRST_OUTPUT || i >= FIRST_MEMORY ? NULL : malloc((size_t)a.count[i] * sizeof(float) + 1);
    if (layer->n_weights) convolve_naively(c, layer, &a, expected);
    else pool_naively(c, layer, &a, expected);
    for (int i = 0; i < N_ARRAYS; i++) unguard(&a.memory[i]);
    cn_layer_destroy(&layer);
}

static void forget(float *expected[N_ARRAYS])
{
    for (int i = 0; i < N_ARRAYS; i++) free(expected[i]);
}

/* NULL if everything is as expected, otherwise what is wrong. */
static const char *compare(float *const expected[N_ARRAYS], const cn__engine *engine, const one_case *c, int threads,
                           int at_end)
{
    static const char *const names[N_ARRAYS] = {"x", "kernel", "bias", "dy", "y", "dx", "gradient", "bias gradient"};
    cn__pool *pool = cn__pool_create(threads);
    cn_layer *layer = make_layer(c);
    arrays a;
    const char *wrong = NULL;
    open_arrays(&a, c, layer, threads, at_end);
    compute(engine, c, layer, pool, &a);
    for (int i = FIRST_OUTPUT; i < FIRST_MEMORY && !wrong; i++) {
        int is_kernel = i == GRADIENT && layer->n_weights;
        int64_t width = is_kernel ? layer->weights[0].stride : a.count[i];
        int64_t used = is_kernel ? layer->weights[0].columns : a.count[i];
        if (i >= GRADIENT && i - GRADIENT >= layer->n_weights) continue;
        for (int64_t k = 0; k < a.count[i] && !wrong; k++)
            if (k % (width ? width : 1) < used && !same_number(a.at[i][k], expected[i][k])) wrong = names[i];
    }
    for (int i = 0; i < N_ARRAYS; i++)
        if (!untouched_around(&a.memory[i])) wrong = "a sentinel";
    for (int i = 0; i < N_ARRAYS; i++) unguard(&a.memory[i]);
    cn_layer_destroy(&layer);
    cn__pool_destroy(&pool);
    return wrong;
}

static const char *check(const cn__engine *engine, const one_case *c, int threads, int at_end)
{
    float *expected[N_ARRAYS];
    expect(c, expected);
    const char *wrong = compare(expected, engine, c, threads, at_end);
    forget(expected);
    return wrong;
}

static void check_everywhere(const one_case *c)
{
    static const int thread_counts[] = {1, 2, 3, 8};
    const cn__engine *engines[CN__ISA_COUNT];
    int n_engines = engines_usable(engines);
    float *expected[N_ARRAYS];
    expect(c, expected);
    for (int e = 0; e < n_engines; e++) {
        for (int t = 0; t < (engines_quick() ? 2 : 4); t++) {
            const char *wrong = compare(expected, engines[e], c, thread_counts[t], t % 2);
            if (wrong)
                print_message("%s with %d threads, batch %lld of %lldx%lldx%lld, %s: %s differs\n",
                              cn__isa_name(engines[e]->isa), thread_counts[t], (long long)c->batch,
                              (long long)c->shape[0], (long long)c->shape[1], (long long)c->shape[2], c->text, wrong);
            assert_null(wrong);
        }
    }
    forget(expected);
}

static const one_case convolutions[] = {
    {"conv2d(1, 1)", 1, {1, 1, 1}, 1, 0},
    {"conv2d(5, 3)", 3, {7, 9, 2}, 1, 0},
    {"conv2d(17, 3, use_bias=false)", 2, {6, 11, 3}, 1, 0},
    {"conv2d(32, 3)", 5, {9, 8, 1}, 1, 0},
    {"conv2d(64, 3)", 3, {8, 10, 32}, 1, 0},
    {"conv2d(64, 3)", 3, {8, 10, 32}, 0.15, 0},
    {"conv2d(33, 5)", 2, {7, 12, 16}, 0.3, 0},
    {"conv2d(16, 3, padding=same)", 17, {5, 6, 16}, 0.2, 0},
    {"conv2d(100, 2x4, padding=same)", 2, {5, 7, 20}, 1, 0},
    {"conv2d(24, 4x1, strides=2x3, padding=same)", 3, {9, 8, 33}, 0.5, 0},
    {"conv2d(24, 3, strides=2)", 3, {9, 8, 18}, 0.1, 0},
    {"conv2d(12, 2, strides=3, padding=same)", 2, {8, 9, 5}, 1, 0},
    {"conv2d(48, 3, dilation_rate=2)", 2, {9, 8, 17}, 1, 0},
    {"conv2d(48, 3x2, dilation_rate=1x3, padding=same)", 2, {6, 7, 16}, 0.2, 0},
    {"conv2d(36, 3, groups=2)", 2, {6, 7, 34}, 1, 0},
    {"conv2d(64, 3, groups=4, padding=same)", 2, {6, 7, 64}, 0.2, 0},
    {"conv2d(128, 1)", 3, {4, 7, 130}, 1, 0},
    {"conv2d(130, 1)", 3, {4, 7, 128}, 0.1, 0},
    {"conv2d(20, 7)", 1, {7, 7, 64}, 1, 0},
    {"conv2d(20, 7, padding=same)", 1, {3, 2, 64}, 0.4, 0},
};

static void every_convolution(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof convolutions / sizeof *convolutions; i++) check_everywhere(&convolutions[i]);
}

static void nan_and_infinity(void **state)
{
    (void)state;
    for (size_t i = 1; i < sizeof convolutions / sizeof *convolutions; i += 2) {
        one_case c = convolutions[i];
        if (c.density < 1) continue; /* whether a NaN meets a gradient of 0 is left open */
        c.strange = 1;
        check_everywhere(&c);
    }
}

static void empty_batch(void **state)
{
    (void)state;
    check_everywhere(&(one_case){"conv2d(17, 3)", 0, {5, 5, 3}, 1, 0});
    check_everywhere(&(one_case){"max_pooling2d", 0, {5, 5, 3}, 1, 0});
}

static void pooling(void **state)
{
    (void)state;
    static const char *const arguments[] = {"(2)", "(2, padding=same)", "(3x2, strides=1)",
                                            "(3, strides=2, padding=same)", "(2, strides=3)", "(1x5, padding=same)"};
    static const int64_t channels[] = {1, 3, 16, 64, 70};
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < 5; k++)
            for (int strange = 0; strange < 2; strange++) {
                char text[80];
                snprintf(text, sizeof text, "%s_pooling2d%s", strange || k % 2 ? "max" : "average", arguments[i]);
                check_everywhere(&(one_case){text, 3, {7 - i % 2, 5 + i, channels[k]}, 0.7, strange});
            }
}

/* --- wrong kernels, each of which the check must report --- */

static int64_t numbers_of(const cn__pass *p) { return p->batch * p->layer->output_size; }
static void right_forward(const cn__pass *p) { cn__engine_find(32, CN__ISA_C)->layers[CN__LAYER_conv2d]->forward(p); }
static void right_backward(const cn__pass *p) { cn__engine_find(32, CN__ISA_C)->layers[CN__LAYER_conv2d]->backward(p); }

static void is_off_by_one_bit(const cn__pass *p)
{
    float *y = p->y;
    right_forward(p);
    y[numbers_of(p) / 2] = nextafterf(y[numbers_of(p) / 2], INFINITY);
}

static void writes_one_too_many(const cn__pass *p)
{
    right_forward(p);
    memset((float *)p->y + numbers_of(p), 0, 1);
}

static void adds_without_pieces(const cn__pass *p)
{
    const cn_layer *layer = p->layer;
    int64_t filters = layer->output_shape[2];
    right_backward(p);
    for (int64_t f = 0; f < filters; f++) {
        float sum = 0;
        for (int64_t i = f; i < numbers_of(p); i += filters) sum += ((const float *)p->dy)[i];
        ((float *)p->sinks[1].gradient)[f] = sum;
    }
}

static void forgets_the_last_picture(const cn__pass *p)
{
    int64_t size = p->layer->input_size;
    right_backward(p);
    memset((float *)p->dx + (p->batch - 1) * size, 0, (size_t)size * sizeof(float));
}

static void the_check_finds_wrong_kernels(void **state)
{
    (void)state;
    const cn__layer_math wrong[] = {{is_off_by_one_bit, right_backward},
                                    {right_forward, adds_without_pieces},
                                    {right_forward, forgets_the_last_picture}};
    const cn__layer_math late = {writes_one_too_many, right_backward};
    const one_case c = {"conv2d(17, 3, padding=same)", 5, {6, 11, 3}, 1, 0};
    const cn__engine *engine = cn__engine_find(32, CN__ISA_C);
    cn__engine copy = *engine;
    assert_null(check(engine, &c, 1, 0));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        copy.layers[CN__LAYER_conv2d] = &wrong[i];
        assert_non_null(check(&copy, &c, 1, 0));
    }
    copy.layers[CN__LAYER_conv2d] = &late;
    assert_string_equal(check(&copy, &c, 1, 0), "a sentinel");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_finds_wrong_kernels),
        cmocka_unit_test(every_convolution),
        cmocka_unit_test(nan_and_infinity),
        cmocka_unit_test(empty_batch),
        cmocka_unit_test(pooling),
    };
    return cmocka_run_group_tests_name("kernels of convolutions", tests, NULL, NULL);
}
