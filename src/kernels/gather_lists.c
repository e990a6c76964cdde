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
typedef __m128i sixteen;

/* Neighbouring columns of a sample, or samples of a column. */
static inline codes_of_pairs neighbours(const uint8_t codes[2 * PAIRS])
{
    return _mm_loadu_si128((const __m128i *)(const void *)codes);
}

/* Sixteen lines of 16 bytes become columns. */
static inline void turn(__m128i v[16])
{
    for (int round = 0; round < 4; round++) {
        __m128i t[16];
        for (int i = 0; i < 8; i++) {
            t[2 * i] = _mm_unpacklo_epi8(v[i], v[i + 8]);
            t[2 * i + 1] = _mm_unpackhi_epi8(v[i], v[i + 8]);
        }
        memcpy(v, t, sizeof t);
    }
}

static inline int are_blank(const __m128i v[16])
{
    __m128i any = v[0];
    for (int i = 1; i < 16; i++) any = _mm_or_si128(any, v[i]);
    return _mm_testz_si128(any, any);
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

typedef struct sixteen {
    uint8_t codes[16];
} sixteen;

static inline void turn(sixteen v[16])
{
    sixteen t[16];
    memcpy(t, v, sizeof t);
    for (int i = 0; i < 16; i++)
        for (int k = 0; k < 16; k++) v[i].codes[k] = t[k].codes[i];
}

static inline int are_blank(const sixteen v[16])
{
    static const sixteen nothing;
    for (int i = 0; i < 16; i++)
        if (memcmp(&v[i], &nothing, sizeof nothing)) return 0;
    return 1;
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
#define SQUARE 16 /* columns and samples at a time */
#define SAMPLES 128 /* whose codes stand column by column at a time */
_Static_assert(COLUMNS % SQUARE == 0 && SQUARE == 2 * PAIRS, "only the last task has columns left over");

/* The codes of SQUARE columns, of which the data have `columns`, and of SAMPLES samples, column by column; zeros where
 * there is none. Returns which squares have ink, a bit each; the others, as most at the edge of a picture, are left
 * out. */
static unsigned turn_columns(const cn__gathering *g, int64_t first, int64_t columns, int64_t sample,
                         uint8_t turned[SQUARE][SAMPLES])
{
    unsigned inked = 0;
    for (int64_t s = 0; s < SAMPLES && sample + s < g->choice.n; s += SQUARE) {
        sixteen lines[SQUARE];
        if (columns < SQUARE) memset(lines, 0, sizeof lines);
        for (int64_t i = 0; i < SQUARE; i++) {
            const uint8_t *codes = codes_of(g, sample + s + i) + first;
            if (columns < SQUARE) memcpy(&lines[i], codes, (size_t)columns);
            else memcpy(&lines[i], codes, SQUARE);
        }
        if (are_blank(lines)) continue;
        turn(lines);
        for (int64_t c = 0; c < SQUARE; c++) memcpy(turned[c] + s, &lines[c], SQUARE);
        inked |= 1u << (s / SQUARE);
    }
    return inked;
}

/* The lists of SQUARE columns. */
static void list_square(const cn__gathering *g, int64_t first)
{
    const int64_t rows = g->choice.n, stride = cn__list_stride((rows + 1) / 2);
    const int64_t columns = g->columns - first < SQUARE ? g->columns - first : SQUARE;
    int32_t count[SQUARE] = {0};
    for (int64_t sample = 0; sample < rows; sample += SAMPLES) {
        uint8_t turned[SQUARE][SAMPLES];
        const unsigned inked = turn_columns(g, first, columns, sample, turned);
        for (int64_t c = 0; c < columns; c++)
            for (unsigned left = inked; left; left &= left - 1) {
                const int64_t s = SQUARE * __builtin_ctz(left);
                count[c] = append(g->memory->by_columns + (first + c) * stride, count[c], (sample + s) / 2,
                                  neighbours(turned[c] + s));
            }
    }
    memcpy(g->memory->column_count + first, count, (size_t)columns * sizeof *count);
}

/* Rows lie anywhere in the data set, so the CPU cannot see which comes next. */
static void fetch(const cn__gathering *g, int64_t sample, int64_t first, int64_t last)
{
    const uint8_t *codes = codes_of(g, sample);
    for (int64_t c = first; c < last; c += 64) __builtin_prefetch(codes + c);
    __builtin_prefetch(codes + last - 1);
}

/* A share of the samples and some columns each. */
static void list_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__gathering *g = context;
    const int64_t rows = g->choice.n, columns = g->columns, stride = cn__list_stride((columns + 1) / 2);
    (void)thread;
    for (int64_t task = begin; task < end; task++) {
        const int64_t first = task * COLUMNS, last = first + COLUMNS < columns ? first + COLUMNS : columns;
        const int64_t begin_rows = rows * task / g->count, end_rows = rows * (task + 1) / g->count;
        for (int64_t b = 0; g->with_columns && b < rows; b++) fetch(g, b, first, last);
        for (int64_t b = begin_rows; b < end_rows; b++) {
            fetch(g, b + 1, 0, columns);
            g->memory->sample_ends[b] = list_sample(codes_of(g, b), columns, g->memory->by_samples + b * stride);
        }
        for (int64_t c = first; g->with_columns && c < last; c += SQUARE) list_square(g, c);
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
