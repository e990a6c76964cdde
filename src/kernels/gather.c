#include "kernels/gather.h"

#include "kernels/amx_bytes.h"
#include "kernels/gather_sparse.h"
#include "kernels/gather_tiles.h"
#include "kernels/vector.h"

#include <stdatomic.h>
#include <string.h>

typedef struct job {
    const cn__source *source;
    const cn__choice *choice;
    const cn__batch_memory *memory;
    void *out;
    const uint8_t *blank; /* stands for a missing last sample */
    int64_t tasks;
    real table[256];      /* value of each byte */
} job;

static void fill_table(job *j)
{
    if (j->source->stored != CN__STORED_U8) return;
    for (int i = 0; i < 256; i++) j->table[i] = (real)(i * j->source->scale);
}

static void convert_row(const job *j, const void *row, real *out)
{
    int64_t n = j->source->columns;
    double scale = j->source->scale;
    switch (j->source->stored) {
    case CN__STORED_U8: {
        const uint8_t *x = row;
        for (int64_t i = 0; i < n; i++) out[i] = j->table[x[i]];
        break;
    }
    case CN__STORED_I32: {
        const int32_t *x = row;
        for (int64_t i = 0; i < n; i++) out[i] = (real)(x[i] * scale);
        break;
    }
    case CN__STORED_I64: {
        const int64_t *x = row;
        for (int64_t i = 0; i < n; i++) out[i] = (real)((double)x[i] * scale);
        break;
    }
    case CN__STORED_F32: {
        const float *x = row;
        if (scale == 1)
            for (int64_t i = 0; i < n; i++) out[i] = x[i];
        else
            for (int64_t i = 0; i < n; i++) out[i] = (real)((double)x[i] * scale);
        break;
    }
    default: {
        const double *x = row;
        for (int64_t i = 0; i < n; i++) out[i] = (real)(x[i] * scale);
    }
    }
}

static const size_t stored_bytes[] = {1, 4, 8, 4, 8};

static const void *source_row(const job *j, int64_t i)
{
    const cn__source *s = j->source;
    return (const char *)s->data + (size_t)(cn__choice_row(j->choice, i) * s->columns) * stored_bytes[s->stored];
}

static void dense_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    (void)thread;
    for (int64_t i = begin; i < end; i++) convert_row(j, source_row(j, i), (real *)j->out + i * j->source->columns);
}

#define FEW_NUMBERS 4096 /* so many are converted before a team has come together */

static void dense(cn__pool *pool, const cn__source *source, const cn__choice *choice, void *out)
{
    job j = {.source = source, .choice = choice, .out = out};
    fill_table(&j);
    if (choice->n * source->columns < FEW_NUMBERS) dense_rows(&j, 0, 0, choice->n);
    else cn__parallel(pool, choice->n, dense_rows, &j);
}

#if CN_REAL_BITS == 32

static const uint8_t *codes_of(const job *j, int64_t i)
{
    return j->source->codes + cn__choice_row(j->choice, i) * j->source->columns;
}

#if defined(CN_ISA_AVX512)
/* Sixteen bytes at c, of which n are there; the rest counts as blank. */
static inline __m128i load_codes(const uint8_t *codes, int64_t c, int n)
{
    return _mm_maskz_loadu_epi8((__mmask16)((1u << n) - 1), codes + c);
}

static inline int32_t append_ink(cn__ink *entries, int32_t at, __mmask16 ink, __m512i index, __m512i codes)
{
    _mm512_storeu_si512(entries + at, _mm512_maskz_compress_epi32(ink, _mm512_or_si512(index, codes)));
    return at + __builtin_popcount(ink);
}

static inline __m512i counting_from(int64_t c)
{
    return _mm512_add_epi32(_mm512_set1_epi32((int)c),
                            _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}
#endif

/* Appends the columns c ... c+n-1 (n <= 16) where a or b has ink. Writes up to 16 entries, keeps those that count. */
static inline int32_t append_columns(cn__ink *entries, int32_t at, const uint8_t *a, const uint8_t *b, int64_t c, int n)
{
#if defined(CN_ISA_AVX512)
    __m512i codes = _mm512_or_si512(_mm512_slli_epi32(_mm512_cvtepu8_epi32(load_codes(a, c, n)), 16),
                                    _mm512_slli_epi32(_mm512_cvtepu8_epi32(load_codes(b, c, n)), 24));
    return append_ink(entries, at, _mm512_test_epi32_mask(codes, codes), counting_from(c), codes);
#else
    uint64_t words[4] = {0};
    memcpy(words, a + c, (size_t)n);
    memcpy(words + 2, b + c, (size_t)n);
    if (!(words[0] | words[1] | words[2] | words[3])) return at; /* ink comes in strokes: most are blank */
    for (int i = 0; i < n; i++) {
        entries[at] = (cn__ink){(uint16_t)(c + i), {a[c + i], b[c + i]}};
        at += (a[c + i] | b[c + i]) != 0;
    }
    return at;
#endif
}

/* Every pair of samples has room for all columns, so pairs can be listed side by side. What does not change is kept in
 * locals throughout: bytes may alias anything, so the compiler would load it again after every store. */
static void list_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    const int64_t columns = j->source->columns, rows = j->choice->n;
    cn__ink *const entries = j->memory->by_samples;
    (void)thread;
    for (int64_t p = begin; p < end; p++) {
        int32_t at = (int32_t)(p * (columns + 16));
        const uint8_t *a = codes_of(j, 2 * p), *b = 2 * p + 1 < rows ? codes_of(j, 2 * p + 1) : j->blank;
        int64_t c = 0;
        j->memory->first[2 * p] = at;
        for (; c + 16 <= columns; c += 16) at = append_columns(entries, at, a, b, c, 16);
        if (c < columns) at = append_columns(entries, at, a, b, c, (int)(columns - c));
        j->memory->first[2 * p + 1] = at;
    }
}

/* The pairs of columns q ... q+n-1 (n <= 16) that have ink in one sample, as entries whose index is the pair. `codes`
 * has `left` bytes from column 2q on. Writes up to 16 entries, keeps those that count. */
static inline int32_t append_pairs(cn__ink *entries, int32_t at, const uint8_t *codes, int64_t q, int n, int64_t left)
{
#if defined(CN_ISA_AVX512)
    int bytes = 2 * n < left ? 2 * n : (int)left;
    __m256i both = _mm256_maskz_loadu_epi8((__mmask32)((UINT64_C(1) << bytes) - 1), codes);
    __m512i shifted = _mm512_slli_epi32(_mm512_cvtepu16_epi32(both), 16);
    return append_ink(entries, at, _mm512_test_epi32_mask(shifted, shifted), counting_from(q), shifted);
#else
    for (int i = 0; i < n; i++) {
        uint8_t even = codes[2 * i], odd = 2 * i + 1 < left ? codes[2 * i + 1] : 0;
        entries[at] = (cn__ink){(uint16_t)(q + i), {even, odd}};
        at += (even | odd) != 0;
    }
    return at;
#endif
}

#define PAIRS_AT_ONCE 512

/* Sample by sample: its inked pairs into a short list first, without branches, and from there to the lists by
 * columns. */
static void list_columns(const job *j, int64_t begin, int64_t end)
{
    const int64_t columns = j->source->columns, rows = j->choice->n, stride = cn__list_stride(rows);
    cn__ink *const entries = j->memory->by_columns;
    int32_t *const count = j->memory->column_count;
    cn__ink inked[PAIRS_AT_ONCE + 16];
    for (int64_t q = begin; q < end; q++) count[q] = 0;
    for (int64_t row = 0; row < rows; row++) {
        const uint8_t *codes = codes_of(j, row);
        for (int64_t q0 = begin; q0 < end; q0 += PAIRS_AT_ONCE) {
            int64_t q1 = q0 + PAIRS_AT_ONCE < end ? q0 + PAIRS_AT_ONCE : end;
            int32_t n = 0;
            for (int64_t q = q0; q < q1; q += 16)
                n = append_pairs(inked, n, codes + 2 * q, q, (int)(q1 - q < 16 ? q1 - q : 16), columns - 2 * q);
            for (int32_t i = 0; i < n; i++) {
                int64_t q = inked[i].index;
                int32_t at = count[q];
                entries[q * stride + at] = (cn__ink){(uint16_t)row, {inked[i].codes[0], inked[i].codes[1]}};
                count[q] = at + 1;
            }
        }
    }
}

/* Every task goes through all samples, so there are no more tasks than threads. */
static void list_column_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    int64_t groups = ((j->source->columns + 1) / 2 + 15) / 16, pairs = (j->source->columns + 1) / 2;
    (void)thread;
    for (int64_t task = begin; task < end; task++) {
        int64_t from = groups * task / j->tasks * 16, to = groups * (task + 1) / j->tasks * 16;
        list_columns(j, from, to < pairs ? to : pairs);
    }
}

typedef struct encoding {
    job rows;
    double scale;
    uint8_t *codes;
    atomic_int failed;
} encoding;

/* 1 if any of n numbers has no code. Written so that a NaN has none, and without branches, so that it becomes
 * vectors. */
static int encode_numbers(const float *x, int64_t n, double scale, uint8_t *codes)
{
    const float per_code = (float)(1 / scale);
    int bad = 0;
    for (int64_t i = 0; i < n; i++) {
        float nearest = x[i] * per_code + 0.5f;
        int code = (int)(nearest > 0 && nearest < 256 ? nearest : 0);
        bad |= !((float)((double)code * scale) == x[i]);
        codes[i] = (uint8_t)code;
    }
    return bad;
}

#define NUMBERS_AT_ONCE 1024

static void encode_rows(void *context, int thread, int64_t begin, int64_t end)
{
    encoding *e = context;
    const cn__source *s = e->rows.source;
    float numbers[NUMBERS_AT_ONCE];
    (void)thread;
    for (int64_t i = begin; i < end && !atomic_load_explicit(&e->failed, memory_order_relaxed); i++) {
        const char *row = source_row(&e->rows, i);
        for (int64_t c = 0; c < s->columns; c += NUMBERS_AT_ONCE) {
            cn__source part = *s;
            part.columns = s->columns - c < NUMBERS_AT_ONCE ? s->columns - c : NUMBERS_AT_ONCE;
            const void *stored = row + (size_t)c * stored_bytes[s->stored];
            job piece = {.source = &part};
            int is_ready = s->stored == CN__STORED_F32 && s->scale == 1;
            if (!is_ready) convert_row(&piece, stored, numbers);
            if (encode_numbers(is_ready ? stored : numbers, part.columns, e->scale, e->codes + i * s->columns + c))
                atomic_store_explicit(&e->failed, 1, memory_order_relaxed);
        }
    }
}

static int encode(cn__pool *pool, const cn__source *source, double scale, uint8_t *codes)
{
    if (!(scale > 0)) return 0;
    const cn__choice all = {.n = source->rows};
    encoding e = {.rows = {.source = source, .choice = &all}, .scale = scale, .codes = codes};
    if (pool) cn__parallel(pool, source->rows, encode_rows, &e);
    else encode_rows(&e, 0, 0, source->rows);
    return !atomic_load(&e.failed);
}

static void lists(cn__pool *pool, const cn__source *source, const cn__choice *choice, int with_columns,
                  const cn__batch_memory *memory, cn__batch *batch)
{
    static const uint8_t blank[CN__BATCH_MOST_COLUMNS];
    job j = {.source = source, .choice = choice, .memory = memory, .blank = blank, .tasks = cn__pool_threads(pool)};
    cn__parallel(pool, (choice->n + 1) / 2, list_samples, &j);
    if (with_columns) cn__parallel(pool, j.tasks, list_column_tasks, &j);
    *batch = (cn__batch){.rows = choice->n,
                         .columns = source->columns,
                         .scale = source->code_scale,
                         .mostly_blank = source->mostly_blank,
                         .by_samples = memory->by_samples,
                         .first = memory->first,
                         .by_columns = memory->by_columns,
                         .column_count = memory->column_count};
}

#if CN__GATHER_TILES
static void digits(cn__pool *pool, const void *kernel, int64_t inputs, int64_t outputs, int64_t stride,
                   const cn__digits *made)
{
    cn__amx_bytes_digits(&(cn__dense){.pool = pool, .inputs = inputs, .outputs = outputs, .kernel = kernel,
                                      .kernel_stride = stride}, made);
}

#define TILES cn__gather_tiles
#define BEGIN_TILES cn__gather_begin_tiles
#define ENCODED_TILES cn__gather_encoded_tiles
#define DIVIDE cn__gather_divide
#define DIGITS digits
#define HALVES cn__gather_halves
#define BEGIN_HALVES cn__gather_begin_halves
#else
#define TILES NULL
#define BEGIN_TILES NULL
#define ENCODED_TILES NULL
#define DIVIDE NULL
#define DIGITS NULL
#define HALVES NULL
#define BEGIN_HALVES NULL
#endif
const cn__gather_math CN_T(cn__gather) = {.dense = dense,
                                          .lists = lists,
                                          .tiles = TILES,
                                          .begin_tiles = BEGIN_TILES,
                                          .encoded_tiles = ENCODED_TILES,
                                          .digits = DIGITS,
                                          .divide = DIVIDE,
                                          .halves = HALVES,
                                          .begin_halves = BEGIN_HALVES,
                                          .encode = encode,
                                          .sparse = cn__gather_sparse,
                                          .count_nonzeros = cn__gather_count_nonzeros,
                                          .list_nonzeros = cn__gather_list_nonzeros};
#else
const cn__gather_math CN_T(cn__gather) = {.dense = dense};
#endif
