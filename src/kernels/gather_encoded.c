#include "kernels/gather_tiles.h"

#if CN__GATHER_TILES
#include <immintrin.h>
#include <stdatomic.h>

/* Tiles for forward passes only, made line by line: from float32 numbers, which may turn out to be no codes, or from
 * codes; of all columns or of the frequent ones, whose choice is then good for whole groups of four columns. */
#define MOST_STEPS (CN__BATCH_MOST_COLUMNS / CN__TILE_STEP)
#define FOUR 4

typedef struct encoding {
    const cn__source *source;
    const cn__choice *choice;
    const cn__batch_memory *memory;
    int64_t steps;         /* of tiles, behind each other */
    float per_code, high, low; /* the value of a code is code x (high + low) */
    atomic_int failed;
    uint64_t rare[MOST_STEPS]; /* of each 64 columns of the source: bit c is 1 if column c is rare, */
    __mmask16 kept[MOST_STEPS]; /* and bit q is 1 if columns 4q ... 4q+3 go into tiles: */
    uint8_t kept_bytes[MOST_STEPS];
} encoding;

/* The value of a code is (float)(code x scale), where the product is a double. Nearly always one fused multiply-add of
 * float32 gives the same for all 256. */
static int split_scale(double scale, encoding *e)
{
    e->per_code = (float)(1 / scale);
    e->high = (float)scale;
    e->low = (float)(scale - (double)e->high);
    if (!(scale > 0) || !(e->per_code < INFINITY) || !(e->high < INFINITY)) return 0;
    for (int code = 0; code < 256; code++)
        if (fmaf((float)code, e->high, (float)code * e->low) != (float)(code * scale)) return 0;
    return 1;
}

static void divide_columns(encoding *e)
{
    const cn__frequent *frequent = e->source->frequent;
    const int64_t columns = e->source->columns;
    for (int64_t k = 0; k < cn__tile_steps(columns); k++) {
        const int64_t words = (columns + 7) / 8 - k * 8;
        __m512i is_frequent = _mm512_set1_epi8(-1);
        if (frequent) is_frequent = _mm512_maskz_loadu_epi64((__mmask8)(words >= 8 ? 0xff : (1 << words) - 1),
                                                             frequent->is_frequent + k * 8);
        e->rare[k] = ~_mm512_movepi8_mask(is_frequent);
        e->kept[k] = _mm512_test_epi32_mask(is_frequent, is_frequent);
        e->kept_bytes[k] = (uint8_t)(FOUR * _mm_popcnt_u32(e->kept[k]));
    }
}

/* What was seen of numbers so far: bits of all their codes, and where their values differ from them. The scale stands
 * beside it, in registers. */
typedef struct seen {
    __m512i codes, differences;
    __m512 per_code, high, low;
} seen;

static seen nothing_seen(const encoding *e)
{
    return (seen){.codes = _mm512_setzero_si512(),
                  .differences = _mm512_setzero_si512(),
                  .per_code = _mm512_set1_ps(e->per_code),
                  .high = _mm512_set1_ps(e->high),
                  .low = _mm512_set1_ps(e->low)};
}

/* Codes of sixteen numbers. A NaN gets the code -2^31. */
static inline __m512i encode_16(__m512 x, seen *s)
{
    __m512i codes = _mm512_cvtps_epi32(_mm512_mul_ps(x, s->per_code));
    __m512 whole = _mm512_cvtepi32_ps(codes);
    __m512 value = _mm512_fmadd_ps(whole, s->high, _mm512_mul_ps(whole, s->low));
    s->codes = _mm512_or_si512(s->codes, codes);
    s->differences = _mm512_ternarylogic_epi32(s->differences, _mm512_castps_si512(value), _mm512_castps_si512(x),
                                               0xf6); /* or what one of both has */
    return codes;
}

/* Every code must be 0 to 255 and every value equal, where -0 is 0. */
static int some_are_bad(const seen *s)
{
    const __m512i other_bits = _mm512_set1_epi32(~255), magnitude = _mm512_set1_epi32(0x7fffffff);
    return (_mm512_test_epi32_mask(s->codes, other_bits) | _mm512_test_epi32_mask(s->differences, magnitude)) != 0;
}

static inline __m512i encode_some(const float *x, int64_t n, seen *s)
{
    const __mmask16 some = n >= 16 ? 0xffff : (__mmask16)(n > 0 ? (1u << n) - 1 : 0);
    return encode_16(_mm512_maskz_loadu_ps(some, x), s);
}

/* Codes of 64 numbers, of which `left` are there; the rest counts as blank. */
static inline __m512i encode_64(const float *x, int64_t left, seen *s)
{
    const __m512i in_order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i codes[4];
    if (left >= 64) for (int i = 0; i < 4; i++) codes[i] = encode_16(_mm512_loadu_ps(x + i * 16), s);
    else for (int i = 0; i < 4; i++) codes[i] = encode_some(x + i * 16, left - i * 16, s);
    __m512i mixed = _mm512_packus_epi16(_mm512_packus_epi32(codes[0], codes[1]),
                                        _mm512_packus_epi32(codes[2], codes[3]));
    return _mm512_permutexvar_epi32(in_order, mixed);
}

static inline __m512i load_64(const uint8_t *codes, int64_t left)
{
    return _mm512_maskz_loadu_epi8(left >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << left) - 1, codes);
}

static cn__ink *list(__m512i codes, uint64_t rare, int64_t column, cn__ink *entry)
{
    _Alignas(64) uint8_t all[64];
    _mm512_store_si512(all, codes);
    for (; rare; rare &= rare - 1, entry++) {
        const int64_t c = __builtin_ctzll(rare);
        *entry = (cn__ink){(uint16_t)(column + c), {all[c], 0}};
    }
    return entry;
}

/* A row's codes for tiles, side by side, and the other ones as entries, behind the last of which this returns. */
static inline cn__ink *encode_row(const encoding *e, int64_t row, uint8_t *codes, cn__ink *entry, seen *so_far)
{
    const int64_t columns = e->source->columns;
    const uint8_t *given = e->source->codes ? e->source->codes + row * columns : NULL;
    const float *numbers = (const float *)e->source->data + row * columns;
    seen s = *so_far;
    for (int64_t k = 0, c = 0; c < columns; k++, c += 64) {
        const __m512i all = given ? load_64(given + c, columns - c) : encode_64(numbers + c, columns - c, &s);
        const uint64_t rare = _mm512_test_epi8_mask(all, all) & e->rare[k];
        if (rare) entry = list(all, rare, c, entry);
        _mm512_storeu_si512(codes, _mm512_maskz_compress_epi32(e->kept[k], all));
        codes += e->kept_bytes[k];
    }
    _mm512_storeu_si512(codes, _mm512_setzero_si512()); /* the rest of the last tile */
    *so_far = s;
    return entry;
}

/* Sixteen samples, each from its beginning to its end, as it lies in memory. Entries go from *entry on. */
static void encode_line(encoding *e, int64_t line, __m512i *any, cn__ink **entry)
{
    const int64_t steps = e->steps;
    uint8_t *tiles = e->memory->sample_tiles + line * steps * CN__TILE_BYTES;
    _Alignas(64) uint8_t codes[CN__BATCH_MOST_COLUMNS + 64];
    seen s = nothing_seen(e);
    for (int64_t k = 0; k < steps; k++) any[k] = _mm512_setzero_si512();
    for (int64_t r = 0; r < CN__TILE_LINES; r++) {
        const int64_t i = line * CN__TILE_LINES + r;
        if (i < e->choice->n) {
            cn__ink *first = *entry;
            *entry = encode_row(e, cn__choice_row(e->choice, i), codes, first, &s);
            if (e->source->frequent)
                e->memory->spans[i] = (cn__span){(uint32_t)(first - e->memory->entries), (uint32_t)(*entry - first)};
        }
        for (int64_t k = 0; k < steps; k++) {
            __m512i v = i < e->choice->n ? _mm512_load_si512(codes + k * 64) : _mm512_setzero_si512();
            _mm512_store_si512(tiles + k * CN__TILE_BYTES + r * 64, v);
            any[k] = _mm512_or_si512(any[k], v);
        }
    }
    if (some_are_bad(&s)) atomic_store_explicit(&e->failed, 1, memory_order_relaxed);
}

static void encode_lines(void *context, int thread, int64_t begin, int64_t end)
{
    encoding *e = context;
    const int64_t steps = e->steps;
    __m512i any[MOST_STEPS];
    (void)thread;
    for (int64_t s = begin; s < end; s++) {
        uint64_t *inked = e->memory->inked + s * steps;
        uint8_t *filled = e->memory->sample_filled + s * 4 * steps;
        cn__ink *entry = e->source->frequent ? e->memory->entries + s * 64 * e->source->columns : NULL;
        for (int64_t line = 0; line < 4 && !atomic_load_explicit(&e->failed, memory_order_relaxed); line++) {
            encode_line(e, s * 4 + line, any, &entry);
            for (int64_t k = 0; k < steps; k++) {
                uint64_t ink = _mm512_test_epi8_mask(any[k], any[k]);
                filled[line * steps + k] = ink != 0;
                inked[k] = line ? inked[k] | ink : ink;
            }
        }
    }
}

int cn__gather_encoded_tiles(cn__pool *pool, const cn__source *source, const cn__choice *choice,
                             const cn__batch_memory *memory, cn__batch *batch)
{
    const cn__frequent *frequent = source->frequent;
    const int64_t columns = frequent ? frequent->columns : source->columns;
    encoding e = {.source = source, .choice = choice, .memory = memory, .steps = cn__tile_steps(columns)};
    if (!source->codes && !split_scale(source->code_scale, &e)) return 0;
    divide_columns(&e);
    cn__parallel(pool, cn__tile_steps(choice->n), encode_lines, &e);
    *batch = (cn__batch){.rows = choice->n,
                         .columns = columns,
                         .scale = source->code_scale,
                         .sample_tiles = memory->sample_tiles,
                         .sample_filled = memory->sample_filled,
                         .inked = memory->inked,
                         .index = frequent ? frequent->index : memory->in_order,
                         .rare = frequent ? frequent->rare : NULL,
                         .n_rare = frequent ? frequent->n_rare : 0,
                         .spans = frequent ? memory->spans : NULL,
                         .in_spans = memory->entries,
                         .last_peaks = memory->last_peaks};
    return !atomic_load(&e.failed);
}

#else
typedef int no_encoded_tiles_in_this_engine;
#endif
