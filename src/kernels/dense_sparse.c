#include "kernels/real.h"

#if CN_REAL_BITS == 32

#include "kernels/bf16.h"
#include "kernels/dense_sparse_parts.h"

/* By columns: nearly all of the time goes into bringing rows of the kernel from memory, so each row is visited once in
 * each product, by one thread, over its whole length. */
#define AHEAD 1 /* rows that are fetched in advance */

#define PIECE CN__IDLE_COLUMNS

typedef cn__sparse_job job;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The columns in use are divided so that tasks have equally much to do: `each` for a column and 1 for an entry. */
static void divide(const job *j, int64_t each, int64_t task, int64_t *from, int64_t *to)
{
    const cn__batch *x = j->x;
    const int64_t all = x->n_used * each + x->n_entries, begin = all * task / j->tasks,
                  end = all * (task + 1) / j->tasks;
    int64_t u = 0, done = 0;
    for (; u < x->n_used && done < begin; u++) done += each + x->used[u].count;
    *from = u;
    for (; u < x->n_used && done < end; u++) done += each + x->used[u].count;
    *to = u;
}

/* Inline, as are others that only fetch: gcc takes such functions for ones that do nothing, and drops their calls. */
CN__INLINE void fetch_row(const real *row, int64_t n)
{
    for (int64_t c = 0; c < n; c += 16) __builtin_prefetch(row + c);
}

/* --- forward ------------------------------------------------------------------------------------------------------ */

#define BYTES_OF_A_SUM (sizeof(int32_t) + sizeof(double))
_Static_assert(CN__BATCH_MOST_ROWS * CN__EXACT_GROUP * BYTES_OF_A_SUM <= CN_POOL_SCRATCH,
               "sums of the largest batch do not fit");
_Static_assert(CN__SPARSE_WIDTH * sizeof(uint32_t) <= CN_POOL_STRIP, "peaks do not fit");

/* n outputs of a column, from c on, while those of the next column are fetched. */
CN__INLINE void add_column(const job *j, const cn__spread *s, int64_t task, const cn__column *column,
                           const cn__column *next, int64_t c, int64_t n)
{
    const cn__batch *x = j->x;
    const real *kernel = j->d->kernel + j->o + c, *w = kernel + column->index * j->d->kernel_stride;
    int32_t *light = cn__light_sums(j, task) + c, q[CN__SPARSE_WIDTH];
    double *heavy = cn__heavy_sums(j, task) + c;
    fetch_row(kernel + next->index * j->d->kernel_stride, n);
    cn__raise_peaks((const cn__float_bits *)w, n, (cn__float_bits *)cn__pool_strip(j->d->pool, (int)task) + c);
    cn__make_whole(w, n, s->up + c, q);
    const cn__ink *entry = x->entries + column->first;
    for (const cn__ink *end = entry + column->count; entry < end; entry++) {
        if (x->is_heavy[entry->index]) cn__add_heavy(heavy + entry->index * j->width, q, n, entry->codes[0]);
        else cn__add_light(light + entry->index * j->width, q, n, entry->codes[0]);
    }
}

static void add_columns(const job *j, const cn__spread *s, int64_t task)
{
    const cn__batch *x = j->x;
    const int64_t width = j->width;
    double *heavy = cn__heavy_sums(j, task);
    int64_t from, to;
    divide(j, 2, task, &from, &to);
    memset(cn__pool_strip(j->d->pool, (int)task), 0, (size_t)width * sizeof(cn__float_bits));
    memset(cn__light_sums(j, task), 0, (size_t)(x->rows * width) * sizeof(int32_t));
    for (int64_t b = 0; b < x->rows; b++)
        if (x->is_heavy[b]) memset(heavy + b * width, 0, (size_t)width * sizeof *heavy);
    for (int64_t u = from; u < to; u++) {
        const cn__column *column = &x->used[u], *next = u + 1 < to ? column + 1 : column;
        int64_t c = 0;
        for (; c + PIECE <= width; c += PIECE) add_column(j, s, task, column, next, c, PIECE);
        if (c < width) add_column(j, s, task, column, next, c, width - c);
    }
}

static void add_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    cn__spread s;
    (void)thread;
    cn__spread_out(j->scales, j->width, &s);
    for (int64_t task = begin; task < end; task++) add_columns(j, &s, task);
}

/* Scales from the peaks that the tasks have seen; 1 if they differ from those that the sums were made with. */
static int check_scales(job *j)
{
    int wrong = 0;
    for (int64_t c = 0; c < j->width; c += CN__EXACT_GROUP) {
        uint32_t peak = 0, *last = &j->x->last_peaks[(j->o + c) / CN__EXACT_GROUP];
        for (int64_t task = 0; task < j->tasks; task++) {
            const cn__float_bits *peaks = cn__pool_strip(j->d->pool, (int)task);
            for (int64_t i = c; i < smaller(c + CN__EXACT_GROUP, j->width); i++)
                peak = peaks[i] > peak ? peaks[i] : peak;
        }
        cn__exact_scale *scale = &j->scales[c / CN__EXACT_GROUP],
                        right = cn__exact_scale_of(CN__EXACT_WEIGHTS, peak, j->x->scale);
        wrong |= scale->up != right.up; /* which says all; 0 stands for a group with a NaN */
        *scale = right;
        *last = peak;
    }
    return wrong;
}

static void finish_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    const cn__finish *f = j->finish;
    const int64_t width = j->width;
    cn__spread s;
    (void)thread;
    cn__spread_out(j->scales, width, &s);
    for (int64_t b = begin; b < end; b++) {
        real *restrict y = j->y + b * j->d->outputs + j->o;
        if (j->x->is_heavy[b]) {
            double sums[CN__SPARSE_WIDTH] = {0};
            for (int64_t task = 0; task < j->tasks; task++)
                for (int64_t c = 0; c < width; c++) sums[c] += cn__heavy_sums(j, task)[b * width + c];
            cn__values(sums, width, CN__EXACT_WEIGHTS, s.high, s.rest, y);
        } else {
            int32_t sums[CN__SPARSE_WIDTH] = {0};
            for (int64_t task = 0; task < j->tasks; task++) {
                const int32_t *part = cn__light_sums(j, task) + b * width;
                for (int64_t c = 0; c < width; c++) sums[c] += part[c];
            }
            for (int64_t c = 0; c < width; c++)
                y[c] = FMA((float)(sums[c] >> 16), s.high[c], (float)(sums[c] & 0xffff) * s.rest[c]);
        }
        for (int64_t c = 0; f->bias && c < width; c++) y[c] += f->bias[j->o + c];
        for (int64_t c = 0; f->relu && c < width; c++) y[c] = y[c] <= 0 ? 0 : y[c];
        for (int64_t c = 0; f->rounds && c < width; c++) y[c] = cn__bf16_round(y[c]);
    }
}

/* The scales are guessed from the last batch, so that one visit of the kernel is enough nearly always. */
void cn__dense_sparse_forward(const cn__dense *d, const cn__batch *x, const cn__finish *finish, real *y)
{
    job j = {.d = d, .x = x, .finish = finish, .y = y, .tasks = cn__pool_threads(d->pool)};
    int64_t most = (int64_t)(CN_POOL_SCRATCH / BYTES_OF_A_SUM) / (x->rows ? x->rows : 1) / CN__EXACT_GROUP *
                   CN__EXACT_GROUP;
    if (most > CN__SPARSE_WIDTH) most = CN__SPARSE_WIDTH;
    for (j.o = 0; j.o < d->outputs; j.o += most) {
        j.width = smaller(most, d->outputs - j.o);
        for (int64_t c = 0; c < j.width; c += CN__EXACT_GROUP)
            j.scales[c / CN__EXACT_GROUP] =
                cn__exact_scale_of(CN__EXACT_WEIGHTS, x->last_peaks[(j.o + c) / CN__EXACT_GROUP], x->scale);
        do cn__parallel(d->pool, j.tasks, x->lists ? cn__dense_sparse_narrow_forward : add_tasks, &j);
        while (check_scales(&j));
        cn__parallel(d->pool, x->rows, finish_rows, &j);
    }
}

/* --- gradient of the kernel --------------------------------------------------------------------------------------- */

#define MOST_ONES 16 /* entries of a column whose sums are likely to fit into 32 bits */
#define ONES_AT_ONCE (CN__WORDS < 16 ? 32 : 64) /* outputs whose sums registers hold */
#define TABLE_BYTES ((size_t)4 << 20) /* of dy, once as whole numbers and once as values */
_Static_assert(CN__BATCH_MOST_ROWS * PIECE * sizeof(int32_t) <= TABLE_BYTES, "dy of the largest batch does not fit");
_Static_assert(2 * TABLE_BYTES <= CN_POOL_SCRATCH, "dy of the largest batch does not fit");

/* dy as whole numbers, and what a single one of them with the code 1 would come to. */
typedef struct dy_table {
    int32_t *whole;
    float *value;
    cn__spread s;
    int has_nan;
} dy_table;

static void fill_table(const job *j, dy_table *t)
{
    t->has_nan = cn__spread_gradient_scales(j, &t->s);
    for (int64_t b = 0; b < j->x->rows; b++) {
        const real *restrict dy = j->dy + b * j->d->outputs + j->o;
        int32_t *restrict q = t->whole + b * j->width;
        float *restrict v = t->value + b * j->width;
        for (int64_t c = 0; c < j->width; c++) {
            q[c] = cn__whole_gradient(dy[c], t->s.up[c]);
            v[c] = cn__light_value(q[c], t->s.high[c], t->s.rest[c]);
        }
    }
}

/* n outputs from a column of the table on, for entries whose code is 1. Bits 31 of `over` say where a sum did not
 * fit. */
CN__INLINE void add_ones(const cn__ink *entries, int64_t n_entries, const int32_t *table, int64_t width, int n,
                         const float *high, const float *rest, float *gradient, cn__words *over)
{
    cn__words sums[ONES_AT_ONCE / CN__WORDS];
    for (int v = 0; v < n / CN__WORDS; v++) sums[v] = (cn__words){0};
    for (int64_t i = 0; i < n_entries; i++) {
        const int32_t *q = table + entries[i].index * width;
        for (int v = 0; v < n / CN__WORDS; v++) {
            const cn__words each = *(const cn__words *)(q + v * CN__WORDS), before = sums[v];
            sums[v] += each;
            *over |= (before ^ sums[v]) & (each ^ sums[v]);
        }
    }
    for (int c = 0; c < n; c += CN__VEC)
        cn__light_values((const uint32_t *)&sums[c / CN__WORDS], high + c, rest + c, gradient + c);
}

/* As value_of_many, for a few entries; 0 if it has to do them. */
static int value_of_few(const cn__ink *entries, int64_t n_entries, const int32_t *table, int64_t width,
                        const float *high, const float *rest, float *gradient)
{
    cn__words over = {0};
    int64_t c = 0;
    if (n_entries > MOST_ONES || width % CN__VEC) return 0;
    for (int64_t i = 0; i < n_entries; i++)
        if (entries[i].codes[0] != 1) return 0;
    for (; c + ONES_AT_ONCE <= width; c += ONES_AT_ONCE)
        add_ones(entries, n_entries, table + c, width, ONES_AT_ONCE, high + c, rest + c, gradient + c, &over);
    for (; c < width; c += CN__VEC)
        add_ones(entries, n_entries, table + c, width, CN__VEC, high + c, rest + c, gradient + c, &over);
    return !cn__some_bit(over >> 31);
}

typedef int32_t whole_numbers __attribute__((vector_size(CN__LANES * sizeof(int32_t)), aligned(4), may_alias));

#if defined(CN_ISA_AVX512) /* gcc 12 does it in two halves */
#define WIDEN(q) ((cn__wide)_mm512_cvtepi32_pd(_mm256_loadu_si256((const void *)(q))))
#else
#define WIDEN(q) __builtin_convertvector(*(const whole_numbers *)(q), cn__wide)
#endif

typedef float narrowed __attribute__((vector_size(CN__LANES * sizeof(float)), aligned(4), may_alias));

#if defined(CN_ISA_AVX512)
#define ROUND_DOWN(x) (x) = (cn__wide)_mm512_roundscale_pd((__m512d)(x), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)
#else
#define ROUND_DOWN(x) \
    for (int lane = 0; lane < CN__LANES; lane++) (x)[lane] = cn__floor((x)[lane])
#endif

/* n outputs from a column of the table on, whose sums stay in registers. They become values as in cn__values, of which
 * the compiler would make no vectors here. */
CN__INLINE void add_up(const cn__ink *entries, int64_t n_entries, const int32_t *table, int64_t width, int n,
                   const float *restrict high_scale, const float *restrict rest_scale, float *restrict gradient)
{
    const double unit = (double)(1 << CN__EXACT_GRADIENTS.low);
    cn__wide sums[8];
    float high[8 * CN__LANES], rest[8 * CN__LANES];
    CN__UNROLL(8)
    for (int v = 0; v < n / CN__LANES; v++) sums[v] = (cn__wide){0};
    for (int64_t i = 0; i < n_entries; i++) {
        const int32_t *q = table + entries[i].index * width;
        const double code = entries[i].codes[0];
        CN__UNROLL(8)
        for (int v = 0; v < n / CN__LANES; v++) sums[v] += WIDEN(q + v * CN__LANES) * code;
    }
    CN__UNROLL(8)
    for (int v = 0; v < n / CN__LANES; v++) {
        cn__wide whole = sums[v] * (1 / unit);
        ROUND_DOWN(whole);
        *(narrowed *)(high + v * CN__LANES) = __builtin_convertvector(whole, narrowed);
        *(narrowed *)(rest + v * CN__LANES) = __builtin_convertvector(sums[v] - whole * unit, narrowed);
    }
    for (int c = 0; c < n; c++) gradient[c] = FMA(high[c], high_scale[c], rest[c] * rest_scale[c]);
}

static void value_of_many(const cn__ink *entries, int64_t n_entries, const int32_t *table, int64_t width,
                          const float *high, const float *rest, float *gradient)
{
    int64_t c = 0;
    for (; c + 64 <= width; c += 64) add_up(entries, n_entries, table + c, width, 64, high + c, rest + c, gradient + c);
    for (; c + 16 <= width; c += 16) add_up(entries, n_entries, table + c, width, 16, high + c, rest + c, gradient + c);
    for (; c < width; c++) {
        double sum = 0;
        for (int64_t i = 0; i < n_entries; i++)
            sum += (double)table[entries[i].index * width + c] * entries[i].codes[0];
        cn__values(&sum, 1, CN__EXACT_GRADIENTS, high + c, rest + c, gradient + c);
    }
}

/* The gradient of a column over the outputs of the job; no column: of one without entries. May stand in `memory` or in
 * the table. */
static const float *gradient_of(const job *j, const dy_table *t, const cn__column *column, float *memory)
{
    const int64_t width = j->width;
    if (!column) {
        for (int64_t c = 0; c < width; c++) memory[c] = cn__light_value(0, t->s.high[c], t->s.rest[c]);
        return memory;
    }
    const cn__ink *entries = j->x->entries + column->first;
    if (column->count == 1 && entries[0].codes[0] == 1) return t->value + entries[0].index * width;
    if (value_of_few(entries, column->count, t->whole, width, t->s.high, t->s.rest, memory)) return memory;
    value_of_many(entries, column->count, t->whole, width, t->s.high, t->s.rest, memory);
    return memory;
}

CN__INLINE void fetch_sink(const job *j, int64_t k, int64_t c, int64_t n)
{
    const cn__sink *sink = j->sink;
    if (!sink->update) return;
    fetch_row((const real *)sink->weight + k * sink->stride + j->o + c, n);
    if (sink->slots[0]) fetch_row((const real *)sink->slots[0] + k * sink->stride + j->o + c, n);
}

static void hand_over(const job *j, const dy_table *t, int64_t k, const cn__column *column, int64_t next)
{
    float memory[CN__SPARSE_WIDTH];
    const float *gradient = gradient_of(j, t, column, memory);
    cn__settle_row(j, k);
    for (int64_t c = 0; c < j->width; c += PIECE) {
        if (next >= 0 && c + PIECE <= j->width) fetch_sink(j, next, c, PIECE);
        cn__sink_row(j->sink, k, j->o + c, smaller(PIECE, j->width - c), gradient + c);
    }
}

/* Neighbouring rows of a narrow kernel at a time; returns how many, 0 if the rows are not worth it. */
static int64_t hand_over_neighbours(const job *j, const dy_table *t, const cn__column *columns, int64_t n)
{
    float memory[CN__SPARSE_WIDTH];
    int64_t most = j->sink->stride == j->width ? smaller(CN__SPARSE_WIDTH / j->width, n) : 1, rows = 1;
    while (rows < most && columns[rows].index == columns[0].index + rows) rows++;
    if (rows == 1) return 0;
    for (int64_t r = 0; r < rows; r++) {
        float *place = memory + r * j->width;
        const float *gradient = gradient_of(j, t, &columns[r], place);
        if (gradient != place) memcpy(place, gradient, (size_t)j->width * sizeof *place);
        cn__settle_row(j, columns[r].index);
    }
    cn__sink_row(j->sink, columns[0].index, j->o, rows * j->width, memory);
    return rows;
}

/* Rows may wait by two, as with lists: if either has ink, both get their gradient, so that a NaN reaches the same
 * rows. */
static int has_partner_waiting(const cn__batch *x, int64_t u)
{
    int64_t partner = x->used[u].index ^ 1;
    if (partner >= x->columns) return 0;
    if (partner < x->used[u].index) return u == 0 || x->used[u - 1].index != partner;
    return u + 1 == x->n_used || x->used[u + 1].index != partner;
}

static void hand_over_columns(const job *j, const dy_table *t, int64_t from, int64_t to)
{
    const cn__batch *x = j->x;
    for (int64_t u = from, done; u < to; u += done) {
        done = t->has_nan ? 0 : hand_over_neighbours(j, t, x->used + u, to - u);
        if (done) continue;
        done = 1;
        hand_over(j, t, x->used[u].index, &x->used[u], u + AHEAD < to ? x->used[u + AHEAD].index : -1);
        if (t->has_nan && has_partner_waiting(x, u)) hand_over(j, t, x->used[u].index ^ 1, NULL, -1);
    }
}

/* Every row has its turn, those without ink too. */
static void hand_over_all(const job *j, const dy_table *t, int64_t task)
{
    const cn__batch *x = j->x;
    int64_t k = j->d->inputs * task / j->tasks, end = j->d->inputs * (task + 1) / j->tasks, u = 0;
    while (u < x->n_used && x->used[u].index < k) u++;
    for (; k < end; k++) {
        int is_used = u < x->n_used && x->used[u].index == k;
        hand_over(j, t, k, is_used ? &x->used[u] : NULL, -1);
        u += is_used;
    }
}

static void gradient_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    dy_table t = {.whole = cn__pool_scratch(j->d->pool, thread)};
    t.value = (float *)(t.whole + j->x->rows * j->width);
    fill_table(j, &t);
    for (int64_t task = begin; task < end; task++) {
        int64_t from, to;
        divide(j, 4, task, &from, &to);
        if (j->sink->accounts) hand_over_columns(j, &t, from, to);
        else hand_over_all(j, &t, task);
    }
}

void cn__dense_sparse_backward_kernel(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink)
{
    job j = {.d = d, .x = x, .dy = dy, .sink = sink, .tasks = cn__pool_threads(d->pool)};
    int64_t most = (int64_t)(TABLE_BYTES / sizeof(int32_t)) / (x->rows ? x->rows : 1) / PIECE * PIECE;
    if (most > CN__SPARSE_WIDTH) most = CN__SPARSE_WIDTH;
    for (j.o = 0; j.o < d->outputs; j.o += most) {
        j.width = smaller(most, d->outputs - j.o);
        cn__parallel(d->pool, j.tasks, x->lists ? cn__dense_sparse_narrow_gradient : gradient_tasks, &j);
    }
}

#endif
