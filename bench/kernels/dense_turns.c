#define _GNU_SOURCE
#include "dense_turns.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAMPLE_SECONDS 0.01
#define LONG_SECONDS 0.05  /* a call that takes as long needs neither company nor waking */
#define QUIET_SECONDS 0.04 /* until the threads of the rival before us have stopped spinning */

static const char *const form_names[N_FORMS] = {"forward", "input", "weight", "update"};

static double now(const turns *t)
{
    struct timespec time;
    clock_gettime(t->one_thread_clock ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double seconds_of(const turns *t, const contender *c, const void *problem, int calls)
{
    double began = now(t);
    for (int i = 0; i < calls; i++) c->run(problem);
    return (now(t) - began) / calls;
}

static void rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)(QUIET_SECONDS * 1e9)}, NULL);
}

float *turns_numbers(int64_t count, uint32_t seed)
{
    float *a = cn__alloc((size_t)count, sizeof *a, "a matrix");
    if (!a) exit(1);
    for (int64_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        a[i] = (float)(seed >> 8) / 16777216.0f - 0.5f;
    }
    return a;
}

int turns_options(turns *t, int argc, char **argv, const char *other, int *other_given)
{
    int at = 1;
    t->threads = 2;
    t->samples = 7;
    for (; at < argc && !strncmp(argv[at], "--", 2); at++) {
        if (!strcmp(argv[at], "--json")) t->json = 1;
        else if (!strcmp(argv[at], other)) *other_given = 1;
        else if (!strcmp(argv[at], "--threads") && at + 1 < argc) t->threads = atoi(argv[++at]);
        else if (!strcmp(argv[at], "--samples") && at + 1 < argc) t->samples = atoi(argv[++at]);
        else return -1;
    }
    t->one_thread_clock = t->threads == 1;
    return (argc - at) % 4 || t->threads < 1 || t->samples < 1 || t->samples > TURNS_MOST ? -1 : at;
}

int turns_shapes(turns *t, int argc, char **argv, int at, measure_shape measure, void *context)
{
    for (; at < argc; at += 4) {
        form f = FORWARD;
        while (f < N_FORMS && strcmp(argv[at], form_names[f])) f++;
        long rows = atol(argv[at + 1]), inputs = atol(argv[at + 2]), outputs = atol(argv[at + 3]);
        if (f == N_FORMS || rows < 1 || inputs < 1 || outputs < 1) return -1;
        measure(t, f, rows, inputs, outputs, context);
    }
    return 0;
}

static int ascending(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static void summarise(contender *c, int samples)
{
    double sorted[TURNS_MOST];
    memcpy(sorted, c->seconds, (size_t)samples * sizeof(double));
    qsort(sorted, (size_t)samples, sizeof(double), ascending);
    c->best = sorted[0];
    c->median = sorted[samples / 2];
}

/* All in turn; returns how many turns each had. */
static int run_in_turn(turns *t, const void *problem)
{
    int calls[8] = {0}, samples = t->samples;
    double longest = 0;
    for (int c = 0; c < t->n; c++) {
        double first = seconds_of(t, &t->list[c], problem, 1);
        if (first < LONG_SECONDS) first = seconds_of(t, &t->list[c], problem, 1);
        double wanted = SAMPLE_SECONDS / first;
        calls[c] = wanted < 1 ? 1 : wanted > 10000 ? 10000 : (int)wanted;
        if (first > longest) longest = first;
    }
    if (longest < LONG_SECONDS) samples = 3 * samples < TURNS_MOST ? 3 * samples : TURNS_MOST;
    for (int s = 0; s < samples; s++) {
        for (int c = 0; c < t->n; c++) {
            rest();
            if (longest < LONG_SECONDS) t->list[c].run(problem); /* wakes its threads */
            t->list[c].seconds[s] = seconds_of(t, &t->list[c], problem, calls[c]);
        }
    }
    for (int c = 0; c < t->n; c++) summarise(&t->list[c], samples);
    return samples;
}

static void print_json(const turns *t, double gflop, int samples, const char *label)
{
    printf("{\"label\": \"%s\", ", label);
    for (int c = 0; c < t->n; c++) {
        printf("\"%s\": [", t->list[c].name);
        for (int s = 0; s < samples; s++) printf("%s%.1f", s ? ", " : "", gflop / t->list[c].seconds[s]);
        printf("], ");
    }
    printf("\"threads\": %d}\n", t->threads);
}

static void print_line(const turns *t, double gflop)
{
    double best = 1e300, median = 1e300;
    for (int c = 0; c < t->n; c++) {
        const contender *one = &t->list[c];
        printf(" %12.1f %7.1f", gflop / one->best, gflop / one->median);
        if (one->rival && one->best < best) best = one->best;
        if (one->rival && one->median < median) median = one->median;
    }
    if (best < 1e300) printf(" %7.2f %6.2f", best / t->list[0].best, median / t->list[0].median);
    printf(" %9.1f\n", 1e6 * t->list[0].best);
}

void turns_take(turns *t, form f, int64_t rows, int64_t inputs, int64_t outputs, const void *problem)
{
    double gflop = 2e-9 * (double)rows * (double)inputs * (double)outputs;
    char label[80];
    int samples = run_in_turn(t, problem);
    snprintf(label, sizeof label, "%s %ldx%ldx%ld", form_names[f], (long)rows, (long)inputs, (long)outputs);
    if (t->json) {
        print_json(t, gflop, samples, label);
    } else {
        printf("%-24s", label);
        print_line(t, gflop);
    }
    fflush(stdout);
}

void turns_print_heading(const turns *t)
{
    int rivals = 0;
    if (t->json) return;
    printf("%-24s", "GFLOP/s");
    for (int c = 0; c < t->n; c++) {
        printf(" %12s %7s", t->list[c].name, "median");
        rivals += t->list[c].rival;
    }
    if (rivals) printf(" %7s %6s", "ratio", "median");
    printf(" %9s\n", "us");
}
