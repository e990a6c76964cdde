#include "kernels/dense_bf16.h"

#include "kernels/amx_hidden.h"
#include "kernels/amx_input_gradient.h"
#include "kernels/amx_rmsprop.h"
#include "kernels/bf16.h"
#include "kernels/vector.h"

typedef struct rounding {
    const real *from;
    int64_t columns, stride;
    real *to;
} rounding;

static void round_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const rounding *job = context;
    (void)thread;
    for (int64_t r = begin; r < end; r++) {
        const real *from = job->from + r * job->stride;
        real *to = job->to + r * job->columns;
        for (int64_t c = 0; c < job->columns; c++) to[c] = (real)cn__bf16_round((float)from[c]);
    }
}

/* A copy without gaps at *memory, which moves behind it. */
static const real *rounded(const cn__dense *d, int64_t rows, int64_t columns, const real *from, int64_t stride,
                           real **memory)
{
    rounding job = {.from = from, .columns = columns, .stride = stride, .to = *memory};
    cn__parallel(d->pool, rows, round_rows, &job);
    *memory += rows * columns;
    return job.to;
}

/* Rows padded to whole vectors stay so: the products of few outputs want them. */
static cn__dense with_rounded_kernel(const cn__dense *d, real **memory)
{
    const int64_t columns = d->kernel_stride - d->outputs < CN__VEC ? d->kernel_stride : d->outputs;
    cn__dense copy = *d;
    copy.kernel = rounded(d, d->inputs, columns, d->kernel, d->kernel_stride, memory);
    copy.kernel_stride = columns;
    return copy;
}

void cn__dense_forward_bf16(const cn__dense *d, const cn__bf16 *bf16, const real *x, real *y)
{
#if CN__AMX
    if (bf16->x_tiles) {
        cn__amx_hidden_forward(d, bf16, y);
        return;
    }
    if (bf16->way == CN__BF16_TILES) {
        cn__amx_matmul_run(&(cn__amx_matmul){
            .pool = d->pool, .m = d->rows, .n = d->outputs, .k = d->inputs, .a = {x, d->inputs, 0, 0, NULL},
            .b = {d->kernel, d->kernel_stride, 1, 0, NULL}, .c = y, .c_row = d->outputs, .memory = bf16->memory,
            .copy = bf16->copy, .copied = bf16->copied});
        return;
    }
#endif
    real *memory = bf16->memory;
    cn__dense copy = with_rounded_kernel(d, &memory);
    cn__dense_forward(&copy, rounded(d, d->rows, d->inputs, x, d->inputs, &memory), y);
}

void cn__dense_backward_input_bf16(const cn__dense *d, const cn__bf16 *bf16, const real *dy, real *dx)
{
#if CN__AMX
    if (bf16->dx_tiles) {
        cn__amx_hidden_backward_input(d, bf16, dy);
        return;
    }
    if (bf16->way == CN__BF16_TILES && bf16->copy && *bf16->copied == d->inputs) {
        cn__amx_input_gradient(d, bf16, dy, dx);
        return;
    }
    if (bf16->way == CN__BF16_TILES) {
        cn__amx_matmul_run(&(cn__amx_matmul){
            .pool = d->pool, .m = d->rows, .n = d->inputs, .k = d->outputs, .a = {dy, d->outputs, 0, 0, NULL},
            .b = {d->kernel, d->kernel_stride, 0, 0, NULL}, .c = dx, .c_row = d->inputs, .memory = bf16->memory});
        return;
    }
#endif
    real *memory = bf16->memory;
    cn__dense copy = with_rounded_kernel(d, &memory);
    cn__dense_backward_input(&copy, rounded(d, d->rows, d->outputs, dy, d->outputs, &memory), dx);
}

void cn__dense_backward_kernel_bf16(const cn__dense *d, const cn__bf16 *bf16, const real *x, const real *dy,
                                    const cn__sink *sink)
{
#if CN__AMX
    if (bf16->way == CN__BF16_TILES) {
        cn__amx_matmul p = {.pool = d->pool, .m = d->inputs, .n = d->outputs, .k = d->rows,
                            .a = {x, d->inputs, 1, 0, NULL}, .b = {dy, d->outputs, 1, 0, NULL}, .memory = bf16->memory,
                            .a_turned = bf16->x_tiles};
        if (sink->update) {
            p.sink = sink;
            p.copy = bf16->copy;
            p.copied = bf16->copied;
        } else {
            p.c = sink->gradient;
            p.c_row = sink->stride;
        }
        if (p.sink && cn__amx_rmsprop_narrow_serves(&p)) cn__amx_rmsprop_narrow_run(&p);
        else if (p.sink || p.c) cn__amx_matmul_run(&p);
        return;
    }
#endif
    real *memory = bf16->memory;
    const real *x16 = rounded(d, d->rows, d->inputs, x, d->inputs, &memory);
    cn__dense_backward_kernel(d, x16, rounded(d, d->rows, d->outputs, dy, d->outputs, &memory), sink);
}

void cn__dense_backward_bias_bf16(const cn__dense *d, const cn__bf16 *bf16, const real *dy, const cn__sink *sink)
{
#if CN__AMX
    if (bf16->dy_tiles) {
        cn__amx_hidden_bias(d, bf16->dy_tiles, sink);
        return;
    }
#endif
    (void)bf16;
    cn__dense_backward_bias(d, dy, sink);
}

void cn__dense_forward_bf16_bytes(const cn__dense *d, const cn__bf16 *bf16, const cn__batch *x,
                                  const cn__finish *finish, real *y)
{
#if CN__AMX
    if (bf16->way == CN__BF16_TILES) {
        cn__amx_matmul_run(&(cn__amx_matmul){
            .pool = d->pool, .m = d->rows, .n = d->outputs, .k = x->columns, .x = x,
            .a_tiles = (const uint16_t *)(const void *)x->sample_tiles, .a_lines = x->sample_lines,
            .b = {d->kernel, d->kernel_stride, 1, d->kernel_panel, x->index}, .scale = (float)x->scale,
            .finish = finish, .c = y, .c_tiles = bf16->y_tiles,
            .c_row = d->outputs, .memory = bf16->memory, .copy = bf16->copy, .copied = bf16->copied});
        return;
    }
#endif
    (void)bf16;
    cn__dense_forward_bytes(d, x, finish, y, 1);
}

void cn__dense_backward_kernel_bf16_bytes(const cn__dense *d, const cn__bf16 *bf16, const cn__batch *x, const real *dy,
                                          const cn__sink *sink)
{
#if CN__AMX
    if (bf16->way == CN__BF16_TILES) {
        const cn__amx_matmul p = {
            .pool = d->pool, .m = x->columns, .n = d->outputs, .k = d->rows, .x = x,
            .a_tiles = (const uint16_t *)(const void *)x->column_tiles, .a_lines = x->column_lines,
            .b = {dy, d->outputs, 1, 0, NULL}, .b_tiles = bf16->dy_tiles, .scale = (float)x->scale, .sink = sink,
            .memory = bf16->memory, .copy = bf16->copy, .copied = bf16->copied};
        if (cn__amx_rmsprop_serves(&p)) cn__amx_rmsprop_run(&p);
        else cn__amx_matmul_run(&p);
        return;
    }
#endif
    (void)bf16;
    cn__dense_backward_kernel_bytes(d, x, dy, sink, 1);
}
