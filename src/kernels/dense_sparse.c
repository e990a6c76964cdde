#include "kernels/dense.h"

#if CN_REAL_BITS == 32

#include "kernels/sink_row.h"
#include "kernels/vector.h"

#include <string.h>

/* Both products hold two sums of up to MOST_V vectors in registers: 16 accumulators, enough to hide the latency of the
 * multiply-add, and one loaded vector serves both sums. */
#define MOST_V 8
#define CHUNK (MOST_V * CN__VEC) /* outputs */
_Static_assert(CHUNK == CN__IDLE_COLUMNS, "accounts are kept for chunks");
#define INLINE static inline __attribute__((always_inline))

typedef struct job {
    const cn__dense *d;
    const cn__batch *x;
    real *y;
    const real *dy;
    const cn__sink *sink;
    int64_t groups; /* each chunk of outputs is cut into so many tasks */
} job;

/* Tasks go chunk by chunk, so that a thread keeps the weights of its chunks in its own level-2 cache; only when there
 * are few chunks are they cut further. */
static int64_t count_tasks(job *j, int64_t most_groups)
{
    int64_t chunks = (j->d->outputs + CHUNK - 1) / CHUNK, wanted = 2 * cn__pool_threads(j->d->pool);
    j->groups = chunks >= wanted ? 1 : (wanted + chunks - 1) / chunks;
    if (j->groups > most_groups) j->groups = most_groups;
    return chunks * j->groups;
}

/* --- forward ------------------------------------------------------------------------------------------------------- */

/* y of two samples for V vectors of outputs, of which the last has `lanes` outputs. */
INLINE void forward_tile(const job *j, int64_t pair, int64_t o, const int V, int lanes)
{
    const cn__batch *x = j->x;
    const real *kernel = j->d->kernel + o, *table = x->table;
    const int64_t stride = j->d->kernel_stride;
    real *y = j->y + 2 * pair * j->d->outputs + o;
    vec sum[2][MOST_V];
#pragma GCC unroll 2
    for (int r = 0; r < 2; r++)
#pragma GCC unroll 8
        for (int v = 0; v < V; v++) sum[r][v] = vec_zero();
    const cn__ink *end = x->by_samples + x->first[2 * pair + 1];
    for (const cn__ink *e = x->by_samples + x->first[2 * pair]; e < end; e++) {
        const real *w = kernel + e->index * stride;
        vec a = vec_set(table[e->codes[0]]), b = vec_set(table[e->codes[1]]);
#pragma GCC unroll 8
        for (int v = 0; v < V; v++) {
            vec part = vec_keep(vec_load(w + v * CN__VEC)); /* rows are padded to whole vectors */
            sum[0][v] = vec_fma(a, part, sum[0][v]);
            sum[1][v] = vec_fma(b, part, sum[1][v]);
        }
    }
#pragma GCC unroll 2
    for (int r = 0; r < 2; r++, y += j->d->outputs) {
        if (2 * pair + r >= x->rows) break; /* an odd batch: the second sums belong to nobody */
#pragma GCC unroll 8
        for (int v = 0; v < V; v++) {
            if (lanes == CN__VEC) vec_store(y + v * CN__VEC, sum[r][v]);
            else vec_store_n(y + v * CN__VEC, sum[r][v], lanes);
        }
    }
}

static void forward_chunk(const job *j, int64_t pair, int64_t o)
{
    int64_t columns = j->d->outputs - o;
    if (columns >= CHUNK) {
        forward_tile(j, pair, o, MOST_V, CN__VEC);
        return;
    }
    for (; columns >= 4 * CN__VEC; columns -= 4 * CN__VEC, o += 4 * CN__VEC) forward_tile(j, pair, o, 4, CN__VEC);
    for (; columns > 0; columns -= CN__VEC, o += CN__VEC)
        forward_tile(j, pair, o, 1, columns < CN__VEC ? (int)columns : CN__VEC);
}

static void forward_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    int64_t pairs = (j->x->rows + 1) / 2;
    (void)thread;
    for (int64_t task = begin; task < end; task++) {
        int64_t o = task / j->groups * CHUNK, group = task % j->groups;
        for (int64_t pair = pairs * group / j->groups; pair < pairs * (group + 1) / j->groups; pair++)
            forward_chunk(j, pair, o);
    }
}

void cn__dense_forward_sparse(const cn__dense *d, const cn__batch *x, real *y)
{
    job j = {.d = d, .x = x, .y = y};
    cn__parallel(d->pool, count_tasks(&j, (x->rows + 1) / 2), forward_tasks, &j);
}

/* --- gradient of the kernel ---------------------------------------------------------------------------------------- */

/* Rows 2q and 2q+1 of the gradient for V vectors of outputs into two rows of CHUNK numbers. */
INLINE void gradient_tile(const job *j, int64_t q, const real *dy, int64_t stride, const int V, int lanes,
                          real *gradient)
{
    const cn__batch *x = j->x;
    vec sum[2][MOST_V];
#pragma GCC unroll 2
    for (int r = 0; r < 2; r++)
#pragma GCC unroll 8
        for (int v = 0; v < V; v++) sum[r][v] = vec_zero();
    for (const cn__ink *e = x->by_columns + q * cn__list_stride(x->rows), *end = e + x->column_count[q]; e < end; e++) {
        const real *row = dy + e->index * stride;
        vec a = vec_set(x->table[e->codes[0]]), b = vec_set(x->table[e->codes[1]]);
#pragma GCC unroll 8
        for (int v = 0; v < V; v++) {
            vec part = vec_keep(lanes == CN__VEC ? vec_load(row + v * CN__VEC) : vec_load_n(row + v * CN__VEC, lanes));
            sum[0][v] = vec_fma(a, part, sum[0][v]);
            sum[1][v] = vec_fma(b, part, sum[1][v]);
        }
    }
#pragma GCC unroll 2
    for (int r = 0; r < 2; r++)
#pragma GCC unroll 8
        for (int v = 0; v < V; v++) vec_store(gradient + r * CHUNK + v * CN__VEC, sum[r][v]);
}

static void gradient_chunk(const job *j, int64_t q, const real *dy, int64_t stride, int64_t columns, real *gradient)
{
    if (columns == CHUNK) {
        gradient_tile(j, q, dy, stride, MOST_V, CN__VEC, gradient);
        return;
    }
    for (; columns >= 4 * CN__VEC; columns -= 4 * CN__VEC, dy += 4 * CN__VEC, gradient += 4 * CN__VEC)
        gradient_tile(j, q, dy, stride, 4, CN__VEC, gradient);
    for (; columns > 0; columns -= CN__VEC, dy += CN__VEC, gradient += CN__VEC)
        gradient_tile(j, q, dy, stride, 1, columns < CN__VEC ? (int)columns : CN__VEC, gradient);
}

/* A chunk of dy without gaps, where it fits into the thread's strip: rows of a layer with 512 outputs are 2 KiB apart,
 * which would squeeze them into a quarter of the level-1 cache. */
static const real *pack_chunk(const job *j, int thread, int64_t o, int64_t columns, int64_t *stride)
{
    *stride = j->d->outputs;
    if (columns < CHUNK || (size_t)(j->x->rows * CHUNK) * sizeof(real) > CN_POOL_STRIP) return j->dy + o;
    real *packed = cn__pool_strip(j->d->pool, thread);
    for (int64_t b = 0; b < j->x->rows; b++)
        memcpy(packed + b * CHUNK, j->dy + b * j->d->outputs + o, CHUNK * sizeof(real));
    *stride = CHUNK;
    return packed;
}

static void gradient_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    int64_t inputs = j->d->inputs, pairs = (inputs + 1) / 2;
    _Alignas(64) real gradient[2 * CHUNK];
    for (int64_t task = begin; task < end; task++) {
        int64_t o = task / j->groups * CHUNK, group = task % j->groups, stride;
        int64_t columns = j->d->outputs - o < CHUNK ? j->d->outputs - o : CHUNK;
        const real *dy = pack_chunk(j, thread, o, columns, &stride);
        for (int64_t q = pairs * group / j->groups; q < pairs * (group + 1) / j->groups; q++) {
            if (j->sink->accounts && j->x->column_count[q] == 0) continue; /* both rows wait */
            gradient_chunk(j, q, dy, stride, columns, gradient);
            for (int64_t side = 0; side < 2 && 2 * q + side < inputs; side++) {
                if (j->sink->accounts) {
                    cn__sink_settle(j->sink, 2 * q + side, o, columns);
                    j->sink->accounts->settled[o / CHUNK * inputs + 2 * q + side]++;
                }
                cn__sink_row(j->sink, 2 * q + side, o, columns, gradient + side * CHUNK);
            }
        }
    }
}

void cn__dense_backward_kernel_sparse(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink)
{
    job j = {.d = d, .x = x, .dy = dy, .sink = sink};
    cn__parallel(d->pool, count_tasks(&j, (d->inputs + 1) / 2), gradient_tasks, &j);
}

#else

/* The float64 engine makes no lists (kernels/gather.c), so nobody calls these. */
void cn__dense_forward_sparse(const cn__dense *d, const cn__batch *x, real *y)
{
    (void)d;
    (void)x;
    (void)y;
}

void cn__dense_backward_kernel_sparse(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink)
{
    (void)d;
    (void)x;
    (void)dy;
    (void)sink;
}

#endif
