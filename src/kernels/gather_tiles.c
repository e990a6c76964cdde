#include "kernels/gather_tiles.h"

#if CN__GATHER_TILES
#include "kernels/gather_squares.h"

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
    if (source->frequent && !source->frequent->codes) {
        cn__gather_encoded_tiles(pool, source, choice, memory, batch);
        return;
    }
    cn__gather_begin_tiles(source, choice, memory, batch, &g);
    g.with_columns = with_columns;
    cn__parallel(pool, g.count, g.body, &g);
}

#else
typedef int no_gathered_tiles_in_this_engine;
#endif
