/* Handing some rows of a gradient to their sink at once. */
#ifndef CN_KERNELS_SINK_ROWS_H
#define CN_KERNELS_SINK_ROWS_H

#include "kernels/sink_row.h"
#include "kernels/vector.h"

#define CN__ROWS_TOGETHER 32

static inline void cn__sink_collect(int64_t rows, int64_t n, const real *from, int64_t stride, real *to)
{
    /* the next row replaces the surplus */
    for (int64_t r = 0; r < rows; r++) vec_store(to + r * n, vec_load_n(from + r * stride, (int)n));
}

static inline void cn__sink_spread(int64_t rows, int64_t n, const real *from, real *to, int64_t stride)
{
    for (int64_t r = 0; r < rows; r++) vec_store_n(to + r * stride, vec_load_n(from + r * n, (int)n), (int)n);
}

/* An update of fewer numbers than a vector has goes one by one, so some short rows are copied side by side for it. */
static inline void cn__sink_short_rows(const cn__sink *sink, int64_t row, int64_t rows, int64_t n, const real *gradient)
{
    real together[1 + CN__MAX_SLOTS][(CN__ROWS_TOGETHER + 1) * CN__VEC];
    real *weight = (real *)sink->weight + row * sink->stride;
    void *slots[CN__MAX_SLOTS];
    cn__sink_collect(rows, n, weight, sink->stride, together[0]);
    for (int k = 0; k < CN__MAX_SLOTS; k++) {
        slots[k] = sink->slots[k] ? together[1 + k] : NULL;
        if (slots[k]) cn__sink_collect(rows, n, (real *)sink->slots[k] + row * sink->stride, sink->stride, slots[k]);
    }
    if (sink->step->decay != 0) cn__sink_decay(sink->step->decay, rows * n, together[0]);
    sink->update(sink->step, rows * n, together[0], slots, gradient);
    cn__sink_spread(rows, n, together[0], weight, sink->stride);
    for (int k = 0; k < CN__MAX_SLOTS; k++)
        if (slots[k]) cn__sink_spread(rows, n, slots[k], (real *)sink->slots[k] + row * sink->stride, sink->stride);
}

/* n numbers each, without gaps, for columns column ... column+n-1 of rows row ... row+rows-1. */
static inline void cn__sink_rows(const cn__sink *sink, int64_t row, int64_t rows, int64_t column, int64_t n,
                                 const real *gradient)
{
    if (n == sink->stride) {
        cn__sink_row(sink, row, 0, rows * n, gradient);
    } else if (sink->update && column == 0 && n < CN__VEC) {
        for (int64_t r = 0; r < rows; r += CN__ROWS_TOGETHER)
            cn__sink_short_rows(sink, row + r, rows - r < CN__ROWS_TOGETHER ? rows - r : CN__ROWS_TOGETHER, n,
                                gradient + r * n);
    } else {
        for (int64_t r = 0; r < rows; r++) cn__sink_row(sink, row + r, column, n, gradient + r * n);
    }
}

#endif
