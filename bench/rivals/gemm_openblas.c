/* Rival for wide products: OpenBLAS's sgemm.
 *
 *   gcc -O2 gemm_openblas.c -o gemm_openblas -lopenblas
 *   gemm_openblas M N K REPEATS [THREADS [nn|nt|tn]]      row-major C (M x N) = A (M x K) B (K x N)
 *
 * `nn` is a forward pass, `nt` an input gradient (B stored transposed), `tn` a weight gradient (A stored transposed).
 * Prints one JSON line with GFLOP/s: median, lowest, highest.
 */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void openblas_set_num_threads(int threads);
char *openblas_get_config(void);

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *filled(size_t count)
{
    float *a = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    if (!a) exit(1);
    for (size_t i = 0; i < count; i++) a[i] = (float)rand() / (float)RAND_MAX - 0.5f;
    return a;
}

static int ascending(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: gemm_openblas M N K REPEATS [THREADS [nn|nt|tn]]\n");
        return 2;
    }
    if (getenv("OPENBLAS_CORETYPE")) { /* OpenBLAS read it when it was loaded: start again without it */
        unsetenv("OPENBLAS_CORETYPE");
        execv("/proc/self/exe", argv);
    }
    int m = atoi(argv[1]), n = atoi(argv[2]), k = atoi(argv[3]), repeats = atoi(argv[4]);
    int threads = argc > 5 ? atoi(argv[5]) : 2;
    const char *form = argc > 6 ? argv[6] : "nn";
    if (m < 1 || n < 1 || k < 1 || repeats < 1 || threads < 1) return 2;
    CBLAS_TRANSPOSE a_form = form[0] == 't' ? CblasTrans : CblasNoTrans;
    CBLAS_TRANSPOSE b_form = form[1] == 't' ? CblasTrans : CblasNoTrans;
    float *a = filled((size_t)m * (size_t)k), *b = filled((size_t)k * (size_t)n), *c = filled((size_t)m * (size_t)n);
    double *rates = malloc((size_t)repeats * sizeof *rates);
    if (!rates) return 1;
    openblas_set_num_threads(threads);
    for (int i = -2; i < repeats; i++) { /* two for warming up */
        double began = now();
        cblas_sgemm(CblasRowMajor, a_form, b_form, m, n, k, 1, a, a_form == CblasTrans ? m : k, b,
                    b_form == CblasTrans ? k : n, 0, c, n);
        if (i >= 0) rates[i] = 2e-9 * m * n * k / (now() - began);
    }
    qsort(rates, (size_t)repeats, sizeof *rates, ascending);
    printf("{\"rival\": \"gemm_openblas\", \"version\": \"%s\", \"precision\": \"float32\", \"form\": \"%s\", \"m\": "
           "%d, \"n\": %d, \"k\": %d, \"threads\": %d, \"gflops_median\": %.1f, \"gflops_min\": %.1f, \"gflops_max\": "
           "%.1f}\n",
           openblas_get_config(), form, m, n, k, threads, rates[repeats / 2], rates[0], rates[repeats - 1]);
    return 0;
}
