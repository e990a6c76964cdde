#include "kernels/gather_tiles.h"

#if CN__GATHER_TILES
#include "kernels/gather_squares.h"

#include <stdatomic.h>

/* Of a square four tiles by samples, which are copies, and four by columns, turned. */
static void make_square(const cn__gathering *g, int64_t sample_step, int64_t column_step)
{
    const int64_t steps = cn__tile_steps(g->columns);
    const int64_t apart = cn__tile_steps(g->choice.n) * CN__TILE_BYTES;
    uint8_t *samples = g->memory->sample_tiles + (sample_step * 4 * steps + column_step) * CN__TILE_BYTES;
    uint8_t *turned = g->memory->column_tiles + column_step * 4 * apart + sample_step * CN__TILE_BYTES;
    uint64_t inked = 0;
    for (int block = 0; block < 4; block++) {
        __m512i v[16], any = _mm512_setzero_si512();
        cn__square_lines(g, sample_step, column_step, block, v);
        for (int r = 0; r < 16; r++) {
            any = _mm512_or_si512(any, v[r]);
            _mm512_store_si512(samples + block * steps * CN__TILE_BYTES + r * 64, v[r]);
        }
        uint64_t ink = _mm512_test_epi8_mask(any, any);
        g->memory->sample_filled[(sample_step * 4 + block) * steps + column_step] = ink != 0;
        inked |= ink;
        if (g->with_columns) cn__square_turn(v, apart, turned + block * 16);
    }
    g->memory->inked[sample_step * steps + column_step] = inked;
}

void cn__gather_begin_tiles(const cn__source *source, const cn__choice *choice, const cn__batch_memory *memory,
                            cn__batch *batch, cn__gathering *g)
{
    *g = cn__gather_squares(source, choice, memory, batch);
    g->make = make_square;
    *batch = (cn__batch){.rows = choice->n,
                         .columns = g->columns,
                         .scale = source->code_scale,
                         .sample_tiles = memory->sample_tiles,
                         .sample_filled = memory->sample_filled,
                         .column_tiles = memory->column_tiles,
                         .inked = memory->inked,
                         .index = g->frequent ? g->frequent->index : memory->in_order,
                         .all_codes = g->codes,
                         .next = choice->next,
                         .last_peaks = memory->last_peaks};
}

void cn__gather_tiles(cn__pool *pool, const cn__source *source, const cn__choice *choice, int with_columns,
                      const cn__batch_memory *memory, cn__batch *batch)
{
    cn__gathering g;
    cn__gather_begin_tiles(source, choice, memory, batch, &g);
    g.with_columns = with_columns;
    cn__parallel(pool, g.count, g.body, &g);
}

/* --- from float32 numbers that may turn out to be no codes ------------------------------------------------------------ */

typedef struct encoding {
    const cn__source *source;
    const cn__choice *choice;
    const cn__batch_memory *memory;
    float per_code, high, low; /* the value of a code is code x (high + low) */
    atomic_int failed;
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

/* What was seen of numbers so far: bits of all their codes, and where their values differ from them. */
typedef struct seen {
    __m512i codes, differences;
} seen;

/* Codes of sixteen numbers. A NaN gets the code -2^31. */
static inline __m512i encode_16(const encoding *e, __m512 x, seen *s)
{
    __m512i codes = _mm512_cvtps_epi32(_mm512_mul_ps(x, _mm512_set1_ps(e->per_code)));
    __m512 whole = _mm512_cvtepi32_ps(codes);
    __m512 value = _mm512_fmadd_ps(whole, _mm512_set1_ps(e->high), _mm512_mul_ps(whole, _mm512_set1_ps(e->low)));
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

/* Codes of 64 numbers, of which `left` are there; the rest counts as blank. */
static inline __m512i encode_64(const encoding *e, const float *x, int64_t left, seen *s)
{
    const __m512i in_order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i codes[4];
    for (int i = 0; i < 4; i++) {
        int64_t n = left - i * 16;
        __mmask16 some = n >= 16 ? 0xffff : (__mmask16)(n > 0 ? (1u << n) - 1 : 0);
        codes[i] = encode_16(e, _mm512_maskz_loadu_ps(some, x + i * 16), s);
    }
    __m512i mixed = _mm512_packus_epi16(_mm512_packus_epi32(codes[0], codes[1]), _mm512_packus_epi32(codes[2], codes[3]));
    return _mm512_permutexvar_epi32(in_order, mixed);
}

#define MOST_STEPS (CN__BATCH_MOST_COLUMNS / CN__TILE_STEP)

/* Sixteen samples, each from its beginning to its end, as it lies in memory. */
static void encode_line(encoding *e, int64_t line, __m512i *any)
{
    const int64_t columns = e->source->columns, steps = cn__tile_steps(columns);
    uint8_t *tiles = e->memory->sample_tiles + line * steps * CN__TILE_BYTES;
    seen s = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    for (int64_t k = 0; k < steps; k++) any[k] = _mm512_setzero_si512();
    for (int64_t r = 0; r < CN__TILE_LINES; r++) {
        const int64_t i = line * CN__TILE_LINES + r;
        const float *x = i < e->choice->n ? (const float *)e->source->data + cn__choice_row(e->choice, i) * columns : NULL;
        for (int64_t k = 0; k < steps; k++) {
            __m512i codes = x ? encode_64(e, x + k * 64, columns - k * 64, &s) : _mm512_setzero_si512();
            _mm512_store_si512(tiles + k * CN__TILE_BYTES + r * 64, codes);
            any[k] = _mm512_or_si512(any[k], codes);
        }
    }
    if (some_are_bad(&s)) atomic_store_explicit(&e->failed, 1, memory_order_relaxed);
}

static void encode_lines(void *context, int thread, int64_t begin, int64_t end)
{
    encoding *e = context;
    const int64_t steps = cn__tile_steps(e->source->columns);
    __m512i any[MOST_STEPS];
    (void)thread;
    for (int64_t s = begin; s < end; s++) {
        uint64_t *inked = e->memory->inked + s * steps;
        uint8_t *filled = e->memory->sample_filled + s * 4 * steps;
        for (int64_t line = 0; line < 4 && !atomic_load_explicit(&e->failed, memory_order_relaxed); line++) {
            encode_line(e, s * 4 + line, any);
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
    encoding e = {.source = source, .choice = choice, .memory = memory};
    if (!split_scale(source->code_scale, &e)) return 0;
    cn__parallel(pool, cn__tile_steps(choice->n), encode_lines, &e);
    *batch = (cn__batch){.rows = choice->n,
                         .columns = source->columns,
                         .scale = source->code_scale,
                         .sample_tiles = memory->sample_tiles,
                         .sample_filled = memory->sample_filled,
                         .inked = memory->inked,
                         .index = memory->in_order,
                         .last_peaks = memory->last_peaks};
    return !atomic_load(&e.failed);
}

#else
typedef int no_gathered_tiles_in_this_engine;
#endif
