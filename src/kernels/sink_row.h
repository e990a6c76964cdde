/* Handing a piece of a gradient row to its sink. */
#ifndef CN_KERNELS_SINK_ROW_H
#define CN_KERNELS_SINK_ROW_H

#include "kernels/real.h"
#include "kernels/sink.h"

#include <string.h>

/* The sink as the panel that begins at `column` sees it: rows at row * stride + column again. */
static inline cn__sink cn__sink_at_panel(const cn__sink *sink, int64_t column)
{
    cn__sink moved = *sink;
    if (!sink->panel) return moved;
    int64_t by = column / sink->stride * (sink->panel - sink->stride);
    moved.weight = (real *)sink->weight + by;
    for (int k = 0; k < CN__MAX_SLOTS; k++)
        if (sink->slots[k]) moved.slots[k] = (real *)sink->slots[k] + by;
    return moved;
}

/* Makes up for so many updates that a piece of a row has missed. */
static inline void cn__sink_idle(const cn__sink *sink, int64_t row, int64_t column, int64_t n, int64_t missed)
{
    const int64_t at = row * sink->stride + column;
    void *slots[CN__MAX_SLOTS];
    for (int k = 0; k < CN__MAX_SLOTS; k++) slots[k] = sink->slots[k] ? (real *)sink->slots[k] + at : NULL;
    sink->accounts->idle(sink->step, n, slots, missed);
}

/* Makes up for all of them. */
static inline void cn__sink_settle(const cn__sink *sink, int64_t row, int64_t column, int64_t n)
{
    const cn__accounts *accounts = sink->accounts;
    uint32_t *settled = &accounts->settled[column / CN__IDLE_COLUMNS * accounts->rows + row];
    const int64_t missed = (int64_t)accounts->done - (int64_t)*settled;
    if (missed > 0) cn__sink_idle(sink, row, column, n, missed);
    *settled = accounts->done;
}

static inline void cn__sink_decay(double decay, int64_t n, real *weight)
{
    const real part = (real)decay;
    for (int64_t i = 0; i < n; i++) weight[i] = FMA(-part, weight[i], weight[i]);
}

/* n numbers of the gradient, for columns column ... column+n-1 of row `row`. */
static inline void cn__sink_row(const cn__sink *sink, int64_t row, int64_t column, int64_t n, const real *gradient)
{
    int64_t at = row * sink->stride + column;
    if (sink->update) {
        void *slots[CN__MAX_SLOTS];
        for (int k = 0; k < CN__MAX_SLOTS; k++) slots[k] = sink->slots[k] ? (real *)sink->slots[k] + at : NULL;
        if (sink->step->decay != 0) cn__sink_decay(sink->step->decay, n, (real *)sink->weight + at);
        sink->update(sink->step, n, (real *)sink->weight + at, slots, gradient);
    } else if (sink->gradient) {
        memcpy((real *)sink->gradient + at, gradient, (size_t)n * sizeof(real));
    }
}

#endif
