#include "kernels/gather_tiles.h"

#if CN__GATHER_TILES
#include "kernels/turn_bytes.h"

/* Squares of 64 samples by 64 columns: four tiles by samples, which are copies, and four by columns, turned. */
typedef struct job {
    const cn__source *source;
    const cn__choice *choice;
    const cn__batch_memory *memory;
    int with_columns;
} job;

static int64_t row_of(const cn__choice *choice, int64_t i)
{
    return choice->picks ? (int64_t)choice->picks[i] : choice->first + i;
}

static void make_square(const job *j, int64_t sample_step, int64_t column_step)
{
    const int64_t columns = j->source->columns, steps = cn__tile_steps(columns);
    const int64_t apart = cn__tile_steps(j->choice->n) * CN__TILE_BYTES;
    const int64_t left = columns - column_step * 64, rows_left = j->choice->n - sample_step * 64;
    const __mmask64 some = left >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << left) - 1;
    const uint8_t *codes = j->source->codes + column_step * 64;
    uint8_t *samples = j->memory->sample_tiles + (sample_step * 4 * steps + column_step) * CN__TILE_BYTES;
    uint8_t *turned = j->memory->column_tiles + column_step * 4 * apart + sample_step * CN__TILE_BYTES;
    uint64_t inked = 0;
    for (int block = 0; block < 4; block++) {
        __m512i v[16], any = _mm512_setzero_si512();
        for (int r = 0; r < 16; r++) {
            int64_t i = block * 16 + r;
            v[r] = _mm512_setzero_si512();
            if (i < rows_left) v[r] = _mm512_maskz_loadu_epi8(some, codes + row_of(j->choice, sample_step * 64 + i) * columns);
            any = _mm512_or_si512(any, v[r]);
            _mm512_store_si512(samples + block * steps * CN__TILE_BYTES + r * 64, v[r]);
        }
        uint64_t ink = _mm512_test_epi8_mask(any, any);
        j->memory->sample_filled[(sample_step * 4 + block) * steps + column_step] = ink != 0;
        inked |= ink;
        if (!j->with_columns) continue;
        cn__turn_bytes(v);
        for (int r = 0; r < 16; r++) {
            uint8_t *line = turned + block * 16 + r * 64;
            _mm_store_si128((__m128i *)line, _mm512_castsi512_si128(v[r]));
            _mm_store_si128((__m128i *)(line + apart), _mm512_extracti32x4_epi32(v[r], 1));
            _mm_store_si128((__m128i *)(line + 2 * apart), _mm512_extracti32x4_epi32(v[r], 2));
            _mm_store_si128((__m128i *)(line + 3 * apart), _mm512_extracti32x4_epi32(v[r], 3));
        }
    }
    j->memory->inked[sample_step * steps + column_step] = inked;
}

static void make_squares(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    int64_t steps = cn__tile_steps(j->source->columns);
    (void)thread;
    for (int64_t i = begin; i < end; i++) make_square(j, i / steps, i % steps);
}

void cn__gather_tiles(cn__pool *pool, const cn__source *source, const cn__choice *choice, int with_columns,
                      const cn__batch_memory *memory, cn__batch *batch)
{
    job j = {.source = source, .choice = choice, .memory = memory, .with_columns = with_columns};
    cn__parallel(pool, cn__tile_steps(choice->n) * cn__tile_steps(source->columns), make_squares, &j);
    *batch = (cn__batch){.rows = choice->n,
                         .columns = source->columns,
                         .scale = source->code_scale,
                         .sample_tiles = memory->sample_tiles,
                         .sample_filled = memory->sample_filled,
                         .column_tiles = memory->column_tiles,
                         .inked = memory->inked,
                         .all_codes = source->codes,
                         .next = choice->next,
                         .last_peaks = memory->last_peaks};
}

#else
typedef int no_gathered_tiles_in_this_engine;
#endif
