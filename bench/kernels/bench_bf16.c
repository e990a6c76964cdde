/* Dense products with operands rounded to bfloat16, beside oneDNN's bfloat16 matmul, call by call in turn in one
 * process.
 *
 *   bench_bf16 [--threads N] [--samples N] [--json] [--float32] [FORM ROWS INPUTS OUTPUTS]...
 *
 * FORM is forward, input (gradient), weight (gradient stored) or update (gradient handed to RMSprop; oneDNN makes the
 * gradient only). As in a training step we read x and dy as float32 and round them on the way, while the kernel is in
 * the lasting copy that updates keep (kernels/bf16.h); oneDNN is given operands that are bfloat16 already, in plain
 * layout, which nobody who keeps float32 variables has. With one thread the clock runs only while that thread does, so
 * a busy machine disturbs less. Without shapes a standard list is measured. Prints GFLOP/s from the shortest and from
 * the median time, and ours over the rival's; with --json those of every turn. --float32: our float32 products too. */
#include "base/cpu.h"
#include "base/memory.h"
#include "dense_turns.h"
#include "kernels/dense_bf16.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef CN_BENCH_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#include <omp.h>
#endif

extern const cn__update CN_T(cn__optimizer_rmsprop_update);

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

static void *take(int64_t count, size_t size)
{
    void *memory = cn__alloc((size_t)count, size, "a matrix");
    if (!memory) exit(1);
    return memory;
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

static void run_bf16(const void *p)
{
    run_ours(p, 1);
}

static void run_float32(const void *p)
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

static void run_onednn(const void *context)
{
    const problem *p = context;
    expect(dnnl_primitive_execute(p->primitive, stream, 3, p->arguments));
    expect(dnnl_stream_wait(stream));
}
#endif

static contender contenders[] = {
    {.name = "ours", .run = run_bf16},
#ifdef CN_BENCH_ONEDNN
    {.name = "oneDNN", .run = run_onednn, .rival = 1},
#endif
    {.name = "float32", .run = run_float32}, /* last: only where it is asked for */
};
#define N_CONTENDERS (int)(sizeof contenders / sizeof contenders[0])

static cn__bf16_way best_way(void)
{
    return cn__cpu_avx512_bf16() && cn__cpu_amx_bf16() ? CN__BF16_TILES : CN__BF16_ROUNDED;
}

static void measure(turns *t, form f, int64_t rows, int64_t inputs, int64_t outputs, void *pool)
{
    cn__bf16_way way = best_way();
    int64_t results = f == FORWARD ? rows * outputs : f == INPUT ? rows * inputs : inputs * outputs;
    problem p = {.form = f, .rows = rows, .inputs = inputs, .outputs = outputs, .x = turns_numbers(rows * inputs, 1),
                 .kernel = turns_numbers(inputs * outputs, 2), .y = turns_numbers(rows * outputs, 3),
                 .result = turns_numbers(results, 4),
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
    turns_take(t, f, rows, inputs, outputs, &p);
#ifdef CN_BENCH_ONEDNN
    forget_onednn(&p);
#endif
    void *all[] = {p.x, p.kernel, p.y, p.result, p.slot, p.bf16.memory, p.bf16.copy};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) cn__free(all[i]);
}

static void measure_list(turns *t, cn__pool *pool)
{
    static const int64_t shapes[][3] = {
        {128, 784, 512},   {128, 512, 10},     {32, 1024, 1024}, {128, 1024, 1024}, {1024, 1024, 1024},
        {4096, 1024, 1024}, {32, 4096, 4096},   {128, 4096, 4096}, {1024, 4096, 4096}, {4096, 4096, 4096},
        {32, 8192, 8192},  {128, 8192, 8192},  {512, 8192, 8192}, {128, 511, 513},   {1000, 1000, 1000},
    };
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (form f = FORWARD; f < N_FORMS; f++) measure(t, f, shapes[s][0], shapes[s][1], shapes[s][2], pool);
}

static int usage(void)
{
    fprintf(stderr, "usage: bench_bf16 [--threads N] [--samples N] [--json] [--float32] [forward|input|weight|update "
                    "ROWS INPUTS OUTPUTS]...\n");
    return 2;
}

int main(int argc, char **argv)
{
    turns t = {.list = contenders, .n = N_CONTENDERS - 1};
    int with_float32 = 0, at = turns_options(&t, argc, argv, "--float32", &with_float32);
    if (at < 0) return usage();
    if (!cn__isa_usable(CN__ISA_AVX512)) {
        fprintf(stderr, "bench_bf16: this CPU has no AVX-512\n");
        return 1;
    }
    t.n += with_float32;
    cn__pool *pool = cn__pool_create(t.threads);
    if (!pool) return 1;
#ifdef CN_BENCH_ONEDNN
    omp_set_num_threads(t.threads);
    expect(dnnl_engine_create(&engine, dnnl_cpu, 0));
    expect(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
#endif
    if (!t.json) printf("%s, %d threads\n", best_way() == CN__BF16_TILES ? "AMX tiles" : "rounded copies", t.threads);
    turns_print_heading(&t);
    if (at == argc) measure_list(&t, pool);
    int wrong = turns_shapes(&t, argc, argv, at, measure, pool);
    cn__pool_destroy(&pool);
    return wrong ? usage() : 0;
}
