/* mixed_bfloat16 on inputs that are bytes: the two products and RMSprop's update on tiles (src/kernels/dense_bf16.h)
 * against sums in float64, at odd sizes and for any number of threads. */
#include "base/pool.h"
#include "engines.h"
#include "frequent_rows.h"
#include "kernels/bf16.h"
#include "kernels/rmsprop.h"

#include <cornu/cornu.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { Y, WEIGHT, VELOCITY, N_RESULTS };

typedef struct problem {
    int64_t rows, inputs, outputs, stride;
    uint8_t *codes;
    float *kernel, *bias, *dy;
    float *results[N_RESULTS];
    double scale;
    int hidden; /* y and dy stand in tiles (kernels/amx_hidden.h) */
} problem;

static float *numbers(int64_t n, uint32_t stream)
{
    float *x = calloc((size_t)n + 16, sizeof *x);
    assert_non_null(x);
    if (stream) engines_fill(x, n, stream);
    return x;
}

static void *memory(double bytes)
{
    void *block = aligned_alloc(64, ((size_t)bytes + 127) / 64 * 64);
    assert_non_null(block);
    memset(block, 0, ((size_t)bytes + 127) / 64 * 64);
    return block;
}

/* A quarter of the codes is not 0; every seventh column is blank, so that its row waits. */
static problem make_problem(int64_t rows, int64_t inputs, int64_t outputs)
{
    problem p = {.rows = rows, .inputs = inputs, .outputs = outputs, .stride = (outputs + 15) / 16 * 16,
                 .scale = 1.0 / 255};
    cn__random random;
    cn__random_begin(&random, 3, CN__FOR_USER, 9);
    p.codes = calloc((size_t)(rows * inputs), 1);
    assert_non_null(p.codes);
    for (int64_t i = 0; i < rows * inputs; i++) {
        int code = (int)(cn__random_uniform(&random) * 1024);
        p.codes[i] = (uint8_t)(code < 256 && i % inputs % 7 ? code : 0);
    }
    p.kernel = numbers(inputs * p.stride, 1);
    for (int64_t i = 0; i < inputs * p.stride; i++) p.kernel[i] = i % p.stride < outputs ? p.kernel[i] : 0;
    p.bias = numbers(p.stride, 2);
    p.dy = numbers(rows * outputs, 3);
    p.results[Y] = numbers(rows * outputs, 0);
    p.results[WEIGHT] = numbers(inputs * p.stride, 0);
    p.results[VELOCITY] = numbers(inputs * p.stride, 0);
    return p;
}

static void free_problem(problem *p)
{
    free(p->codes);
    free(p->kernel);
    free(p->bias);
    free(p->dy);
    for (int i = 0; i < N_RESULTS; i++) free(p->results[i]);
}

static const cn__step step_of = {.coefficients = {0.001, 0.9, 0.1, 0, 1e-7}, .is_plain_rmsprop = 1};

/* Forward with relu, then the update; without `moves` the gradient goes into results[WEIGHT]. kind: which columns are
 * in tiles (frequent_rows.h), ALL: each. */
enum { ALL = 3, N_KINDS };

static int64_t whole_tiles(int64_t rows)
{
    return (rows + 31) / 32 * 32;
}

static uint16_t *gradients_in_tiles(const problem *p)
{
    uint16_t *tiles = memory(2 * (double)(whole_tiles(p->rows) * p->outputs));
    for (int64_t b = 0; b < p->rows; b++)
        for (int64_t o = 0; o < p->outputs; o++)
            tiles[(b / 32 * (p->outputs / 16) + o / 16) * 512 + b % 32 / 2 * 32 + o % 16 * 2 + b % 2] =
                cn__bf16_from(p->dy[b * p->outputs + o]);
    return tiles;
}

static void forward(const problem *p, cn__pass *pass, const uint16_t *tiles, float *y)
{
    pass->y = y;
    cn__engine_find(32, CN__ISA_AVX512)->layers[CN__LAYER_dense]->forward(pass);
    for (int64_t b = 0; tiles && b < whole_tiles(p->rows); b++)
        for (int64_t o = 0; o < p->outputs; o++) {
            const uint16_t number = tiles[(b / 16 * (p->outputs / 32) + o / 32) * 512 + b % 16 * 32 + o % 32];
            if (b < p->rows) y[b * p->outputs + o] = cn__bf16_value(number);
            else assert_int_equal(number, 0);
        }
}

static void compute(problem *p, int threads, int moves, int kind)
{
    const cn__engine *engine = cn__engine_find(32, CN__ISA_AVX512);
    cn__pool *pool = cn__pool_create(threads);
    cn_layer *layer = cn_dense(p->outputs, .activation = "relu");
    assert_int_equal(cn__layer_build(layer, 1, &p->inputs), CN_OK);
    int64_t samples = cn__tile_lines(p->rows) * cn__half_steps(p->inputs);
    int64_t columns = cn__tile_lines(p->inputs) * cn__half_steps(p->rows);
    cn__batch_memory batch_memory = {.rows = p->rows, .columns = p->inputs,
                                     .sample_tiles = memory((double)samples * CN__TILE_BYTES),
                                     .column_tiles = memory((double)columns * CN__TILE_BYTES),
                                     .sample_lines = memory(2 * (double)samples),
                                     .column_lines = memory(2 * (double)columns),
                                     .in_order = memory(2 * (double)p->inputs),
                                     .spans = memory((double)sizeof(cn__span) * (double)p->rows),
                                     .entries = memory((double)sizeof(cn__ink) * (double)(p->rows * p->inputs)),
                                     .used = memory((double)sizeof(cn__column) * (double)p->inputs),
                                     .places = memory(4 * (double)p->inputs)};
    for (int64_t i = 0; i < p->inputs; i++) ((uint16_t *)batch_memory.in_order)[i] = (uint16_t)i;
    frequent_copy frequent = open_frequent(p->codes, p->rows, p->inputs, kind);
    cn__source source = {.data = p->codes, .stored = CN__STORED_U8, .rows = p->rows, .columns = p->inputs,
                         .scale = p->scale, .codes = p->codes, .code_scale = p->scale,
                         .frequent = kind == ALL || p->inputs < 2 ? NULL : &frequent.f};
    cn__batch batch;
    engine->gather->halves(pool, &source, &(cn__choice){.n = p->rows}, 1, &batch_memory, &batch);
    int64_t copied = 0;
    cn__bf16 bf16 = {.way = CN__BF16_TILES, .memory = memory(cn__bf16_bytes(p->rows, p->inputs, p->outputs)),
                     .copy = memory(cn__bf16_copy_bytes(p->inputs, p->outputs)), .copied = &copied};
    memcpy(p->results[WEIGHT], p->kernel, (size_t)(p->inputs * p->stride) * sizeof(float));
    memset(p->results[VELOCITY], 0, (size_t)(p->inputs * p->stride) * sizeof(float));
    void *weights[] = {p->results[WEIGHT], p->bias};
    uint32_t *settled = memory(4 * (double)p->inputs * (double)((p->outputs + 127) / 128));
    cn__accounts accounts = {.idle = *engine->idles[CN__OPTIMIZER_rmsprop], .settled = settled, .rows = p->inputs};
    float *bias_gradient = numbers(p->stride, 0), *gradient = numbers(p->inputs * p->stride, 0);
    cn__sink sinks[] = {{.step = &step_of, .stride = p->stride, .gradient = gradient},
                        {.gradient = bias_gradient, .stride = p->stride}};
    if (moves) {
        sinks[0] = (cn__sink){.update = *engine->updates[CN__OPTIMIZER_rmsprop], .step = &step_of, .stride = p->stride,
                              .weight = p->results[WEIGHT], .slots = {p->results[VELOCITY]}, .accounts = &accounts};
    }
    float *y = numbers(p->rows * p->outputs, 0);
    uint16_t *tiles = p->hidden ? memory(2 * (double)(whole_tiles(p->rows) * p->outputs)) : NULL;
    uint16_t *gradients = p->hidden ? gradients_in_tiles(p) : NULL;
    bf16.y_tiles = tiles;
    bf16.dy_tiles = gradients;
    cn__pass pass = {.layer = layer, .pool = pool, .batch = p->rows, .training = 1, .bytes = &batch, .dy = p->dy,
                     .weights = weights, .sinks = sinks, .bf16 = &bf16};
    if (p->stride == CN__IDLE_COLUMNS) pass.kernel_panel = p->inputs * CN__IDLE_COLUMNS; /* one panel */
    forward(p, &pass, tiles, y);
    memcpy(p->results[Y], y, (size_t)(p->rows * p->outputs) * sizeof *y);
    engine->layers[CN__LAYER_dense]->backward_weights(&pass);
    if (moves) { /* the lasting copy has moved along */
        float *again = numbers(p->rows * p->outputs, 0);
        forward(p, &pass, tiles, again);
        assert_int_equal(copied, batch.columns);
        copied = 0;
        forward(p, &pass, tiles, y);
        assert_true(engines_same(y, again, (size_t)(p->rows * p->outputs) * sizeof *y));
        free(again);
    } else {
        memcpy(p->results[WEIGHT], gradient, (size_t)(p->inputs * p->stride) * sizeof(float));
    }
    void *all[] = {(void *)batch_memory.in_order, batch_memory.spans, batch_memory.entries, batch_memory.used,
                   batch_memory.places, batch_memory.sample_tiles, batch_memory.column_tiles, batch_memory.sample_lines,
                   tiles, gradients, y, gradient, batch_memory.column_lines, bf16.memory, bf16.copy, settled,
                   bias_gradient};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    close_frequent(&frequent);
    cn_layer_destroy(&layer);
    cn__pool_destroy(&pool);
}

static void expect_near(double got, double wanted, double allowed)
{
    if (!(fabs(got - wanted) <= allowed)) print_message("%.9g instead of %.9g\n", got, wanted);
    assert_true(fabs(got - wanted) <= allowed);
}

/* Sums of exact codes and rounded numbers; what float32 may lose is 2^-23 of the sum of magnitudes for each
 * addition. */
static void check_forward(const problem *p)
{
    for (int64_t b = 0; b < p->rows; b++) {
        for (int64_t o = 0; o < p->outputs; o++) {
            double sum = 0, size = fabs((double)p->bias[o]);
            for (int64_t i = 0; i < p->inputs; i++) {
                double term = p->codes[b * p->inputs + i] * p->scale *
                              (double)cn__bf16_round(p->kernel[i * p->stride + o]);
                sum += term;
                size += fabs(term);
            }
            sum += (double)p->bias[o];
            double rounding = fabs(sum) * 0x1p-8 + (double)p->inputs * 0x1p-23 * size;
            expect_near((double)p->results[Y][b * p->outputs + o], sum > 0 ? sum : 0, rounding);
        }
    }
}

static double gradient_of(const problem *p, int64_t i, int64_t o, double *size)
{
    double sum = 0;
    *size = 0;
    for (int64_t b = 0; b < p->rows; b++) {
        const float dy = p->dy[b * p->outputs + o];
        const double rounded = p->hidden ? (double)cn__bf16_round(dy) * p->scale
                                         : (double)cn__bf16_round(dy * (float)p->scale);
        double term = p->codes[b * p->inputs + i] * rounded;
        sum += term;
        *size += fabs(term);
    }
    return sum;
}

static const int64_t sizes[][3] = {{1, 1, 1}, {3, 33, 17}, {33, 65, 129}, {128, 97, 40}, {65, 129, 260},
                                   {130, 784, 48}};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static int tiles_here(void)
{
    return cn__isa_usable(CN__ISA_AVX512) && cn__cpu_avx512_bf16() && cn__cpu_amx_bf16();
}

static void products_on_tiles(void **state)
{
    (void)state;
    if (!tiles_here()) skip();
    for (int k = 0; k < N_SIZES * N_KINDS; k++) {
        const int64_t *s = sizes[k / N_KINDS];
        problem p = make_problem(s[0], s[1], s[2]);
        compute(&p, 1 + k % 3, 0, k % N_KINDS);
        check_forward(&p);
        for (int64_t i = 0; i < p.inputs; i++)
            for (int64_t o = 0; o < p.outputs; o++) {
                double size, wanted = gradient_of(&p, i, o, &size);
                expect_near((double)p.results[WEIGHT][i * p.stride + o], wanted, (double)p.rows * 0x1p-22 * size);
            }
        free_problem(&p);
    }
}

/* One step from a velocity of 0: v = 0.1 g^2, w - 0.001 g / sqrt(v + epsilon); the inverse root is good for 2^-14. */
static void check_update(const problem *p)
{
    for (int64_t i = 0; i < p->inputs; i++)
        for (int64_t o = 0; o < p->outputs; o++) {
            int64_t at = i * p->stride + o;
            double size, g = gradient_of(p, i, o, &size), error = (double)p->rows * 0x1p-22 * size;
            double v = 0.1 * g * g, move = 0.001 * g / sqrt(v + 1e-7);
            expect_near((double)p->results[VELOCITY][at], v, 0.2 * fabs(g) * error + error * error + v * 1e-6);
            expect_near((double)p->results[WEIGHT][at], (double)p->kernel[at] - move,
                        fabs(move) * 0x1p-13 + error * 3.2 + 1.3e-7);
        }
}

static void update_on_tiles(void **state)
{
    (void)state;
    if (!tiles_here()) skip();
    for (int k = 0; k < N_SIZES * N_KINDS; k++) {
        const int64_t *s = sizes[k / N_KINDS];
        problem p = make_problem(s[0], s[1], s[2]);
        compute(&p, 2, 1, k % N_KINDS);
        check_forward(&p);
        check_update(&p);
        free_problem(&p);
    }
}

/* The same with y and dy in tiles. */
static void hidden_layers_in_tiles(void **state)
{
    static const int64_t hidden[][3] = {{128, 97, 160}, {65, 129, 32}, {33, 784, 128}};
    (void)state;
    if (!tiles_here()) skip();
    for (int k = 0; k < 3 * N_KINDS; k++) {
        const int64_t *s = hidden[k / N_KINDS];
        problem p = make_problem(s[0], s[1], s[2]), many = make_problem(s[0], s[1], s[2]);
        p.hidden = many.hidden = 1;
        compute(&p, 1, 1, k % N_KINDS);
        check_forward(&p);
        check_update(&p);
        compute(&many, 3, 1, k % N_KINDS);
        for (int r = 0; r < N_RESULTS; r++)
            assert_true(engines_same(p.results[r], many.results[r],
                                     (size_t)(r == Y ? p.rows * p.outputs : p.inputs * p.stride) * sizeof(float)));
        free_problem(&many);
        free_problem(&p);
    }
}

static void same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    if (!tiles_here()) skip();
    for (int s = 0; s < N_SIZES; s++) {
        problem one = make_problem(sizes[s][0], sizes[s][1], sizes[s][2]);
        compute(&one, 1, 1, s % N_KINDS);
        for (int threads = 2; threads < 9; threads += 3) {
            problem many = make_problem(sizes[s][0], sizes[s][1], sizes[s][2]);
            compute(&many, threads, 1, s % N_KINDS);
            for (int k = 0; k < N_RESULTS; k++)
                assert_true(engines_same(one.results[k], many.results[k],
                                         (size_t)(k == Y ? one.rows * one.outputs : one.inputs * one.stride) *
                                         sizeof(float)));
            free_problem(&many);
        }
        free_problem(&one);
    }
}

/* A weight that is not finite reaches the samples that have ink in its column, whether it stands in tiles or not;
 * beyond these, in tiles, samples whose code is 0. So does a gradient. */
static void what_is_not_finite(void **state)
{
    static const float bad[] = {NAN, INFINITY};
    (void)state;
    if (!tiles_here()) skip();
    for (int k = 0; k < N_KINDS * 2; k++) {
        enum { COLUMN = 9, SAMPLE = 40, OUTPUT = 5 };
        problem p = make_problem(65, 97, 40);
        const int kind = k / 2, in_tiles = kind == ALL || is_frequent(COLUMN, p.inputs, kind);
        p.codes[SAMPLE * p.inputs + COLUMN] = 7;
        p.kernel[COLUMN * p.stride + OUTPUT] = bad[k % 2];
        compute(&p, 2, 0, kind);
        for (int64_t b = 0; b < p.rows; b++) {
            for (int64_t o = 0; o < p.outputs; o++) {
                const float y = p.results[Y][b * p.outputs + o];
                const int has_ink = p.codes[b * p.inputs + COLUMN] != 0;
                if (o != OUTPUT || (!has_ink && !in_tiles)) assert_true(isfinite(y));
                else if (has_ink) assert_true(k % 2 ? y == INFINITY || in_tiles : isnan(y));
            }
        }
        free_problem(&p);
    }
}

/* A gradient that is not finite reaches the rows of the kernel whose column has ink in its sample, those of rare
 * columns among them; no other output, and of rare columns no other row. */
static void gradients_that_are_not_finite(void **state)
{
    (void)state;
    if (!tiles_here()) skip();
    for (int k = 0; k < N_KINDS * 4; k++) {
        enum { COLUMN = 9, SAMPLE = 40, OUTPUT = 5 };
        problem p = make_problem(65, 97, k / N_KINDS / 2 ? 64 : 40);
        const int kind = k % N_KINDS;
        p.hidden = k / N_KINDS / 2;
        p.codes[SAMPLE * p.inputs + COLUMN] = 7;
        p.dy[SAMPLE * p.outputs + OUTPUT] = NAN;
        compute(&p, 2, p.hidden || k / N_KINDS % 2, kind);
        for (int64_t i = 0; i < p.inputs; i++) {
            const int has_ink = p.codes[SAMPLE * p.inputs + i] != 0;
            const int in_tiles = kind == ALL || is_frequent(i, p.inputs, kind);
            for (int64_t o = 0; o < p.outputs; o++) {
                const float w = p.results[WEIGHT][i * p.stride + o];
                if (o == OUTPUT && has_ink) assert_true(isnan(w));
                else if (o != OUTPUT || !in_tiles) assert_true(isfinite(w));
            }
        }
        free_problem(&p);
    }
}

/* Training on bytes: a limit that is never reached stores the gradients, and rows then do not wait. */
static void fit_bytes(const char *optimizer, int threads, int64_t units, int epochs_at_once, char digest[65])
{
    enum { SAMPLES = 200, INPUTS = 130 };
    cn_tensor *x = cn_zeros(CN_UINT8, SAMPLES, INPUTS), *y = cn_zeros(CN_UINT8, SAMPLES);
    uint8_t *codes = cn_data(x), *labels = cn_data(y);
    cn__random random;
    cn__random_begin(&random, 5, CN__FOR_USER, 1);
    for (int i = 0; i < SAMPLES * INPUTS; i++)
        codes[i] = (uint8_t)(i % INPUTS % 5 && cn__random_below(&random, i % INPUTS / 8 % 2 ? 100 : 4) == 0
                             ? cn__random_below(&random, 256) : 0);
    for (int i = 0; i < SAMPLES; i++) labels[i] = (uint8_t)(codes[i * INPUTS + 1] > 0);
    cn_model *model = cn_sequential(.seed = 1, .threads = threads, .precision = "mixed_bfloat16");
    cn_add(model, cn_input(INPUTS));
    cn_add(model, cn_dense(units, .activation = "relu"));
    cn_add(model, cn_dense(3, .activation = "softmax"));
    assert_int_equal(cn_compile(model, .optimizer_name = optimizer, .loss = "sparse_categorical_crossentropy"), CN_OK);
    for (int i = 0; i < 2; i += epochs_at_once)
        assert_int_equal(cn_fit(model, x, y, .epochs = i + epochs_at_once, .initial_epoch = i,
                                .batch_size = units % 32 ? 48 : 80), CN_OK);
    assert_int_equal(cn_model_weights_sha256(model, digest), CN_OK);
    cn_model_destroy(&model);
    cn_tensor_destroy(&x);
    cn_tensor_destroy(&y);
}

static void stored_gradients_move_bytes_the_same_way(void **state)
{
    char plain[65], other[65];
    (void)state;
    fit_bytes("rmsprop", 2, 150, 2, plain);
    fit_bytes("rmsprop(clipnorm=1e30)", 2, 150, 2, other);
    assert_string_equal(plain, other);
    for (int threads = 1; threads <= 4; threads += 3) {
        fit_bytes("rmsprop", threads, 150, 2, other);
        assert_string_equal(plain, other);
    }
}

/* Of 200 samples in batches of 80, two fill whole tiles and the last one is too small to be taken through in blocks. */
static void trainings_with_hidden_tiles(void **state)
{
    char one[65], other[65];
    (void)state;
    fit_bytes("rmsprop", 1, 160, 2, one);
    for (int threads = 2; threads <= 4; threads++) {
        fit_bytes("rmsprop", threads, 160, threads == 3 ? 1 : 2, other);
        assert_string_equal(one, other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_on_tiles),
        cmocka_unit_test(update_on_tiles),
        cmocka_unit_test(hidden_layers_in_tiles),
        cmocka_unit_test(what_is_not_finite),
        cmocka_unit_test(gradients_that_are_not_finite),
        cmocka_unit_test(trainings_with_hidden_tiles),
        cmocka_unit_test(same_bits_for_any_number_of_threads),
        cmocka_unit_test(stored_gradients_move_bytes_the_same_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
