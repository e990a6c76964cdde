#include "kernels/bf16.h"
#include "kernels/dense_lists.h"

#if CN_REAL_BITS == 32

typedef struct job {
    const cn__dense *d;
    const cn__batch *x;
    const cn__finish *finish;
    real *y;
    int64_t groups; /* of samples; each part of the outputs is cut into so many tasks */
    int digits;
} job;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A group of weights: `columns` of the kernel's. */
typedef struct weights {
    const float *w;
    int64_t stride, columns, inputs;
    const uint8_t *used; /* which rows count for the scale; NULL: all */
} weights;

#define ROWS_AHEAD 16

/* The digits of two rows side by side; returns their largest magnitudes, and those before. */
CN__INLINE_PAIRS cn__wholes make_two_rows(const weights *g, int64_t k, int64_t columns, const cn__exact_scale *scale,
                                          const cn__digit_kind kind, const int in_row, cn__wholes peaks,
                                          cn__wholes *row)
{
    const int has_second = k + 1 < g->inputs;
    const float *first = g->w + k * g->stride, *second = has_second ? first + g->stride : first;
    CN__UNROLL(4)
    for (int v = 0; v < CN__GROUP_VECTORS; v++) {
        const int64_t at = v * CN__WHOLES, left = columns - at;
        cn__put_digits(cn__whole_numbers(first + at, left, scale),
                       cn__whole_numbers(second + at, has_second ? left : 0, scale), kind, in_row / kind.digits,
                       row + v);
        if (!g->used || g->used[k]) peaks = cn__larger_magnitudes(peaks, first + at, left);
        if (!g->used || g->used[k + has_second]) peaks = cn__larger_magnitudes(peaks, second + at, left);
    }
    return peaks;
}

/* The digits of some groups side by side, each on its scale, and the largest magnitudes. Rows are too far apart for the
 * CPU to see which comes next. */
CN__INLINE_PAIRS void make_digits(const weights *groups, const int n, const cn__exact_scale *scales,
                                  const cn__digit_kind kind, const int in_row, uint32_t *peaks, cn__wholes *digits)
{
    const int64_t inputs = groups->inputs;
    const uintptr_t row_bytes = (uintptr_t)groups->stride * sizeof *groups->w;
    const size_t used_bytes = (size_t)n * CN__EXACT_GROUP * sizeof *groups->w;
    cn__wholes largest[CN__PART_GROUPS(1)] = {{0}};
    int is_plain = !groups->used;
    for (int i = 0; i < n; i++) is_plain &= groups[i].columns == CN__EXACT_GROUP;
    int64_t k = 0;
    for (; is_plain && k + 2 <= inputs; k += 2, digits += in_row) {
        /* in the end behind the kernel, where asking does no harm */
        const uintptr_t soon = (uintptr_t)(groups->w + k * groups->stride) + ROWS_AHEAD * row_bytes;
        for (size_t at = 0; at < used_bytes; at += 64) {
            __builtin_prefetch((const void *)(soon + at));
            __builtin_prefetch((const void *)(soon + row_bytes + at));
        }
        CN__UNROLL(4)
        for (int i = 0; i < n; i++) {
            const weights two = {groups[i].w, groups->stride, CN__EXACT_GROUP, k + 2, NULL};
            largest[i] = make_two_rows(&two, k, CN__EXACT_GROUP, &scales[i], kind, in_row, largest[i],
                                       digits + i * CN__GROUP_VECTORS);
        }
    }
    for (; k < inputs; k += 2, digits += in_row)
        for (int i = 0; i < n; i++)
            largest[i] = make_two_rows(&groups[i], k, groups[i].columns, &scales[i], kind, in_row, largest[i],
                                       digits + i * CN__GROUP_VECTORS);
    for (int i = 0; i < n; i++) peaks[i] = cn__largest_of(largest[i]);
}

static int one_scale_serves(uint32_t peak, uint32_t other)
{
    return peak == other || (peak < 0x7f800000u && other < 0x7f800000u &&
                             cn__exact_exponent(peak) == cn__exact_exponent(other));
}

/* The scale is known only when all weights have been seen, so the ones that served last time are tried first; mostly
 * they are right. */
CN__INLINE_PAIRS void make_weight_digits(const weights *groups, const int n, double scale, const cn__digit_kind kind,
                                         const int in_row, uint32_t *const *last_peaks, cn__exact_scale *scales,
                                         cn__wholes *digits)
{
    for (int is_done = 0; !is_done;) {
        uint32_t peaks[CN__PART_GROUPS(1)];
        for (int i = 0; i < n; i++) scales[i] = cn__exact_scale_of(kind.kind, *last_peaks[i], scale);
        make_digits(groups, n, scales, kind, in_row, peaks, digits);
        is_done = 1;
        for (int i = 0; i < n; i++) {
            is_done &= one_scale_serves(peaks[i], *last_peaks[i]);
            *last_peaks[i] = peaks[i];
        }
    }
}

static void finish_some(const float *values, const float *bias, int relu, int64_t columns, real *y)
{
    for (int64_t c = 0; c < columns; c++) {
        const float z = bias ? values[c] + bias[c] : values[c];
        y[c] = relu && z <= 0 ? 0 : z;
    }
}

/* Some columns of a row of y; all of them if there are as many as of the vectors. */
CN__INLINE_PAIRS void finish_row(const float *values, const float *bias, int relu, int rounds, int64_t columns,
                                 real *y, const int vectors)
{
    if (columns < vectors * CN__WHOLES) {
        finish_some(values, bias, relu, columns, y);
    } else {
        CN__UNROLL(8)
        for (int v = 0; v < vectors; v++) {
            cn__floats z = ((const cn__floats *)values)[v];
            if (bias) z += ((const cn__floats *)bias)[v];
            if (relu) z = (cn__floats)((cn__wholes)z & ~(z <= 0));
            ((cn__floats *)y)[v] = z;
        }
    }
    for (int64_t c = 0; rounds && c < columns; c++) y[c] = cn__bf16_round(y[c]);
}

/* Which rows of the kernel the batch uses. */
static void find_used(const cn__batch *x, uint8_t *used)
{
    memset(used, 0, (size_t)x->columns + 1);
    for (int64_t b = 0; b < x->rows; b++) {
        const cn__ink *entries = x->by_samples + b * cn__list_stride((x->columns + 1) / 2);
        for (int32_t i = 0; i < x->sample_ends[b].all; i++) {
            used[2 * entries[i].index] |= entries[i].codes[0] != 0;
            used[2 * entries[i].index + 1] |= entries[i].codes[1] != 0;
        }
    }
}

/* Half of the columns at a time, since the digits of all of them do not fit into the level-1 cache; sums of so many
 * samples wait for the second half. */
#define SAMPLES 128

/* What a task has in its thread's scratch memory. */
typedef struct room {
    uint8_t used[CN__BATCH_MOST_COLUMNS + 1]; /* rows of the kernel */
    _Alignas(64) cn__digit_sums sums[SAMPLES];
    cn__wholes digits[(CN__BATCH_MOST_COLUMNS + 1) / 2 * CN__ROW_VECTORS];
} room;
_Static_assert(sizeof(room) <= CN_POOL_SCRATCH, "the scratch memory has no room for a part's digits");

/* Some columns' part of the product, from column o on: in whole groups but for the last. */
typedef struct part {
    int64_t o, columns;
    cn__exact_scale scales[CN__PART_GROUPS(1)];
} part;

/* At most SAMPLES samples. */
CN__INLINE_PAIRS void add_samples(const job *j, const part *p, int64_t begin, int64_t end, room *r, const int groups,
                                  const cn__digit_kind kind)
{
    const cn__batch *x = j->x;
    const int64_t outputs = j->d->outputs, stride = cn__list_stride((j->d->inputs + 1) / 2);
    const float *bias = j->finish->bias ? j->finish->bias + p->o : NULL;
    const int relu = j->finish->relu, rounds = j->finish->rounds, vectors = groups * CN__GROUP_VECTORS;
    const int in_row = kind.digits * vectors;
    for (int64_t b = begin; b < end; b++) {
        if (x->sample_ends[b].all > kind.most_entries) continue;
        cn__add_entries(x->by_samples + b * stride, x->sample_ends[b].half, r->digits, &r->sums[b - begin], 1, in_row);
    }
    for (int64_t b = begin; b < end; b++) {
        const cn__ink *entries = x->by_samples + b * stride;
        const cn__list_ends ends = x->sample_ends[b];
        cn__digit_sums *sums = &r->sums[b - begin];
        float values[CN__PART_MOST];
        if (ends.all > kind.most_entries) {
            cn__values_of_long_list(entries, ends.all, r->digits, kind, p->scales, values, in_row);
        } else {
            cn__add_entries(entries + ends.half, ends.all - ends.half, r->digits, sums, 0, in_row);
            cn__values_of_sums(sums, kind, p->scales, values, in_row);
        }
        finish_row(values, bias, relu, rounds, p->columns, j->y + b * outputs + p->o, vectors);
    }
}

CN__INLINE_PAIRS void forward_part(const job *j, int64_t o, int64_t begin, int64_t end, room *r, const int groups,
                                   const int digits)
{
    const int64_t outputs = j->d->outputs;
    const cn__digit_kind kind = cn__weight_digits(digits);
    const int in_row = digits * groups * CN__GROUP_VECTORS;
    part p = {.o = o, .columns = smaller(groups * CN__EXACT_GROUP, outputs - o)};
    weights of_groups[CN__PART_GROUPS(1)];
    uint32_t own_peaks[CN__PART_GROUPS(1)] = {0}, *last_peaks[CN__PART_GROUPS(1)];
    for (int g = 0; g < groups; g++) {
        const int64_t at = o + g * CN__EXACT_GROUP;
        const int is_there = at < outputs; /* the last part may have groups too many */
        of_groups[g] = (weights){.w = is_there ? cn__kernel_column(j->d, at) : j->d->kernel,
                                 .stride = j->d->kernel_stride,
                                 .columns = is_there ? smaller(CN__EXACT_GROUP, outputs - at) : 0,
                                 .inputs = j->d->inputs,
                                 .used = j->x->mostly_blank ? r->used : NULL};
        last_peaks[g] = j->groups == 1 ? &j->x->last_peaks[at / CN__EXACT_GROUP] : &own_peaks[g];
    }
    make_weight_digits(of_groups, groups, j->x->scale, kind, in_row, last_peaks, p.scales, r->digits);
    for (int64_t b = begin; b < end; b += SAMPLES) add_samples(j, &p, b, smaller(b + SAMPLES, end), r, groups, kind);
}

static void forward_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    const int64_t rows = j->x->rows;
    room *r = cn__pool_scratch(j->d->pool, thread);
    if (j->x->mostly_blank) find_used(j->x, r->used);
    for (int64_t task = begin; task < end; task++) {
        const int64_t o = task / j->groups * CN__PART(j->digits), group = task % j->groups;
        const int64_t first = rows * group / j->groups, last = rows * (group + 1) / j->groups;
        const int64_t groups = (j->d->outputs - o + CN__EXACT_GROUP - 1) / CN__EXACT_GROUP;
        if (j->digits == 2 && groups > 1) forward_part(j, o, first, last, r, CN__PART_GROUPS(2), 2);
        else if (j->digits == 2) forward_part(j, o, first, last, r, 1, 2);
        else if (groups > 2) forward_part(j, o, first, last, r, CN__PART_GROUPS(1), 1);
        else forward_part(j, o, first, last, r, 2, 1);
    }
}

void cn__dense_lists_forward(const cn__dense *d, const cn__batch *x, const cn__finish *finish, real *y, int digits)
{
    job j = {.d = d, .x = x, .finish = finish, .y = y, .digits = digits};
    cn__parallel(d->pool, cn__list_tasks(d, digits, 1, x->rows, &j.groups), forward_tasks, &j);
}

#else
typedef int no_lists_in_this_engine;
#endif
