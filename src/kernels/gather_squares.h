/* Batches of bytes become tiles in squares of 64 samples by 64 columns, by samples and, turned, by columns. This is what
 * the two kinds of tiles share: those of bytes (gather_tiles.c) and those of bfloat16 (gather_halves.c). */
#ifndef CN_KERNELS_GATHER_SQUARES_H
#define CN_KERNELS_GATHER_SQUARES_H

#include "kernels/gather.h"
#include "kernels/turn_bytes.h"

typedef struct cn__squares {
    const uint8_t *codes; /* (rows of the data set, columns) */
    int64_t columns;
    const cn__choice *choice;
    const cn__batch_memory *memory;
    int with_columns;
    void (*make)(const struct cn__squares *s, int64_t sample_step, int64_t column_step);
    void (*besides)(const struct cn__squares *s); /* one more task; NULL: none */
    const cn__frequent *frequent;                 /* what it works on */
    cn__batch *batch;
} cn__squares;

/* The codes of sixteen samples of a square, zeros behind the ends of the batch. */
static inline void cn__square_lines(const cn__squares *s, int64_t sample_step, int64_t column_step, int block,
                                    __m512i lines[16])
{
    const int64_t columns = s->columns, left = columns - column_step * 64;
    const int64_t first = sample_step * 64 + block * 16, rows_left = s->choice->n - first;
    const __mmask64 some = left >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << left) - 1;
    const uint8_t *codes = s->codes + column_step * 64;
    for (int64_t r = 0; r < 16; r++)
        lines[r] = r < rows_left ? _mm512_maskz_loadu_epi8(some, codes + cn__choice_row(s->choice, first + r) * columns)
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
    const cn__squares *s = context;
    const int64_t steps = cn__tile_steps(s->columns);
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        if (i / steps < cn__tile_steps(s->choice->n)) s->make(s, i / steps, i % steps);
        else s->besides(s);
    }
}

static inline void cn__make_squares(cn__pool *pool, cn__squares *s)
{
    cn__parallel(pool, cn__tile_steps(s->choice->n) * cn__tile_steps(s->columns) + (s->besides != NULL), cn__make_some_squares, s);
}

#endif
