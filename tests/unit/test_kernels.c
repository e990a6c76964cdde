/* The numbers of Dense in every engine against a naive reference in the documented order of sums (src/kernels/dense.h):
 * equal bits at odd sizes and for any number of threads, between guard pages, with NaN and infinity. Inputs that are
 * bytes: test_bytes.c. At the end, wrong kernels must each be noticed. */
#define _GNU_SOURCE
#include "base/pool.h"
#include "engines.h"
#include "guarded.h"
#include "model/model.h"

#include <stdio.h>

/* --- one case: Dense with linear activation, forward and backward --- */

typedef struct one_case {
    int64_t rows, inputs, outputs;
    int strange; /* NaN and infinities among the inputs */
    int64_t level1, level2; /* bytes of cache to pretend; 0: the machine's */
} one_case;

enum { X, KERNEL, BIAS, DY, Y, DX, GRADIENT, BIAS_GRADIENT, N_ARRAYS };
enum { FIRST_OUTPUT = Y };

typedef struct arrays {
    int64_t count[N_ARRAYS], kernel_stride;
    float *at[N_ARRAYS];
    guarded memory[N_ARRAYS];
} arrays;

static void open_arrays(arrays *a, const one_case *c, const cn_layer *layer, int at_end)
{
    int64_t kernel = c->inputs * layer->weights[0].stride; /* rows are padded, the last one too */
    int64_t counts[N_ARRAYS] = {c->rows * c->inputs,  kernel,                c->outputs, c->rows * c->outputs,
                                c->rows * c->outputs, c->rows * c->inputs, kernel,     c->outputs};
    a->kernel_stride = layer->weights[0].stride;
    for (int i = 0; i < N_ARRAYS; i++) {
        a->count[i] = counts[i];
        a->memory[i] = guard(counts[i], at_end);
        a->at[i] = a->memory[i].numbers;
        if (i < FIRST_OUTPUT) engines_fill(a->at[i], counts[i], (uint32_t)i);
    }
    if (c->strange) {
        a->at[X][counts[X] / 2] = NAN;
        a->at[X][counts[X] / 3] = INFINITY;
        a->at[DY][counts[DY] / 2] = -INFINITY;
    }
}

static void close_arrays(arrays *a)
{
    for (int i = 0; i < N_ARRAYS; i++) unguard(&a->memory[i]);
}

/* The reference: one accumulator per result, ascending order, one fused multiply-add per term. */
static void compute_naively(const one_case *c, const arrays *a, float *results[N_ARRAYS])
{
    const float *x = a->at[X], *w = a->at[KERNEL], *dy = a->at[DY];
    int64_t stride = a->kernel_stride;
    for (int64_t b = 0; b < c->rows; b++) {
        for (int64_t o = 0; o < c->outputs; o++) {
            float sum = 0;
            for (int64_t i = 0; i < c->inputs; i++) sum = fmaf(x[b * c->inputs + i], w[i * stride + o], sum);
            results[Y][b * c->outputs + o] = sum + a->at[BIAS][o];
        }
        for (int64_t i = 0; i < c->inputs; i++) {
            float sum = 0;
            for (int64_t o = 0; o < c->outputs; o++) sum = fmaf(dy[b * c->outputs + o], w[i * stride + o], sum);
            results[DX][b * c->inputs + i] = sum;
        }
    }
    for (int64_t o = 0; o < c->outputs; o++) {
        float bias = 0;
        for (int64_t b = 0; b < c->rows; b++) bias += dy[b * c->outputs + o];
        results[BIAS_GRADIENT][o] = bias;
        for (int64_t i = 0; i < c->inputs; i++) {
            float sum = 0;
            for (int64_t b = 0; b < c->rows; b++) sum = fmaf(x[b * c->inputs + i], dy[b * c->outputs + o], sum);
            results[GRADIENT][i * stride + o] = sum;
        }
    }
}

static cn_layer *make_layer(const one_case *c)
{
    cn_layer *layer = cn_dense(c->outputs);
    assert_non_null(layer);
    assert_int_equal(cn__layer_build(layer, 1, &c->inputs), CN_OK);
    return layer;
}

static void compute(const cn__engine *engine, const one_case *c, const cn_layer *layer, cn__pool *pool, arrays *a)
{
    void *weights[] = {a->at[KERNEL], a->at[BIAS]};
    const cn__sink sinks[] = {{.gradient = a->at[GRADIENT], .stride = layer->weights[0].stride},
                              {.gradient = a->at[BIAS_GRADIENT], .stride = layer->weights[1].stride}};
    cn__pass pass = {.layer = layer, .pool = pool, .batch = c->rows, .training = 1, .x = a->at[X], .y = a->at[Y],
                     .dy = a->at[DY], .dx = a->at[DX], .weights = weights, .sinks = sinks};
    const cn__layer_math *math = engine->layers[CN__LAYER_dense];
    math->forward(&pass);
    math->backward(&pass);
}

/* Equal as numbers and bits; a zero may have the other sign and a NaN another payload. */
static int same_number(float a, float b)
{
    return (isnan(a) && isnan(b)) || a == b;
}

/* What every engine is held to; you free it with forget. */
static void expect(const one_case *c, float *expected[N_ARRAYS])
{
    cn_layer *layer = make_layer(c);
    arrays a;
    open_arrays(&a, c, layer, 0);
    for (int i = 0; i < N_ARRAYS; i++)
        expected[i] = i < FIRST_OUTPUT ? NULL : malloc((size_t)a.count[i] * sizeof(float) + 1);
    compute_naively(c, &a, expected);
    close_arrays(&a);
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
    if (c->level1) cn__pool_pretend_caches(pool, c->level1, c->level2);
    cn_layer *layer = make_layer(c);
    arrays a;
    const char *wrong = NULL;
    open_arrays(&a, c, layer, at_end);
    compute(engine, c, layer, pool, &a);
    for (int i = FIRST_OUTPUT; i < N_ARRAYS && !wrong; i++) {
        int64_t width = i == GRADIENT ? a.kernel_stride : a.count[i], used = i == GRADIENT ? c->outputs : a.count[i];
        for (int64_t k = 0; k < a.count[i] && !wrong; k++)
            if (k % (width ? width : 1) < used && !same_number(a.at[i][k], expected[i][k])) wrong = names[i];
    }
    for (int i = 0; i < N_ARRAYS; i++)
        if (!untouched_around(&a.memory[i])) wrong = "a sentinel";
    close_arrays(&a);
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
                print_message("%s with %d threads, batch %lld, %lld -> %lld: %s differs\n",
                              cn__isa_name(engines[e]->isa), thread_counts[t], (long long)c->rows, (long long)c->inputs,
                              (long long)c->outputs, wrong);
            assert_null(wrong);
        }
    }
    forget(expected);
}

static const int64_t odd[] = {1, 2, 7, 15, 16, 17, 31, 33, 64, 100, 129};
enum { N_ODD = sizeof odd / sizeof *odd };

static void odd_sizes(void **state)
{
    (void)state;
    for (int i = 0; i < N_ODD; i++)
        for (int k = 0; k < N_ODD; k++)
            check_everywhere(&(one_case){.rows = odd[(i + k) % N_ODD], .inputs = odd[i], .outputs = odd[k]});
}

/* A vector of rows at a time, whose inputs are whole vectors. */
static void few_outputs(void **state)
{
    (void)state;
    for (int64_t outputs = 1; outputs <= 17; outputs++)
        check_everywhere(&(one_case){.rows = 37, .inputs = 48, .outputs = outputs});
}

static void large_odd_sizes(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {{65, 1030, 10}, {3, 511, 513}, {129, 97, 511}, {128, 784, 33}, {300, 5, 1030}};
    for (int i = 0; i < (engines_quick() ? 1 : 5); i++)
        check_everywhere(&(one_case){.rows = sizes[i][0], .inputs = sizes[i][1], .outputs = sizes[i][2]});
}

/* Blocks of every size, from the smallest ones to those of the largest caches. */
static void any_caches(void **state)
{
    (void)state;
    static const int64_t caches[][2] = {{1 << 10, 64 << 10}, {32 << 10, 256 << 10}, {64 << 10, 512 << 10},
                                        {192 << 10, 64 << 20}};
    for (int i = 0; i < 4; i++)
        check_everywhere(&(one_case){.rows = 70, .inputs = 140 + 160 * (i == 3), .outputs = 300, .level1 = caches[i][0],
                                     .level2 = caches[i][1]});
}

/* Many rows of few terms: threads keep what they copied of the right factor, whose columns are one block or several. */
static void pieces_of_rows(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {{60, 340, 300}, {340, 60, 300}, {390, 100, 70}, {340, 300, 60}, {128, 200, 900}};
    for (int i = 0; i < 5; i++)
        check_everywhere(&(one_case){.rows = sizes[i][0], .inputs = sizes[i][1], .outputs = sizes[i][2],
                                     .level1 = 1 << 10, .level2 = 64 << 10});
}

/* Input gradients whose kernel is read where it lies: more columns and terms than one turn takes, and incomplete
 * vectors of rows. */
static void few_rows(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {{32, 300, 200}, {30, 7, 130}, {64, 100, 257}, {16, 1100, 1100}, {13, 5, 128}};
    for (int i = 0; i < 5; i++)
        check_everywhere(&(one_case){.rows = sizes[i][0], .inputs = sizes[i][1], .outputs = sizes[i][2]});
}

static void nan_and_infinity(void **state)
{
    (void)state;
    for (int i = 2; i < N_ODD; i++)
        check_everywhere(&(one_case){.rows = odd[N_ODD - i], .inputs = odd[i], .outputs = odd[(i + 3) % N_ODD],
                                     .strange = 1});
}

static void empty_batch(void **state)
{
    (void)state;
    check_everywhere(&(one_case){.rows = 0, .inputs = 17, .outputs = 33});
}

/* --- gradients that move a narrow kernel: several rows go to the optimizer together, and nobody may see it --- */

typedef struct moving {
    int64_t rows, inputs, outputs;
    float *x, *dy, *kernel, *velocity; /* kernel and velocity: inputs rows of STRIDE numbers, the surplus never
                                        * changes */
} moving;

enum { STRIDE = 16 };

static void open_moving(moving *m)
{
    m->x = malloc((size_t)(m->rows * m->inputs) * sizeof(float));
    m->dy = malloc((size_t)(m->rows * m->outputs) * sizeof(float));
    m->kernel = malloc((size_t)(m->inputs * STRIDE) * sizeof(float));
    m->velocity = malloc((size_t)(m->inputs * STRIDE) * sizeof(float));
    engines_fill(m->x, m->rows * m->inputs, 1);
    engines_fill(m->dy, m->rows * m->outputs, 2);
    engines_fill(m->kernel, m->inputs * STRIDE, 3);
    engines_fill(m->velocity, m->inputs * STRIDE, 4);
    for (int64_t i = 0; i < m->inputs * STRIDE; i++) m->velocity[i] = fabsf(m->velocity[i]);
}

static void close_moving(moving *m)
{
    free(m->x);
    free(m->dy);
    free(m->kernel);
    free(m->velocity);
}

static cn__step rmsprop_step(double decay)
{
    cn_optimizer *optimizer = cn_rmsprop(.learning_rate = 0.01);
    cn__step step = {.decay = decay};
    assert_non_null(optimizer);
    optimizer->class_->begin_step(optimizer->options, 1, 0.01, &step);
    step.decay = decay;
    cn_optimizer_destroy(&optimizer);
    return step;
}

static void move_naively(const moving *m, const cn__step *step)
{
    cn__update update = *cn__engine_find(32, CN__ISA_C)->updates[CN__OPTIMIZER_rmsprop];
    for (int64_t i = 0; i < m->inputs; i++)
        for (int64_t o = 0; o < m->outputs; o++) {
            float gradient = 0, *w = &m->kernel[i * STRIDE + o];
            void *slots[CN__MAX_SLOTS] = {&m->velocity[i * STRIDE + o]};
            for (int64_t b = 0; b < m->rows; b++)
                gradient = fmaf(m->x[b * m->inputs + i], m->dy[b * m->outputs + o], gradient);
            if (step->decay != 0) *w = fmaf(-(float)step->decay, *w, *w);
            update(step, 1, w, slots, &gradient);
        }
}

static void move(const moving *m, const cn__step *step, const cn__engine *engine, cn__pool *pool)
{
    cn_layer *layer = cn_dense(m->outputs, .use_bias = 0);
    assert_int_equal(cn__layer_build(layer, 1, &m->inputs), CN_OK);
    assert_int_equal(layer->weights[0].stride, STRIDE);
    void *weights[] = {m->kernel};
    cn__sink sink = {.update = *engine->updates[CN__OPTIMIZER_rmsprop], .step = step, .weight = m->kernel,
                     .slots = {m->velocity}, .stride = STRIDE};
    cn__pass pass = {.layer = layer, .pool = pool, .batch = m->rows, .training = 1, .x = m->x, .dy = m->dy,
                     .weights = weights, .sinks = &sink};
    engine->layers[CN__LAYER_dense]->backward_weights(&pass);
    cn_layer_destroy(&layer);
}

static void narrow_kernels_move(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {{3, 1, 1}, {5, 33, 7}, {128, 512, 10}, {9, 100, 15}, {70, 1500, 9}, {2, 31, 16}};
    const cn__engine *engines[CN__ISA_COUNT];
    int n_engines = engines_usable(engines);
    for (int k = 0; k < 6 * 2; k++) {
        moving expected = {sizes[k / 2][0], sizes[k / 2][1], sizes[k / 2][2], NULL, NULL, NULL, NULL};
        cn__step step = rmsprop_step(k % 2 * 0.125);
        size_t bytes = (size_t)(expected.inputs * STRIDE) * sizeof(float);
        open_moving(&expected);
        move_naively(&expected, &step);
        for (int e = 0; e < 2 * n_engines; e++) {
            moving got = expected;
            cn__pool *pool = cn__pool_create(1 + e % 2);
            open_moving(&got);
            move(&got, &step, engines[e / 2], pool);
            assert_memory_equal(got.kernel, expected.kernel, bytes);
            assert_memory_equal(got.velocity, expected.velocity, bytes);
            close_moving(&got);
            cn__pool_destroy(&pool);
        }
        close_moving(&expected);
    }
}

/* --- wrong kernels, each of which the check must report --- */

static int64_t numbers_of(const cn__pass *p) { return p->batch * p->layer->output_size; }
static void right_forward(const cn__pass *p) { cn__engine_find(32, CN__ISA_C)->layers[CN__LAYER_dense]->forward(p); }
static void right_backward(const cn__pass *p) { cn__engine_find(32, CN__ISA_C)->layers[CN__LAYER_dense]->backward(p); }

static void writes_zeros(const cn__pass *p) { memset(p->y, 0, (size_t)numbers_of(p) * sizeof(float)); }

static void writes_nan(const cn__pass *p)
{
    for (int64_t i = 0; i < numbers_of(p); i++) ((float *)p->y)[i] = NAN;
}

static void skips_the_last_column(const cn__pass *p)
{
    int64_t n = p->layer->output_size;
    right_forward(p);
    for (int64_t b = 0; b < p->batch; b++) memset((float *)p->y + b * n + n - 1, SENTINEL, sizeof(float));
}

static void is_off_by_one_bit(const cn__pass *p)
{
    float *y = p->y;
    right_forward(p);
    y[numbers_of(p) / 2] = nextafterf(y[numbers_of(p) / 2], INFINITY);
}

static void writes_one_too_many(const cn__pass *p)
{
    float *y = p->y;
    right_forward(p);
    memset(&y[numbers_of(p)], 0, 1);
}

static void writes_one_too_early(const cn__pass *p)
{
    unsigned char *y = p->y;
    right_forward(p);
    memset(y - 1, 0, 1);
}

static void forgets_a_gradient_row(const cn__pass *p)
{
    right_backward(p);
    memset(p->sinks[0].gradient, SENTINEL, (size_t)p->layer->output_size * sizeof(float));
}

static void adds_backwards(const cn__pass *p)
{
    int64_t n = p->layer->output_size;
    right_backward(p);
    for (int64_t o = 0; o < n; o++) {
        float sum = 0;
        for (int64_t b = p->batch - 1; b >= 0; b--) sum += ((const float *)p->dy)[b * n + o];
        ((float *)p->sinks[1].gradient)[o] = sum;
    }
}

static void the_check_finds_wrong_kernels(void **state)
{
    (void)state;
    const cn__layer_math wrong[] = {
        {writes_zeros, right_backward},          {writes_nan, right_backward},
        {skips_the_last_column, right_backward}, {is_off_by_one_bit, right_backward},
        {right_forward, forgets_a_gradient_row}, {right_forward, adds_backwards},
    };
    const one_case c = {.rows = 17, .inputs = 16, .outputs = 33};
    const cn__engine *engine = cn__engine_find(32, CN__ISA_C);
    assert_null(check(engine, &c, 1, 0));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cn__engine copy = *engine;
        copy.layers[CN__LAYER_dense] = &wrong[i];
        assert_non_null(check(&copy, &c, 1, 0));
    }
    /* beyond the side that has no guard page, the sentinels tell */
    const cn__layer_math late = {writes_one_too_many, right_backward}, early = {writes_one_too_early, right_backward};
    cn__engine copy = *engine;
    copy.layers[CN__LAYER_dense] = &late;
    assert_string_equal(check(&copy, &c, 1, 0), "a sentinel");
    copy.layers[CN__LAYER_dense] = &early;
    assert_string_equal(check(&copy, &c, 1, 1), "a sentinel");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_finds_wrong_kernels), cmocka_unit_test(odd_sizes), cmocka_unit_test(large_odd_sizes),
        cmocka_unit_test(nan_and_infinity),              cmocka_unit_test(empty_batch),
        cmocka_unit_test(few_outputs),                   cmocka_unit_test(any_caches),
        cmocka_unit_test(pieces_of_rows),                cmocka_unit_test(few_rows),
        cmocka_unit_test(narrow_kernels_move),
    };
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
