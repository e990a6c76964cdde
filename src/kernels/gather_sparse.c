#include "kernels/gather_sparse.h"

#include "kernels/vector.h"

#if CN_REAL_BITS == 32

#include <stdatomic.h>
#include <string.h>

/* --- the data set, once ------------------------------------------------------------------------------------------- */

typedef struct listing {
    const cn__source *source;
    double scale;
    cn__sparse_listing *lists;
    atomic_int outcome;
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
/* Of the data: its rows come from memory, and the CPU's own fetching stops at the end of a page. */
#define AHEAD_BYTES 4096

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

static int64_t first_row(const listing *l, int64_t task)
{
    return l->source->rows * task / l->lists->tasks;
}

static void count_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    listing *l = context;
    const int64_t columns = l->source->columns;
    (void)thread;
    for (int64_t task = begin; task < end; task++) {
        int64_t from = first_row(l, task), to = first_row(l, task + 1), count = 0;
        for (int64_t row = from; row < to; row++) count += count_numbers(l->source, row * columns, columns);
        l->lists->end[task] = l->lists->begin[task] + count;
    }
}

static void run(cn__pool *pool, listing *l, cn__loop_body body)
{
    if (pool) cn__parallel(pool, l->lists->tasks, body, l);
    else body(l, 0, 0, l->lists->tasks);
}

void cn__gather_count_nonzeros(cn__pool *pool, const cn__source *source, cn__sparse_listing *lists)
{
    listing l = {.source = source, .lists = lists};
    run(pool, &l, count_tasks);
}

/* Bit i: stored number at + i is not zero, for n <= AT_ONCE of them. */
static uint64_t ink_mask(const cn__source *s, int64_t at, int64_t n)
{
    uint64_t mask = 0;
#if defined(CN_ISA_AVX512)
    const uint64_t there = n == AT_ONCE ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1;
    if (s->stored == CN__STORED_U8)
        return _mm512_test_epi8_mask(_mm512_maskz_loadu_epi8(there, (const uint8_t *)s->data + at),
                                     _mm512_set1_epi8(-1));
    if (s->stored == CN__STORED_F32) {
        for (int part = 0; part < AT_ONCE; part += 16) {
            const float *numbers = (const float *)s->data + at + part;
            __builtin_prefetch((const char *)numbers + AHEAD_BYTES);
            __m512 x = _mm512_maskz_loadu_ps((__mmask16)(there >> part), numbers);
            mask |= (uint64_t)_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NEQ_UQ) << part;
        }
        return mask;
    }
#elif defined(CN_ISA_AVX2)
    if (s->stored == CN__STORED_U8 && n == AT_ONCE) {
        for (int part = 0; part < AT_ONCE; part += 32) {
            const __m256i x = _mm256_loadu_si256((const void *)((const uint8_t *)s->data + at + part));
            const int blank = _mm256_movemask_epi8(_mm256_cmpeq_epi8(x, _mm256_setzero_si256()));
            mask |= (uint64_t)~(uint32_t)blank << part;
        }
        return mask;
    }
    if (s->stored == CN__STORED_F32 && n == AT_ONCE) {
        for (int part = 0; part < AT_ONCE; part += 8) {
            const float *numbers = (const float *)s->data + at + part;
            if (part % 16 == 0) __builtin_prefetch((const char *)numbers + AHEAD_BYTES);
            const __m256 ink = _mm256_cmp_ps(_mm256_loadu_ps(numbers), _mm256_setzero_ps(), _CMP_NEQ_UQ);
            mask |= (uint64_t)(unsigned)_mm256_movemask_ps(ink) << part;
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

/* As in encode_numbers of gather.c: a NaN has no code. */
static cn__sparse_outcome list_row(listing *l, int64_t row, cn__ink **place, const cn__ink *end)
{
    const cn__source *s = l->source;
    const float per_code = (float)(1 / l->scale);
    cn__ink *next = *place;
    uint32_t sum = 0;
    float last = 0; /* most are the same: those with a code need no other look */
    int code = 0;
    for (int64_t c = 0; c < s->columns; c += AT_ONCE) {
        int64_t n = s->columns - c < AT_ONCE ? s->columns - c : AT_ONCE, at = row * s->columns + c;
        for (uint64_t ink = ink_mask(s, at, n); ink; ink &= ink - 1) {
            int64_t i = __builtin_ctzll(ink);
            const float x = number(s, at + i);
            if (!(x == last)) {
                const float nearest = x * per_code + 0.5f;
                code = (int)(nearest > 0 && nearest < 256 ? nearest : 0);
                if (!((float)((double)code * l->scale) == x)) return CN__SPARSE_NO_CODE;
                last = x;
            }
            if (next == end) return CN__SPARSE_NO_ROOM;
            *next++ = (cn__ink){(uint16_t)(c + i), {(uint8_t)code, 0}};
            sum += (uint32_t)code;
        }
    }
    l->lists->is_heavy[row] = sum > CN__LIGHT_SUM;
    l->lists->counts[row] = (int32_t)(next - *place);
    *place = next;
    return CN__SPARSE_LISTED;
}

static void list_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    listing *l = context;
    (void)thread;
    for (int64_t task = begin; task < end; task++) {
        cn__ink *next = l->lists->entries + l->lists->begin[task],
                *last = l->lists->entries + l->lists->begin[task + 1];
        cn__sparse_outcome outcome = CN__SPARSE_LISTED;
        for (int64_t row = first_row(l, task); row < first_row(l, task + 1) && outcome == CN__SPARSE_LISTED; row++) {
            outcome = list_row(l, row, &next, last);
            if (atomic_load_explicit(&l->outcome, memory_order_relaxed) != CN__SPARSE_LISTED) break;
        }
        l->lists->end[task] = next - l->lists->entries;
        if (outcome != CN__SPARSE_LISTED) atomic_store_explicit(&l->outcome, (int)outcome, memory_order_relaxed);
    }
}

cn__sparse_outcome cn__gather_list_nonzeros(cn__pool *pool, const cn__source *source, double scale,
                                            cn__sparse_listing *lists)
{
    if (!(scale > 0)) return CN__SPARSE_NO_CODE;
    listing l = {.source = source, .scale = scale, .lists = lists};
    run(pool, &l, list_tasks);
    return (cn__sparse_outcome)atomic_load(&l.outcome);
}

/* --- a batch ------------------------------------------------------------------------------------------------------ */

typedef struct job {
    const cn__sparse_rows *from;
    const cn__choice *choice;
    const cn__batch_memory *memory;
    int64_t n_used[CN_MAX_THREADS], n_entries[CN_MAX_THREADS];
} job;

/* The entries of sample b in one part of the columns. */
typedef struct piece {
    const cn__ink *begin, *end;
} piece;

static piece piece_of(const job *j, int64_t b, int64_t part)
{
    const int64_t *first = j->from->first + cn__choice_row(j->choice, b) * j->from->parts + part;
    return (piece){j->from->entries + first[0], j->from->entries + first[1]};
}

#define AHEAD 4 /* samples that are fetched in advance: they lie anywhere in memory */

static inline __attribute__((always_inline)) void fetch_piece(const job *j, int64_t b, int64_t part)
{
    if (b >= j->choice->n) return;
    piece p = piece_of(j, b, part);
    for (const cn__ink *entry = p.begin; entry < p.end; entry += 16) __builtin_prefetch(entry);
}

/* Sorts the entries of a part's columns by column: counts them, gives each column its place, puts them there. */
static void sort_part(job *j, int64_t part)
{
    const int64_t rows = j->choice->n;
    const int32_t begin = j->from->cuts[part], end = j->from->cuts[part + 1];
    uint32_t *places = j->memory->places;
    cn__column *used = j->memory->used;
    cn__ink *entries = j->memory->entries;
    memset(places + begin, 0, (size_t)(end - begin) * sizeof *places);
    for (int64_t b = 0; b < rows; b++) {
        fetch_piece(j, b + AHEAD, part);
        piece p = piece_of(j, b, part);
        for (const cn__ink *entry = p.begin; entry < p.end; entry++) places[entry->index]++;
    }
    uint32_t place = (uint32_t)(begin * rows);
    int64_t n = begin;
    for (int32_t c = begin; c < end; c++) {
        const uint32_t count = places[c];
        used[n] = (cn__column){c, (int32_t)count, place};
        n += count != 0;
        places[c] = place;
        place += count;
    }
    j->n_used[part] = n - begin;
    j->n_entries[part] = (int64_t)place - begin * rows;
    for (int64_t b = 0; b < rows; b++) {
        piece p = piece_of(j, b, part);
        for (const cn__ink *entry = p.begin; entry < p.end; entry++)
            entries[places[entry->index]++] = (cn__ink){(uint16_t)b, {entry->codes[0], 0}};
    }
}

static void sort_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    job *j = context;
    (void)thread;
    for (int64_t part = begin; part < end; part++) sort_part(j, part);
}

/* Entries; for fewer, looking at each column takes longer than sorting (docs/speed-log.md). */
#define FEWEST_PER_COLUMN 0.25

static int reads_rows(const cn__source *source, const cn__choice *choice, const cn__batch_memory *memory)
{
    const cn__sparse_rows *from = source->sparse;
    double each = (double)from->first[source->rows * from->parts] / (double)source->rows;
    return memory->sums && each * (double)choice->n >= FEWEST_PER_COLUMN * (double)source->columns;
}

static void sort_by_columns(cn__pool *pool, const cn__source *source, const cn__choice *choice,
                            const cn__batch_memory *memory, cn__batch *batch)
{
    const cn__sparse_rows *from = source->sparse;
    job j = {.from = from, .choice = choice, .memory = memory};
    cn__parallel(pool, from->parts, sort_tasks, &j);
    int64_t n_used = j.n_used[0], n_entries = j.n_entries[0];
    for (int part = 1; part < from->parts; part++) {
        memmove(memory->used + n_used, memory->used + from->cuts[part], (size_t)j.n_used[part] * sizeof *memory->used);
        n_used += j.n_used[part];
        n_entries += j.n_entries[part];
    }
    batch->used = memory->used;
    batch->n_used = n_used;
    batch->n_entries = n_entries;
    batch->entries = memory->entries;
}

void cn__gather_sparse(cn__pool *pool, const cn__source *source, const cn__choice *choice,
                       const cn__batch_memory *memory, cn__batch *batch)
{
    const uint8_t *is_heavy = source->sparse->is_heavy;
    for (int64_t b = 0; b < choice->n; b++) memory->is_heavy[b] = is_heavy[cn__choice_row(choice, b)];
    *batch = (cn__batch){.rows = choice->n,
                         .columns = source->columns,
                         .scale = source->code_scale,
                         .mostly_blank = 1,
                         .is_heavy = memory->is_heavy,
                         .last_peaks = memory->last_peaks};
    if (reads_rows(source, choice, memory)) {
        batch->lists = source->sparse;
        batch->choice = choice;
        batch->sums = memory->sums;
    } else {
        sort_by_columns(pool, source, choice, memory, batch);
    }
}

#endif
