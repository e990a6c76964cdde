#include "kernels/dense.h"

#if CN_REAL_BITS == 32

#include "kernels/amx_bytes.h"
#include "kernels/dense_sparse.h"
#include "kernels/exact.h"
#include "kernels/sink_row.h"

/* Exact sums over lists of non-zeros, in double, where whole numbers up to 2^53 are exact: fusing changes
 * nothing, so this file is compiled with it.
 * Both products hold two sums of PART outputs in registers, and one number, once loaded, serves both sums. */
#if defined(CN_ISA_AVX512)
#define LANES 8
#define VECTORS 8
#elif defined(CN_ISA_AVX2)
#define LANES 4
#define VECTORS 4
#else
#define LANES 2
#define VECTORS 4
#endif
#define PART (LANES * VECTORS)
#define CHUNK CN__IDLE_COLUMNS
#define GROUPS (CHUNK / CN__EXACT_GROUP)
_Static_assert(CHUNK % PART == 0, "a chunk is made of whole parts");
#define INLINE static inline __attribute__((always_inline))

typedef double wide __attribute__((vector_size(LANES * sizeof(double)), aligned(8), may_alias));

typedef struct job {
    const cn__dense *d;
    const cn__batch *x;
    const cn__finish *finish;
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

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void raise_peaks(const float *w, int64_t columns, uint32_t peaks[CHUNK])
{
    for (int64_t c = 0; c < columns; c++) {
        uint32_t magnitude = cn__exact_magnitude(w[c]);
        peaks[c] = magnitude > peaks[c] ? magnitude : peaks[c];
    }
}

static void scales_of(cn__exact_kind kind, const uint32_t peaks[CHUNK], double scale,
                      cn__exact_scale scales[GROUPS])
{
    for (int g = 0; g < GROUPS; g++) {
        uint32_t peak = 0;
        for (int c = g * CN__EXACT_GROUP; c < (g + 1) * CN__EXACT_GROUP; c++) peak = peaks[c] > peak ? peaks[c] : peak;
        scales[g] = cn__exact_scale_of(kind, peak, scale);
    }
}

/* CHUNK whole numbers, 0 behind the last column. */
static void make_whole(const float *w, int64_t columns, const cn__exact_scale scales[GROUPS], double *whole)
{
    for (int64_t c = 0; c < CHUNK; c += CN__EXACT_GROUP) {
        const cn__exact_scale *scale = &scales[c / CN__EXACT_GROUP];
        for (int64_t i = 0; i < CN__EXACT_GROUP; i++)
            whole[c + i] = c + i < columns ? cn__exact_whole(w[c + i], scale) : 0;
    }
}

/* sums[0] and sums[1], CHUNK numbers each, over `n` entries whose rows of whole numbers are CHUNK apart. */
INLINE void add_up(const cn__ink *entries, int64_t n, const double *whole, double *sums)
{
    for (int part = 0; part < CHUNK; part += PART) {
        wide sum[2][VECTORS] = {{{0}}};
        for (const cn__ink *e = entries, *end = entries + n; e < end; e++) {
            const wide *row = (const wide *)(whole + (int64_t)e->index * CHUNK + part);
            const double a = e->codes[0], b = e->codes[1];
#pragma GCC unroll 8
            for (int v = 0; v < VECTORS; v++) {
                sum[0][v] += row[v] * a;
                sum[1][v] += row[v] * b;
            }
        }
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; v++) {
            ((wide *)(sums + part))[v] = sum[0][v];
            ((wide *)(sums + CHUNK + part))[v] = sum[1][v];
        }
    }
}

/* The same from the float32 numbers themselves, for tables too large to keep. */
static void add_up_fresh(const cn__ink *entries, int64_t n, const job *j, int64_t o, int64_t columns,
                         const cn__exact_scale scales[GROUPS], double *sums)
{
    double whole[CHUNK];
    memset(sums, 0, 2 * CHUNK * sizeof *sums);
    for (int64_t i = 0; i < n; i++) {
        make_whole(cn__kernel_column(j->d, o) + entries[i].index * j->d->kernel_stride, columns, scales, whole);
        const double a = entries[i].codes[0], b = entries[i].codes[1];
        for (int c = 0; c < CHUNK; c++) {
            sums[c] += whole[c] * a;
            sums[CHUNK + c] += whole[c] * b;
        }
    }
}

/* --- forward ------------------------------------------------------------------------------------------------------ */

/* Scales from the peaks of the kernel's rows; `used`: which of them the batch uses. */
static void kernel_scales(const job *j, int64_t o, int64_t columns, uint8_t *used, cn__exact_scale scales[GROUPS])
{
    const cn__batch *x = j->x;
    uint32_t peaks[CHUNK] = {0};
    memset(used, 0, (size_t)j->d->inputs);
    for (int64_t p = 0; p < (x->rows + 1) / 2; p++)
        for (int32_t i = x->first[2 * p]; i < x->first[2 * p + 1]; i++) used[x->by_samples[i].index] = 1;
    for (int64_t k = 0; k < j->d->inputs; k++)
        if (used[k] || !x->mostly_blank)
            raise_peaks(cn__kernel_column(j->d, o) + k * j->d->kernel_stride, columns, peaks);
    scales_of(CN__EXACT_WEIGHTS, peaks, x->scale, scales);
}

static void finish_row(const job *j, int64_t row, int64_t o, int64_t columns, const cn__exact_scale scales[GROUPS],
                       const double *sums)
{
    const cn__finish *f = j->finish;
    real *y = j->y + row * j->d->outputs + o;
    for (int64_t c = 0; c < columns; c++)
        y[c] = cn__exact_value(sums[c], CN__EXACT_WEIGHTS, &scales[c / CN__EXACT_GROUP]);
    for (int64_t c = 0; f->bias && c < columns; c++) y[c] += f->bias[o + c];
    for (int64_t c = 0; f->relu && c < columns; c++) y[c] = y[c] <= 0 ? 0 : y[c];
}

#define TABLE_AT ((size_t)64 << 10) /* of the scratch memory; which rows are used stands before */
_Static_assert(CN__BATCH_MOST_COLUMNS <= TABLE_AT, "the scratch memory has no room for the rows in use");
#define MOST_IN_TABLE ((CN_POOL_SCRATCH - TABLE_AT) / (CHUNK * sizeof(double)))

static void forward_task(const job *j, int thread, int64_t o, int64_t begin, int64_t end)
{
    const cn__batch *x = j->x;
    int64_t columns = smaller(CHUNK, j->d->outputs - o);
    uint8_t *used = cn__pool_scratch(j->d->pool, thread);
    double *table = (double *)(void *)(used + TABLE_AT), sums[2 * CHUNK];
    int has_table = (size_t)j->d->inputs <= MOST_IN_TABLE;
    cn__exact_scale scales[GROUPS];
    kernel_scales(j, o, columns, used, scales);
    for (int64_t k = 0; has_table && k < j->d->inputs; k++)
        if (used[k])
            make_whole(cn__kernel_column(j->d, o) + k * j->d->kernel_stride, columns, scales, table + k * CHUNK);
    for (int64_t pair = begin; pair < end; pair++) {
        const cn__ink *entries = x->by_samples + x->first[2 * pair];
        int64_t n = x->first[2 * pair + 1] - x->first[2 * pair];
        if (has_table) add_up(entries, n, table, sums);
        else add_up_fresh(entries, n, j, o, columns, scales, sums);
        for (int64_t r = 0; r < 2 && 2 * pair + r < x->rows; r++)
            finish_row(j, 2 * pair + r, o, columns, scales, sums + r * CHUNK);
    }
}

static void forward_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    int64_t pairs = (j->x->rows + 1) / 2;
    for (int64_t task = begin; task < end; task++) {
        int64_t group = task % j->groups;
        forward_task(j, thread, task / j->groups * CHUNK, pairs * group / j->groups, pairs * (group + 1) / j->groups);
    }
}

void cn__dense_forward_bytes(const cn__dense *d, const cn__batch *x, const cn__finish *finish, real *y)
{
#if CN__AMX_BYTES
    if (x->sample_tiles) {
        cn__amx_bytes_forward(d, x, finish, y);
        return;
    }
#endif
    if (x->used || x->lists) {
        cn__dense_sparse_forward(d, x, finish, y);
        return;
    }
    job j = {.d = d, .x = x, .finish = finish, .y = y};
    cn__parallel(d->pool, count_tasks(&j, (x->rows + 1) / 2), forward_tasks, &j);
}

/* --- gradient of the kernel --------------------------------------------------------------------------------------- */

static void gradient_row(const job *j, const cn__sink *sink, int64_t row, int64_t o, int64_t columns,
                         const cn__exact_scale scales[GROUPS], const double *sums)
{
    real gradient[CHUNK];
    for (int64_t c = 0; c < CHUNK; c++) 
        gradient[c] = cn__exact_value(sums[c], CN__EXACT_GRADIENTS, &scales[c / CN__EXACT_GROUP]);
    if (sink->accounts) {
        cn__sink_settle(sink, row, o, columns);
        sink->accounts->settled[o / CHUNK * j->d->inputs + row]++;
    }
    cn__sink_row(sink, row, o, columns, gradient);
}


_Static_assert(CN__BATCH_MOST_ROWS * CHUNK * sizeof(double) <= CN_POOL_SCRATCH, "dy as whole numbers does not fit");

static void gradient_task(const job *j, int thread, int64_t o, int64_t begin, int64_t end)
{
    const cn__batch *x = j->x;
    int64_t columns = smaller(CHUNK, j->d->outputs - o);
    uint32_t peaks[CHUNK] = {0};
    const cn__sink sink = cn__sink_at_panel(j->sink, o);
    cn__exact_scale scales[GROUPS];
    double *table = cn__pool_scratch(j->d->pool, thread), sums[2 * CHUNK];
    for (int64_t b = 0; b < x->rows; b++) raise_peaks(j->dy + b * j->d->outputs + o, columns, peaks);
    scales_of(CN__EXACT_GRADIENTS, peaks, x->scale, scales);
    for (int64_t b = 0; b < x->rows; b++) make_whole(j->dy + b * j->d->outputs + o, columns, scales, table + b * CHUNK);
    for (int64_t q = begin; q < end; q++) {
        if (j->sink->accounts && x->column_count[q] == 0) continue; /* both rows wait */
        add_up(x->by_columns + q * cn__list_stride(x->rows), x->column_count[q], table, sums);
        for (int64_t side = 0; side < 2 && 2 * q + side < j->d->inputs; side++)
            gradient_row(j, &sink, 2 * q + side, o, columns, scales, sums + side * CHUNK);
    }
}

static void gradient_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    int64_t pairs = (j->d->inputs + 1) / 2;
    for (int64_t task = begin; task < end; task++) {
        int64_t group = task % j->groups;
        gradient_task(j, thread, task / j->groups * CHUNK, pairs * group / j->groups,
                      pairs * (group + 1) / j->groups);
    }
}


void cn__dense_backward_kernel_bytes(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink)
{
#if CN__AMX_BYTES
    if (x->sample_tiles) {
        cn__amx_bytes_backward_kernel(d, x, dy, sink);
        return;
    }
#endif
    if (x->used || x->lists) {
        cn__dense_sparse_backward_kernel(d, x, dy, sink);
        return;
    }
    job j = {.d = d, .x = x, .dy = dy, .sink = sink};
    cn__parallel(d->pool, count_tasks(&j, (d->inputs + 1) / 2), gradient_tasks, &j);
}

#else

/* The float64 engine makes no batches of bytes (kernels/gather.c), so nobody calls these. */
void cn__dense_forward_bytes(const cn__dense *d, const cn__batch *x, const cn__finish *finish, real *y)
{
    (void)d;
    (void)x;
    (void)finish;
    (void)y;
}

void cn__dense_backward_kernel_bytes(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink)
{
    (void)d;
    (void)x;
    (void)dy;
    (void)sink;
}

#endif
