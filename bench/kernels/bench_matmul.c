/* Dense products of one engine beside OpenBLAS's and oneDNN's sgemm, call by call in turn in one process.
 *
 *   bench_matmul_ENGINE [--threads N] [--samples N] [--json] [--check] [FORM ROWS INPUTS OUTPUTS]...
 *
 * FORM is forward, input (gradient), weight (gradient stored) or update (gradient handed to an SGD update; the rivals
 * make the gradient only, so the comparison is against us). With one thread the clock runs only while that thread does,
 * so a busy machine disturbs less. Without shapes a standard list is measured. Prints GFLOP/s from the shortest and
 * from the median time, and ours over the better rival's; with --json those of every turn. --check instead compares
 * every form with a plain loop, bit for bit, at odd sizes, and ends with status 1 where one differs. */
#define _GNU_SOURCE
#include "base/memory.h"
#include "base/pool.h"
#include "dense_turns.h"
#include "kernels/dense.h"
#include "kernels/matmul.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef CN_BENCH_OPENBLAS
#include <cblas.h>
#endif
#ifdef CN_BENCH_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#include <omp.h>
#endif

typedef struct problem {
    form form;
    int64_t rows, inputs, outputs;
    float *x, *kernel, *y; /* (rows,inputs) (inputs,outputs) (rows,outputs); the gradients take the same places */
    float *result;
    cn__pool *pool;
} problem;

static void sgd_update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                       const void *gradient)
{
    float *w = weight;
    const float *g = gradient, rate = (float)step->coefficients[0];
    (void)slots;
    for (int64_t i = 0; i < n; i++) w[i] -= rate * g[i];
}

static void run_ours(const void *context)
{
    const problem *p = context;
    static const cn__step step = {.coefficients = {1e-12}};
    cn__dense d = {.pool = p->pool, .rows = p->rows, .inputs = p->inputs, .outputs = p->outputs, .kernel = p->kernel,
                   .kernel_stride = p->outputs};
    cn__sink sink = {.weight = p->kernel, .stride = p->outputs};
    switch (p->form) {
    case FORWARD: cn__dense_forward(&d, p->x, p->result); break;
    case INPUT: cn__dense_backward_input(&d, p->y, p->result); break;
    case WEIGHT:
        sink.gradient = p->result;
        cn__dense_backward_kernel(&d, p->x, p->y, &sink);
        break;
    default:
        sink.update = sgd_update;
        sink.step = &step;
        cn__dense_backward_kernel(&d, p->x, p->y, &sink);
    }
}

#ifdef CN_BENCH_OPENBLAS
void openblas_set_num_threads(int threads);

static void run_openblas(const void *context)
{
    const problem *p = context;
    int rows = (int)p->rows, inputs = (int)p->inputs, outputs = (int)p->outputs;
    if (p->form == FORWARD)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, outputs, inputs, 1, p->x, inputs, p->kernel,
                    outputs, 0, p->result, outputs);
    else if (p->form == INPUT)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, inputs, outputs, 1, p->y, outputs, p->kernel,
                    outputs, 0, p->result, inputs);
    else
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, inputs, outputs, rows, 1, p->x, inputs, p->y, outputs, 0,
                    p->result, outputs);
}
#endif

#ifdef CN_BENCH_ONEDNN
static void run_onednn(const void *context)
{
    const problem *p = context;
    if (p->form == FORWARD)
        dnnl_sgemm('N', 'N', p->rows, p->outputs, p->inputs, 1, p->x, p->inputs, p->kernel, p->outputs, 0, p->result,
                   p->outputs);
    else if (p->form == INPUT)
        dnnl_sgemm('N', 'T', p->rows, p->inputs, p->outputs, 1, p->y, p->outputs, p->kernel, p->outputs, 0, p->result,
                   p->inputs);
    else
        dnnl_sgemm('T', 'N', p->inputs, p->outputs, p->rows, 1, p->x, p->inputs, p->y, p->outputs, 0, p->result,
                   p->outputs);
}
#endif

static contender contenders[] = {
    {.name = "ours", .run = run_ours},
#ifdef CN_BENCH_OPENBLAS
    {.name = "OpenBLAS", .run = run_openblas, .rival = 1},
#endif
#ifdef CN_BENCH_ONEDNN
    {.name = "oneDNN", .run = run_onednn, .rival = 1},
#endif
};
#define N_CONTENDERS (int)(sizeof contenders / sizeof contenders[0])

static problem make_problem(form f, int64_t rows, int64_t inputs, int64_t outputs, cn__pool *pool)
{
    int64_t results = f == FORWARD ? rows * outputs : f == INPUT ? rows * inputs : inputs * outputs;
    return (problem){f, rows, inputs, outputs, turns_numbers(rows * inputs, 1), turns_numbers(inputs * outputs, 2),
                     turns_numbers(rows * outputs, 3), turns_numbers(results, 4), pool};
}

static void free_problem(problem *p)
{
    cn__free(p->x);
    cn__free(p->kernel);
    cn__free(p->y);
    cn__free(p->result);
}

static void measure(turns *t, form f, int64_t rows, int64_t inputs, int64_t outputs, void *pool)
{
    problem p = make_problem(f, rows, inputs, outputs, pool);
    turns_take(t, f, rows, inputs, outputs, &p);
    free_problem(&p);
}

static void measure_list(turns *t, cn__pool *pool)
{
    static const int64_t shapes[][3] = {
        {32, 1024, 1024},  {128, 1024, 1024},  {512, 1024, 1024},  {4096, 1024, 1024}, {32, 4096, 4096},
        {128, 4096, 4096}, {1024, 4096, 4096}, {4096, 4096, 4096}, {32, 8192, 8192},   {128, 8192, 8192},
        {512, 8192, 8192}, {128, 784, 512},    {128, 511, 513},    {128, 1000, 1000},  {513, 1000, 511},
        {128, 512, 10},    {1000, 512, 10},    {1, 1024, 1024},    {2, 1024, 1024},    {4, 1024, 1024},
        {8, 1024, 1024},   {1, 784, 512},      {8, 784, 512},      {1, 512, 10},
    };
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (form f = FORWARD; f < N_FORMS; f++) measure(t, f, shapes[s][0], shapes[s][1], shapes[s][2], pool);
}

/* The documented order of every sum, one after another. */
static void plain(const problem *p, float *result)
{
    int64_t m = p->form >= WEIGHT ? p->inputs : p->rows, n = p->form == INPUT ? p->inputs : p->outputs;
    int64_t k = p->form == FORWARD ? p->inputs : p->form == INPUT ? p->outputs : p->rows;
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            float sum = 0;
            for (int64_t t = 0; t < k; t++) {
                if (p->form == FORWARD) sum = fmaf(p->x[i * k + t], p->kernel[t * n + j], sum);
                else if (p->form == INPUT) sum = fmaf(p->y[i * k + t], p->kernel[j * k + t], sum);
                else sum = fmaf(p->x[t * m + i], p->y[t * n + j], sum);
            }
            result[i * n + j] = sum;
        }
    }
}

static int check_one(form f, int64_t rows, int64_t inputs, int64_t outputs, cn__pool *pool, int quiet)
{
    problem p = make_problem(f, rows, inputs, outputs, pool);
    int64_t results = f == FORWARD ? rows * outputs : f == INPUT ? rows * inputs : inputs * outputs;
    float *expected = turns_numbers(results, 5), *got = p.result;
    plain(&p, expected);
    if (f == UPDATE) {
        static const cn__step step = {.coefficients = {1e-12}};
        float *moved = turns_numbers(results, 2);
        sgd_update(&step, results, moved, NULL, expected);
        memcpy(expected, moved, (size_t)results * sizeof(float));
        cn__free(moved);
        got = p.kernel;
    }
    run_ours(&p);
    int64_t at = 0;
    while (at < results && !memcmp(got + at, expected + at, sizeof(float))) at++;
    if (at < results && !quiet)
        printf("form %d, %ld x %ld x %ld differs at %ld: %.9g instead of %.9g\n", (int)f, (long)rows, (long)inputs,
               (long)outputs, (long)at, (double)got[at], (double)expected[at]);
    cn__free(expected);
    free_problem(&p);
    return at < results;
}

static int check(cn__pool *pool)
{
    static const int64_t sizes[] = {1, 2, 3, 5, 7, 8, 9, 14, 15, 16, 17, 31, 33, 63, 100, 257};
    static const int64_t large[][3] = {{511, 513, 300}, {300, 511, 513}, {1, 784, 512}, {8, 1100, 1030},
                                       {32, 700, 1000}, {513, 300, 511}, {1000, 10, 33}, {40, 1300, 90}, {700, 40, 40},
                                       {33, 2100, 20}, {140, 257, 4100}};
    int n = (int)(sizeof sizes / sizeof sizes[0]), failures = 0, cases = 0;
    for (form f = FORWARD; f < N_FORMS; f++) {
        for (int i = 0; i < n * n * n; i++, cases++)
            failures += check_one(f, sizes[i % n], sizes[i / n % n], sizes[i / n / n], pool, failures > 9);
        for (size_t i = 0; i < sizeof large / sizeof large[0]; i++, cases++)
            failures += check_one(f, large[i][0], large[i][1], large[i][2], pool, failures > 9);
    }
    printf("%d of %d products differ from a plain loop\n", failures, cases);
    return failures != 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: bench_matmul [--threads N] [--samples N] [--json] [--check] [forward|input|weight|update "
                    "ROWS INPUTS OUTPUTS]...\n");
    return 2;
}

int main(int argc, char **argv)
{
    /* OpenBLAS read its variables when it was loaded: start again with those that suit it and us. Its idle threads
     * would look for work for 2^26 or more cycles, into the samples of the others, who would share the cores with
     * them. */
    if (!getenv("OPENBLAS_THREAD_TIMEOUT") || getenv("OPENBLAS_CORETYPE")) {
        unsetenv("OPENBLAS_CORETYPE");
        if (setenv("OPENBLAS_THREAD_TIMEOUT", "22", 1)) return 1;
        execv("/proc/self/exe", argv);
    }
    turns t = {.list = contenders, .n = N_CONTENDERS};
    int checking = 0, at = turns_options(&t, argc, argv, "--check", &checking);
    if (at < 0) return usage();
    cn__pool *pool = cn__pool_create(t.threads);
    if (!pool) return 1;
    if (checking) {
        int failed = check(pool);
        cn__pool_destroy(&pool);
        return failed;
    }
#ifdef CN_BENCH_OPENBLAS
    openblas_set_num_threads(t.threads);
#endif
#ifdef CN_BENCH_ONEDNN
    omp_set_num_threads(t.threads);
#endif
    turns_print_heading(&t);
    if (at == argc) measure_list(&t, pool);
    int wrong = turns_shapes(&t, argc, argv, at, measure, pool);
    cn__pool_destroy(&pool);
    return wrong ? usage() : 0;
}
