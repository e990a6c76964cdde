#include "kernels/dense_lists.h"

#if CN_REAL_BITS == 32

#include "kernels/sink_rows.h"

_Static_assert(CN__IDLE_COLUMNS % CN__PART_MOST == 0, "a part lies in one piece of the accounts");

typedef struct rows_to_move rows_to_move;

typedef struct job {
    const cn__dense *d;
    const cn__batch *x;
    const real *dy;
    const cn__sink *sink;
    int64_t groups; /* of rows of the kernel; each part of the outputs is cut into so many tasks */
    const rows_to_move *rows;
    int digits;
} job;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A vector of a part's columns of a row of dy, of which `left` are there, perhaps none. */
typedef struct piece {
    const float *numbers;
    int64_t left;
} piece;

static piece piece_of(const job *j, int64_t row, int64_t column)
{
    const int64_t left = row < j->x->rows ? j->d->outputs - column : 0;
    return left > 0 ? (piece){j->dy + row * j->d->outputs + column, left} : (piece){j->dy, 0};
}

/* dy of a part: its columns from o on, with their scales. */
CN__INLINE_PAIRS void make_gradient_digits(const job *j, int64_t o, const cn__digit_kind kind,
                                           cn__exact_scale *scales, cn__wholes *digits)
{
    const int each = CN__ROW_VECTORS / kind.digits;
    const int64_t rows = j->x->rows;
    for (int g = 0; g < CN__PART_GROUPS(kind.digits); g++) {
        cn__wholes peaks = {0};
        for (int64_t b = 0; b < rows; b++)
            for (int v = 0; v < CN__GROUP_VECTORS; v++) {
                const piece p = piece_of(j, b, o + g * CN__EXACT_GROUP + v * CN__WHOLES);
                peaks = cn__larger_magnitudes(peaks, p.numbers, p.left);
            }
        scales[g] = cn__exact_scale_of(kind.kind, cn__largest_of(peaks), j->x->scale);
    }
    for (int64_t b = 0; b < rows; b += 2, digits += CN__ROW_VECTORS) {
        for (int v = 0; v < each; v++) {
            const piece first = piece_of(j, b, o + v * CN__WHOLES), second = piece_of(j, b + 1, o + v * CN__WHOLES);
            const cn__exact_scale *scale = &scales[v / CN__GROUP_VECTORS];
            cn__put_digits(cn__whole_numbers(first.numbers, first.left, scale),
                           cn__whole_numbers(second.numbers, second.left, scale), kind, each, digits + v);
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

/* A task's digits of dy, and numbers of the gradient, a part's of each row; behind them, of the thread that calls, the
 * rows to move. */
#define DIGITS_BYTES ((size_t)CN__BATCH_MOST_ROWS / 2 * CN__ROW_VECTORS * sizeof(cn__wholes))
#define MOST_GRADIENTS ((int64_t)CN__BATCH_MOST_COLUMNS * CN__PART(2))
_Static_assert(CN__PART_MOST <= 2 * CN__PART(2), "two groups of rows suffice");
#define GRADIENT_BYTES ((size_t)MOST_GRADIENTS * sizeof(float))
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
    run *last = g->n_runs ? &g->runs[g->n_runs - 1] : NULL;
    if (last && last->first + last->n == k) last->n++;
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

CN__INLINE_PAIRS void make_gradient(const job *j, int64_t o, const group_of_rows *g, const cn__digit_kind kind,
                                    const cn__wholes *digits, const cn__exact_scale *scales, float *gradient)
{
    const cn__batch *x = j->x;
    const cn__sink sink = cn__sink_at_panel(j->sink, o);
    const int64_t stride = cn__list_stride((x->rows + 1) / 2);
    for (int64_t i = 0; i < g->n_order; i++) {
        const int64_t k = g->order[i], soon = g->order[i + LISTS_AHEAD < g->n_order ? i + LISTS_AHEAD : i];
        __builtin_prefetch(x->by_columns + soon * stride);
        __builtin_prefetch(x->by_columns + soon * stride + 16);
        if (sink.update) cn__sink_fetch(&sink, k, o, CN__PART(kind.digits));
        const cn__ink *entries = x->by_columns + k * stride;
        float *values = gradient + (k - g->begin) * CN__PART(kind.digits);
        if (x->column_count[k] > kind.most_entries) {
            cn__values_of_long_list(entries, x->column_count[k], digits, kind, scales, values,
                                    CN__ROW_VECTORS);
            continue;
        }
        cn__digit_sums sums;
        cn__add_entries(entries, x->column_count[k], digits, &sums, 1, CN__ROW_VECTORS);
        cn__values_of_sums(&sums, kind, scales, values, CN__ROW_VECTORS);
    }
}

/* What rows have missed. Their accounts are settled when all parts of the outputs are through. */
static void make_up(const cn__sink *sink, int64_t o, int64_t columns, int64_t first, int64_t n)
{
    const cn__accounts *accounts = sink->accounts;
    const uint32_t *settled = accounts->settled + o / CN__IDLE_COLUMNS * accounts->rows;
    for (int64_t k = first; k < first + n; k++)
        if (settled[k] < accounts->done) cn__sink_idle(sink, k, o, columns, accounts->done - settled[k]);
}

static void settle_accounts(const job *j)
{
    const cn__accounts *accounts = j->sink->accounts;
    for (int64_t o = 0; accounts && o < j->d->outputs; o += CN__IDLE_COLUMNS)
        for (int64_t k = 0; k < j->d->inputs; k++)
            if (has_gradient(j, k)) accounts->settled[o / CN__IDLE_COLUMNS * accounts->rows + k] = accounts->done + 1;
}

/* Columns from o on. Rows without gaps between them go to the sink at once. */
static void hand_over(const job *j, int64_t o, const group_of_rows *g, const float *gradient)
{
    const cn__sink sink = cn__sink_at_panel(j->sink, o);
    const int64_t part = CN__PART(j->digits), columns = smaller(part, j->d->outputs - o);
    const int at_once = sink.stride == part && columns == part;
    for (int64_t r = 0; r < g->n_runs; r++) {
        const int64_t first = g->runs[r].first, n = g->runs[r].n;
        const float *of_run = gradient + (first - g->begin) * part;
        if (sink.accounts) make_up(&sink, o, columns, first, n);
        if (at_once) cn__sink_row(&sink, first, o, n * part, of_run);
        for (int64_t i = 0; i < n && !at_once; i++) cn__sink_row(&sink, first + i, o, columns, of_run + i * part);
    }
}

CN__INLINE_PAIRS void gradient_of_part(const job *j, int64_t o, const group_of_rows *group, char *scratch,
                                       const int each)
{
    const cn__digit_kind kind = cn__gradient_digits(each);
    cn__wholes *digits = (cn__wholes *)(void *)scratch;
    float *gradient = (float *)(void *)(scratch + DIGITS_BYTES);
    cn__exact_scale scales[CN__PART_GROUPS(1)];
    make_gradient_digits(j, o, kind, scales, digits);
    make_gradient(j, o, group, kind, digits, scales, gradient);
    hand_over(j, o, group, gradient);
}

static void gradient_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    char *scratch = cn__pool_scratch(j->d->pool, thread);
    for (int64_t task = begin; task < end; task++) {
        const int64_t o = task / j->groups * CN__PART(j->digits);
        const group_of_rows *group = &j->rows->groups[task % j->groups];
        if (j->digits == 2) gradient_of_part(j, o, group, scratch, 2);
        else gradient_of_part(j, o, group, scratch, 1);
    }
}

void cn__dense_lists_backward_kernel(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink,
                                     int digits)
{
    job j = {.d = d, .x = x, .dy = dy, .sink = sink, .digits = digits};
    const int64_t least = d->inputs * CN__PART(digits) > MOST_GRADIENTS ? 2 : 1;
    const int64_t tasks = cn__list_tasks(d, digits, least, (d->inputs + 1) / 2, &j.groups);
    rows_to_move *rows = (void *)((char *)cn__pool_scratch(d->pool, 0) + DIGITS_BYTES + GRADIENT_BYTES);
    find_all_rows(&j, rows);
    j.rows = rows;
    cn__parallel(d->pool, tasks, gradient_tasks, &j);
    settle_accounts(&j);
}

#else
typedef int no_lists_in_this_engine;
#endif
