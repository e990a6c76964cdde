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

static inline void cn__sink_fetch(const cn__sink *sink, int64_t row, int64_t column, int64_t n)
{
    const int64_t at = row * sink->stride + column, line = 64 / sizeof(real);
    for (int64_t i = 0; i < n; i += line) {
        __builtin_prefetch((const real *)sink->weight + at + i, 1);
        for (int k = 0; k < CN__MAX_SLOTS; k++)
            if (sink->slots[k]) __builtin_prefetch((const real *)sink->slots[k] + at + i, 1);
    }
}

/* A part of each of some long rows. They come late from memory, as the CPU's own fetching stops where the part does; so
 * the next row is asked for, between pieces of this one, because a core waits when it has asked for too much. */
#define CN__SINK_PIECE 128

static inline void cn__sink_parts_of_rows(const cn__sink *sink, int64_t row, int64_t rows, int64_t column, int64_t n,
                                          const real *gradient)
{
    for (int64_t r = 0; r < rows; r++, gradient += n)
        for (int64_t i = 0; i < n; i += CN__SINK_PIECE) {
            const int64_t some = n - i < CN__SINK_PIECE ? n - i : CN__SINK_PIECE;
            if (r + 1 < rows) cn__sink_fetch(sink, row + r + 1, column + i, some);
            cn__sink_row(sink, row + r, column + i, some, gradient + i);
        }
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
    } else if (sink->update) {
        cn__sink_parts_of_rows(sink, row, rows, column, n, gradient);
    } else {
        for (int64_t r = 0; r < rows; r++) cn__sink_row(sink, row + r, column, n, gradient + r * n);
    }
}

#endif
