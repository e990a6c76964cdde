#include "kernels/dense.h"

#include "kernels/matmul.h"
#include "kernels/sink_row.h"

#include <string.h>

void cn__dense_forward(const cn__dense *d, const real *x, real *y)
{
    cn__matmul_run(&(cn__matmul){.pool = d->pool, .m = d->rows, .n = d->outputs, .k = d->inputs, .a = x,
                                 .a_row = d->inputs, .a_column = 1, .b = d->kernel, .b_row = d->kernel_stride,
                                 .b_column = 1, .c = y, .c_row = d->outputs});
}

void cn__dense_backward_input(const cn__dense *d, const real *dy, real *dx)
{
    cn__matmul_run(&(cn__matmul){.pool = d->pool, .m = d->rows, .n = d->inputs, .k = d->outputs, .a = dy,
                                 .a_row = d->outputs, .a_column = 1, .b = d->kernel, .b_row = 1,
                                 .b_column = d->kernel_stride, .c = dx, .c_row = d->inputs});
}

/* A strip of rows of the gradient is made in the thread's own cache and then handed to the sink. */
#define STRIP_NUMBERS (CN_POOL_STRIP / sizeof(real))
#define STRIP_COLUMNS 512

typedef struct kernel_gradient {
    const cn__dense *d;
    const real *x, *dy;
    const cn__sink *sink;
    int64_t rows_per_strip, columns_per_strip, column_strips;
} kernel_gradient;

static void gradient_strips(void *context, int thread, int64_t begin, int64_t end)
{
    const kernel_gradient *g = context;
    const cn__dense *d = g->d;
    real *strip = cn__pool_strip(d->pool, thread);
    for (int64_t s = begin; s < end; s++) {
        int64_t i = s / g->column_strips * g->rows_per_strip, o = s % g->column_strips * g->columns_per_strip;
        int64_t rows = d->inputs - i < g->rows_per_strip ? d->inputs - i : g->rows_per_strip;
        int64_t columns = d->outputs - o < g->columns_per_strip ? d->outputs - o : g->columns_per_strip;
        cn__matmul_alone(&(cn__matmul){.pool = d->pool, .m = rows, .n = columns, .k = d->rows, .a = g->x + i,
                                       .a_row = 1, .a_column = d->inputs, .b = g->dy + o, .b_row = d->outputs,
                                       .b_column = 1, .c = strip, .c_row = columns},
                         thread);
        for (int64_t r = 0; r < rows; r++) cn__sink_row(g->sink, i + r, o, columns, strip + r * columns);
    }
}

void cn__dense_backward_kernel(const cn__dense *d, const real *x, const real *dy, const cn__sink *sink)
{
    kernel_gradient g = {.d = d, .x = x, .dy = dy, .sink = sink};
    g.columns_per_strip = d->outputs < STRIP_COLUMNS ? d->outputs : STRIP_COLUMNS;
    g.rows_per_strip = (int64_t)STRIP_NUMBERS / g.columns_per_strip;
    if (g.rows_per_strip > 126) g.rows_per_strip = 126;
    g.column_strips = (d->outputs + g.columns_per_strip - 1) / g.columns_per_strip;
    int64_t row_strips = (d->inputs + g.rows_per_strip - 1) / g.rows_per_strip;
    cn__parallel(d->pool, row_strips * g.column_strips, gradient_strips, &g);
}

typedef struct bias_gradient {
    const cn__dense *d;
    const real *dy;
    const cn__sink *sink;
} bias_gradient;

#define BIAS_COLUMNS 256

static void bias_columns(void *context, int thread, int64_t begin, int64_t end)
{
    const bias_gradient *g = context;
    int64_t outputs = g->d->outputs;
    (void)thread;
    for (int64_t chunk = begin; chunk < end; chunk++) {
        int64_t o = chunk * BIAS_COLUMNS, columns = outputs - o < BIAS_COLUMNS ? outputs - o : BIAS_COLUMNS;
        real sum[BIAS_COLUMNS] = {0};
        for (int64_t b = 0; b < g->d->rows; b++)
            for (int64_t c = 0; c < columns; c++) sum[c] += g->dy[b * outputs + o + c];
        cn__sink_row(g->sink, 0, o, columns, sum);
    }
}

void cn__dense_backward_bias(const cn__dense *d, const real *dy, const cn__sink *sink)
{
    cn__parallel(d->pool, (d->outputs + BIAS_COLUMNS - 1) / BIAS_COLUMNS, bias_columns,
                 &(bias_gradient){d, dy, sink});
}
