#include "kernels/dense.h"

#include "kernels/block_sizes.h"
#include "kernels/dense_narrow.h"
#include "kernels/dense_row.h"
#include "kernels/matmul.h"
#include "kernels/matmul_pack.h"
#include "kernels/sink_rows.h"

static int walks_one_row(const cn__dense *d)
{
    return d->rows == 1 && cn__pool_threads(d->pool) == 1 && d->inputs <= INT32_MAX;
}

static cn__matmul forward_product(const cn__dense *d, const real *x, real *y)
{
    return (cn__matmul){.pool = d->pool, .m = d->rows, .n = d->outputs, .k = d->inputs, .a = x, .a_row = d->inputs,
                        .a_column = 1, .b = d->kernel, .b_row = d->kernel_stride, .b_column = 1, .c = y,
                        .c_row = d->outputs};
}

void cn__dense_forward(const cn__dense *d, const real *x, real *y)
{
    if (walks_one_row(d)) {
        cn__dense_forward_row(d, x, y);
        return;
    }
    if (cn__dense_is_narrow(d)) {
        cn__dense_narrow_forward(d, x, y);
        return;
    }
    cn__matmul p = forward_product(d, x, y);
    cn__matmul_run(&p);
}

static cn__matmul backward_input_product(const cn__dense *d, const real *dy, real *dx)
{
    return (cn__matmul){.pool = d->pool, .m = d->rows, .n = d->inputs, .k = d->outputs, .a = dy, .a_row = d->outputs,
                        .a_column = 1, .b = d->kernel, .b_row = 1, .b_column = d->kernel_stride, .c = dx,
                        .c_row = d->inputs};
}

void cn__dense_backward_input(const cn__dense *d, const real *dy, real *dx)
{
    if (cn__dense_is_narrow(d)) {
        cn__dense_narrow_backward_input(d, dy, dx);
        return;
    }
    cn__matmul p = backward_input_product(d, dy, dx);
    cn__matmul_run(&p);
}

/* A gradient that feeds an update is made rectangle by rectangle in the thread's own cache and handed on from there. */
#define STRIP_BYTES ((size_t)7 << 18)
#define SHORT_BATCH 256 /* up to here a strip should not leave the level-2 cache; beyond, copying operands costs more */
#define NARROW 16 /* outputs */
#define NARROW_ROWS 1024
_Static_assert(CN__MATMUL_SCRATCH + STRIP_BYTES <= CN_POOL_SCRATCH, "the scratch memory of a thread is too small");
_Static_assert((2 * NARROW * NARROW_ROWS + CN__TRANSPOSE) * sizeof(real) <= STRIP_BYTES,
               "a narrow strip and its transpose do not fit");

/* This and bias_gradient hold all they need, as cn__parallel_soon may run them when their caller has returned. */
typedef struct kernel_gradient {
    cn__dense d;
    const real *x, *dy;
    cn__sink sink;
    int64_t rows, row_strips, columns, column_strips; /* the size of a strip, and how many there are */
} kernel_gradient;

static int64_t part_size(int64_t whole, int64_t limit, int64_t unit)
{
    int64_t parts = (whole + limit - 1) / limit, size = (whole + parts - 1) / parts;
    return size + unit - 1 - (size - 1) % unit;
}

static int is_narrow(const cn__dense *d)
{
    return d->outputs <= NARROW;
}

/* dy^T . x, whose rows are long where dy's are short. */
static cn__matmul turned_product(const cn__dense *d, int64_t rows, const real *x, const real *dy, real *turned)
{
    return (cn__matmul){.pool = d->pool, .m = d->outputs, .n = rows, .k = d->rows, .a = dy, .a_row = 1,
                        .a_column = d->outputs, .b = x, .b_row = d->inputs, .b_column = 1, .c = turned, .c_row = rows};
}

static cn__matmul strip_product(const cn__dense *d, int64_t rows, int64_t columns, const real *x, const real *dy,
                                real *strip)
{
    return (cn__matmul){.pool = d->pool, .m = rows, .n = columns, .k = d->rows, .a = x, .a_row = 1,
                        .a_column = d->inputs, .b = dy, .b_row = d->outputs, .b_column = 1, .c = strip,
                        .c_row = columns};
}

static void narrow_strip(const kernel_gradient *g, int thread, int64_t i, int64_t rows, real *strip)
{
    int64_t outputs = g->d.outputs, last = (outputs - 1) / CN__TRANSPOSE * CN__TRANSPOSE;
    real *turned = strip + outputs * rows + CN__TRANSPOSE;
    cn__matmul p = turned_product(&g->d, rows, g->x + i, g->dy, turned);
    cn__matmul_alone(&p, thread);
    for (int64_t o = last; o >= 0; o -= CN__TRANSPOSE) { /* what is written beyond a row's end is replaced later */
        int n = (int)(outputs - o < CN__TRANSPOSE ? outputs - o : CN__TRANSPOSE);
        cn__pack_turned(n, rows, turned + o * rows, rows, strip + o, outputs);
    }
}

static void gradient_strips(void *context, int thread, int64_t begin, int64_t end)
{
    const kernel_gradient *g = context;
    const cn__dense *d = &g->d;
    real *strip = (real *)((char *)cn__pool_scratch(d->pool, thread) + CN__MATMUL_SCRATCH);
    for (int64_t s = begin; s < end; s++) {
        int64_t i = s % g->row_strips * g->rows, o = s / g->row_strips * g->columns;
        int64_t rows = d->inputs - i < g->rows ? d->inputs - i : g->rows;
        int64_t columns = d->outputs - o < g->columns ? d->outputs - o : g->columns;
        if (is_narrow(d)) {
            narrow_strip(g, thread, i, rows, strip);
        } else {
            cn__matmul p = strip_product(d, rows, columns, g->x + i, g->dy + o, strip);
            cn__matmul_alone(&p, thread);
        }
        cn__sink_rows(&g->sink, i, rows, o, columns, strip);
    }
}

static void all_strips(void *context, int thread, int64_t begin, int64_t end)
{
    const kernel_gradient *g = context;
    (void)begin;
    (void)end;
    gradient_strips(context, thread, 0, g->row_strips * g->column_strips);
}

/* Strips for the team; 1 when it is not worth waking. */
static int64_t cut_into_strips(kernel_gradient *g)
{
    const cn__dense *d = &g->d;
    int64_t threads = cn__pool_threads(d->pool), share = (d->inputs + threads - 1) / threads;
    cn__block_sizes size = cn__block_sizes_for(cn__pool_caches(d->pool)); /* a strip is as wide as a block */
    int64_t long_rows = (int64_t)STRIP_BYTES / (size.columns * (int64_t)sizeof(real));
    int64_t limit = is_narrow(d) ? NARROW_ROWS : d->rows <= SHORT_BATCH ? size.rows / 2 : long_rows;
    g->columns = part_size(d->outputs, size.columns, 1);
    g->rows = part_size(d->inputs, share < limit ? share : limit, 1);
    g->column_strips = (d->outputs + g->columns - 1) / g->columns;
    g->row_strips = (d->inputs + g->rows - 1) / g->rows;
    if ((double)d->rows * (double)d->inputs * (double)d->outputs < CN__MATMUL_TEAM) return 1;
    return g->row_strips * g->column_strips;
}

void cn__dense_backward_kernel(const cn__dense *d, const real *x, const real *dy, const cn__sink *sink)
{
    if (!sink->update && !sink->gradient) return;
    if (!sink->update && d->outputs > NARROW) {
        cn__matmul_run(&(cn__matmul){.pool = d->pool, .m = d->inputs, .n = d->outputs, .k = d->rows, .a = x, .a_row = 1,
                                     .a_column = d->inputs, .b = dy, .b_row = d->outputs, .b_column = 1,
                                     .c = sink->gradient, .c_row = sink->stride});
        return;
    }
    kernel_gradient g = {.d = *d, .x = x, .dy = dy, .sink = *sink};
    const int64_t parts = cut_into_strips(&g);
    cn__parallel_soon(d->pool, parts, parts == 1 ? all_strips : gradient_strips, &g, sizeof g);
}

void cn__dense_choose_products(cn__pool *pool, int64_t rows, int64_t inputs, int64_t outputs, int64_t kernel_stride,
                               cn__dense_choice *choice)
{
    cn__dense d = {.pool = pool, .rows = rows, .inputs = inputs, .outputs = outputs, .kernel_stride = kernel_stride};
    kernel_gradient g = {.d = d};
    cn__matmul forward = forward_product(&d, NULL, NULL), backward = backward_input_product(&d, NULL, NULL);
    *choice = (cn__dense_choice){.forward = CN__PRODUCT_NARROW, .backward_input = CN__PRODUCT_NARROW};
    cn__dense_narrow_parts(&d, &choice->forward_parts, &choice->backward_input_parts);
    if (!cn__dense_is_narrow(&d)) {
        choice->forward = cn__matmul_choice(&forward, &choice->forward_parts);
        choice->backward_input = cn__matmul_choice(&backward, &choice->backward_input_parts);
    }
    if (walks_one_row(&d)) choice->forward = CN__PRODUCT_ONE_ROW;
    choice->backward_kernel_parts = cut_into_strips(&g);
    cn__matmul strip = is_narrow(&d) ? turned_product(&d, g.rows, NULL, NULL, NULL)
                                     : strip_product(&d, g.rows, g.columns, NULL, NULL, NULL);
    choice->backward_kernel = cn__matmul_alone_choice(&strip);
    choice->strip_rows = g.rows;
    choice->strip_columns = g.columns;
}

typedef struct bias_gradient {
    cn__dense d;
    const real *dy;
    cn__sink sink;
} bias_gradient;

#define BIAS_COLUMNS 256
#if defined(CN_ISA_AVX512)
#define BIAS_VECTORS 8
#else
#define BIAS_VECTORS 4
#endif

static inline __attribute__((always_inline)) void add_columns(const bias_gradient *g, const int vectors, const real *dy,
                                                              real *to)
{
    vec sum[BIAS_VECTORS];
    CN__UNROLL(8)
    for (int v = 0; v < vectors; v++) sum[v] = vec_zero();
    for (int64_t b = 0; b < g->d.rows; b++, dy += g->d.outputs)
        CN__UNROLL(8)
        for (int v = 0; v < vectors; v++) sum[v] = vec_add(sum[v], vec_load(dy + v * CN__VEC));
    CN__UNROLL(8)
    for (int v = 0; v < vectors; v++) vec_store(to + v * CN__VEC, sum[v]);
}

static void add_last_columns(const bias_gradient *g, const real *dy, int columns, real *to)
{
    vec sum = vec_zero();
    for (int64_t b = 0; b < g->d.rows; b++) sum = vec_add(sum, vec_load_n(dy + b * g->d.outputs, columns));
    vec_store(to, sum);
}

static void bias_columns(void *context, int thread, int64_t begin, int64_t end)
{
    const bias_gradient *g = context;
    int64_t outputs = g->d.outputs;
    real sum[BIAS_COLUMNS];
    (void)thread;
    for (int64_t chunk = begin; chunk < end; chunk++) {
        int64_t o = chunk * BIAS_COLUMNS, columns = outputs - o < BIAS_COLUMNS ? outputs - o : BIAS_COLUMNS, c = 0;
        const real *dy = g->dy + o;
        for (; c + BIAS_VECTORS * CN__VEC <= columns; c += BIAS_VECTORS * CN__VEC)
            add_columns(g, BIAS_VECTORS, dy + c, sum + c);
        for (; c + CN__VEC <= columns; c += CN__VEC) add_columns(g, 1, dy + c, sum + c);
        if (c < columns) add_last_columns(g, dy + c, (int)(columns - c), sum + c);
        cn__sink_row(&g->sink, 0, o, columns, sum);
    }
}

void cn__dense_backward_bias(const cn__dense *d, const real *dy, const cn__sink *sink)
{
    bias_gradient g = {*d, dy, *sink};
    cn__parallel_soon(d->pool, (d->outputs + BIAS_COLUMNS - 1) / BIAS_COLUMNS, bias_columns, &g, sizeof g);
}
