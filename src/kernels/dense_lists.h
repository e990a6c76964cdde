/* Exact sums over lists of non-zeros, for some outputs at a time, whose sums registers hold; the digits of all terms
 * then mostly stay in the level-1 cache, while one list after the other is added up. */
#ifndef CN_KERNELS_DENSE_LISTS_H
#define CN_KERNELS_DENSE_LISTS_H

#include "kernels/dense.h"

#if CN_REAL_BITS == 32

#include "kernels/digit_pairs.h"

#define cn__dense_lists_forward CN_T(cn__dense_lists_forward)
#define cn__dense_lists_backward_kernel CN_T(cn__dense_lists_backward_kernel)
void cn__dense_lists_forward(const cn__dense *d, const cn__batch *x, const cn__finish *finish, real *y, int digits);
void cn__dense_lists_backward_kernel(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink,
                                     int digits);

/* Outputs are worked on in parts. For each two terms there is a row of CN__ROW_VECTORS: the lower digits of the part's
 * outputs, then the higher ones, if numbers have two. The last part may have fewer groups of outputs, and
 * shorter rows. */
#define CN__PART(digits) CN__LIST_COLUMNS(digits)
#define CN__PART_MOST CN__PART(1)
#define CN__ROW_VECTORS (CN__PART_MOST / CN__WHOLES)
#define CN__PART_GROUPS(digits) (CN__PART(digits) / CN__EXACT_GROUP)
#define CN__GROUP_VECTORS (CN__EXACT_GROUP / CN__WHOLES)
_Static_assert(CN__PART(2) * 2 == CN__PART(1), "rows of digits are equally long");
_Static_assert(CN__PART(2) % CN__EXACT_GROUP == 0 && CN__EXACT_GROUP % CN__WHOLES == 0, "parts and groups fit");

/* Cuts each part of the outputs into so many groups of rows, `least` to `most` of them, and returns how many tasks that
 * makes. Tasks go part by part, so that a thread has those parts of the weights that it had before; only when there are
 * few parts are they cut further. */
static inline int64_t cn__list_tasks(const cn__dense *d, int digits, int64_t least, int64_t most, int64_t *groups)
{
    const int64_t parts = (d->outputs + CN__PART(digits) - 1) / CN__PART(digits);
    const int64_t wanted = 2 * cn__pool_threads(d->pool);
    *groups = parts >= wanted ? 1 : (wanted + parts - 1) / parts;
    if (*groups > most) *groups = most;
    if (*groups < least) *groups = least;
    return parts * *groups;
}

CN__INLINE_PAIRS uint32_t cn__largest_of(cn__wholes magnitudes)
{
    int32_t most = 0;
    for (int i = 0; i < CN__WHOLES; i++) most = magnitudes[i] > most ? magnitudes[i] : most;
    return (uint32_t)most;
}

/* What a product's whole numbers are like. */
typedef struct cn__digit_kind {
    cn__exact_kind kind;
    int digits;           /* of each number, */
    int bits;             /* of the lower of two */
    int64_t most_entries; /* that one after the other may be added up */
} cn__digit_kind;

CN__INLINE_PAIRS cn__digit_kind cn__weight_digits(const int digits)
{
    return digits == 2 ? (cn__digit_kind){CN__EXACT_WEIGHTS, 2, CN__WEIGHT_BITS, CN__WEIGHT_ENTRIES}
                       : (cn__digit_kind){CN__EXACT_SHORT_WEIGHTS, 1, 0, CN__SHORT_WEIGHT_ENTRIES};
}

CN__INLINE_PAIRS cn__digit_kind cn__gradient_digits(const int digits)
{
    return digits == 2 ? (cn__digit_kind){CN__EXACT_GRADIENTS, 2, CN__GRADIENT_BITS, CN__GRADIENT_ENTRIES}
                       : (cn__digit_kind){CN__EXACT_SHORT_GRADIENTS, 1, 0, CN__GRADIENT_ENTRIES};
}

/* Of CN__WHOLES numbers of two terms; `each`: vectors of a row for each digit. */
CN__INLINE_PAIRS void cn__put_digits(cn__wholes first, cn__wholes second, const cn__digit_kind kind, const int each,
                                     cn__wholes *row)
{
    if (kind.digits == 1) {
        *row = cn__short_digits_of(first, second);
        return;
    }
    const cn__digits_of_two two = cn__digits_of(first, second, kind.bits);
    row[0] = two.low;
    row[each] = two.high;
}

/* The sums of a part, which stand as a row of digits does. */
typedef struct cn__digit_sums {
    cn__wholes of[CN__ROW_VECTORS];
} cn__digit_sums;

#define CN__VECTORS_AT_ONCE 8

/* Adds the products of one entry. Where its digits begin is reckoned once, which compilers do not see by themselves: a
 * core that shares its front end with another tenant waits for each instruction. */
CN__INLINE_PAIRS void cn__add_entry(uint16_t index, cn__wholes codes, const cn__wholes *digits, const int in_row,
                                    const int some, cn__wholes *sum)
{
    size_t at = index * (size_t)in_row * sizeof *digits;
    __asm__("" : "+r"(at));
    const cn__wholes *row = (const cn__wholes *)(const void *)((const char *)digits + at);
    CN__UNROLL(8)
    for (int v = 0; v < some; v++) sum[v] = cn__keep_here(cn__add_pairs(sum[v], &row[v], codes));
}

/* Sums of some vectors of a row over n entries, from 0 on or from what they are. */
CN__INLINE_PAIRS void cn__add_some(const cn__ink *entries, int64_t n, const cn__wholes *digits, const int in_row,
                                   const int some, const int from_zero, cn__wholes *sums)
{
    cn__wholes sum[CN__VECTORS_AT_ONCE] = {{0}};
    const cn__ink *e = entries, *end = entries + n;
    CN__UNROLL(8)
    for (int v = 0; v < some && !from_zero; v++) sum[v] = sums[v];
    if (n & 1) {
        cn__add_entry(e->index, cn__codes_of(e), digits, in_row, some, sum);
        e++;
    }
    for (; e < end; e += 2) {
        const cn__codes_of_entries codes = cn__codes_of_two(e);
        cn__add_entry(e[0].index, codes.first, digits, in_row, some, sum);
        cn__add_entry(e[1].index, codes.second, digits, in_row, some, sum);
    }
    CN__UNROLL(8)
    for (int v = 0; v < some; v++) sums[v] = sum[v];
}

/* Adds n entries to 0 or to sums, so few that nothing overflows. */
CN__INLINE_PAIRS void cn__add_entries(const cn__ink *entries, int64_t n, const cn__wholes *digits,
                                      cn__digit_sums *sums, const int from_zero, const int in_row)
{
    CN__UNROLL(2)
    for (int v = 0; v < in_row; v += CN__VECTORS_AT_ONCE)
        cn__add_some(entries, n, digits + v, in_row,
                     in_row - v < CN__VECTORS_AT_ONCE ? in_row - v : CN__VECTORS_AT_ONCE, from_zero, sums->of + v);
}

/* The sums as float32 numbers. */
CN__INLINE_PAIRS void cn__values_of_sums(const cn__digit_sums *sums, const cn__digit_kind kind,
                                         const cn__exact_scale *scales, float *values, const int in_row)
{
    const int each = in_row / kind.digits;
    CN__UNROLL(8)
    for (int v = 0; v < each; v++) {
        const cn__exact_scale *scale = &scales[v / CN__GROUP_VECTORS];
        float *place = values + v * CN__WHOLES;
        if (kind.digits == 1) cn__store_short_values(sums->of[v], scale, place);
        else cn__store_values(sums->of[v], sums->of[each + v], kind.bits, kind.kind, scale, place);
    }
}

/* The same over a list that is too long for sums in 32 bits. */
CN__INLINE_PAIRS void cn__values_of_long_list(const cn__ink *entries, int64_t n, const cn__wholes *digits,
                                              const cn__digit_kind kind, const cn__exact_scale *scales, float *values,
                                              const int in_row)
{
    const int each = in_row / kind.digits, columns = each * CN__WHOLES;
    double whole[CN__PART_MOST] = {0};
    for (int64_t first = 0; first < n; first += kind.most_entries) {
        const int64_t left = n - first;
        cn__digit_sums sums;
        cn__add_entries(entries + first, left < kind.most_entries ? left : kind.most_entries, digits, &sums, 1, in_row);
        for (int i = 0; i < columns; i++) {
            const int v = i / CN__WHOLES, lane = i % CN__WHOLES;
            if (kind.digits == 2) whole[i] += (double)sums.of[each + v][lane] * (1 << kind.bits);
            whole[i] += (double)sums.of[v][lane];
        }
    }
    for (int i = 0; i < columns; i++)
        values[i] = cn__exact_value(whole[i], kind.kind, &scales[i / CN__EXACT_GROUP]);
}

#endif
#endif
