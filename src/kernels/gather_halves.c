#include "kernels/gather_tiles.h"

#if CN__GATHER_TILES
#include "kernels/gather_squares.h"

/* Of a square eight tiles by samples and eight by columns. The codes are turned as bytes, which are half as many as the
 * numbers. */
static inline __m512i numbers_of(__m256i codes)
{
    __m512 low = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm256_castsi256_si128(codes)));
    __m512 high = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm256_extracti128_si256(codes, 1)));
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

/* Line r of the tile at `tile` and of the next one, `apart` bytes on, where there is one. */
static inline void store_line(uint8_t *tile, int r, int64_t apart, int has_next, __m512i codes)
{
    _mm512_store_si512(tile + r * 64, numbers_of(_mm512_castsi512_si256(codes)));
    if (has_next) _mm512_store_si512(tile + apart + r * 64, numbers_of(_mm512_extracti64x4_epi64(codes, 1)));
}

static void make_columns(const cn__gathering *g, int64_t sample_step, int64_t column_step,
                         const uint8_t turned[64 * 64])
{
    const int64_t steps = cn__half_steps(g->choice.n), first = column_step * 4 * steps + sample_step * 2;
    const int has_next = sample_step * 2 + 1 < steps;
    for (int64_t line = 0; line < 4; line++) {
        uint8_t *tile = g->memory->column_tiles + (first + line * steps) * CN__TILE_BYTES;
        uint16_t *lines = g->memory->column_lines + first + line * steps, low = 0, high = 0;
        for (int r = 0; r < CN__TILE_LINES; r++) {
            __m512i codes = _mm512_load_si512(turned + (line * CN__TILE_LINES + r) * 64);
            __mmask8 ink = _mm512_test_epi64_mask(codes, codes);
            store_line(tile, r, CN__TILE_BYTES, has_next, codes);
            low = (uint16_t)(low | ((ink & 0x0f) != 0) << r);
            high = (uint16_t)(high | ((ink & 0xf0) != 0) << r);
        }
        lines[0] = low;
        if (has_next) lines[1] = high;
    }
}

static void make_square(const cn__gathering *g, int64_t sample_step, int64_t column_step)
{
    const int64_t steps = cn__half_steps(g->columns);
    const int has_next = column_step * 2 + 1 < steps;
    _Alignas(64) uint8_t turned[64 * 64];
    for (int block = 0; block < 4; block++) {
        const int64_t at = (sample_step * 4 + block) * steps + column_step * 2;
        uint8_t *tile = g->memory->sample_tiles + at * CN__TILE_BYTES;
        __m512i v[16];
        uint16_t low = 0, high = 0;
        cn__square_lines(g, sample_step, column_step, block, v);
        for (int r = 0; r < 16; r++) {
            __mmask8 ink = _mm512_test_epi64_mask(v[r], v[r]);
            low = (uint16_t)(low | ((ink & 0x0f) != 0) << r);
            high = (uint16_t)(high | ((ink & 0xf0) != 0) << r);
            store_line(tile, r, CN__TILE_BYTES, has_next, v[r]);
        }
        g->memory->sample_lines[at] = low;
        if (has_next) g->memory->sample_lines[at + 1] = high;
        if (g->with_columns) cn__square_turn(v, 16 * 64, turned + block * 16);
    }
    if (g->with_columns) make_columns(g, sample_step, column_step, turned);
}

void cn__gather_begin_halves(const cn__source *source, const cn__choice *choice, const cn__batch_memory *memory,
                             cn__batch *batch, cn__gathering *g)
{
    *g = cn__gather_squares(source, choice, memory, batch);
    g->make = make_square;
    *batch = (cn__batch){.rows = choice->n,
                         .columns = g->columns,
                         .scale = source->code_scale,
                         .sample_tiles = memory->sample_tiles,
                         .sample_lines = memory->sample_lines,
                         .column_tiles = memory->column_tiles,
                         .column_lines = memory->column_lines,
                         .index = g->frequent ? g->frequent->index : memory->in_order,
                         .all_codes = g->codes,
                         .next = choice->next};
}

void cn__gather_halves(cn__pool *pool, const cn__source *source, const cn__choice *choice, int with_columns,
                       const cn__batch_memory *memory, cn__batch *batch)
{
    cn__gathering g;
    cn__gather_begin_halves(source, choice, memory, batch, &g);
    g.with_columns = with_columns;
    cn__parallel(pool, g.count, g.body, &g);
}

#else
typedef int no_gathered_halves_in_this_engine;
#endif
