#include "kernels/dense.h"

#if CN_REAL_BITS == 32

#include "kernels/amx_bytes.h"
#include "kernels/dense_sparse.h"
#include "kernels/digit_pairs.h"
#include "kernels/sink_row.h"

/* Exact sums over lists of non-zeros, for some outputs at a time, whose sums registers hold; the digits of all terms
 * then mostly stay in the level-1 cache, while one list after the other is added up. */
#define VECTORS 4 /* of low digits at a time, and as many of high ones */
#define CHUNK CN__IDLE_COLUMNS
#define GROUP CN__EXACT_GROUP
#define PART CN__LIST_COLUMNS
#define GROUP_VECTORS (GROUP / CN__WHOLES)
#define PART_VECTORS (PART / CN__WHOLES)
#define PART_GROUPS (PART / GROUP)
_Static_assert(CHUNK % PART == 0 && PART % GROUP == 0 && GROUP % CN__WHOLES == 0, "chunks, parts and groups fit");
#define INLINE static inline __attribute__((always_inline))

typedef struct rows_to_move rows_to_move;

typedef struct job {
    const cn__dense *d;
    const cn__batch *x;
    const cn__finish *finish;
    real *y;
    const real *dy;
    const cn__sink *sink;
    int64_t groups; /* each part of the outputs is cut into so many tasks */
    const rows_to_move *rows; /* of a gradient */
} job;

/* Tasks go part by part, so that a thread has those parts of the weights that it had before; only when there are few
 * parts are they cut further. */
static int64_t count_tasks(job *j, int64_t most_groups)
{
    int64_t parts = (j->d->outputs + PART - 1) / PART, wanted = 2 * cn__pool_threads(j->d->pool);
    j->groups = parts >= wanted ? 1 : (wanted + parts - 1) / parts;
    if (j->groups > most_groups) j->groups = most_groups;
    return parts * j->groups;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static uint32_t largest(cn__wholes magnitudes)
{
    int32_t most = 0;
    for (int i = 0; i < CN__WHOLES; i++) most = magnitudes[i] > most ? magnitudes[i] : most;
    return (uint32_t)most;
}

/* Digit by digit. */
typedef struct digit_sums {
    _Alignas(64) int32_t low[PART], high[PART];
} digit_sums;

/* Sums of some vectors of a row over n entries, so few that nothing overflows. */
INLINE void add_up_some(const cn__ink *entries, int64_t n, const cn__wholes *digits, const int in_row, const int some,
                        int32_t *low_sums, int32_t *high_sums)
{
    cn__wholes low[VECTORS] = {{0}}, high[VECTORS] = {{0}};
    for (const cn__ink *e = entries, *end = entries + n; e < end; e++) {
        const cn__wholes *row = digits + (int64_t)e->index * (2 * in_row), codes = cn__codes_of(e);
#pragma GCC unroll 4
        for (int v = 0; v < some; v++) low[v] = cn__add_pairs(low[v], &row[v], codes);
#pragma GCC unroll 4
        for (int v = 0; v < some; v++) high[v] = cn__add_pairs(high[v], &row[in_row + v], codes);
    }
#pragma GCC unroll 4
    for (int v = 0; v < some; v++) {
        memcpy(low_sums + v * CN__WHOLES, &low[v], sizeof low[v]);
        memcpy(high_sums + v * CN__WHOLES, &high[v], sizeof high[v]);
    }
}

/* A row of digits is `vectors` of low ones and as many of high ones. */
INLINE void add_up(const cn__ink *entries, int64_t n, const cn__wholes *digits, digit_sums *sums, const int vectors)
{
    for (int v = 0; v < vectors; v += VECTORS)
        add_up_some(entries, n, digits + v, vectors, vectors - v < VECTORS ? vectors - v : VECTORS,
                    sums->low + v * CN__WHOLES, sums->high + v * CN__WHOLES);
}

/* What a product's whole numbers are like. */
typedef struct digit_kind {
    cn__exact_kind kind;
    int bits;
    int64_t most_entries;
} digit_kind;

#define WEIGHTS ((digit_kind){CN__EXACT_WEIGHTS, CN__WEIGHT_BITS, CN__WEIGHT_ENTRIES})
#define GRADIENTS ((digit_kind){CN__EXACT_GRADIENTS, CN__GRADIENT_BITS, CN__GRADIENT_ENTRIES})

/* Lists that are too long for that. */
static void values_of_long_list(const cn__ink *entries, int64_t n, const cn__wholes *digits, digit_kind kind,
                                const cn__exact_scale *scales, float *values, const int vectors)
{
    double whole[PART] = {0};
    digit_sums sums;
    for (int64_t first = 0; first < n; first += kind.most_entries) {
        add_up(entries + first, smaller(kind.most_entries, n - first), digits, &sums, vectors);
        for (int i = 0; i < vectors * CN__WHOLES; i++)
            whole[i] += (double)sums.high[i] * (1 << kind.bits) + (double)sums.low[i];
    }
    for (int i = 0; i < vectors * CN__WHOLES; i++) values[i] = cn__exact_value(whole[i], kind.kind, &scales[i / GROUP]);
}

/* The sums of a part's outputs over a list, as float32 numbers. */
INLINE void values_of_list(const cn__ink *entries, int64_t n, const cn__wholes *digits, const digit_kind kind,
                           const cn__exact_scale *scales, float *values, const int vectors)
{
    if (n > kind.most_entries) {
        values_of_long_list(entries, n, digits, kind, scales, values, vectors);
        return;
    }
    digit_sums sums;
    add_up(entries, n, digits, &sums, vectors);
    for (int g = 0; g < vectors * CN__WHOLES; g += GROUP)
        cn__values_of_digits(sums.low + g, sums.high + g, GROUP, kind.bits, kind.kind, &scales[g / GROUP], values + g);
}

/* --- forward ------------------------------------------------------------------------------------------------------ */

/* A group of weights: `columns` of the kernel's. Digits of two rows stand in 2 * `apart` vectors, the lower ones
 * first. */
typedef struct weights {
    const float *w;
    int64_t stride, columns, inputs, apart;
    const uint8_t *used; /* which rows count for the scale; NULL: all */
} weights;

#define ROWS_AHEAD 16

/* The digits of two rows side by side; returns their largest magnitudes, and those before. */
INLINE cn__wholes make_two_rows(const weights *g, int64_t k, int64_t columns, const cn__exact_scale *scale,
                                cn__wholes peaks, cn__wholes *digits)
{
    const int has_second = k + 1 < g->inputs;
    const float *first = g->w + k * g->stride, *second = has_second ? first + g->stride : first;
#pragma GCC unroll 4
    for (int v = 0; v < GROUP_VECTORS; v++) {
        const int64_t at = v * CN__WHOLES, left = columns - at;
        const cn__digits_of_two two =
            cn__digits_of(cn__whole_numbers(first + at, left, scale),
                          cn__whole_numbers(second + at, has_second ? left : 0, scale), CN__WEIGHT_BITS);
        if (!g->used || g->used[k]) peaks = cn__larger_magnitudes(peaks, first + at, left);
        if (!g->used || g->used[k + has_second]) peaks = cn__larger_magnitudes(peaks, second + at, left);
        digits[v] = two.low;
        digits[g->apart + v] = two.high;
    }
    return peaks;
}

/* The digits on a scale, and the largest magnitude. Rows are too far apart for the CPU to see which comes next. */
static uint32_t make_digits(const weights *group, const cn__exact_scale *wanted, cn__wholes *digits)
{
    const weights g = *group;
    const cn__exact_scale scale = *wanted;
    const int is_plain = g.columns == GROUP && !g.used;
    cn__wholes peaks = {0};
    int64_t k = 0;
    for (; is_plain && k + 2 <= g.inputs; k += 2, digits += 2 * g.apart) {
        const weights two = {g.w, g.stride, GROUP, k + 2, g.apart, NULL};
        __builtin_prefetch(g.w + (k + ROWS_AHEAD) * g.stride);
        __builtin_prefetch(g.w + (k + ROWS_AHEAD + 1) * g.stride);
        peaks = make_two_rows(&two, k, GROUP, &scale, peaks, digits);
    }
    for (; k < g.inputs; k += 2, digits += 2 * g.apart)
        peaks = make_two_rows(&g, k, g.columns, &scale, peaks, digits);
    return largest(peaks);
}

/* The scale is known only when all weights have been seen, so the one that served last time is tried first; mostly it
 * is right. */
static cn__exact_scale make_weight_digits(const weights *group, double scale, uint32_t *last_peak, cn__wholes *digits)
{
    for (;;) {
        const cn__exact_scale guess = cn__exact_scale_of(CN__EXACT_WEIGHTS, *last_peak, scale);
        const uint32_t peak = make_digits(group, &guess, digits), last = *last_peak;
        *last_peak = peak;
        if (peak == last || (peak < 0x7f800000u && last < 0x7f800000u &&
                             cn__exact_exponent(peak) == cn__exact_exponent(last)))
            return guess;
    }
}

typedef float numbers __attribute__((vector_size(CN__WHOLES * sizeof(float)), aligned(4), may_alias));

static void finish_some(const float *values, const float *bias, int relu, int64_t columns, real *y)
{
    for (int64_t c = 0; c < columns; c++) {
        const float z = bias ? values[c] + bias[c] : values[c];
        y[c] = relu && z <= 0 ? 0 : z;
    }
}

/* Some columns of a row of y; all of them if there are as many as of the vectors. */
INLINE void finish_row(const float *values, const float *bias, int relu, int64_t columns, real *y, const int vectors)
{
    if (columns < vectors * CN__WHOLES) {
        finish_some(values, bias, relu, columns, y);
        return;
    }
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) {
        numbers z = ((const numbers *)values)[v];
        if (bias) z += ((const numbers *)bias)[v];
        if (relu) z = (numbers)((cn__wholes)z & ~(z <= 0));
        ((numbers *)y)[v] = z;
    }
}

/* Which rows of the kernel the batch uses. */
static void find_used(const cn__batch *x, uint8_t *used)
{
    memset(used, 0, (size_t)x->columns + 1);
    for (int64_t b = 0; b < x->rows; b++) {
        const cn__ink *entries = x->by_samples + b * cn__list_stride((x->columns + 1) / 2);
        for (int32_t i = 0; i < x->sample_count[b]; i++) {
            used[2 * entries[i].index] |= entries[i].codes[0] != 0;
            used[2 * entries[i].index + 1] |= entries[i].codes[1] != 0;
        }
    }
}

#define DIGITS_AT ((size_t)64 << 10) /* of the scratch memory; which rows are used stands before */
_Static_assert(CN__BATCH_MOST_COLUMNS + 1 <= DIGITS_AT &&
               (CN__BATCH_MOST_COLUMNS + 1) * PART * sizeof(int32_t) <= CN_POOL_SCRATCH - DIGITS_AT,
               "the scratch memory has no room for a part's digits");

/* Samples begin ... end-1, the columns from o on: one group of them, or two. */
INLINE void forward_part(const job *j, int64_t o, int64_t begin, int64_t end, const uint8_t *used, cn__wholes *digits,
                         const int groups)
{
    const cn__batch *x = j->x;
    const int64_t inputs = j->d->inputs, outputs = j->d->outputs, stride = cn__list_stride((inputs + 1) / 2);
    const int64_t columns = smaller(groups * GROUP, outputs - o);
    const float *bias = j->finish->bias ? j->finish->bias + o : NULL;
    const int relu = j->finish->relu;
    cn__exact_scale scales[PART_GROUPS];
    for (int g = 0; g < groups; g++) {
        const int64_t at = o + g * GROUP;
        const weights group = {cn__kernel_column(j->d, at), j->d->kernel_stride, smaller(GROUP, outputs - at), inputs,
                               groups * GROUP_VECTORS, used};
        uint32_t own_peak = 0, *last_peak = j->groups == 1 ? &x->last_peaks[at / GROUP] : &own_peak;
        scales[g] = make_weight_digits(&group, x->scale, last_peak, digits + g * GROUP_VECTORS);
    }
    for (int64_t b = begin; b < end; b++) {
        float values[PART];
        values_of_list(x->by_samples + b * stride, x->sample_count[b], digits, WEIGHTS, scales, values,
                       groups * GROUP_VECTORS);
        finish_row(values, bias, relu, columns, j->y + b * outputs + o, groups * GROUP_VECTORS);
    }
}

static void forward_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    const int64_t rows = j->x->rows;
    uint8_t *used = cn__pool_scratch(j->d->pool, thread);
    cn__wholes *digits = (cn__wholes *)(void *)(used + DIGITS_AT);
    if (j->x->mostly_blank) find_used(j->x, used);
    else used = NULL;
    for (int64_t task = begin; task < end; task++) {
        const int64_t o = task / j->groups * PART, group = task % j->groups;
        const int64_t first = rows * group / j->groups, last = rows * (group + 1) / j->groups;
        if (j->d->outputs - o > GROUP) forward_part(j, o, first, last, used, digits, PART_GROUPS);
        else forward_part(j, o, first, last, used, digits, 1);
    }
}

void cn__dense_forward_bytes(const cn__dense *d, const cn__batch *x, const cn__finish *finish, real *y)
{
#if CN__AMX_BYTES
    if (x->sample_tiles) {
        cn__amx_bytes_forward(d, x, finish, y);
        return;
    }
#endif
    if (x->used || x->lists) {
        cn__dense_sparse_forward(d, x, finish, y);
        return;
    }
    job j = {.d = d, .x = x, .finish = finish, .y = y};
    cn__parallel(d->pool, count_tasks(&j, x->rows), forward_tasks, &j);
}

/* --- gradient of the kernel --------------------------------------------------------------------------------------- */

/* dy of a part: its columns from o on, with their scales. */
static void make_gradient_digits(const job *j, int64_t o, cn__exact_scale scales[PART_GROUPS],
                                 cn__wholes *digits)
{
    const int64_t rows = j->x->rows, outputs = j->d->outputs;
    const float *dy = j->dy + o;
    for (int g = 0; g < PART_GROUPS; g++) {
        cn__wholes peaks = {0};
        for (int64_t b = 0; b < rows; b++)
            for (int v = 0; v < GROUP; v += CN__WHOLES)
                peaks = cn__larger_magnitudes(peaks, dy + b * outputs + g * GROUP + v, outputs - o - g * GROUP - v);
        scales[g] = cn__exact_scale_of(CN__EXACT_GRADIENTS, largest(peaks), j->x->scale);
    }
    for (int64_t b = 0; b < rows; b += 2, digits += 2 * PART_VECTORS) {
        const float *first = dy + b * outputs, *second = b + 1 < rows ? first + outputs : first;
        for (int v = 0; v < PART_VECTORS; v++) {
            const int64_t c = v * CN__WHOLES, left = outputs - o - c;
            const cn__exact_scale *scale = &scales[c / GROUP];
            const cn__digits_of_two two =
                cn__digits_of(cn__whole_numbers(first + c, left > 0 ? left : 0, scale),
                              cn__whole_numbers(second + c, left > 0 && b + 1 < rows ? left : 0, scale),
                              CN__GRADIENT_BITS);
            digits[v] = two.low;
            digits[PART_VECTORS + v] = two.high;
        }
    }
}

/* Rows that follow each other. */
typedef struct run {
    uint16_t first, n;
} run;

/* The rows begin ... end-1 of the kernel, and what is to be done with them. */
typedef struct group_of_rows {
    int64_t begin, end, n_order, n_runs;
    uint16_t *order; /* those with a gradient, short lists first: the CPU then mostly foresees where a list ends, as it
                      * ends like the last one */
    run *runs;
} group_of_rows;

#define MOST_GROUPS (2 * CN_MAX_THREADS)

/* All groups, for all tasks. */
struct rows_to_move {
    group_of_rows groups[MOST_GROUPS];
    uint16_t order[CN__BATCH_MOST_COLUMNS];
    run runs[CN__BATCH_MOST_COLUMNS];
    int32_t places[CN__BATCH_MOST_ROWS / 2 + 2]; /* in the order, of lists of each length */
};

/* A task's digits of dy, and PART numbers of the gradient of each row; behind them, of the thread that calls, the rows
 * to move. */
#define DIGITS_BYTES ((size_t)CN__BATCH_MOST_ROWS * PART * sizeof(int32_t))
#define GRADIENT_BYTES ((size_t)CN__BATCH_MOST_COLUMNS * PART * sizeof(float))
_Static_assert(DIGITS_BYTES + GRADIENT_BYTES + sizeof(rows_to_move) <= CN_POOL_SCRATCH,
               "a task's numbers do not fit into the scratch memory");

/* Rows without ink may wait, two neighbours at once. */
static int has_gradient(const job *j, int64_t k)
{
    const int32_t *count = j->x->column_count;
    const int64_t other = (k ^ 1) < j->d->inputs ? k ^ 1 : k;
    return !j->sink->accounts || count[k] != 0 || count[other] != 0;
}

static void add_row(group_of_rows *g, int64_t k)
{
    run *last = &g->runs[g->n_runs - 1];
    if (g->n_runs && last->first + last->n == k) last->n++;
    else g->runs[g->n_runs++] = (run){(uint16_t)k, 1};
}

static void find_rows(const job *j, group_of_rows *g, int32_t *places)
{
    const int32_t *count = j->x->column_count;
    const int64_t pairs = (j->x->rows + 1) / 2;
    memset(places, 0, (size_t)(pairs + 2) * sizeof *places);
    for (int64_t k = g->begin; k < g->end; k++) {
        if (!has_gradient(j, k)) continue;
        add_row(g, k);
        places[count[k] + 1]++;
    }
    for (int64_t n = 0; n <= pairs; n++) places[n + 1] += places[n];
    g->n_order = places[pairs + 1];
    for (int64_t r = 0; r < g->n_runs; r++)
        for (uint16_t i = 0; i < g->runs[r].n; i++) {
            const uint16_t k = (uint16_t)(g->runs[r].first + i);
            g->order[places[count[k]]++] = k;
        }
}

/* Two neighbours are always in the same group. */
static void find_all_rows(const job *j, rows_to_move *rows)
{
    const int64_t pairs = (j->d->inputs + 1) / 2;
    for (int64_t i = 0; i < j->groups; i++) {
        const int64_t begin = 2 * (pairs * i / j->groups), end = 2 * (pairs * (i + 1) / j->groups);
        rows->groups[i] = (group_of_rows){.begin = begin, .end = smaller(end, j->d->inputs),
                                          .order = rows->order + begin, .runs = rows->runs + begin};
        find_rows(j, &rows->groups[i], rows->places);
    }
}

#define LISTS_AHEAD 4 /* the next ones to be asked for, since nobody can foresee which they are */

static void make_gradient(const job *j, const group_of_rows *g, const cn__wholes *digits,
                          const cn__exact_scale scales[PART_GROUPS], float *gradient)
{
    const cn__batch *x = j->x;
    const int64_t stride = cn__list_stride((x->rows + 1) / 2);
    for (int64_t i = 0; i < g->n_order; i++) {
        const int64_t k = g->order[i], soon = g->order[i + LISTS_AHEAD < g->n_order ? i + LISTS_AHEAD : i];
        __builtin_prefetch(x->by_columns + soon * stride);
        __builtin_prefetch(x->by_columns + soon * stride + 16);
        values_of_list(x->by_columns + k * stride, x->column_count[k], digits, GRADIENTS, scales,
                       gradient + (k - g->begin) * PART, PART_VECTORS);
    }
}

/* What rows have missed. Their accounts are settled when all parts of the outputs are through. */
static void make_up(const cn__sink *sink, int64_t o, int64_t columns, int64_t first, int64_t n)
{
    const cn__accounts *accounts = sink->accounts;
    const uint32_t *settled = accounts->settled + o / CHUNK * accounts->rows;
    for (int64_t k = first; k < first + n; k++)
        if (settled[k] < accounts->done) cn__sink_idle(sink, k, o, columns, accounts->done - settled[k]);
}

static void settle_accounts(const job *j)
{
    const cn__accounts *accounts = j->sink->accounts;
    for (int64_t o = 0; accounts && o < j->d->outputs; o += CHUNK)
        for (int64_t k = 0; k < j->d->inputs; k++)
            if (has_gradient(j, k)) accounts->settled[o / CHUNK * accounts->rows + k] = accounts->done + 1;
}

/* Columns from o on. Rows without gaps between them go to the sink at once. */
static void hand_over(const job *j, int64_t o, const group_of_rows *g, const float *gradient)
{
    const cn__sink sink = cn__sink_at_panel(j->sink, o);
    const int64_t columns = smaller(PART, j->d->outputs - o);
    const int at_once = sink.stride == PART && columns == PART;
    for (int64_t r = 0; r < g->n_runs; r++) {
        const int64_t first = g->runs[r].first, n = g->runs[r].n;
        const float *of_run = gradient + (first - g->begin) * PART;
        if (sink.accounts) make_up(&sink, o, columns, first, n);
        if (at_once) cn__sink_row(&sink, first, o, n * PART, of_run);
        for (int64_t i = 0; i < n && !at_once; i++) cn__sink_row(&sink, first + i, o, columns, of_run + i * PART);
    }
}

static void gradient_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    char *scratch = cn__pool_scratch(j->d->pool, thread);
    cn__wholes *digits = (cn__wholes *)(void *)scratch;
    float *gradient = (float *)(void *)(scratch + DIGITS_BYTES);
    for (int64_t task = begin; task < end; task++) {
        const int64_t o = task / j->groups * PART;
        const group_of_rows *group = &j->rows->groups[task % j->groups];
        cn__exact_scale scales[PART_GROUPS];
        make_gradient_digits(j, o, scales, digits);
        make_gradient(j, group, digits, scales, gradient);
        hand_over(j, o, group, gradient);
    }
}

void cn__dense_backward_kernel_bytes(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink)
{
#if CN__AMX_BYTES
    if (x->sample_tiles) {
        cn__amx_bytes_backward_kernel(d, x, dy, sink);
        return;
    }
#endif
    if (x->used || x->lists) {
        cn__dense_sparse_backward_kernel(d, x, dy, sink);
        return;
    }
    job j = {.d = d, .x = x, .dy = dy, .sink = sink};
    const int64_t tasks = count_tasks(&j, (d->inputs + 1) / 2);
    rows_to_move *rows = (void *)((char *)cn__pool_scratch(d->pool, 0) + DIGITS_BYTES + GRADIENT_BYTES);
    find_all_rows(&j, rows);
    j.rows = rows;
    cn__parallel(d->pool, tasks, gradient_tasks, &j);
    settle_accounts(&j);
}

#else

/* The float64 engine makes no batches of bytes (kernels/gather.c), so nobody calls these. */
void cn__dense_forward_bytes(const cn__dense *d, const cn__batch *x, const cn__finish *finish, real *y)
{
    (void)d;
    (void)x;
    (void)finish;
    (void)y;
}

void cn__dense_backward_kernel_bytes(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink)
{
    (void)d;
    (void)x;
    (void)dy;
    (void)sink;
}

#endif
