/* mixed_bfloat16: the rounding, the three products of Dense in either way of computing them against a sum in float64,
 * equal bits for any number of threads, and a short main job. */
#include "base/pool.h"
#include "engines.h"
#include "kernels/bf16.h"

#include <cornu/dataset.h>
#include <cornu/model.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int tiles_here(void)
{
    return cn__isa_usable(CN__ISA_AVX512) && cn__cpu_avx512_bf16() && cn__cpu_amx_bf16();
}

/* --- the rounding --- */

static float from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* By its definition: of the two neighbours the nearer one, of two equally near ones the one with an even last bit. */
static uint16_t nearest(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint16_t below = (uint16_t)(bits >> 16), above = (uint16_t)(below + 1);
    if (isinf(x)) return below;
    if (x == 0 || !isnormal(x)) return below & 0x8000;
    double top = (above & 0x7fff) == 0x7f80 ? copysign(0x1p128, x) : (double)from_bits((uint32_t)above << 16);
    double down = fabs((double)x - (double)from_bits((uint32_t)below << 16)), up = fabs(top - (double)x);
    if (down != up) return down < up ? below : above;
    return below & 1 ? above : below;
}

static void rounds_to_nearest_even(void **state)
{
    (void)state;
    for (uint32_t half = 0; half < 0x10000; half++) {
        for (uint32_t rest = 0x7fff; rest <= 0x8001; rest++) {
            float x = from_bits(half << 16 | rest);
            if (!isnan(x)) assert_int_equal(cn__bf16_from(x), nearest(x));
            else assert_true(isnan(cn__bf16_round(x)));
        }
        float exact = from_bits(half << 16);
        if (isnan(exact)) assert_true(isnan(cn__bf16_round(exact)));
        else assert_int_equal(cn__bf16_from(exact), isnormal(exact) || isinf(exact) ? half : half & 0x8000);
    }
    for (uint64_t bits = 0; bits < (uint64_t)1 << 32; bits += 9973) {
        float x = from_bits((uint32_t)bits);
        if (!isnan(x)) assert_int_equal(cn__bf16_from(x), nearest(x));
    }
    assert_true(isinf(cn__bf16_round(3.4e38f))); /* above the largest bfloat16 and its half step */
    assert_true(cn__bf16_round(-1e-40f) == 0 && signbit(cn__bf16_round(-1e-40f)));
    assert_float_equal(cn__bf16_round(1.0f / 255), 0.00390625f * 1.0078125f, 0);
}

/* --- the products --- */

typedef struct shape {
    int64_t rows, inputs, outputs;
} shape;

enum { X, KERNEL, BIAS, DY, Y, DX, GRADIENT, BIAS_GRADIENT, N_ARRAYS };

typedef struct arrays {
    int64_t count[N_ARRAYS], stride;
    float *at[N_ARRAYS];
} arrays;

static void *aligned(double bytes)
{
    void *memory = aligned_alloc(64, ((size_t)bytes + 63) / 64 * 64);
    assert_non_null(memory);
    return memory;
}

/* Large arrays lie as tensors do: only then results go past the caches. Small ones lie anywhere. */
static cn_layer *open_case(const shape *s, arrays *a)
{
    cn_layer *layer = cn_dense(s->outputs);
    assert_non_null(layer);
    assert_int_equal(cn__layer_build(layer, 1, &s->inputs), CN_OK);
    a->stride = layer->weights[0].stride;
    int64_t kernel = s->inputs * a->stride, counts[N_ARRAYS] = {
        s->rows * s->inputs, kernel, layer->weights[1].stride, s->rows * s->outputs, s->rows * s->outputs,
        s->rows * s->inputs, kernel, layer->weights[1].stride};
    for (int i = 0; i < N_ARRAYS; i++) {
        a->count[i] = counts[i];
        size_t bytes = ((size_t)counts[i] + 1) * sizeof(float);
        a->at[i] = bytes > (2 << 20) ? aligned((double)bytes) : malloc(bytes);
        assert_non_null(a->at[i]);
        memset(a->at[i], 0, bytes);
        if (i < Y && i != BIAS) engines_fill(a->at[i], counts[i], (uint32_t)i);
    }
    return layer;
}

static void close_case(cn_layer *layer, arrays *a)
{
    for (int i = 0; i < N_ARRAYS; i++) free(a->at[i]);
    cn_layer_destroy(&layer);
}

/* with_copy: of the kernel, in tiles, which the forward product fills and the input gradient reads. */
static void compute_from(const cn__engine *engine, cn__bf16_way way, const shape *s, const cn_layer *layer, int threads,
                         int with_copy, arrays *a)
{
    cn__pool *pool = cn__pool_create(threads);
    int64_t copied = 0;
    cn__bf16 bf16 = {.way = way, .memory = aligned(cn__bf16_bytes(s->rows, s->inputs, s->outputs)),
                     .copy = with_copy ? aligned(cn__bf16_copy_bytes(s->inputs, s->outputs)) : NULL,
                     .copied = &copied};
    void *weights[] = {a->at[KERNEL], a->at[BIAS]};
    const cn__sink sinks[] = {{.gradient = a->at[GRADIENT], .stride = a->stride},
                              {.gradient = a->at[BIAS_GRADIENT], .stride = layer->weights[1].stride}};
    cn__pass pass = {.layer = layer, .pool = pool, .batch = s->rows, .training = 1, .x = a->at[X], .y = a->at[Y],
                     .dy = a->at[DY], .dx = a->at[DX], .weights = weights, .sinks = sinks, .bf16 = &bf16,
                     .is_last = 1};
    assert_true(pool && bf16.memory);
    engine->layers[CN__LAYER_dense]->forward(&pass);
    engine->layers[CN__LAYER_dense]->backward(&pass);
    assert_int_equal(copied, with_copy ? s->inputs : 0);
    free(bf16.memory);
    free(bf16.copy);
    cn__pool_destroy(&pool);
}

static void compute(const cn__engine *engine, cn__bf16_way way, const shape *s, const cn_layer *layer, int threads,
                    arrays *a)
{
    compute_from(engine, way, s, layer, threads, 0, a);
}

/* One sum over k = 0 ... n-1 of rounded factors, in float64, and how far a float32 sum in any order may be from it:
 * a rounding of at most 2^-24 of the sum of absolute values for each of n additions; tiles add pairs of products first,
 * which costs as much again. */
static void expect_sum(float got, int64_t n, const float *a, int64_t a_step, const float *b, int64_t b_step)
{
    double sum = 0, size = 0;
    for (int64_t k = 0; k < n; k++) {
        double term = (double)cn__bf16_round(a[k * a_step]) * (double)cn__bf16_round(b[k * b_step]);
        sum += term;
        size += fabs(term);
    }
    double allowed = (double)(2 * n) * 0x1p-24 * size;
    if (!(fabs((double)got - sum) <= allowed)) print_message("%.9g instead of %.9g\n", (double)got, sum);
    assert_true(fabs((double)got - sum) <= allowed);
}

/* Under a sanitizer, whose question is another one, every seventh row is compared. */
static void expect_products(const shape *s, const arrays *a)
{
    int64_t step = engines_quick() ? 7 : 1;
    for (int64_t b = 0; b < s->rows; b += step) {
        for (int64_t o = 0; o < s->outputs; o++)
            expect_sum(a->at[Y][b * s->outputs + o], s->inputs, a->at[X] + b * s->inputs, 1, a->at[KERNEL] + o,
                       a->stride);
        for (int64_t i = 0; i < s->inputs; i++)
            expect_sum(a->at[DX][b * s->inputs + i], s->outputs, a->at[DY] + b * s->outputs, 1,
                       a->at[KERNEL] + i * a->stride, 1);
    }
    for (int64_t i = 0; i < s->inputs; i += step)
        for (int64_t o = 0; o < s->outputs; o++)
            expect_sum(a->at[GRADIENT][i * a->stride + o], s->rows, a->at[X] + i, s->inputs, a->at[DY] + o, s->outputs);
}

/* In the last two, for tiles only, dx and the gradient of the kernel are larger than the level-2 caches of CPUs with
 * tiles. */
static const shape shapes[] = {{1, 1, 1},    {2, 33, 17},    {31, 15, 65},   {33, 64, 10},
                               {5, 1, 700},  {700, 31, 3},   {600, 129, 67}, {128, 784, 100},
                               {65, 1, 2100}, {64, 513, 257}, {1100, 512, 33}, {40, 800, 720}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes, N_SMALL = N_SHAPES - 2 };

static void check_products(const cn__engine *engine, cn__bf16_way way)
{
    for (int i = 0; i < (way == CN__BF16_TILES ? N_SHAPES : N_SMALL); i++) {
        arrays a;
        cn_layer *layer = open_case(&shapes[i], &a);
        compute(engine, way, &shapes[i], layer, 1 + i % 3, &a);
        expect_products(&shapes[i], &a);
        close_case(layer, &a);
    }
}

static void products_of_rounded_copies(void **state)
{
    (void)state;
    const cn__engine *engines[CN__ISA_COUNT];
    int n = engines_usable(engines);
    for (int i = engines_quick() ? n - 1 : 0; i < n; i++) check_products(engines[i], CN__BF16_ROUNDED);
}

static void products_on_tiles(void **state)
{
    (void)state;
    if (!tiles_here()) {
        print_message("this CPU has no AMX tiles for bfloat16, or the kernel does not lend them\n");
        skip();
    }
    check_products(cn__engine_find(32, CN__ISA_AVX512), CN__BF16_TILES);
}

/* The input gradient turns the lasting copy of the kernel instead of packing the kernel: the same bits. */
static void products_from_the_copy(void **state)
{
    (void)state;
    if (!tiles_here()) skip();
    const cn__engine *engine = cn__engine_find(32, CN__ISA_AVX512);
    for (int i = 0; i < N_SHAPES; i++) {
        arrays without, with;
        cn_layer *layer = open_case(&shapes[i], &without), *again = open_case(&shapes[i], &with);
        compute(engine, CN__BF16_TILES, &shapes[i], layer, 2, &without);
        for (int threads = 1; threads < 4; threads++) {
            for (int k = Y; k < N_ARRAYS; k++) memset(with.at[k], 0xff, (size_t)with.count[k] * sizeof(float));
            memset(with.at[GRADIENT], 0, (size_t)with.count[GRADIENT] * sizeof(float)); /* its padding is not written */
            memset(with.at[BIAS_GRADIENT], 0, (size_t)with.count[BIAS_GRADIENT] * sizeof(float));
            compute_from(engine, CN__BF16_TILES, &shapes[i], again, threads, 1, &with);
            for (int k = Y; k < N_ARRAYS; k++)
                assert_true(engines_same(without.at[k], with.at[k], (size_t)without.count[k] * sizeof(float)));
        }
        close_case(layer, &without);
        close_case(again, &with);
    }
}

/* One factor times 1: what comes out is the rounded factor itself. */
static void tiles_round_as_the_copies_do(void **state)
{
    (void)state;
    enum { N = 5000 };
    const shape s = {N, 1, 1};
    arrays a;
    if (!tiles_here()) skip();
    cn_layer *layer = open_case(&s, &a);
    cn__random random;
    cn__random_begin(&random, 5, CN__FOR_USER, 1);
    for (int64_t i = 0; i < N; i++) {
        uint32_t bits = (uint32_t)(cn__random_uniform(&random) * 4294967296.0);
        a.at[X][i] = from_bits(i % 3 ? bits : (bits & 0xffff0000u) | 0x8000u); /* ties among them */
    }
    a.at[X][0] = NAN;
    a.at[X][1] = INFINITY;
    a.at[X][2] = -3.4e38f;
    a.at[X][3] = 1e-40f;
    a.at[KERNEL][0] = 1;
    compute(cn__engine_find(32, CN__ISA_AVX512), CN__BF16_TILES, &s, layer, 2, &a);
    for (int64_t i = 0; i < N; i++) {
        float expected = cn__bf16_round(a.at[X][i]);
        assert_true(isnan(expected) ? isnan(a.at[Y][i]) : a.at[Y][i] == expected);
    }
    close_case(layer, &a);
}

static void same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    static const int threads[] = {2, 3, 8};
    for (int i = 0; i < N_SMALL; i++) {
        for (int way = CN__BF16_ROUNDED; way <= (tiles_here() ? CN__BF16_TILES : CN__BF16_ROUNDED); way++) {
            const cn__engine *engine = cn__engine_find(32, cn__isa_detected());
            arrays one, many;
            cn_layer *layer = open_case(&shapes[i], &one), *again = open_case(&shapes[i], &many);
            compute(engine, (cn__bf16_way)way, &shapes[i], layer, 1, &one);
            for (int t = 0; t < 3; t++) {
                compute(engine, (cn__bf16_way)way, &shapes[i], again, threads[t], &many);
                for (int k = Y; k < N_ARRAYS; k++)
                    assert_true(engines_same(one.at[k], many.at[k], (size_t)one.count[k] * sizeof(float)));
            }
            close_case(layer, &one);
            close_case(again, &many);
        }
    }
}

/* A result that was not rounded, or rounded the wrong way, is noticed. */
static void checkers_notice_float32(void **state)
{
    (void)state;
    const shape s = {4, 8, 8};
    arrays a;
    cn_layer *layer = open_case(&s, &a);
    double largest = 0;
    for (int64_t o = 0; o < s.outputs; o++) {
        double exact = 0, rounded = 0, size = 0;
        for (int64_t i = 0; i < s.inputs; i++) {
            double x = (double)a.at[X][i], w = (double)a.at[KERNEL][i * a.stride + o];
            exact += x * w;
            rounded += (double)cn__bf16_round((float)x) * (double)cn__bf16_round((float)w);
            size += fabs(x * w);
        }
        double excess = fabs(exact - rounded) / (16 * 0x1p-24 * size);
        largest = excess > largest ? excess : largest;
    }
    assert_true(largest > 100); /* tolerances away */
    close_case(layer, &a);
}

/* --- the main job, shortened --- */

/* Outputs come from a lasting copy of the kernels; it follows both updates and weights that are set by hand. */
static void copies_follow_the_weights(void **state)
{
    (void)state;
    enum { ROWS = 37, INPUTS = 45, UNITS = 130 };
    cn_tensor *x = cn_zeros(CN_FLOAT32, ROWS, INPUTS), *y = cn_zeros(CN_FLOAT32, ROWS, 3);
    engines_fill(cn_data(x), ROWS * INPUTS, 1);
    for (int64_t i = 0; i < ROWS; i++) ((float *)cn_data(y))[i * 3 + i % 3] = 1;
    for (int64_t i = 0; i < ROWS; i++) ((float *)cn_data(x))[i * INPUTS + 7] = 0; /* a row that waits */
    cn_model *models[2];
    for (int i = 0; i < 2; i++) {
        models[i] = cn_sequential(.precision = "mixed_bfloat16", .threads = 2, .seed = (uint64_t)i);
        cn_add(models[i], cn_dense(UNITS, .activation = "tanh", .input_shape = {INPUTS}));
        cn_add(models[i], cn_dense(3, .activation = "softmax"));
        assert_int_equal(cn_compile(models[i], .loss = "categorical_crossentropy"), CN_OK);
    }
    for (int step = 0; step < 3; step++) assert_int_equal(cn_train_step(models[0], x, y, NULL), CN_OK);
    cn_tensor *before = cn_predict(models[1], x); /* fills the copies of the other model */
    for (int w = 0; w < 4; w++) {
        cn_tensor *weight = cn_model_get_weight(models[0], w);
        assert_int_equal(cn_model_set_weight(models[1], w, weight), CN_OK);
        cn_tensor_destroy(&weight);
    }
    cn_tensor *trained = cn_predict(models[0], x), *set = cn_predict(models[1], x);
    assert_true(engines_same(cn_data(trained), cn_data(set), ROWS * 3 * sizeof(float)));
    assert_false(engines_same(cn_data(before), cn_data(set), ROWS * 3 * sizeof(float)));
    cn_tensor *all[] = {x, y, before, trained, set};
    for (int i = 0; i < 5; i++) cn_tensor_destroy(&all[i]);
    for (int i = 0; i < 2; i++) cn_model_destroy(&models[i]);
}

static double train(const char *precision, const char *isa, int threads, int64_t samples, char digest[65])
{
    cn_dataset data;
    assert_int_equal(cn_dataset_load(&data, "mnist", .download = 0), CN_OK);
    cn_tensor *x = cn_scale(cn_reshape(cn_slice(data.train_images, {0, samples}), -1, 784), 1.0 / 255);
    cn_tensor *y = cn_slice(data.train_labels, {0, samples});
    cn_tensor *test_x = cn_scale(cn_reshape(cn_slice(data.test_images, {0, 2000}), -1, 784), 1.0 / 255);
    cn_tensor *test_y = cn_slice(data.test_labels, {0, 2000});
    cn_model *model = cn_sequential(.precision = precision, .isa = isa, .threads = threads, .seed = 1);
    cn_add(model, cn_dense(512, .activation = "relu", .input_shape = {784}));
    cn_add(model, cn_dense(10, .activation = "softmax"));
    assert_int_equal(cn_compile(model, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}), CN_OK);
    assert_string_equal(cn_model_precision(model), precision);
    assert_int_equal(cn_fit(model, x, y, .epochs = 2, .batch_size = 128), CN_OK);
    cn_result result;
    assert_int_equal(cn_evaluate(model, test_x, test_y, &result), CN_OK);
    assert_int_equal(cn_model_weights_sha256(model, digest), CN_OK);
    cn_model_destroy(&model);
    cn_dataset_destroy(&data);
    return result.accuracy;
}

static void learns_as_well_as_float32(void **state)
{
    (void)state;
    char one[65], three[65], float32[65], narrow[65], portable[65];
    int64_t samples = engines_quick() ? 2000 : 12000;
    double expected = train("float32", NULL, 2, samples, float32), got = train("mixed_bfloat16", NULL, 1, samples, one);
    print_message("test accuracy after %lld samples twice: %.4f, float32 %.4f\n", (long long)samples, got, expected);
    assert_true(fabs(got - expected) < 0.012); /* a standard error and a half of 2000 answers */
    assert_true(got > (engines_quick() ? 0.7 : 0.9));
    assert_string_not_equal(one, float32);
    train("mixed_bfloat16", NULL, 3, samples, three);
    assert_string_equal(one, three);
    train("mixed_bfloat16", "c", 2, 700, portable); /* rounded copies: one answer on every level */
    train("mixed_bfloat16", cn__isa_usable(CN__ISA_AVX2) ? "avx2" : NULL, 3, 700, narrow);
    assert_string_equal(portable, narrow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_to_nearest_even),
        cmocka_unit_test(products_of_rounded_copies),
        cmocka_unit_test(products_on_tiles),
        cmocka_unit_test(products_from_the_copy),
        cmocka_unit_test(tiles_round_as_the_copies_do),
        cmocka_unit_test(same_bits_for_any_number_of_threads),
        cmocka_unit_test(checkers_notice_float32),
        cmocka_unit_test(copies_follow_the_weights),
        cmocka_unit_test(learns_as_well_as_float32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
