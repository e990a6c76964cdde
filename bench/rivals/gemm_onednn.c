/* Rival for wide products: oneDNN's matmul (Debian's oneDNN 2.6), float32 and bfloat16 with float32 results.
 *
 *   gcc -O2 -fopenmp gemm_onednn.c -o gemm_onednn -ldnnl
 *   gemm_onednn M N K REPEATS [THREADS [nn|nt|tn [float32|bfloat16 [plain|packed]]]]      row-major C = A B
 *
 * `nn` is a forward pass, `nt` an input gradient (B stored transposed), `tn` a weight gradient (A stored transposed).
 * `packed` lets oneDNN choose B's layout and brings B into it before the clock starts: what prediction with constant
 * weights can do, but training, whose weights change at every step, cannot.
 * Prints one JSON line with GFLOP/s: median, lowest, highest.
 */
#include <oneapi/dnnl/dnnl.h>
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static void check(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success) return;
    fprintf(stderr, "gemm_onednn: %s failed with status %d\n", what, (int)status);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

/* A matrix of rows x columns with values in -0.5 … 0.5, stored transposed where asked. */
static dnnl_memory_t filled(dnnl_dim_t rows, dnnl_dim_t columns, int transposed, dnnl_data_type_t type)
{
    dnnl_dims_t dims = { rows, columns };
    dnnl_memory_desc_t desc;
    dnnl_memory_t memory;
    check(dnnl_memory_desc_init_by_tag(&desc, 2, dims, type, transposed ? dnnl_ba : dnnl_ab), "describing a matrix");
    check(dnnl_memory_create(&memory, &desc, engine, DNNL_MEMORY_ALLOCATE), "allocating a matrix");
    void *data;
    check(dnnl_memory_get_data_handle(memory, &data), "reaching a matrix");
    for (dnnl_dim_t i = 0; i < rows * columns; i++) {
        float value = (float)rand() / (float)RAND_MAX - 0.5f;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        if (type == dnnl_bf16) ((uint16_t *)data)[i] = (uint16_t)(bits >> 16);
        else ((float *)data)[i] = value;
    }
    return memory;
}

static dnnl_memory_t packed(dnnl_memory_t b, const dnnl_memory_desc_t *layout)
{
    dnnl_memory_t result;
    const dnnl_memory_desc_t *from;
    dnnl_primitive_desc_t plan;
    dnnl_primitive_t reorder;
    check(dnnl_memory_create(&result, layout, engine, DNNL_MEMORY_ALLOCATE), "allocating the packed matrix");
    check(dnnl_memory_get_memory_desc(b, &from), "describing B");
    check(dnnl_reorder_primitive_desc_create(&plan, from, engine, layout, engine, NULL), "planning to pack");
    check(dnnl_primitive_create(&reorder, plan), "preparing to pack");
    dnnl_exec_arg_t arguments[] = { { DNNL_ARG_FROM, b }, { DNNL_ARG_TO, result } };
    check(dnnl_primitive_execute(reorder, stream, 2, arguments), "packing");
    check(dnnl_stream_wait(stream), "packing");
    return result;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: gemm_onednn M N K REPEATS [THREADS [nn|nt|tn [float32|bfloat16 [plain|packed]]]]\n");
        return 2;
    }
    long m = atol(argv[1]), n = atol(argv[2]), k = atol(argv[3]);
    int repeats = atoi(argv[4]), threads = argc > 5 ? atoi(argv[5]) : 2;
    const char *form = argc > 6 ? argv[6] : "nn", *precision = argc > 7 ? argv[7] : "float32";
    int pack = argc > 8 && !strcmp(argv[8], "packed");
    if (m < 1 || n < 1 || k < 1 || repeats < 1 || threads < 1) return 2;
    dnnl_data_type_t type = !strcmp(precision, "bfloat16") ? dnnl_bf16 : dnnl_f32;
    double *rates = malloc((size_t)repeats * sizeof *rates);
    if (!rates) return 1;
    omp_set_num_threads(threads);
    check(dnnl_engine_create(&engine, dnnl_cpu, 0), "creating an engine");
    check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "creating a stream");

    dnnl_memory_t a = filled(m, k, form[0] == 't', type), b = filled(k, n, form[1] == 't', type);
    dnnl_memory_t c = filled(m, n, 0, dnnl_f32);
    const dnnl_memory_desc_t *a_desc, *b_desc, *c_desc;
    check(dnnl_memory_get_memory_desc(a, &a_desc), "describing A");
    check(dnnl_memory_get_memory_desc(b, &b_desc), "describing B");
    check(dnnl_memory_get_memory_desc(c, &c_desc), "describing C");
    dnnl_memory_desc_t b_any;
    dnnl_dims_t b_dims = { k, n };
    check(dnnl_memory_desc_init_by_tag(&b_any, 2, b_dims, type, dnnl_format_tag_any), "describing B");

    dnnl_matmul_desc_t product;
    dnnl_primitive_desc_t plan;
    dnnl_primitive_t primitive;
    check(dnnl_matmul_desc_init(&product, a_desc, pack ? &b_any : b_desc, NULL, c_desc), "describing the product");
    check(dnnl_primitive_desc_create(&plan, &product, NULL, engine, NULL), "planning the product");
    check(dnnl_primitive_create(&primitive, plan), "preparing the product");
    if (pack) b = packed(b, dnnl_primitive_desc_query_md(plan, dnnl_query_weights_md, 0));
    const char *chosen;
    check(dnnl_primitive_desc_query(plan, dnnl_query_impl_info_str, 0, &chosen), "asking for the kernel's name");

    dnnl_exec_arg_t arguments[] = { { DNNL_ARG_SRC, a }, { DNNL_ARG_WEIGHTS, b }, { DNNL_ARG_DST, c } };
    for (int i = -2; i < repeats; i++) { /* two for warming up */
        double began = now();
        check(dnnl_primitive_execute(primitive, stream, 3, arguments), "the product");
        check(dnnl_stream_wait(stream), "the product");
        if (i >= 0) rates[i] = 2e-9 * (double)m * (double)n * (double)k / (now() - began);
    }
    qsort(rates, (size_t)repeats, sizeof *rates, ascending);
    const dnnl_version_t *v = dnnl_version();
    printf("{\"rival\": \"gemm_onednn\", \"version\": \"oneDNN %d.%d.%d %s\", \"precision\": \"%s\", \"form\": \"%s\","
           " \"packed\": %s, \"m\": %ld, \"n\": %ld, \"k\": %ld, \"threads\": %d, \"gflops_median\": %.1f,"
           " \"gflops_min\": %.1f, \"gflops_max\": %.1f}\n",
           v->major, v->minor, v->patch, chosen, precision, form, pack ? "true" : "false", m, n, k, threads,
           rates[repeats / 2], rates[0], rates[repeats - 1]);
    return 0;
}
