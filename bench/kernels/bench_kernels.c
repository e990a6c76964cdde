/* Every entry of the list that the tests check (tests/kernels/kernel_list.h), on each instruction set of this machine.
 *
 *   bench_kernels [--threads N] [--samples N] [--rows N] [--columns N] [WORD]
 *
 * Prints the median time of a call in microseconds at 128 rows of 512 numbers (images of 7 x 6 with 64 channels), and
 * the time on plain C over the best one. With a WORD only entries whose name contains it. */
#define _GNU_SOURCE
#include "base/cpu.h"
#include "base/memory.h"
#include "base/pool.h"

#include <kernel_list.h> /* tests/kernels */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_SAMPLES 101

typedef struct settings {
    int threads, samples;
    int64_t rows, columns;
    const char *word;
} settings;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Numbers from 0.5 to 1.5, labels of class 0, the first answer right: nothing that takes a rare way. */
static int fill(kernel_job *job)
{
    uint32_t seed = 1;
    for (int i = 0; i < job->n_arrays; i++) {
        kernel_array *a = &job->arrays[i];
        int64_t n = a->rows * a->stride;
        a->at = cn__alloc((size_t)n + 1, sizeof *a->at, "an array");
        if (!a->at) return -1;
        for (int64_t k = 0; k < n; k++) {
            seed = seed * 1664525u + 1013904223u;
            a->at[k] = 0.5f + (float)(seed >> 8) / 16777216.0f;
            if (a->role == GIVEN_LABELS) a->at[k] = 0;
            if (a->role == GIVEN_ANSWERS) a->at[k] = k % a->stride == 0;
        }
    }
    return 0;
}

/* Median time of a call. A sample is as many calls as fill a millisecond; slow kernels get fewer samples. */
static double measure(const cn__engine *engine, cn__pool *pool, const kernel_job *job, int n_samples)
{
    double samples[MAX_SAMPLES], begun = now();
    job->entry->run(engine, pool, job);
    double once = now() - begun;
    int calls = 1 + (int)(0.001 / (once + 1e-9)), most = 1 + (int)(0.5 / (once + 1e-9));
    if (n_samples > most) n_samples = most;
    for (int s = 0; s < n_samples; s++) {
        begun = now();
        for (int c = 0; c < calls; c++) job->entry->run(engine, pool, job);
        samples[s] = (now() - begun) / calls;
    }
    qsort(samples, (size_t)n_samples, sizeof *samples, ascending);
    return samples[n_samples / 2];
}

static int measure_entry(const settings *s, const kernel_entry *entry, cn__pool *pool)
{
    kernel_job job;
    double first = 0, best = 0;
    if (kernel_job_open(&job, entry, s->rows, s->columns, s->threads) < 0) return 0;
    if (job.layer && job.layer->input_ndim == 3) { /* fewer channels, since each has 42 pixels */
        kernel_job_close(&job);
        if (kernel_job_open(&job, entry, s->rows, s->columns / 8, s->threads) < 0) return 0;
    }
    if (s->word && !strstr(job.name, s->word)) return kernel_job_close(&job), 0;
    int status = fill(&job);
    printf("%-52s", job.name);
    for (int isa = 0; isa < CN__ISA_COUNT && status == 0; isa++) {
        const cn__engine *engine = cn__engine_find(32, (cn__isa)isa);
        if (!cn__isa_usable((cn__isa)isa) || engine->isa != (cn__isa)isa) continue;
        double seconds = measure(engine, pool, &job, s->samples);
        if (first <= 0) first = seconds;
        if (best <= 0 || seconds < best) best = seconds;
        printf(" %9.2f", seconds * 1e6);
    }
    printf(" %7.2f\n", first / best);
    fflush(stdout);
    for (int i = 0; i < job.n_arrays; i++) cn__free(job.arrays[i].at);
    kernel_job_close(&job);
    return status;
}

static int read_settings(int argc, char **argv, settings *s)
{
    for (int i = 1; i < argc; i++) {
        long long number = i + 1 < argc ? atoll(argv[i + 1]) : 0;
        if (argv[i][0] != '-') {
            s->word = argv[i];
            continue;
        }
        if (!(number >= 1 && number <= 1000000)) return -1;
        if (!strcmp(argv[i], "--threads")) s->threads = (int)number;
        else if (!strcmp(argv[i], "--samples")) s->samples = number < MAX_SAMPLES ? (int)number : MAX_SAMPLES;
        else if (!strcmp(argv[i], "--rows")) s->rows = number;
        else if (!strcmp(argv[i], "--columns")) s->columns = number;
        else return -1;
        i++;
    }
    return 0;
}

int main(int argc, char **argv)
{
    settings s = {.threads = 2, .samples = 11, .rows = 128, .columns = 512};
    if (read_settings(argc, argv, &s) < 0)
        return fprintf(stderr, "usage: bench_kernels [--threads N] [--samples N] [--rows N] [--columns N] [WORD]\n"), 2;
    cn__pool *pool = cn__pool_create(s.threads);
    if (!pool) return 1;
    printf("%-52s", "microseconds");
    for (int isa = 0; isa < CN__ISA_COUNT; isa++)
        if (cn__isa_usable((cn__isa)isa) && cn__engine_find(32, (cn__isa)isa)->isa == (cn__isa)isa)
            printf(" %9s", cn__isa_name((cn__isa)isa));
    printf(" %7s\n", "ratio");
    kernel_entry entry;
    int status = 0;
    for (int i = 0; status == 0 && kernel_list_get(i, &entry); i++) status = measure_entry(&s, &entry, pool);
    cn__pool_destroy(&pool);
    return status != 0;
}
