#include "kernels/dense.h"

#include "kernels/sink_row.h"
#include "kernels/vector.h"

/* Forward: a chunk of outputs is held in registers for one sample while its non-zeros of one block of columns go by;
 * the block's weights for that chunk stay in the level-1 cache for all samples of the batch. */
#define FORWARD_V 8 /* vectors per chunk: 128 outputs */
#define CHUNK (FORWARD_V * CN__VEC)

typedef struct forward_job {
    const cn__dense *d;
    const cn__batch *x;
    real *y;
} forward_job;

static void forward_whole(const forward_job *job, int64_t block, int64_t o)
{
    const cn__batch *x = job->x;
    const cn__dense *d = job->d;
    const real *kernel = d->kernel + o;
    for (int64_t b = 0; b < x->rows; b++) {
        const int32_t *first = x->first + b * (x->blocks + 1) + block;
        real *y = job->y + b * d->outputs + o;
        vec sum[FORWARD_V];
#pragma GCC unroll 8
        for (int v = 0; v < FORWARD_V; v++) sum[v] = block ? vec_load(y + v * CN__VEC) : vec_zero();
        for (int32_t e = first[0]; e < first[1]; e++) {
            vec value = vec_set((real)x->value[e]);
            const real *w = kernel + x->column[e] * d->kernel_stride;
#pragma GCC unroll 8
            for (int v = 0; v < FORWARD_V; v++) sum[v] = vec_fma(value, vec_load(w + v * CN__VEC), sum[v]);
        }
#pragma GCC unroll 8
        for (int v = 0; v < FORWARD_V; v++) vec_store(y + v * CN__VEC, sum[v]);
    }
}

static void forward_rest(const forward_job *job, int64_t block, int64_t o, int64_t columns)
{
    const cn__batch *x = job->x;
    const cn__dense *d = job->d;
    for (int64_t b = 0; b < x->rows; b++) {
        const int32_t *first = x->first + b * (x->blocks + 1) + block;
        real *y = job->y + b * d->outputs + o;
        if (!block)
            for (int64_t c = 0; c < columns; c++) y[c] = 0;
        for (int32_t e = first[0]; e < first[1]; e++) {
            const real *w = d->kernel + x->column[e] * d->kernel_stride + o;
            for (int64_t c = 0; c < columns; c++) y[c] = FMA((real)x->value[e], w[c], y[c]);
        }
    }
}

static void forward_chunks(void *context, int thread, int64_t begin, int64_t end)
{
    const forward_job *job = context;
    (void)thread;
    for (int64_t chunk = begin; chunk < end; chunk++) {
        int64_t o = chunk * CHUNK, columns = job->d->outputs - o;
        for (int64_t block = 0; block < job->x->blocks; block++) {
            if (columns >= CHUNK)
                forward_whole(job, block, o);
            else
                forward_rest(job, block, o, columns);
        }
    }
}

void cn__dense_forward_sparse(const cn__dense *d, const cn__batch *x, real *y)
{
    cn__parallel(d->pool, (d->outputs + CHUNK - 1) / CHUNK, forward_chunks, &(forward_job){d, x, y});
}

/* Kernel gradient: for two neighbouring columns of x at a time, the samples that have ink in either. Neighbours mostly
 * have it together, and a vector of dy loaded once then serves both. A chunk of dy stays in the level-1 cache. */
#define GRADIENT_V 4 /* vectors per chunk: 64 outputs, 128 samples of them are 32 KiB */
#define GRADIENT_CHUNK (GRADIENT_V * CN__VEC)

typedef struct gradient_job {
    const cn__dense *d;
    const cn__batch *x;
    const real *dy;
    const cn__sink *sink;
} gradient_job;

static void gradient_pair(const gradient_job *job, int64_t pair, int64_t o, real *gradient)
{
    const cn__batch *x = job->x;
    const cn__pair_entry *entry = x->pair + pair * x->rows;
    vec sum[2][GRADIENT_V];
#pragma GCC unroll 2
    for (int c = 0; c < 2; c++)
#pragma GCC unroll 4
        for (int v = 0; v < GRADIENT_V; v++) sum[c][v] = vec_zero();
    for (int32_t e = 0; e < x->pair_count[pair]; e++) {
        const real *dy = job->dy + entry[e].row * job->d->outputs + o;
        vec first = vec_set((real)entry[e].values[0]), second = vec_set((real)entry[e].values[1]);
#pragma GCC unroll 4
        for (int v = 0; v < GRADIENT_V; v++) {
            vec part = vec_load(dy + v * CN__VEC);
            sum[0][v] = vec_fma(first, part, sum[0][v]);
            sum[1][v] = vec_fma(second, part, sum[1][v]);
        }
    }
#pragma GCC unroll 2
    for (int c = 0; c < 2; c++)
#pragma GCC unroll 4
        for (int v = 0; v < GRADIENT_V; v++) vec_store(gradient + c * GRADIENT_CHUNK + v * CN__VEC, sum[c][v]);
}

static void gradient_pair_rest(const gradient_job *job, int64_t pair, int64_t o, int64_t columns, real *gradient)
{
    const cn__batch *x = job->x;
    const cn__pair_entry *entry = x->pair + pair * x->rows;
    for (int64_t c = 0; c < 2 * GRADIENT_CHUNK; c++) gradient[c] = 0;
    for (int32_t e = 0; e < x->pair_count[pair]; e++) {
        const real *dy = job->dy + entry[e].row * job->d->outputs + o;
        for (int64_t c = 0; c < columns; c++) {
            gradient[c] = FMA((real)entry[e].values[0], dy[c], gradient[c]);
            gradient[GRADIENT_CHUNK + c] = FMA((real)entry[e].values[1], dy[c], gradient[GRADIENT_CHUNK + c]);
        }
    }
}

static void gradient_chunks(void *context, int thread, int64_t begin, int64_t end)
{
    const gradient_job *job = context;
    int64_t inputs = job->d->inputs, pairs = (inputs + 1) / 2;
    _Alignas(64) real gradient[2 * GRADIENT_CHUNK];
    (void)thread;
    for (int64_t chunk = begin; chunk < end; chunk++) {
        int64_t o = chunk * GRADIENT_CHUNK, columns = job->d->outputs - o;
        if (columns > GRADIENT_CHUNK) columns = GRADIENT_CHUNK;
        for (int64_t pair = 0; pair < pairs; pair++) {
            if (columns == GRADIENT_CHUNK)
                gradient_pair(job, pair, o, gradient);
            else
                gradient_pair_rest(job, pair, o, columns, gradient);
            cn__sink_row(job->sink, 2 * pair, o, columns, gradient);
            if (2 * pair + 1 < inputs) cn__sink_row(job->sink, 2 * pair + 1, o, columns, gradient + GRADIENT_CHUNK);
        }
    }
}

void cn__dense_backward_kernel_sparse(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink)
{
    cn__parallel(d->pool, (d->outputs + GRADIENT_CHUNK - 1) / GRADIENT_CHUNK, gradient_chunks,
                 &(gradient_job){d, x, dy, sink});
}
