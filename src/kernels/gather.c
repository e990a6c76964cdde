#include "kernels/gather.h"

#include "kernels/vector.h"

#include <string.h>

typedef struct job {
    const cn__source *source;
    const cn__choice *choice;
    const cn__batch_memory *memory;
    void *out;
    real table[256]; /* value of each byte */
} job;

static int64_t row_of(const cn__choice *choice, int64_t i)
{
    return choice->picks ? (int64_t)choice->picks[i] : choice->first + i;
}

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
    return (const char *)s->data + (size_t)(row_of(j->choice, i) * s->columns) * stored_bytes[s->stored];
}

static void dense_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    (void)thread;
    for (int64_t i = begin; i < end; i++) convert_row(j, source_row(j, i), (real *)j->out + i * j->source->columns);
}

static void dense(cn__pool *pool, const cn__source *source, const cn__choice *choice, void *out)
{
    job j = {.source = source, .choice = choice, .out = out};
    fill_table(&j);
    cn__parallel(pool, choice->n, dense_rows, &j);
}

#if CN_REAL_BITS == 32

static const uint8_t *codes_of(const job *j, int64_t i)
{
    return j->source->codes + row_of(j->choice, i) * j->source->columns;
}

/* Appends the columns c ... c+n-1 (n <= 16) that are not 0. Writes up to 16 entries, keeps those that count. */
static int32_t append_columns(cn__ink *entries, int32_t at, const uint8_t *codes, int64_t c, int n)
{
#if defined(CN_ISA_AVX512)
    __m128i bytes = _mm_maskz_loadu_epi8((__mmask16)((1u << n) - 1), codes + c);
    __mmask16 ink = _mm_test_epi8_mask(bytes, bytes);
    __m512i column = _mm512_add_epi32(_mm512_set1_epi32((int)c), _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
                                                                                  12, 13, 14, 15));
    __m512i all = _mm512_or_si512(_mm512_slli_epi32(_mm512_cvtepu8_epi32(bytes), 16), column);
    _mm512_storeu_si512(entries + at, _mm512_maskz_compress_epi32(ink, all));
    return at + __builtin_popcount(ink);
#else
    uint64_t words[2] = {0};
    memcpy(words, codes + c, (size_t)n);
    if (!(words[0] | words[1])) return at; /* ink comes in strokes: most are blank */
    for (int i = 0; i < n; i++) {
        entries[at] = (cn__ink){.column = (uint16_t)(c + i), .code = codes[c + i]};
        at += codes[c + i] != 0;
    }
    return at;
#endif
}

/* Every sample has room for all columns, so samples can be listed side by side. What does not change is kept in locals
 * throughout: bytes may alias anything, so the compiler would load it again after every store. */
static void list_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    const int64_t columns = j->source->columns, blocks = (columns + CN__BLOCK - 1) / CN__BLOCK;
    cn__ink *const entries = j->memory->by_sample;
    int32_t *const first = j->memory->first;
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        int32_t at = (int32_t)(b * (columns + 16));
        const uint8_t *codes = codes_of(j, b);
        for (int64_t block = 0; block < blocks; block++) {
            int64_t c = block * CN__BLOCK, stop = c + CN__BLOCK < columns ? c + CN__BLOCK : columns;
            first[b * (blocks + 1) + block] = at;
            for (; c + 16 <= stop; c += 16) at = append_columns(entries, at, codes, c, 16);
            if (c < stop) at = append_columns(entries, at, codes, c, (int)(stop - c));
        }
        first[b * (blocks + 1) + blocks] = at;
    }
}

/* One bit for each of the 16-bit groups among 4 that is not 0, at its lowest bit. */
static inline uint64_t inked_groups(uint64_t word)
{
    uint64_t low = word & 0x7fff7fff7fff7fffu;
    return ((low + 0x7fff7fff7fff7fffu) | word) >> 15 & 0x0001000100010001u;
}

static void list_columns(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    const int64_t columns = j->source->columns, rows = j->choice->n, stride = cn__list_stride(rows);
    cn__two_inks *const entries = j->memory->by_columns;
    int32_t *const count = j->memory->column_count;
    (void)thread;
    for (int64_t q = begin; q < end; q++) count[q] = 0;
    for (int64_t row = 0; row < rows; row++) {
        const uint8_t *bytes = codes_of(j, row);
        for (int64_t q = begin; q < end; q += 4) {
            uint64_t word = 0;
            int64_t left = columns - 2 * q < 2 * (end - q) ? columns - 2 * q : 2 * (end - q);
            if (left >= 8) memcpy(&word, bytes + 2 * q, 8);
            else memcpy(&word, bytes + 2 * q, (size_t)left);
            for (uint64_t ink = inked_groups(word); ink; ink &= ink - 1) {
                int shift = __builtin_ctzll(ink);
                int64_t pair = q + (shift >> 4);
                int32_t at = count[pair];
                entries[pair * stride + at] =
                    (cn__two_inks){(uint16_t)row, {(uint8_t)(word >> shift), (uint8_t)(word >> shift >> 8)}};
                count[pair] = at + 1;
            }
        }
    }
}

static void sparse(cn__pool *pool, const cn__source *source, const cn__choice *choice, int with_columns,
                   const cn__batch_memory *memory, cn__batch *batch)
{
    job j = {.source = source, .choice = choice, .memory = memory};
    cn__parallel(pool, choice->n, list_samples, &j);
    if (with_columns) cn__parallel(pool, (source->columns + 1) / 2, list_columns, &j);
    *batch = (cn__batch){.rows = choice->n,
                         .columns = source->columns,
                         .blocks = (int32_t)((source->columns + CN__BLOCK - 1) / CN__BLOCK),
                         .table = source->table,
                         .by_sample = memory->by_sample,
                         .first = memory->first,
                         .by_columns = memory->by_columns,
                         .column_count = memory->column_count};
}

const cn__gather_math CN_T(cn__gather) = {dense, sparse};
#else
const cn__gather_math CN_T(cn__gather) = {.dense = dense};
#endif
