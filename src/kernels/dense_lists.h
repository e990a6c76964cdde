/* Exact sums over lists of non-zeros, for some outputs at a time, whose sums registers hold; the digits of all terms
 * then mostly stay in the level-1 cache, while one list after the other is added up. */
#ifndef CN_KERNELS_DENSE_LISTS_H
#define CN_KERNELS_DENSE_LISTS_H

#include "kernels/dense.h"

#if CN_REAL_BITS == 32

#include "kernels/digit_pairs.h"

#define cn__dense_lists_forward CN_T(cn__dense_lists_forward)
#define cn__dense_lists_backward_kernel CN_T(cn__dense_lists_backward_kernel)
void cn__dense_lists_forward(const cn__dense *d, const cn__batch *x, const cn__finish *finish, real *y);
void cn__dense_lists_backward_kernel(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink);

/* Outputs are worked on in parts, whose digits stand side by side for each two terms: CN__PART_VECTORS of low ones, and
 * as many of high ones. */
#define CN__PART CN__LIST_COLUMNS
#define CN__PART_VECTORS (CN__PART / CN__WHOLES)
#define CN__PART_GROUPS (CN__PART / CN__EXACT_GROUP)
#define CN__GROUP_VECTORS (CN__EXACT_GROUP / CN__WHOLES)
_Static_assert(CN__PART % CN__EXACT_GROUP == 0 && CN__EXACT_GROUP % CN__WHOLES == 0, "parts and groups fit");

/* Cuts each part of the outputs into so many groups of rows, `most` of them at most, and returns how many tasks that
 * makes. Tasks go part by part, so that a thread has those parts of the weights that it had before; only when there are
 * few parts are they cut further. */
static inline int64_t cn__list_tasks(const cn__dense *d, int64_t most, int64_t *groups)
{
    const int64_t parts = (d->outputs + CN__PART - 1) / CN__PART, wanted = 2 * cn__pool_threads(d->pool);
    *groups = parts >= wanted ? 1 : (wanted + parts - 1) / parts;
    if (*groups > most) *groups = most;
    return parts * *groups;
}

CN__INLINE_PAIRS uint32_t cn__largest_of(cn__wholes magnitudes)
{
    int32_t most = 0;
    for (int i = 0; i < CN__WHOLES; i++) most = magnitudes[i] > most ? magnitudes[i] : most;
    return (uint32_t)most;
}

/* A part's sums, digit by digit. */
typedef struct cn__digit_sums {
    cn__wholes low[CN__PART_VECTORS], high[CN__PART_VECTORS];
} cn__digit_sums;

#define CN__VECTORS_AT_ONCE (CN__PART_VECTORS < 4 ? CN__PART_VECTORS : 4) /* of low digits, and as many of high ones */

/* Sums of some vectors of a row over n entries, from 0 on or from what they are. */
CN__INLINE_PAIRS void cn__add_some(const cn__ink *entries, int64_t n, const cn__wholes *digits, const int in_row,
                                   const int some, const int from_zero, cn__wholes *low_sums, cn__wholes *high_sums)
{
    cn__wholes low[CN__VECTORS_AT_ONCE] = {{0}}, high[CN__VECTORS_AT_ONCE] = {{0}};
#pragma GCC unroll 4
    for (int v = 0; v < some && !from_zero; v++) {
        low[v] = low_sums[v];
        high[v] = high_sums[v];
    }
    for (const cn__ink *e = entries, *end = entries + n; e < end; e++) {
        const cn__wholes *row = digits + (int64_t)e->index * (2 * in_row), codes = cn__codes_of(e);
#pragma GCC unroll 4
        for (int v = 0; v < some; v++) low[v] = cn__add_pairs(low[v], &row[v], codes);
#pragma GCC unroll 4
        for (int v = 0; v < some; v++) high[v] = cn__add_pairs(high[v], &row[in_row + v], codes);
    }
#pragma GCC unroll 4
    for (int v = 0; v < some; v++) {
        low_sums[v] = low[v];
        high_sums[v] = high[v];
    }
}

/* Adds n entries to 0 or to sums, so few that nothing overflows. A row of digits is `vectors` of low ones and as many
 * of high ones. */
CN__INLINE_PAIRS void cn__add_entries(const cn__ink *entries, int64_t n, const cn__wholes *digits,
                                      cn__digit_sums *sums, const int from_zero, const int vectors)
{
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v += CN__VECTORS_AT_ONCE)
        cn__add_some(entries, n, digits + v, vectors,
                     vectors - v < CN__VECTORS_AT_ONCE ? vectors - v : CN__VECTORS_AT_ONCE, from_zero, sums->low + v,
                     sums->high + v);
}

/* What a product's whole numbers are like. */
typedef struct cn__digit_kind {
    cn__exact_kind kind;
    int bits;
    int64_t most_entries; /* that one after the other may be added up */
} cn__digit_kind;

#define CN__WEIGHT_DIGITS ((cn__digit_kind){CN__EXACT_WEIGHTS, CN__WEIGHT_BITS, CN__WEIGHT_ENTRIES})
#define CN__GRADIENT_DIGITS ((cn__digit_kind){CN__EXACT_GRADIENTS, CN__GRADIENT_BITS, CN__GRADIENT_ENTRIES})

/* The sums as float32 numbers. */
CN__INLINE_PAIRS void cn__values_of_sums(const cn__digit_sums *sums, const cn__digit_kind kind,
                                         const cn__exact_scale *scales, float *values, const int vectors)
{
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++)
        cn__store_values(sums->low[v], sums->high[v], kind.bits, kind.kind, &scales[v / CN__GROUP_VECTORS],
                         values + v * CN__WHOLES);
}

/* The same over a list that is too long for sums in 32 bits. */
static inline void cn__values_of_long_list(const cn__ink *entries, int64_t n, const cn__wholes *digits,
                                           cn__digit_kind kind, const cn__exact_scale *scales, float *values,
                                           const int vectors)
{
    double whole[CN__PART] = {0};
    for (int64_t first = 0; first < n; first += kind.most_entries) {
        const int64_t left = n - first;
        cn__digit_sums sums;
        cn__add_entries(entries + first, left < kind.most_entries ? left : kind.most_entries, digits, &sums, 1,
                        vectors);
        for (int i = 0; i < vectors * CN__WHOLES; i++)
            whole[i] += (double)sums.high[i / CN__WHOLES][i % CN__WHOLES] * (1 << kind.bits) +
                        (double)sums.low[i / CN__WHOLES][i % CN__WHOLES];
    }
    for (int i = 0; i < vectors * CN__WHOLES; i++)
        values[i] = cn__exact_value(whole[i], kind.kind, &scales[i / CN__EXACT_GROUP]);
}

#endif
#endif
