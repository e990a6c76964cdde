/* Rows of the data set that the next batch will gather: they lie anywhere in memory, which takes long to answer, so
 * they are asked for one cache line at a time while tiles multiply. */
#ifndef CN_KERNELS_COMING_H
#define CN_KERNELS_COMING_H

#include "kernels/batch.h"

#include <immintrin.h>

typedef struct cn__coming {
    const cn__batch *x;
    int64_t row, end, at;
} cn__coming;

/* The share of a task that works on the columns o ... o+width-1 of `outputs`. */
static inline cn__coming cn__coming_share(const cn__batch *x, int64_t o, int64_t width, int64_t outputs)
{
    return (cn__coming){.x = x, .row = x->rows * o / outputs, .end = x->next ? x->rows * (o + width) / outputs : 0};
}

static inline void cn__fetch_a_line(cn__coming *c)
{
    if (c->row >= c->end) return;
    _mm_prefetch((const char *)c->x->all_codes + (int64_t)c->x->next[c->row] * c->x->columns + c->at, _MM_HINT_T1);
    c->at += 64;
    if (c->at < c->x->columns + 63) return;
    c->at = 0;
    c->row++;
}

#endif
