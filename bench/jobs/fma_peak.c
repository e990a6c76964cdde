/* The machine's float32 FMA peak: chains of multiply-adds that never leave the registers, on the widest vectors of this
 * CPU, in N threads at once.
 *
 *   fma_peak [THREADS [REPEATS]]
 *
 * Prints one JSON line, GFLOP/s (an FMA counts as two) of all threads together. Compiled with -ffp-contract=fast, which
 * turns a*b+c on vectors into one instruction; nothing else is compiled so. */
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_THREADS = 256, CHAINS = 12, ROUNDS = 40000000 };
/* An FMA takes 4 clocks and two can start in one: 8 chains at least. The rounds take about a tenth of a second. */

/* One function for each width of vector: FLOPs done; the sum keeps the compiler from leaving the work out. */
#define PEAK(name, floats, attributes)                                                                                \
    typedef float name##_vector __attribute__((vector_size(4 * (floats))));                                           \
    attributes static double name(float *sum)                                                                         \
    {                                                                                                                 \
        name##_vector chain[CHAINS], factor = (name##_vector){0} + 0.999f, addend = (name##_vector){0} + 0.001f;      \
        for (int c = 0; c < CHAINS; c++) chain[c] = addend * (float)(c + 1);                                          \
        for (int r = 0; r < ROUNDS; r++)                                                                              \
            for (int c = 0; c < CHAINS; c++) chain[c] = chain[c] * factor + addend;                                   \
        for (int c = 0; c < CHAINS; c++)                                                                              \
            for (int i = 0; i < (floats); i++) *sum += chain[c][i];                                                   \
        return 2.0 * ROUNDS * CHAINS * (floats);                                                                      \
    }

PEAK(peak_of_4, 4, )
#if defined(__x86_64__)
PEAK(peak_of_8, 8, __attribute__((target("avx2,fma"))))
PEAK(peak_of_16, 16, __attribute__((target("avx512f"))))
#endif

static pthread_barrier_t start_line;

typedef struct runner {
    pthread_t thread;
    double flop, began, ended;
    float sum;
} runner;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int vector_width(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return 16;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 8;
#endif
    return 4;
}

static void *run(void *argument)
{
    runner *r = argument;
    pthread_barrier_wait(&start_line);
    r->began = now();
    switch (vector_width()) {
#if defined(__x86_64__)
    case 16: r->flop = peak_of_16(&r->sum); break;
    case 8: r->flop = peak_of_8(&r->sum); break;
#endif
    default: r->flop = peak_of_4(&r->sum);
    }
    r->ended = now();
    return NULL;
}

/* GFLOP/s from the first start to the last end; 0 when a thread cannot be made. */
static double measure(int threads)
{
    static runner runners[MAX_THREADS];
    double flop = 0, began = 1e300, ended = 0;
    pthread_barrier_init(&start_line, NULL, (unsigned)threads);
    for (int t = 0; t < threads; t++)
        if (pthread_create(&runners[t].thread, NULL, run, &runners[t])) return 0;
    for (int t = 0; t < threads; t++) {
        pthread_join(runners[t].thread, NULL);
        flop += runners[t].flop;
        if (runners[t].began < began) began = runners[t].began;
        if (runners[t].ended > ended) ended = runners[t].ended;
    }
    pthread_barrier_destroy(&start_line);
    return 1e-9 * flop / (ended - began);
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 2, repeats = argc > 2 ? atoi(argv[2]) : 5;
    if (threads < 1 || threads > MAX_THREADS || repeats < 1) {
        fprintf(stderr, "usage: fma_peak [THREADS [REPEATS]]\n");
        return 2;
    }
    printf("{\"fma_gflops\": [");
    for (int i = 0; i < repeats; i++) printf("%s%.2f", i ? ", " : "", measure(threads));
    printf("], \"threads\": %d, \"floats_a_vector\": %d}\n", threads, vector_width());
    return 0;
}
