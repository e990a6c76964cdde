/* Batches of bytes become tiles in squares of 64 samples by 64 columns, by samples and, turned, by columns. This is
 * what the two kinds of tiles share: those of bytes (gather_tiles.c) and those of bfloat16 (gather_halves.c). */
#ifndef CN_KERNELS_GATHER_SQUARES_H
#define CN_KERNELS_GATHER_SQUARES_H

#include "kernels/gather_tiles.h"
#include "kernels/turn_bytes.h"

/* The codes of sixteen samples of a square, zeros behind the ends of the batch. */
static inline void cn__square_lines(const cn__gathering *g, int64_t sample_step, int64_t column_step, int block,
                                    __m512i lines[16])
{
    const int64_t columns = g->columns, left = columns - column_step * 64;
    const int64_t first = sample_step * 64 + block * 16, rows_left = g->choice.n - first;
    const __mmask64 some = left >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << left) - 1;
    const uint8_t *codes = g->codes + column_step * 64;
    for (int64_t r = 0; r < 16; r++)
        lines[r] = r < rows_left
                       ? _mm512_maskz_loadu_epi8(some, codes + cn__choice_row(&g->choice, first + r) * columns)
                       : _mm512_setzero_si512();
}

/* Turns them: 64 lines of sixteen samples, of 64 bytes each in the whole square, in four groups that are `apart` bytes
 * from each other. */
static inline void cn__square_turn(__m512i lines[16], int64_t apart, uint8_t *turned)
{
    cn__turn_bytes(lines);
    for (int r = 0; r < 16; r++, turned += 64) {
        _mm_store_si128((__m128i *)turned, _mm512_castsi512_si128(lines[r]));
        _mm_store_si128((__m128i *)(turned + apart), _mm512_extracti32x4_epi32(lines[r], 1));
        _mm_store_si128((__m128i *)(turned + 2 * apart), _mm512_extracti32x4_epi32(lines[r], 2));
        _mm_store_si128((__m128i *)(turned + 3 * apart), _mm512_extracti32x4_epi32(lines[r], 3));
    }
}

static inline void cn__make_some_squares(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__gathering *g = context;
    const int64_t steps = cn__tile_steps(g->columns);
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        if (i / steps < cn__tile_steps(g->choice.n)) g->make(g, i / steps, i % steps);
        else cn__gather_rare(g->frequent, &g->choice, g->memory, g->batch);
    }
}

static inline cn__gathering cn__gather_squares(const cn__source *source, const cn__choice *choice,
                                               const cn__batch_memory *memory, cn__batch *batch)
{
    const cn__frequent *frequent = source->frequent;
    cn__gathering g = {.body = cn__make_some_squares,
                       .codes = frequent ? frequent->codes : source->codes,
                       .columns = frequent ? frequent->columns : source->columns,
                       .choice = *choice,
                       .memory = memory,
                       .with_columns = 1,
                       .frequent = frequent,
                       .batch = batch};
    g.count = cn__tile_steps(choice->n) * cn__tile_steps(g.columns) + (frequent != NULL);
    return g;
}

#endif
