#include "kernels/real.h"

#if CN_REAL_BITS == 32

#include "kernels/dense_sparse_parts.h"
#include "kernels/gather.h"

#include <string.h>

/* Kernels whose rows are a few vectors. Sorting a batch by columns would take longer than both products: here they read
 * the data set's own lists, row by row, and each task has some columns of the kernel, which stay in its cache.
 *
 *   forward    the sum of a sample over a task's columns stays in registers
 *   gradient   the sums of a task's columns stand in a table, to which each sample adds its dy at its ones; it is all
 *              zeros before and after */

#define AHEAD 4 /* samples whose lists are fetched in advance: they lie anywhere in memory */
_Static_assert(CN__SPARSE_NARROW <= CN__IDLE_COLUMNS, "a row has one account");
_Static_assert(CN__SPARSE_NARROW == 2 * CN__VEC, "wider kernels need another case");
_Static_assert(CN__BATCH_MOST_COLUMNS <= CN_POOL_STRIP, "a byte for each column does not fit");

/* The columns of some neighbouring parts. */
typedef struct share {
    const cn__sparse_rows *lists;
    const cn__choice *choice;
    int first_part, end_part;
    int64_t from, to; /* columns */
} share;

typedef struct piece {
    const cn__ink *begin, *end;
} piece;

static share share_of(const cn__sparse_job *j, int64_t task)
{
    const cn__sparse_rows *lists = j->x->lists;
    int first = (int)(lists->parts * task / j->tasks), end = (int)(lists->parts * (task + 1) / j->tasks);
    return (share){lists, j->x->choice, first, end, lists->cuts[first], lists->cuts[end]};
}

/* What sample b has in the share. */
CN__INLINE piece piece_of(const share *s, int64_t b)
{
    const int64_t *first = s->lists->first + cn__choice_row(s->choice, b) * s->lists->parts;
    return (piece){s->lists->entries + first[s->first_part], s->lists->entries + first[s->end_part]};
}

/* Inline: gcc takes a function that only fetches for one that does nothing, and drops its calls. */
CN__INLINE void fetch_piece(const share *s, int64_t b)
{
    if (b + AHEAD < s->choice->n)
        __builtin_prefetch(s->lists->first + cn__choice_row(s->choice, b + AHEAD) * s->lists->parts + s->first_part);
    if (b >= s->choice->n) return;
    piece p = piece_of(s, b);
    for (const cn__ink *entry = p.begin; entry < p.end; entry += 16) __builtin_prefetch(entry);
    if (p.begin < p.end) __builtin_prefetch(p.end - 1);
}

/* The entries of the sample behind b, whose rows are fetched while those of b are used, without the last; if it has
 * none, those of b. */
CN__INLINE piece next_piece(const share *s, int64_t b)
{
    piece next = piece_of(s, b + 1 < s->choice->n ? b + 1 : b), p = next.begin < next.end ? next : piece_of(s, b);
    p.end -= p.begin < p.end;
    return p;
}

/* --- forward ------------------------------------------------------------------------------------------------------ */

/* Sums of a light sample. A weight above the limit of a wrong guess gives a wrong sum, which is then made again. */
#if defined(CN_ISA_AVX512) || defined(CN_ISA_AVX2)
CN__INLINE void add_piece(const cn__sparse_job *j, piece p, piece next, const int64_t width, const cn__spread *s,
                          int32_t *sums, cn__float_bits *peaks)
{
    const real *kernel = j->d->kernel + j->o;
    const int64_t stride = j->d->kernel_stride;
    const int vectors = (int)(width + CN__WHOLES - 1) / CN__WHOLES;
    cn__wholes sum[CN__SPARSE_NARROW / CN__WHOLES] = {{0}}, peak[CN__SPARSE_NARROW / CN__WHOLES] = {{0}};
    (void)s;
    for (const cn__ink *entry = p.begin; entry < p.end; entry++) {
        const real *row = kernel + entry->index * stride;
        const int code = entry->codes[0];
        for (int64_t c = 0; c < width; c += CN__VEC) __builtin_prefetch(kernel + next.begin->index * stride + c);
        next.begin += next.begin < next.end;
        CN__UNROLL(4)
        for (int v = 0; v < vectors; v++) {
            const int64_t at = v * CN__WHOLES;
            const cn__wholes q = cn__whole_numbers(row + at, width - at, &j->scales[at / CN__EXACT_GROUP]);
            peak[v] = cn__larger_magnitudes(peak[v], row + at, width - at);
            sum[v] += code == 1 ? q : q * code;
        }
    }
    CN__UNROLL(4)
    for (int v = 0; v < vectors; v++) {
        const int64_t at = v * CN__WHOLES, n = width - at < CN__WHOLES ? width - at : CN__WHOLES;
        for (int64_t c = 0; c < n; c++) {
            sums[at + c] = sum[v][c];
            peaks[at + c] = peaks[at + c] > (uint32_t)peak[v][c] ? peaks[at + c] : (uint32_t)peak[v][c];
        }
    }
}
#else
CN__INLINE void add_piece(const cn__sparse_job *j, piece p, piece next, int64_t width, const cn__spread *s,
                          int32_t *sums, cn__float_bits *peaks)
{
    int32_t q[CN__SPARSE_NARROW];
    memset(sums, 0, (size_t)width * sizeof *sums);
    (void)next;
    for (const cn__ink *entry = p.begin; entry < p.end; entry++) {
        const real *w = j->d->kernel + j->o + entry->index * j->d->kernel_stride;
        cn__raise_peaks((const cn__float_bits *)w, width, peaks);
        cn__make_whole(w, width, s->up, q);
        cn__add_light(sums, q, width, entry->codes[0]);
    }
}
#endif

static void add_heavy_piece(const cn__sparse_job *j, piece p, const cn__spread *s, double *sums, cn__float_bits *peaks)
{
    int32_t q[CN__SPARSE_NARROW];
    memset(sums, 0, (size_t)j->width * sizeof *sums);
    for (const cn__ink *entry = p.begin; entry < p.end; entry++) {
        const real *w = j->d->kernel + j->o + entry->index * j->d->kernel_stride;
        cn__raise_peaks((const cn__float_bits *)w, j->width, peaks);
        cn__make_whole(w, j->width, s->up, q);
        cn__add_heavy(sums, q, j->width, entry->codes[0]);
    }
}

CN__INLINE void add_samples(const cn__sparse_job *j, const share *columns, const cn__spread *s, int64_t task,
                            int64_t width)
{
    int32_t *light = cn__light_sums(j, task);
    double *heavy = cn__heavy_sums(j, task);
    cn__float_bits *peaks = cn__pool_strip(j->d->pool, (int)task);
    memset(peaks, 0, (size_t)width * sizeof *peaks);
    for (int64_t b = 0; b < j->x->rows; b++) {
        fetch_piece(columns, b + AHEAD);
        piece p = piece_of(columns, b);
        if (j->x->is_heavy[b]) add_heavy_piece(j, p, s, heavy + b * width, peaks);
        else add_piece(j, p, next_piece(columns, b), width, s, light + b * width, peaks);
    }
}

void cn__dense_sparse_narrow_forward(void *job, int thread, int64_t begin, int64_t end)
{
    const cn__sparse_job *j = job;
    cn__spread s;
    (void)thread;
    cn__spread_out(j->scales, j->width, &s);
    for (int64_t task = begin; task < end; task++) {
        const share columns = share_of(j, task);
        if (j->width == 16) add_samples(j, &columns, &s, task, 16);
        else if (j->width == 32) add_samples(j, &columns, &s, task, 32);
        else add_samples(j, &columns, &s, task, j->width);
    }
}

/* --- gradient of the kernel --------------------------------------------------------------------------------------- */

/* Sums as they stand in the table: their low 32 bits, and in a second table of the same size what is above those, which
 * hardly ever is anything but 0 and then is not read. So a column costs one cache line for sixteen outputs. */
typedef struct sums_table {
    uint32_t *low;
    int32_t *above;
    int has_above; /* some of the task's are not 0 */
} sums_table;

/* Adds so many times q to a column. */
static void add_many(sums_table *t, int64_t at, const uint32_t *q, int64_t lanes, int code)
{
    for (int64_t c = 0; c < lanes; c++) {
        const int64_t sum = (int64_t)(int32_t)t->low[at + c] + (int64_t)(int32_t)q[c] * code;
        t->low[at + c] = (uint32_t)sum;
        t->above[at + c] += (int32_t)((sum - (int32_t)(uint32_t)sum) >> 32);
    }
    t->has_above = 1;
}

/* A power of two, at least 2, that no q times it leaves 32 bits, nor do they times a smaller code. */
CN__INLINE int most_code(const uint32_t *q, int64_t lanes)
{
    uint32_t bits = 1;
    for (int64_t c = 0; c < lanes; c++) bits |= (int32_t)q[c] < 0 ? ~q[c] : q[c];
    return 1 << (__builtin_clz(bits) - 1);
}

/* q has been added to the columns of a sample, as often as its codes up to `most` say, and at least one sum did not
 * fit. */
static void carry(sums_table *t, piece p, const uint32_t *q, int64_t lanes, int most)
{
    for (const cn__ink *entry = p.begin; entry < p.end; entry++) {
        const int64_t at = entry->index * lanes;
        for (int64_t c = 0; entry->codes[0] <= most && c < lanes; c++) {
            const uint32_t each = q[c] * entry->codes[0], sum = t->low[at + c], before = sum - each;
            if ((int32_t)((before ^ sum) & (each ^ sum)) < 0) t->above[at + c] += (int32_t)each < 0 ? -1 : 1;
        }
    }
    t->has_above = 1;
}

/* Bits 31 of `over` say which sums did not fit. */
CN__INLINE void add_to(uint32_t *sums, const cn__words *q, uint32_t code, const int lanes, cn__words *over)
{
    for (int v = 0; v < lanes / CN__WORDS; v++) {
        cn__words *place = (cn__words *)(sums + v * CN__WORDS), before = *place, each = q[v] * code;
        const cn__words sum = before + each;
        *over |= (before ^ sum) & (each ^ sum);
        *place = sum;
    }
}

/* Adds all samples to the table, a row of whole cache lines for each column. */
CN__INLINE void add_gradients(const cn__sparse_job *j, const share *columns, const cn__spread *s, sums_table *t,
                              const int lanes)
{
    uint32_t q[CN__SPARSE_NARROW] = {0};
    for (int64_t b = 0; b < j->x->rows; b++) {
        const real *dy = j->dy + b * j->d->outputs + j->o;
        fetch_piece(columns, b + AHEAD);
        for (int64_t c = 0; c < j->width; c++) q[c] = (uint32_t)cn__whole_gradient(dy[c], s->up[c]);
        const int most = most_code(q, lanes);
        cn__words each[CN__SPARSE_NARROW / CN__WORDS], over = {0};
        for (int v = 0; v < lanes / CN__WORDS; v++) each[v] = *(const cn__words *)(q + v * CN__WORDS);
        piece p = piece_of(columns, b), next = next_piece(columns, b);
        for (const cn__ink *entry = p.begin; entry < p.end; entry++) {
            uint32_t *sums = t->low + entry->index * lanes;
            for (int c = 0; c < lanes; c += 16) __builtin_prefetch(t->low + next.begin->index * lanes + c, 1);
            next.begin += next.begin < next.end;
            const int code = entry->codes[0];
            if (code == 1) add_to(sums, each, 1, lanes, &over);
            else if (code <= most) add_to(sums, each, (uint32_t)code, lanes, &over);
            else add_many(t, entry->index * lanes, q, lanes, code);
        }
        if (cn__some_bit(over >> 31)) carry(t, p, q, lanes, most);
    }
}

static void mark_columns(const cn__sparse_job *j, const share *columns, uint8_t *is_used)
{
    memset(is_used, 0, (size_t)(columns->to - columns->from));
    for (int64_t b = 0; b < j->x->rows; b++) {
        piece p = piece_of(columns, b);
        for (const cn__ink *entry = p.begin; entry < p.end; entry++) is_used[entry->index - columns->from] = 1;
    }
}

/* Whether a row may wait. One whose gradient is 0 may, whether or not a sample uses it. But if a gradient is NaN, the
 * same rows have to get it as with lists by two columns, where both have their turn if either has ink. */
CN__INLINE int can_wait(const sums_table *t, int64_t column, const int lanes, const share *columns,
                        const uint8_t *is_used)
{
    if (is_used) {
        const int64_t k = column - columns->from, partner = k ^ 1;
        return !is_used[k] && !(columns->from + partner < columns->to && is_used[partner]);
    }
    cn__words some = {0};
    for (int64_t at = column * lanes; at < (column + 1) * lanes; at += CN__WORDS) {
        some |= *(const cn__words *)(t->low + at);
        if (t->has_above) some |= *(const cn__words *)(t->above + at);
    }
    return !cn__some_bit(some);
}

/* Makes up for what a row has missed before it is moved: cn__settle_row for a kernel of one piece. */
CN__INLINE void settle(const cn__sparse_job *j, int64_t row)
{
    uint32_t *settled = j->sink->accounts->settled + row;
    const int64_t missed = (int64_t)j->sink->accounts->done - (int64_t)*settled;
    if (missed > 0) cn__sink_idle(j->sink, row, j->o, j->width, missed);
    *settled = j->sink->accounts->done + 1;
}

/* The gradient from the sums of a column, which are cleared. */
CN__INLINE void take_sums(sums_table *t, int64_t column, const cn__spread *s, const int lanes,
                          float *restrict gradient)
{
    uint32_t *restrict low = t->low + column * lanes;
    if (t->has_above) {
        double sums[CN__SPARSE_NARROW];
        int32_t *above = t->above + column * lanes;
        for (int64_t c = 0; c < lanes; c++) sums[c] = (double)above[c] * 4294967296.0 + (double)(int32_t)low[c];
        cn__values(sums, lanes, CN__EXACT_GRADIENTS, s->high, s->rest, gradient);
        memset(above, 0, (size_t)lanes * sizeof *above);
    } else {
        for (int c = 0; c < lanes; c += CN__VEC) cn__light_values(low + c, s->high + c, s->rest + c, gradient + c);
    }
    memset(low, 0, (size_t)lanes * sizeof *low);
}

/* Neighbouring rows of the kernel are handed over together, as far as they lie together. */
CN__INLINE void hand_over(const cn__sparse_job *j, const share *columns, const cn__spread *s, sums_table *t,
                          const uint8_t *is_used, const int lanes)
{
    const int64_t width = j->width;
    const int64_t most = j->sink->stride == width ? CN__SPARSE_WIDTH / width : 1;
    float gradient[CN__SPARSE_WIDTH + CN__SPARSE_NARROW]; /* behind each row may stand lanes that the next overwrites */
    for (int64_t k = columns->from, rows = 0; k <= columns->to; k++) {
        const int waits = k == columns->to || (j->sink->accounts && can_wait(t, k, lanes, columns, is_used));
        if (rows && (waits || rows == most)) {
            cn__sink_row(j->sink, k - rows, j->o, rows * width, gradient);
            rows = 0;
        }
        if (waits) continue;
        if (j->sink->accounts) settle(j, k);
        take_sums(t, k, s, lanes, gradient + rows * width);
        rows++;
    }
}

CN__INLINE void gradient_of_share(const cn__sparse_job *j, int thread, const share *columns, const cn__spread *s,
                                  int has_nan, const int lanes)
{
    sums_table t = {.low = j->x->sums, .above = (int32_t *)j->x->sums + j->x->columns * lanes};
    uint8_t *is_used = has_nan ? cn__pool_strip(j->d->pool, thread) : NULL;
    add_gradients(j, columns, s, &t, lanes);
    if (has_nan) mark_columns(j, columns, is_used);
    hand_over(j, columns, s, &t, is_used, lanes);
}

void cn__dense_sparse_narrow_gradient(void *job, int thread, int64_t begin, int64_t end)
{
    const cn__sparse_job *j = job;
    cn__spread s = {.up = {0}};
    const int has_nan = cn__spread_gradient_scales(j, &s);
    for (int64_t task = begin; task < end; task++) {
        const share columns = share_of(j, task);
        if (j->width <= CN__VEC) gradient_of_share(j, thread, &columns, &s, has_nan, CN__VEC);
        else gradient_of_share(j, thread, &columns, &s, has_nan, 2 * CN__VEC);
    }
}

#endif
