#include "kernels/gather_sparse.h"

#include "kernels/vector.h"

#if CN_REAL_BITS == 32

#include <stdatomic.h>
#include <string.h>

/* --- the data set, once ---------------------------------------------------------------------------------------------- */

typedef struct listing {
    const cn__source *source;
    double scale;
    int64_t *counts;
    const int64_t *first;
    cn__ink *entries;
    uint8_t *is_heavy;
    atomic_int failed;
} listing;

/* The i-th stored number times the scale, as float32 (cn__source). */
static float number(const cn__source *s, int64_t i)
{
    switch (s->stored) {
    case CN__STORED_U8: return (float)(((const uint8_t *)s->data)[i] * s->scale);
    case CN__STORED_I32: return (float)(((const int32_t *)s->data)[i] * s->scale);
    case CN__STORED_I64: return (float)((double)((const int64_t *)s->data)[i] * s->scale);
    case CN__STORED_F32: return (float)((double)((const float *)s->data)[i] * s->scale);
    default: return (float)(((const double *)s->data)[i] * s->scale);
    }
}

#define AT_ONCE 64

/* How many of n stored numbers are not zero; nearly all are, so the loops are for vectors. */
static int64_t count_numbers(const cn__source *s, int64_t at, int64_t n)
{
    int64_t count = 0;
    if (s->stored == CN__STORED_U8) {
        const uint8_t *x = (const uint8_t *)s->data + at;
        for (int64_t i = 0; i < n; i++) count += x[i] != 0;
    } else if (s->stored == CN__STORED_F32) {
        const float *x = (const float *)s->data + at;
        int32_t some = 0; /* of one row: fewer than 2^31 */
        for (int64_t i = 0; i < n; i++) some += x[i] != 0;
        count = some;
    } else {
        for (int64_t i = 0; i < n; i++) count += number(s, at + i) != 0;
    }
    return count;
}

static void count_rows(void *context, int thread, int64_t begin, int64_t end)
{
    listing *l = context;
    (void)thread;
    for (int64_t row = begin; row < end; row++)
        l->counts[row] = count_numbers(l->source, row * l->source->columns, l->source->columns);
}

void cn__gather_count_nonzeros(cn__pool *pool, const cn__source *source, int64_t *counts)
{
    listing l = {.source = source, .counts = counts};
    if (pool) cn__parallel(pool, source->rows, count_rows, &l);
    else count_rows(&l, 0, 0, source->rows);
}

/* Bit i: stored number at + i is not zero, for n <= AT_ONCE of them. */
static uint64_t ink_mask(const cn__source *s, int64_t at, int64_t n)
{
    uint64_t mask = 0;
#if defined(CN_ISA_AVX512)
    const uint64_t there = n == AT_ONCE ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1;
    if (s->stored == CN__STORED_U8)
        return _mm512_test_epi8_mask(_mm512_maskz_loadu_epi8(there, (const uint8_t *)s->data + at), _mm512_set1_epi8(-1));
    if (s->stored == CN__STORED_F32) {
        for (int part = 0; part < AT_ONCE; part += 16) {
            __m512 x = _mm512_maskz_loadu_ps((__mmask16)(there >> part), (const float *)s->data + at + part);
            mask |= (uint64_t)_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NEQ_UQ) << part;
        }
        return mask;
    }
#endif
    if (s->stored == CN__STORED_U8 && n == AT_ONCE) {
        uint64_t words[AT_ONCE / 8], all = 0;
        memcpy(words, (const uint8_t *)s->data + at, AT_ONCE);
        for (int i = 0; i < AT_ONCE / 8; i++) all |= words[i];
        if (!all) return 0;
    } else if (s->stored == CN__STORED_F32 && n == AT_ONCE) {
        const float *x = (const float *)s->data + at;
        int some = 0;
        for (int i = 0; i < AT_ONCE; i++) some |= x[i] != 0;
        if (!some) return 0;
    }
    for (int64_t i = 0; i < n; i++) mask |= (uint64_t)(number(s, at + i) != 0) << i;
    return mask;
}

/* 1 if all went well. As in encode_numbers of gather.c: a NaN has no code. */
static int list_row(listing *l, int64_t row)
{
    const cn__source *s = l->source;
    const float per_code = (float)(1 / l->scale);
    cn__ink *next = l->entries + l->first[row], *end = l->entries + l->first[row + 1];
    uint32_t sum = 0;
    for (int64_t c = 0; c < s->columns; c += AT_ONCE) {
        int64_t n = s->columns - c < AT_ONCE ? s->columns - c : AT_ONCE, at = row * s->columns + c;
        for (uint64_t ink = ink_mask(s, at, n); ink; ink &= ink - 1) {
            int64_t i = __builtin_ctzll(ink);
            float x = number(s, at + i), nearest = x * per_code + 0.5f;
            int code = (int)(nearest > 0 && nearest < 256 ? nearest : 0);
            if (!((float)((double)code * l->scale) == x) || next == end) return 0;
            *next++ = (cn__ink){(uint16_t)(c + i), {(uint8_t)code, 0}};
            sum += (uint32_t)code;
        }
    }
    l->is_heavy[row] = sum > CN__LIGHT_SUM;
    return next == end;
}

static void list_rows(void *context, int thread, int64_t begin, int64_t end)
{
    listing *l = context;
    (void)thread;
    for (int64_t row = begin; row < end && !atomic_load_explicit(&l->failed, memory_order_relaxed); row++)
        if (!list_row(l, row)) atomic_store_explicit(&l->failed, 1, memory_order_relaxed);
}

int cn__gather_list_nonzeros(cn__pool *pool, const cn__source *source, double scale, const int64_t *first, cn__ink *entries,
                         uint8_t *is_heavy)
{
    if (!(scale > 0)) return 0;
    listing l = {.source = source, .scale = scale, .first = first, .entries = entries, .is_heavy = is_heavy};
    if (pool) cn__parallel(pool, source->rows, list_rows, &l);
    else list_rows(&l, 0, 0, source->rows);
    return !atomic_load(&l.failed);
}

/* --- a batch --------------------------------------------------------------------------------------------------------- */

typedef struct job {
    const cn__sparse_rows *from;
    const cn__choice *choice;
    const cn__batch_memory *memory;
    cn__pool *pool;
    int64_t columns, tasks;
    int64_t n_used[CN_MAX_THREADS], n_entries[CN_MAX_THREADS];
} job;

static int64_t row_of(const cn__choice *choice, int64_t i)
{
    return choice->picks ? (int64_t)choice->picks[i] : choice->first + i;
}

/* The first entry of a row at or behind a column. */
static int64_t find_column(const cn__sparse_rows *from, int64_t row, int64_t column)
{
    int64_t low = from->first[row], high = from->first[row + 1];
    while (low < high && column > 0) {
        int64_t middle = low + (high - low) / 2;
        if (from->entries[middle].index < column) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Sorts the entries of columns begin ... end-1 by column: counts them, gives each column its place, puts them there. */
static void sort_columns(job *j, int64_t task, int64_t begin, int64_t end)
{
    const cn__sparse_rows *from = j->from;
    cn__column *table = j->memory->used;
    const int64_t rows = j->choice->n;
    memset(table + begin, 0, (size_t)(end - begin) * sizeof *table);
    for (int64_t b = 0; b < rows; b++) {
        int64_t row = row_of(j->choice, b);
        const cn__ink *entry = from->entries + find_column(from, row, begin), *last = from->entries + from->first[row + 1];
        for (; entry < last && entry->index < end; entry++) table[entry->index].count++;
    }
    uint32_t place = (uint32_t)(begin * rows);
    for (int64_t c = begin; c < end; c++) {
        table[c].first = place;
        place += (uint32_t)table[c].count;
        table[c].count = 0;
    }
    cn__ink *entries = j->memory->entries;
    for (int64_t b = 0; b < rows; b++) {
        int64_t row = row_of(j->choice, b);
        const cn__ink *entry = from->entries + find_column(from, row, begin), *last = from->entries + from->first[row + 1];
        for (; entry < last && entry->index < end; entry++) {
            cn__column *column = &table[entry->index];
            entries[column->first + (uint32_t)column->count++] = (cn__ink){(uint16_t)b, {entry->codes[0], 0}};
            column->sum += entry->codes[0];
        }
    }
    int64_t n = begin;
    for (int64_t c = begin; c < end; c++) {
        table[n] = table[c];
        table[n].index = (int32_t)c;
        n += table[n].count != 0;
    }
    j->n_used[task] = n - begin;
    j->n_entries[task] = place - begin * rows;
}

static int64_t cut(const job *j, int64_t task)
{
    return task == j->tasks ? j->columns : j->from->cuts[task * CN_MAX_THREADS / j->tasks];
}

static void sort_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    job *j = context;
    (void)thread;
    for (int64_t task = begin; task < end; task++) sort_columns(j, task, cut(j, task), cut(j, task + 1));
}

void cn__gather_sparse(cn__pool *pool, const cn__source *source, const cn__choice *choice, const cn__batch_memory *memory,
                     cn__batch *batch)
{
    job j = {.from = source->sparse, .choice = choice, .memory = memory, .columns = source->columns,
             .tasks = cn__pool_threads(pool)};
    cn__parallel(pool, j.tasks, sort_tasks, &j);
    int64_t n = j.n_used[0], entries = j.n_entries[0];
    for (int64_t task = 1; task < j.tasks; task++) {
        memmove(memory->used + n, memory->used + cut(&j, task), (size_t)j.n_used[task] * sizeof *memory->used);
        n += j.n_used[task];
        entries += j.n_entries[task];
    }
    for (int64_t b = 0; b < choice->n; b++) memory->is_heavy[b] = source->sparse->is_heavy[row_of(choice, b)];
    *batch = (cn__batch){.rows = choice->n,
                         .columns = source->columns,
                         .scale = source->code_scale,
                         .used = memory->used,
                         .n_used = n,
                         .n_entries = entries,
                         .entries = memory->entries,
                         .is_heavy = memory->is_heavy,
                         .last_peaks = memory->last_peaks};
}

#endif
