#include "kernels/dense_narrow.h"

#include "kernels/matmul.h"
#include "kernels/transpose.h"

#define INLINE static inline __attribute__((always_inline))

/* Rows whose sums the registers hold, beside a vector of the kernel; of the rows left over FEW at a time. */
#if defined(CN_ISA_AVX512)
#define ROWS 16
#else
#define ROWS 4
#endif
#define FEW 4
/* A task of the second product turns its part of the kernel once for so many rows. */
#define TASK_ROWS 32
#define TASK_INPUTS 512
/* Other threads have written part of x and read part of dx, so lines of rows are asked for so many numbers ahead. */
#define AHEAD 64

typedef struct job {
    const cn__dense *d;
    const real *from;
    real *to;
} job;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t pieces(int64_t n, int64_t size)
{
    return (n + size - 1) / size;
}

INLINE void forward_rows(const int rows, const cn__dense *d, const real *x, real *y)
{
    vec sum[ROWS];
    const real *row[ROWS], *w = d->kernel;
    CN__UNROLL(16)
    for (int r = 0; r < rows; r++) {
        sum[r] = vec_zero();
        row[r] = x + r * d->inputs;
    }
    for (int64_t i = 0; i < d->inputs; i++, w += d->kernel_stride) {
        vec weights = vec_load(w);
        if (i % CN__VEC == 0)
            CN__UNROLL(16)
            for (int r = 0; r < rows; r++) __builtin_prefetch(row[r] + i + AHEAD);
        CN__UNROLL(16)
        for (int r = 0; r < rows; r++) sum[r] = vec_fma(vec_set(row[r][i]), weights, sum[r]);
    }
    CN__UNROLL(16)
    for (int r = 0; r < rows; r++) vec_store_n(y + r * d->outputs, sum[r], (int)d->outputs);
}

#if defined(CN_ISA_AVX512)
/* ROWS rows, each a lane, with inputs in whole vectors: x is read once, line by line, and no lane is idle. Elsewhere
 * the sums would not fit into the registers. */
INLINE void forward_lanes(const int outputs, const cn__dense *d, const real *x, real *y)
{
    _Alignas(64) real turned[CN__VEC][CN__VEC];
    vec sum[CN__VEC];
    const real *row[ROWS];
    for (int r = 0; r < ROWS; r++) row[r] = x + r * d->inputs;
    CN__UNROLL(16)
    for (int o = 0; o < outputs; o++) sum[o] = vec_zero();
    for (int64_t i = 0; i < d->inputs; i += CN__VEC) {
        const real *w = d->kernel + i * d->kernel_stride;
        for (int r = 0; r < ROWS; r++) __builtin_prefetch(row[r] + i + AHEAD);
        cn__transpose(row, i, turned[0], CN__VEC);
        for (int k = 0; k < CN__VEC; k++, w += d->kernel_stride) {
            vec value = vec_load(turned[k]);
            CN__UNROLL(16)
            for (int o = 0; o < outputs; o++) sum[o] = vec_fma_at(w + o, value, sum[o]);
        }
    }
    CN__UNROLL(16)
    for (int o = 0; o < outputs; o++) vec_store(turned[o], sum[o]);
    cn__columns_to_rows(outputs, turned, y);
}

#define OUTPUTS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#define LANES(N)                                                                                                    \
    static void forward_lanes_##N(const cn__dense *d, const real *x, real *y) { forward_lanes(N, d, x, y); }
#define ENTRY(N) [N] = forward_lanes_##N,
OUTPUTS(LANES)

static void forward_some(const cn__dense *d, const real *x, real *y)
{
    static void (*const by_outputs[CN__VEC + 1])(const cn__dense *, const real *, real *) = {OUTPUTS(ENTRY)};
    if (d->inputs % CN__VEC == 0 && by_outputs[d->outputs]) by_outputs[d->outputs](d, x, y);
    else forward_rows(ROWS, d, x, y);
}
#else
static void forward_some(const cn__dense *d, const real *x, real *y)
{
    forward_rows(ROWS, d, x, y);
}
#endif

static void forward_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    const cn__dense *d = j->d;
    int64_t r = begin * ROWS, last = smaller(end * ROWS, d->rows);
    (void)thread;
    for (; r + ROWS <= last; r += ROWS) forward_some(d, j->from + r * d->inputs, j->to + r * d->outputs);
    for (; r + FEW <= last; r += FEW) forward_rows(FEW, d, j->from + r * d->inputs, j->to + r * d->outputs);
    for (; r < last; r++) forward_rows(1, d, j->from + r * d->inputs, j->to + r * d->outputs);
}

/* Rows of dy in the order in which they are read: output by output for each group of rows. */
static void turn_dy(int rows, int64_t outputs, const real *dy, real *packed)
{
    for (int r = 0; r < rows; r++)
        for (int64_t o = 0; o < outputs; o++) packed[o * rows + r] = dy[r * outputs + o];
}

static void turn_all_dy(int64_t rows, int64_t outputs, const real *dy, real *packed)
{
    int64_t r = 0;
    for (; r + ROWS <= rows; r += ROWS) turn_dy(ROWS, outputs, dy + r * outputs, packed + r * outputs);
    for (; r + FEW <= rows; r += FEW) turn_dy(FEW, outputs, dy + r * outputs, packed + r * outputs);
    for (; r < rows; r++) turn_dy(1, outputs, dy + r * outputs, packed + r * outputs);
}

/* CN__VEC rows of the kernel from `input` on, of which the last may stand for those that are missing. */
static void turn_kernel(const cn__dense *d, int64_t input, real *turned)
{
    const real *row[CN__VEC];
    for (int r = 0; r < CN__VEC; r++)
        row[r] = d->kernel + (input + r < d->inputs ? input + r : d->inputs - 1) * d->kernel_stride;
    for (int64_t o = 0; o < d->outputs; o += CN__TRANSPOSE)
        for (int r = 0; r < CN__VEC; r += CN__TRANSPOSE)
            cn__transpose(row + r, o, turned + o * CN__VEC + r, CN__VEC);
}

/* `columns` inputs of rows of dx. */
INLINE void input_rows(const int rows, const cn__dense *d, const real *turned, const real *packed, real *dx,
                       int columns)
{
    vec sum[ROWS];
    CN__UNROLL(16)
    for (int r = 0; r < rows; r++) {
        sum[r] = vec_zero();
        vec_fetch_to_write(dx + r * d->inputs + AHEAD);
    }
    for (int64_t o = 0; o < d->outputs; o++) {
        vec weights = vec_load(turned + o * CN__VEC);
        CN__UNROLL(16)
        for (int r = 0; r < rows; r++) sum[r] = vec_fma(vec_set(packed[o * rows + r]), weights, sum[r]);
    }
    if (columns == CN__VEC) {
        CN__UNROLL(16)
        for (int r = 0; r < rows; r++) vec_store(dx + r * d->inputs, sum[r]);
    } else {
        CN__UNROLL(16)
        for (int r = 0; r < rows; r++) vec_store_n(dx + r * d->inputs, sum[r], columns);
    }
}

/* Inputs begin ... end-1. */
static void input_task(const cn__dense *d, int64_t rows, int64_t begin, int64_t end, const real *dy, real *dx)
{
    _Alignas(64) real packed[TASK_ROWS * CN__VEC], turned[CN__VEC * CN__VEC];
    turn_all_dy(rows, d->outputs, dy, packed);
    for (int64_t i = begin; i < end; i += CN__VEC) {
        int columns = (int)smaller(end - i, CN__VEC);
        int64_t r = 0, n = d->outputs;
        turn_kernel(d, i, turned);
        for (; r + ROWS <= rows; r += ROWS)
            input_rows(ROWS, d, turned, packed + r * n, dx + r * d->inputs + i, columns);
        for (; r + FEW <= rows; r += FEW) input_rows(FEW, d, turned, packed + r * n, dx + r * d->inputs + i, columns);
        for (; r < rows; r++) input_rows(1, d, turned, packed + r * n, dx + r * d->inputs + i, columns);
    }
}

static void input_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    const cn__dense *d = j->d;
    (void)thread;
    for (int64_t task = begin; task < end; task++) {
        int64_t r = task / pieces(d->inputs, TASK_INPUTS) * TASK_ROWS;
        int64_t i = task % pieces(d->inputs, TASK_INPUTS) * TASK_INPUTS;
        input_task(d, smaller(TASK_ROWS, d->rows - r), i, smaller(i + TASK_INPUTS, d->inputs), j->from + r * d->outputs,
                   j->to + r * d->inputs);
    }
}

int cn__dense_is_narrow(const cn__dense *d)
{
    return d->outputs <= CN__VEC && d->kernel_stride >= CN__VEC && !d->kernel_panel;
}

static int is_small(const cn__dense *d)
{
    return (double)d->rows * (double)d->inputs * (double)d->outputs < CN__MATMUL_TEAM;
}

static int64_t input_tasks_of(const cn__dense *d)
{
    return pieces(d->rows, TASK_ROWS) * pieces(d->inputs, TASK_INPUTS);
}

void cn__dense_narrow_parts(const cn__dense *d, int64_t *forward, int64_t *backward_input)
{
    *forward = is_small(d) ? 1 : pieces(d->rows, ROWS);
    *backward_input = is_small(d) ? 1 : input_tasks_of(d);
}

static void run(const cn__dense *d, int64_t tasks, cn__loop_body body, const real *from, real *to)
{
    job j = {d, from, to};
    if (tasks > 0 && is_small(d)) body(&j, 0, 0, tasks);
    else cn__parallel(d->pool, tasks, body, &j);
}

void cn__dense_narrow_forward(const cn__dense *d, const real *x, real *y)
{
    run(d, pieces(d->rows, ROWS), forward_tasks, x, y);
}

void cn__dense_narrow_backward_input(const cn__dense *d, const real *dy, real *dx)
{
    run(d, input_tasks_of(d), input_tasks, dy, dx);
}
