/* Dense products with operands rounded to bfloat16, beside our own float32 ones and oneDNN's bfloat16 matmul, call by
 * call in turn in one process.
 *
 *   bench_bf16 [--threads N] [--samples N] [FORM ROWS INPUTS OUTPUTS]...
 *
 * FORM is forward, input (gradient), weight (gradient stored) or update (gradient handed to RMSprop; oneDNN makes the
 * gradient only). As in a training step we read x and dy as float32 and round them on the way, while the kernel is in the
 * lasting copy that updates keep (kernels/bf16.h); oneDNN is given operands that are bfloat16 already, in plain
 * layout, which nobody who keeps float32 variables has. With one thread the clock runs only while that thread does, so a
 * busy machine disturbs less. Without shapes a standard list is measured. Prints microseconds, shortest and median, and
 * the rival's shortest time over ours. */
#define _GNU_SOURCE
#include "base/cpu.h"
#include "base/memory.h"
#include "kernels/dense_bf16.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef CN_BENCH_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#include <omp.h>
#endif

#define MAX_SAMPLES 101
#define SAMPLE_SECONDS 0.01
#define QUIET_SECONDS 0.04 /* until the threads of the rival before us have stopped spinning */

extern const cn__update CN_T(cn__optimizer_rmsprop_update);

typedef enum form { FORWARD, INPUT, WEIGHT, UPDATE, N_FORMS } form;
static const char *const form_names[N_FORMS] = {"forward", "input", "weight", "update"};

typedef struct problem {
    form form;
    int64_t rows, inputs, outputs;
    float *x, *kernel, *y; /* (rows,inputs) (inputs,outputs) (rows,outputs); the gradients take the same places */
    float *result, *slot;
    uint16_t *left, *right; /* of oneDNN's product */
    cn__bf16 bf16;
    cn__pool *pool;
#ifdef CN_BENCH_ONEDNN
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arguments[3];
#endif
} problem;

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

static void *take(int64_t count, size_t size)
{
    void *memory = cn__alloc((size_t)count, size, "a matrix");
    if (!memory) exit(1);
    return memory;
}

static float *numbers(int64_t count, uint32_t seed)
{
    float *a = take(count, sizeof *a);
    for (int64_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        a[i] = (float)(seed >> 8) / 16777216.0f - 0.5f;
    }
    return a;
}

static void run_ours(const problem *p, int rounded)
{
    static const cn__step step = {.coefficients = {1e-12, 0.9, 0.1, 0, 1e-7}};
    cn__dense d = {.pool = p->pool, .rows = p->rows, .inputs = p->inputs, .outputs = p->outputs, .kernel = p->kernel,
                   .kernel_stride = p->outputs};
    cn__sink sink = {.weight = p->kernel, .stride = p->outputs, .gradient = p->result, .slots = {p->slot}};
    if (p->form == UPDATE) {
        sink.update = CN_T(cn__optimizer_rmsprop_update);
        sink.step = &step;
    }
    if (p->form == FORWARD && rounded) cn__dense_forward_bf16(&d, &p->bf16, p->x, p->result);
    else if (p->form == FORWARD) cn__dense_forward(&d, p->x, p->result);
    else if (p->form == INPUT && rounded) cn__dense_backward_input_bf16(&d, &p->bf16, p->y, p->result);
    else if (p->form == INPUT) cn__dense_backward_input(&d, p->y, p->result);
    else if (rounded) cn__dense_backward_kernel_bf16(&d, &p->bf16, p->x, p->y, &sink);
    else cn__dense_backward_kernel(&d, p->x, p->y, &sink);
}

static void run_bf16(const problem *p)
{
    run_ours(p, 1);
}

static void run_float32(const problem *p)
{
    run_ours(p, 0);
}

#ifdef CN_BENCH_ONEDNN
static uint16_t *halves(const float *from, int64_t count)
{
    uint16_t *to = take(count, sizeof *to);
    for (int64_t i = 0; i < count; i++) to[i] = cn__bf16_from(from[i]);
    return to;
}

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static void expect(dnnl_status_t status)
{
    if (status == dnnl_success) return;
    fprintf(stderr, "bench_bf16: oneDNN failed with status %d\n", (int)status);
    exit(1);
}

static dnnl_memory_t matrix(int64_t rows, int64_t columns, int transposed, dnnl_data_type_t type, void *data)
{
    dnnl_dims_t dims = {rows, columns};
    dnnl_memory_desc_t description;
    dnnl_memory_t memory;
    expect(dnnl_memory_desc_init_by_tag(&description, 2, dims, type, transposed ? dnnl_ba : dnnl_ab));
    expect(dnnl_memory_create(&memory, &description, engine, data));
    return memory;
}

static void prepare_onednn(problem *p)
{
    int64_t m = p->form < WEIGHT ? p->rows : p->inputs, n = p->form == INPUT ? p->inputs : p->outputs;
    int64_t k = p->form == FORWARD ? p->inputs : p->form == INPUT ? p->outputs : p->rows;
    p->left = halves(p->form == INPUT ? p->y : p->x, m * k);
    p->right = halves(p->form < WEIGHT ? p->kernel : p->y, k * n);
    dnnl_memory_t factors[3] = {matrix(m, k, p->form >= WEIGHT, dnnl_bf16, p->left),
                                matrix(k, n, p->form == INPUT, dnnl_bf16, p->right),
                                matrix(m, n, 0, dnnl_f32, p->result)};
    const dnnl_memory_desc_t *descriptions[3];
    static const int names[3] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
    for (int i = 0; i < 3; i++) {
        expect(dnnl_memory_get_memory_desc(factors[i], &descriptions[i]));
        p->arguments[i] = (dnnl_exec_arg_t){names[i], factors[i]};
    }
    dnnl_matmul_desc_t product;
    dnnl_primitive_desc_t plan;
    expect(dnnl_matmul_desc_init(&product, descriptions[0], descriptions[1], NULL, descriptions[2]));
    expect(dnnl_primitive_desc_create(&plan, &product, NULL, engine, NULL));
    expect(dnnl_primitive_create(&p->primitive, plan));
    expect(dnnl_primitive_desc_destroy(plan));
}

static void forget_onednn(problem *p)
{
    expect(dnnl_primitive_destroy(p->primitive));
    for (int i = 0; i < 3; i++) expect(dnnl_memory_destroy(p->arguments[i].memory));
    cn__free(p->left);
    cn__free(p->right);
}

static void run_onednn(const problem *p)
{
    expect(dnnl_primitive_execute(p->primitive, stream, 3, p->arguments));
    expect(dnnl_stream_wait(stream));
}
#endif

typedef struct contender {
    const char *name;
    void (*run)(const problem *p);
    double seconds[MAX_SAMPLES];
} contender;

static contender contenders[] = {
    {.name = "bf16", .run = run_bf16},
    {.name = "float32", .run = run_float32},
#ifdef CN_BENCH_ONEDNN
    {.name = "oneDNN bf16", .run = run_onednn},
#endif
};
#define N_CONTENDERS (int)(sizeof contenders / sizeof contenders[0])

static int ascending(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static void time_in_turn(const problem *p, int samples)
{
    int calls[N_CONTENDERS];
    for (int c = 0; c < N_CONTENDERS; c++) {
        contenders[c].run(p);
        double began = now();
        contenders[c].run(p);
        double wanted = SAMPLE_SECONDS / (now() - began);
        calls[c] = wanted < 1 ? 1 : wanted > 10000 ? 10000 : (int)wanted;
    }
    for (int s = 0; s < samples; s++) {
        for (int c = 0; c < N_CONTENDERS; c++) {
            rest(QUIET_SECONDS);
            contenders[c].run(p); /* wakes its threads */
            double began = now();
            for (int i = 0; i < calls[c]; i++) contenders[c].run(p);
            contenders[c].seconds[s] = (now() - began) / calls[c];
        }
    }
}

static void measure(form f, int64_t rows, int64_t inputs, int64_t outputs, cn__bf16_way way, cn__pool *pool,
                    int samples)
{
    int64_t results = f == FORWARD ? rows * outputs : f == INPUT ? rows * inputs : inputs * outputs;
    problem p = {.form = f, .rows = rows, .inputs = inputs, .outputs = outputs, .x = numbers(rows * inputs, 1),
                 .kernel = numbers(inputs * outputs, 2), .y = numbers(rows * outputs, 3), .result = numbers(results, 4),
                 .slot = take(inputs * outputs, sizeof(float)), .pool = pool};
    int64_t copied = 0;
    p.bf16 = (cn__bf16){.way = way, .memory = take((int64_t)cn__bf16_bytes(rows, inputs, outputs), 1),
                        .copy = way == CN__BF16_TILES ? take((int64_t)cn__bf16_copy_bytes(inputs, outputs), 1) : NULL,
                        .copied = &copied};
    problem filling = p;
    filling.form = FORWARD;
    filling.result = take(rows * outputs, sizeof(float));
    run_bf16(&filling);
    cn__free(filling.result);
#ifdef CN_BENCH_ONEDNN
    prepare_onednn(&p);
#endif
    time_in_turn(&p, samples);
    printf("%-8s %5ld %5ld %5ld", form_names[f], (long)rows, (long)inputs, (long)outputs);
    for (int c = 0; c < N_CONTENDERS; c++) {
        qsort(contenders[c].seconds, (size_t)samples, sizeof(double), ascending);
        printf(" %10.1f %10.1f", 1e6 * contenders[c].seconds[0], 1e6 * contenders[c].seconds[samples / 2]);
    }
    for (int c = 1; c < N_CONTENDERS; c++) printf(" %6.2f", contenders[c].seconds[0] / contenders[0].seconds[0]);
    printf("\n");
    fflush(stdout);
#ifdef CN_BENCH_ONEDNN
    forget_onednn(&p);
#endif
    void *all[] = {p.x, p.kernel, p.y, p.result, p.slot, p.bf16.memory, p.bf16.copy};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) cn__free(all[i]);
}

static void measure_list(cn__bf16_way way, cn__pool *pool, int samples)
{
    static const int64_t shapes[][3] = {
        {128, 784, 512},   {128, 512, 10},     {32, 1024, 1024}, {128, 1024, 1024}, {1024, 1024, 1024},
        {4096, 1024, 1024}, {32, 4096, 4096},   {128, 4096, 4096}, {1024, 4096, 4096}, {4096, 4096, 4096},
        {32, 8192, 8192},  {128, 8192, 8192},  {512, 8192, 8192}, {128, 511, 513},   {1000, 1000, 1000},
    };
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (form f = FORWARD; f < N_FORMS; f++)
            measure(f, shapes[s][0], shapes[s][1], shapes[s][2], way, pool, samples);
}

static int usage(void)
{
    fprintf(stderr,
            "usage: bench_bf16 [--threads N] [--samples N] [forward|input|weight|update ROWS INPUTS OUTPUTS]...\n");
    return 2;
}

static int find_form(const char *name)
{
    for (form f = FORWARD; f < N_FORMS; f++)
        if (!strcmp(name, form_names[f])) return (int)f;
    return -1;
}

int main(int argc, char **argv)
{
    int threads = 2, samples = 7, at = 1;
    for (; at < argc && !strncmp(argv[at], "--", 2); at++) {
        if (!strcmp(argv[at], "--threads") && at + 1 < argc) threads = atoi(argv[++at]);
        else if (!strcmp(argv[at], "--samples") && at + 1 < argc) samples = atoi(argv[++at]);
        else return usage();
    }
    if ((argc - at) % 4 || threads < 1 || samples < 1 || samples > MAX_SAMPLES) return usage();
    if (!cn__isa_usable(CN__ISA_AVX512)) {
        fprintf(stderr, "bench_bf16: this CPU has no AVX-512\n");
        return 1;
    }
    if (threads == 1) chosen_clock = CLOCK_THREAD_CPUTIME_ID;
    cn__bf16_way way = cn__cpu_avx512_bf16() && cn__cpu_amx_bf16() ? CN__BF16_TILES : CN__BF16_ROUNDED;
    cn__pool *pool = cn__pool_create(threads);
    if (!pool) return 1;
#ifdef CN_BENCH_ONEDNN
    omp_set_num_threads(threads);
    expect(dnnl_engine_create(&engine, dnnl_cpu, 0));
    expect(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
#endif
    printf("%s, %d threads\n%-8s %5s %5s %5s", way == CN__BF16_TILES ? "AMX tiles" : "rounded copies", threads, "form",
           "rows", "in", "out");
    for (int c = 0; c < N_CONTENDERS; c++) printf(" %11s median us", contenders[c].name);
    printf("\n");
    if (at == argc) measure_list(way, pool, samples);
    for (; at < argc; at += 4) {
        int f = find_form(argv[at]);
        long rows = atol(argv[at + 1]), inputs = atol(argv[at + 2]), outputs = atol(argv[at + 3]);
        if (f < 0 || rows < 1 || inputs < 1 || outputs < 1) return usage();
        measure((form)f, rows, inputs, outputs, way, pool, samples);
    }
    cn__pool_destroy(&pool);
    return 0;
}
