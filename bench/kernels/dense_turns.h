/* What bench_matmul and bench_bf16 have in common: the products of a dense layer by name, and contenders who take turns
 * at one of them. */
#ifndef DENSE_TURNS_H
#define DENSE_TURNS_H

#include <stdint.h>

enum { TURNS_MOST = 301 };

/* forward; the gradients of the input and of the weights, which are stored; the latter handed to an update. */
typedef enum form { FORWARD, INPUT, WEIGHT, UPDATE, N_FORMS } form;

typedef struct contender {
    const char *name;
    void (*run)(const void *problem);
    int rival;                  /* 1: the ratio is against the best of these */
    double seconds[TURNS_MOST]; /* of one call, turn by turn */
    double best, median;
} contender;

typedef struct turns {
    contender *list; /* ours first */
    int n;
    int samples;        /* turns of a product that takes long; a short one gets three times as many, at most
                         * TURNS_MOST */
    int json;           /* 1: one JSON line a product, with the GFLOP/s of every turn; 0: a table */
    int threads;
    int one_thread_clock; /* 1: the clock runs only while this thread does, so a busy machine disturbs less */
} turns;

typedef void (*measure_shape)(turns *t, form f, int64_t rows, int64_t inputs, int64_t outputs, void *context);

/* Numbers between -0.5 and 0.5. The process ends if there is no memory. Release with cn__free. */
float *turns_numbers(int64_t count, uint32_t seed);

/* Reads --threads, --samples and --json, in front of the shapes, into *t; `other` gets the place of any option that is
 * none of these. Returns where the shapes begin, -1 where the arguments are wrong. */
int turns_options(turns *t, int argc, char **argv, const char *other, int *other_given);

/* Calls `measure` for every FORM ROWS INPUTS OUTPUTS from argv[at] on. 0, or -1 where one is wrong. */
int turns_shapes(turns *t, int argc, char **argv, int at, measure_shape measure, void *context);

/* Every contender runs `problem` in turn, each after a rest, and a line is printed. */
void turns_take(turns *t, form f, int64_t rows, int64_t inputs, int64_t outputs, const void *problem);

void turns_print_heading(const turns *t);

#endif
