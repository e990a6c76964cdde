/* One bfloat16 product of a dense layer on AMX tiles, as a training step of mixed_bfloat16 computes it: x and dy come as
 * float32 and are rounded inside the clock, which a rival that is given bfloat16 (rivals/gemm_onednn.c) does not have to
 * do; the kernel is in the lasting copy that updates keep (kernels/bf16.h).
 *
 *   bench_matmul_bf16 forward|input|weight ROWS INPUTS OUTPUTS REPEATS [THREADS]
 *
 * Prints one JSON line with GFLOP/s, a number a repeat. Ends with status 1 where there are no tiles. */
#include "base/cpu.h"
#include "base/memory.h"
#include "base/pool.h"
#include "kernels/dense_bf16.h"

#include <cornu/system.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_REPEATS = 1000 };
#define SAMPLE_SECONDS 0.01

typedef struct problem {
    char form;
    cn__dense dense;
    cn__bf16 bf16;
    float *x, *kernel, *y, *result;
} problem;

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

static void run(const problem *p)
{
    cn__sink sink = {.weight = p->kernel, .stride = p->dense.outputs, .gradient = p->result};
    switch (p->form) {
    case 'f': cn__dense_forward_bf16(&p->dense, &p->bf16, p->x, p->result); break;
    case 'i': cn__dense_backward_input_bf16(&p->dense, &p->bf16, p->y, p->result); break;
    default: cn__dense_backward_kernel_bf16(&p->dense, &p->bf16, p->x, p->y, &sink);
    }
}

static problem make_problem(char form, int64_t rows, int64_t inputs, int64_t outputs, int threads)
{
    int64_t results = form == 'f' ? rows * outputs : form == 'i' ? rows * inputs : inputs * outputs;
    problem p = {form, {.pool = cn__pool_create(threads), .rows = rows, .inputs = inputs, .outputs = outputs,
                        .kernel_stride = outputs},
                 {CN__BF16_TILES, NULL}, numbers(rows * inputs, 1), numbers(inputs * outputs, 2),
                 numbers(rows * outputs, 3), numbers(results, 4)};
    p.dense.kernel = p.kernel;
    p.bf16.memory = cn__alloc((size_t)cn__bf16_bytes(rows, inputs, outputs), 1, "rounded copies");
    p.bf16.copy = cn__alloc((size_t)cn__bf16_copy_bytes(inputs, outputs), 1, "a copy in tiles");
    p.bf16.copied = cn__alloc(1, sizeof(int64_t), "a number of rows");
    float *y = numbers(rows * outputs, 5);
    if (!p.dense.pool || !p.bf16.memory || !p.bf16.copy || !p.bf16.copied) exit(1);
    cn__dense_forward_bf16(&p.dense, &p.bf16, p.x, y); /* fills the copy */
    cn__free(y);
    return p;
}

static void free_problem(problem *p)
{
    cn__pool *pool = p->dense.pool;
    cn__pool_destroy(&pool);
    cn__free(p->bf16.memory);
    cn__free(p->bf16.copy);
    cn__free(p->bf16.copied);
    cn__free(p->x);
    cn__free(p->kernel);
    cn__free(p->y);
    cn__free(p->result);
}

static double seconds_of(const problem *p, int calls)
{
    double start = cn_clock();
    for (int i = 0; i < calls; i++) run(p);
    return (cn_clock() - start) / calls;
}

int main(int argc, char **argv)
{
    long rows = argc > 4 ? atol(argv[2]) : 0, inputs = argc > 4 ? atol(argv[3]) : 0;
    long outputs = argc > 4 ? atol(argv[4]) : 0;
    int repeats = argc > 5 ? atoi(argv[5]) : 0, threads = argc > 6 ? atoi(argv[6]) : 2;
    if (rows < 1 || inputs < 1 || outputs < 1 || repeats < 1 || repeats > MAX_REPEATS || threads < 1 ||
        (strcmp(argv[1], "forward") && strcmp(argv[1], "input") && strcmp(argv[1], "weight"))) {
        fprintf(stderr, "usage: bench_matmul_bf16 forward|input|weight ROWS INPUTS OUTPUTS REPEATS [THREADS]\n");
        return 2;
    }
    if (!cn__cpu_amx_bf16() || !cn__cpu_avx512_bf16()) {
        fprintf(stderr, "bench_matmul_bf16: this machine has no AMX tiles for bfloat16\n");
        return 1;
    }
    problem p = make_problem(argv[1][0], rows, inputs, outputs, threads);
    double flop = 2e-9 * (double)rows * (double)inputs * (double)outputs;
    run(&p);
    double wanted = SAMPLE_SECONDS / seconds_of(&p, 1);
    int calls = wanted < 1 ? 1 : wanted > 10000 ? 10000 : (int)wanted;
    printf("{\"ours\": [");
    for (int i = 0; i < repeats; i++) printf("%s%.1f", i ? ", " : "", flop / seconds_of(&p, calls));
    printf("], \"threads\": %d}\n", threads);
    free_problem(&p);
    return 0;
}
