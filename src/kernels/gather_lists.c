#include "kernels/gather_lists.h"

#if CN_REAL_BITS == 32

#include <string.h>

#if defined(CN_ISA_AVX2) || defined(CN_ISA_AVX512)
#include <immintrin.h>
#endif

/* Eight pairs of codes at a time become up to eight entries: written without branches, as nobody can foresee which
 * pairs have ink. Sixteen bytes are touched behind the last entry, for which every list has room. */
#define PAIRS 8

#if defined(CN_ISA_AVX2) || defined(CN_ISA_AVX512)
typedef __m128i codes_of_pairs;

/* Neighbouring columns of a sample. */
static inline codes_of_pairs neighbours(const uint8_t codes[2 * PAIRS])
{
    return _mm_loadu_si128((const __m128i *)(const void *)codes);
}

/* The same columns of two samples. */
static inline codes_of_pairs side_by_side(const uint8_t a[PAIRS], const uint8_t b[PAIRS])
{
    return _mm_unpacklo_epi8(_mm_loadl_epi64((const __m128i *)(const void *)a),
                             _mm_loadl_epi64((const __m128i *)(const void *)b));
}

/* The chosen ones of four numbers, moved to the front. */
static const _Alignas(16) uint8_t to_the_front[16][16] = {
    {0},
    {0, 1, 2, 3},
    {4, 5, 6, 7},
    {0, 1, 2, 3, 4, 5, 6, 7},
    {8, 9, 10, 11},
    {0, 1, 2, 3, 8, 9, 10, 11},
    {4, 5, 6, 7, 8, 9, 10, 11},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
    {12, 13, 14, 15},
    {0, 1, 2, 3, 12, 13, 14, 15},
    {4, 5, 6, 7, 12, 13, 14, 15},
    {0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15},
    {8, 9, 10, 11, 12, 13, 14, 15},
    {0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15},
    {4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
};

/* Four entries, of which those with ink are kept. */
static inline int32_t append_four(cn__ink *entries, int32_t at, __m128i codes_above, __m128i index)
{
    const __m128i blank = _mm_cmpeq_epi32(codes_above, _mm_setzero_si128());
    const int inked = _mm_movemask_ps(_mm_castsi128_ps(blank)) ^ 15;
    const __m128i order = _mm_load_si128((const __m128i *)(const void *)to_the_front[inked]);
    _mm_storeu_si128((__m128i *)(void *)(entries + at), _mm_shuffle_epi8(_mm_or_si128(codes_above, index), order));
    return at + __builtin_popcount((unsigned)inked);
}

static inline int32_t append(cn__ink *entries, int32_t at, int64_t index, codes_of_pairs codes)
{
    const __m128i zero = _mm_setzero_si128();
    const __m128i numbers = _mm_add_epi32(_mm_set1_epi32((int)index), _mm_setr_epi32(0, 1, 2, 3));
    at = append_four(entries, at, _mm_unpacklo_epi16(zero, codes), numbers);
    return append_four(entries, at, _mm_unpackhi_epi16(zero, codes), _mm_add_epi32(numbers, _mm_set1_epi32(4)));
}
#else
typedef struct codes_of_pairs {
    uint8_t codes[PAIRS][2];
} codes_of_pairs;

static inline codes_of_pairs neighbours(const uint8_t codes[2 * PAIRS])
{
    codes_of_pairs pairs;
    memcpy(pairs.codes, codes, sizeof pairs.codes);
    return pairs;
}

static inline codes_of_pairs side_by_side(const uint8_t a[PAIRS], const uint8_t b[PAIRS])
{
    codes_of_pairs pairs;
    for (int i = 0; i < PAIRS; i++) {
        pairs.codes[i][0] = a[i];
        pairs.codes[i][1] = b[i];
    }
    return pairs;
}

static inline int32_t append(cn__ink *entries, int32_t at, int64_t index, codes_of_pairs pairs)
{
    for (int i = 0; i < PAIRS; i++) {
        entries[at] = (cn__ink){(uint16_t)(index + i), {pairs.codes[i][0], pairs.codes[i][1]}};
        at += (pairs.codes[i][0] | pairs.codes[i][1]) != 0;
    }
    return at;
}
#endif

static const uint8_t blank[CN__BATCH_MOST_COLUMNS]; /* stands for a missing last sample */

static const uint8_t *codes_of(const cn__gathering *g, int64_t i)
{
    return i < g->choice.n ? g->codes + cn__choice_row(&g->choice, i) * g->columns : blank;
}

static cn__list_ends list_sample(const uint8_t *codes, int64_t columns, cn__ink *entries)
{
    const int64_t half = cn__half_of(columns), whole = columns / (2 * PAIRS) * (2 * PAIRS);
    uint8_t rest[2 * PAIRS] = {0};
    cn__list_ends n = {0};
    for (int64_t c = 0; c < half; c += 2 * PAIRS) n.half = append(entries, n.half, c / 2, neighbours(codes + c));
    n.all = n.half;
    for (int64_t c = half; c < whole; c += 2 * PAIRS) n.all = append(entries, n.all, c / 2, neighbours(codes + c));
    memcpy(rest, codes + whole, (size_t)(columns - whole));
    if (columns > whole) n.all = append(entries, n.all, whole / 2, neighbours(rest));
    return n;
}

/* A task's columns. */
#define COLUMNS 96
_Static_assert(COLUMNS % PAIRS == 0, "only the last task has columns left over");

/* Columns of two samples. */
static int32_t list_two(const uint8_t *a, const uint8_t *b, int64_t begin, int64_t end, cn__ink *entries)
{
    const int64_t whole = begin + (end - begin) / PAIRS * PAIRS;
    uint8_t rest[2][PAIRS] = {{0}};
    int32_t n = 0;
    for (int64_t c = begin; c < whole; c += PAIRS) n = append(entries, n, c, side_by_side(a + c, b + c));
    memcpy(rest[0], a + whole, (size_t)(end - whole));
    memcpy(rest[1], b + whole, (size_t)(end - whole));
    return end > whole ? append(entries, n, whole, side_by_side(rest[0], rest[1])) : n;
}

/* Two samples after two others: their columns with ink into a short list first, without branches, and from there to the
 * lists by column. */
static void list_columns(const cn__gathering *g, int64_t begin, int64_t end)
{
    const int64_t pairs = (g->choice.n + 1) / 2, stride = cn__list_stride(pairs);
    cn__ink *const entries = g->memory->by_columns;
    int32_t count[COLUMNS] = {0};
    cn__ink inked[COLUMNS + 2 * PAIRS];
    for (int64_t p = 0; p < pairs; p++) {
        const int32_t n = list_two(codes_of(g, 2 * p), codes_of(g, 2 * p + 1), begin, end, inked);
        for (int32_t i = 0; i < n; i++) {
            const int64_t c = inked[i].index;
            const int32_t at = count[c - begin];
            entries[c * stride + at] = (cn__ink){(uint16_t)p, {inked[i].codes[0], inked[i].codes[1]}};
            count[c - begin] = at + 1;
        }
    }
    memcpy(g->memory->column_count + begin, count, (size_t)(end - begin) * sizeof *count);
}

/* A share of the samples and some columns each. */
static void list_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__gathering *g = context;
    const int64_t rows = g->choice.n, columns = g->columns, stride = cn__list_stride((columns + 1) / 2);
    (void)thread;
    for (int64_t task = begin; task < end; task++) {
        const int64_t first = task * COLUMNS, last = first + COLUMNS < columns ? first + COLUMNS : columns;
        for (int64_t b = rows * task / g->count; b < rows * (task + 1) / g->count; b++)
            g->memory->sample_ends[b] = list_sample(codes_of(g, b), columns, g->memory->by_samples + b * stride);
        if (g->with_columns) list_columns(g, first, last);
    }
}

void cn__gather_begin_lists(const cn__source *source, const cn__choice *choice, const cn__batch_memory *memory,
                            cn__batch *batch, cn__gathering *g)
{
    *g = (cn__gathering){.body = list_tasks,
                         .count = (source->columns + COLUMNS - 1) / COLUMNS,
                         .codes = source->codes,
                         .columns = source->columns,
                         .choice = *choice,
                         .memory = memory,
                         .with_columns = 1,
                         .batch = batch};
    *batch = (cn__batch){.rows = choice->n,
                         .columns = source->columns,
                         .scale = source->code_scale,
                         .mostly_blank = source->mostly_blank,
                         .by_samples = memory->by_samples,
                         .sample_ends = memory->sample_ends,
                         .by_columns = memory->by_columns,
                         .column_count = memory->column_count,
                         .last_peaks = memory->last_peaks};
}

void cn__gather_lists(cn__pool *pool, const cn__source *source, const cn__choice *choice, int with_columns,
                      const cn__batch_memory *memory, cn__batch *batch)
{
    cn__gathering g;
    cn__gather_begin_lists(source, choice, memory, batch, &g);
    g.with_columns = with_columns;
    cn__parallel(pool, g.count, g.body, &g);
}

#else
typedef int no_lists_in_this_engine;
#endif
