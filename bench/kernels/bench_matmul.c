/* Dense products of one engine beside OpenBLAS's and oneDNN's sgemm, call by call in turn in one process.
 *
 *   bench_matmul_ENGINE [--threads N] [--samples N] [--check] [FORM ROWS INPUTS OUTPUTS]...
 *
 * FORM is forward, input (gradient), weight (gradient stored) or update (gradient handed to an SGD update; the rivals
 * make the gradient only, so the comparison is against us). With one thread the clock runs only while that thread does,
 * so a busy machine disturbs less. Without shapes a standard list is measured. Prints GFLOP/s
 * from the shortest and from the median time, and ours over the better rival's. --check instead compares every form
 * with a plain loop, bit for bit, at odd sizes, and ends with status 1 where one differs. */
#define _GNU_SOURCE
#include "base/memory.h"
#include "base/pool.h"
#include "kernels/dense.h"
#include "kernels/matmul.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef CN_BENCH_OPENBLAS
#include <cblas.h>
#endif
#ifdef CN_BENCH_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#include <omp.h>
#endif

#define MAX_SAMPLES 101
#define SAMPLE_SECONDS 0.01
#define QUIET_SECONDS 0.04 /* until the threads of the rival before us have stopped spinning */

typedef enum form { FORWARD, INPUT, WEIGHT, UPDATE, N_FORMS } form;
static const char *const form_names[N_FORMS] = {"forward", "input", "weight", "update"};

typedef struct problem {
    form form;
    int64_t rows, inputs, outputs;
    float *x, *kernel, *y; /* (rows,inputs) (inputs,outputs) (rows,outputs); the gradients take the same places */
    float *result;
    cn__pool *pool;
} problem;

typedef struct contender {
    const char *name;
    void (*run)(const problem *p);
    double seconds[MAX_SAMPLES], best, median;
} contender;

static clockid_t chosen_clock = CLOCK_MONOTONIC;

static double now(void)
{
    struct timespec t;
    clock_gettime(chosen_clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void rest(double seconds)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)(seconds * 1e9)}, NULL);
}

static float *numbers(int64_t count, uint32_t seed)
{
    float *a = cn__alloc((size_t)count, sizeof *a, "a matrix");
    if (!a) exit(1);
    for (int64_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        a[i] = (float)(seed >> 8) / 16777216.0f - 0.5f;
    }
    return a;
}

static void sgd_update(const cn__step *step, int64_t n, void *weight, void *const slots[CN__MAX_SLOTS],
                       const void *gradient)
{
    float *w = weight;
    const float *g = gradient, rate = (float)step->coefficients[0];
    (void)slots;
    for (int64_t i = 0; i < n; i++) w[i] -= rate * g[i];
}

static void run_ours(const problem *p)
{
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

static void run_openblas(const problem *p)
{
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
static void run_onednn(const problem *p)
{
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
    {.name = "OpenBLAS", .run = run_openblas},
#endif
#ifdef CN_BENCH_ONEDNN
    {.name = "oneDNN", .run = run_onednn},
#endif
};
#define N_CONTENDERS (int)(sizeof contenders / sizeof contenders[0])

static int ascending(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static problem make_problem(form f, int64_t rows, int64_t inputs, int64_t outputs, cn__pool *pool)
{
    int64_t results = f == FORWARD ? rows * outputs : f == INPUT ? rows * inputs : inputs * outputs;
    return (problem){f, rows, inputs, outputs, numbers(rows * inputs, 1), numbers(inputs * outputs, 2),
                     numbers(rows * outputs, 3), numbers(results, 4), pool};
}

static void free_problem(problem *p)
{
    cn__free(p->x);
    cn__free(p->kernel);
    cn__free(p->y);
    cn__free(p->result);
}

static void measure(form f, int64_t rows, int64_t inputs, int64_t outputs, cn__pool *pool, int samples)
{
    problem p = make_problem(f, rows, inputs, outputs, pool);
    double flop = 2.0 * (double)rows * (double)inputs * (double)outputs;
    int calls[N_CONTENDERS];
    for (int c = 0; c < N_CONTENDERS; c++) {
        contenders[c].run(&p);
        double began = now();
        contenders[c].run(&p);
        double wanted = SAMPLE_SECONDS / (now() - began);
        calls[c] = wanted < 1 ? 1 : wanted > 10000 ? 10000 : (int)wanted;
    }
    for (int s = 0; s < samples; s++) {
        for (int c = 0; c < N_CONTENDERS; c++) {
            rest(QUIET_SECONDS);
            contenders[c].run(&p); /* wakes its threads */
            double began = now();
            for (int i = 0; i < calls[c]; i++) contenders[c].run(&p);
            contenders[c].seconds[s] = (now() - began) / calls[c];
        }
    }
    printf("%-8s %5ld %5ld %5ld", form_names[f], (long)rows, (long)inputs, (long)outputs);
    double best = 1e300, median = 1e300;
    for (int c = 0; c < N_CONTENDERS; c++) {
        qsort(contenders[c].seconds, (size_t)samples, sizeof(double), ascending);
        contenders[c].best = contenders[c].seconds[0];
        contenders[c].median = contenders[c].seconds[samples / 2];
        printf(" %9.1f %7.1f", 1e-9 * flop / contenders[c].best, 1e-9 * flop / contenders[c].median);
        if (c && contenders[c].best < best) best = contenders[c].best;
        if (c && contenders[c].median < median) median = contenders[c].median;
    }
    if (N_CONTENDERS > 1) printf(" %7.2f %6.2f", best / contenders[0].best, median / contenders[0].median);
    printf(" %9.1f\n", 1e6 * contenders[0].best);
    fflush(stdout);
    free_problem(&p);
}

static void measure_list(cn__pool *pool, int samples)
{
    static const int64_t shapes[][3] = {
        {32, 1024, 1024},  {128, 1024, 1024},  {512, 1024, 1024},  {4096, 1024, 1024}, {32, 4096, 4096},
        {128, 4096, 4096}, {1024, 4096, 4096}, {4096, 4096, 4096}, {32, 8192, 8192},   {128, 8192, 8192},
        {512, 8192, 8192}, {128, 784, 512},    {128, 511, 513},    {128, 1000, 1000},  {513, 1000, 511},
        {128, 512, 10},    {1000, 512, 10},    {1, 1024, 1024},    {2, 1024, 1024},    {4, 1024, 1024},
        {8, 1024, 1024},   {1, 784, 512},      {8, 784, 512},      {1, 512, 10},
    };
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (form f = FORWARD; f < N_FORMS; f++) measure(f, shapes[s][0], shapes[s][1], shapes[s][2], pool, samples);
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
    float *expected = numbers(results, 5), *got = p.result;
    plain(&p, expected);
    if (f == UPDATE) {
        static const cn__step step = {.coefficients = {1e-12}};
        float *moved = numbers(results, 2);
        sgd_update(&step, results, moved, NULL, expected);
        memcpy(expected, moved, (size_t)results * sizeof(float));
        cn__free(moved);
        got = p.kernel;
    }
    run_ours(&p);
    int64_t at = 0;
    while (at < results && !memcmp(got + at, expected + at, sizeof(float))) at++;
    if (at < results && !quiet)
        printf("%s %ld x %ld x %ld differs at %ld: %.9g instead of %.9g\n", form_names[f], (long)rows, (long)inputs,
               (long)outputs, (long)at, (double)got[at], (double)expected[at]);
    cn__free(expected);
    free_problem(&p);
    return at < results;
}

static int check(cn__pool *pool)
{
    static const int64_t sizes[] = {1, 2, 3, 5, 7, 8, 9, 14, 15, 16, 17, 31, 33, 63, 100, 257};
    static const int64_t large[][3] = {{511, 513, 300}, {300, 511, 513}, {1, 784, 512}, {8, 1100, 1030}, {32, 700, 1000},
                                       {513, 300, 511}, {1000, 10, 33}, {40, 1300, 90}, {700, 40, 40}, {33, 2100, 20}};
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
    fprintf(stderr, "usage: bench_matmul [--threads N] [--samples N] [--check] [forward|input|weight|update ROWS "
                    "INPUTS OUTPUTS]...\n");
    return 2;
}

static void print_heading(void)
{
    printf("%-8s %5s %5s %5s", "form", "rows", "in", "out");
    for (int c = 0; c < N_CONTENDERS; c++) printf(" %9s %7s", contenders[c].name, "median");
    if (N_CONTENDERS > 1) printf(" %7s %6s", "ratio", "median");
    printf(" %9s\n", "us");
}

static int find_form(const char *name)
{
    for (form f = FORWARD; f < N_FORMS; f++)
        if (!strcmp(name, form_names[f])) return (int)f;
    return -1;
}

int main(int argc, char **argv)
{
    /* OpenBLAS read its variables when it was loaded: start again with those that suit it and us. Its idle threads would
     * look for work for 2^26 or more cycles, into the samples of the others, who would share the cores with them. */
    if (!getenv("OPENBLAS_THREAD_TIMEOUT") || getenv("OPENBLAS_CORETYPE")) {
        unsetenv("OPENBLAS_CORETYPE");
        if (setenv("OPENBLAS_THREAD_TIMEOUT", "22", 1)) return 1;
        execv("/proc/self/exe", argv);
    }
    int threads = 2, samples = 7, checking = 0, at = 1;
    for (; at < argc && !strncmp(argv[at], "--", 2); at++) {
        if (!strcmp(argv[at], "--check")) checking = 1;
        else if (!strcmp(argv[at], "--threads") && at + 1 < argc) threads = atoi(argv[++at]);
        else if (!strcmp(argv[at], "--samples") && at + 1 < argc) samples = atoi(argv[++at]);
        else return usage();
    }
    if ((argc - at) % 4 || threads < 1 || samples < 1 || samples > MAX_SAMPLES) return usage();
    if (threads == 1) chosen_clock = CLOCK_THREAD_CPUTIME_ID;
    cn__pool *pool = cn__pool_create(threads);
    if (!pool) return 1;
    if (checking) {
        int failed = check(pool);
        cn__pool_destroy(&pool);
        return failed;
    }
#ifdef CN_BENCH_OPENBLAS
    openblas_set_num_threads(threads);
#endif
#ifdef CN_BENCH_ONEDNN
    omp_set_num_threads(threads);
#endif
    print_heading();
    if (at == argc) measure_list(pool, samples);
    for (; at < argc; at += 4) {
        int f = find_form(argv[at]);
        long rows = atol(argv[at + 1]), inputs = atol(argv[at + 2]), outputs = atol(argv[at + 3]);
        if (f < 0 || rows < 1 || inputs < 1 || outputs < 1) return usage();
        measure((form)f, rows, inputs, outputs, pool, samples);
    }
    cn__pool_destroy(&pool);
    return 0;
}
