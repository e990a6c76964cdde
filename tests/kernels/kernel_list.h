/* One list of what the tables of an engine hold: layers, activations, losses, metrics, optimizers, rules for weights,
 * gathering, functions and products of tensors. test_engine_tables.c compares each entry on each instruction set with
 * plain C; bench_kernels.c measures each. What has files of its own besides: dense products (test_kernels.c,
 * bench_matmul.c), sums over bytes (test_bytes.c, test_gather_bytes.c), convolutions and pooling
 * (test_convolution_kernels.c), bfloat16 (test_bfloat16.c). */
#ifndef CN_TEST_KERNEL_LIST_H
#define CN_TEST_KERNEL_LIST_H

#include "model/engine.h"

typedef enum kernel_role {
    GIVEN,       /* numbers that must stay as they are */
    GIVEN_SMALL, /* the same, always plain numbers from 0.5 to 1.5 */
    GIVEN_LABELS, /* int32 instead of numbers: classes of `limit` */
    GIVEN_ANSWERS, /* rows with a single 1 */
    CHANGED,     /* numbers that are changed */
    CHANGED_SMALL,
    SPENT,       /* numbers that may be overwritten */
    RESULT,      /* to be written */
    MEMORY       /* to work in, left as it may be; aligned */
} kernel_role;

/* `rows` rows of `columns` float32 numbers that count, `stride` apart. */
typedef struct kernel_array {
    const char *name;
    kernel_role role;
    int64_t rows, columns, stride;
    int limit;
    float *at; /* the caller's memory: rows * stride numbers */
} kernel_array;

#define KERNEL_MOST_ARRAYS 20

/* An entry of the list at one size. */
typedef struct kernel_job {
    const struct kernel_entry *entry;
    char name[96];
    int64_t rows, columns;
    int n_arrays;
    kernel_array arrays[KERNEL_MOST_ARRAYS];
    /* what the family keeps */
    cn_layer *layer;
    cn_optimizer *optimizer;
    cn__loss loss;
    cn__metric metric;
    cn__step step;
    cn__whole whole; /* of optimizers that move a weight as a whole */
    int64_t shape[2];
    int n_slots;
} kernel_job;

typedef struct kernel_entry {
    const char *family, *text;
    /* 0, or a negative number when this entry has no such size. Arrays get shapes, no memory. */
    int (*open)(kernel_job *job, int threads);
    void (*run)(const cn__engine *engine, cn__pool *pool, const kernel_job *job);
} kernel_entry;

/* Entry number i; 0 past the end. */
int kernel_list_get(int i, kernel_entry *entry);

/* `rows` samples, or rows, of `columns` numbers each; layers for images get images with that many channels. */
int kernel_job_open(kernel_job *job, const kernel_entry *entry, int64_t rows, int64_t columns, int threads);
void kernel_job_close(kernel_job *job);

#endif
