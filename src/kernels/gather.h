/* From a data set to a batch: picks rows, converts bytes to `real`, applies the scale that a tensor carries. */
#ifndef CN_KERNELS_GATHER_H
#define CN_KERNELS_GATHER_H

#include "base/pool.h"
#include "kernels/batch.h"

#include <stdint.h>

typedef enum cn__stored { CN__STORED_U8, CN__STORED_I32, CN__STORED_I64, CN__STORED_F32, CN__STORED_F64 } cn__stored;

/* The non-zeros of a data set, row by row, each a column and, in codes[0], its code. Columns are divided into `parts`
 * of neighbours with about as many entries, cuts[p] ... cuts[p+1]-1, for tasks that share them, with an even number of
 * columns in each but the last; row r has in part p the entries first[r * parts + p] ... first[r * parts + p + 1]-1. */
typedef struct cn__sparse_rows {
    const cn__ink *entries;
    const int64_t *first;
    const uint8_t *is_heavy; /* as in cn__batch */
    int parts;
    int32_t cuts[CN_MAX_THREADS + 1];
} cn__sparse_rows;

/* Lists being made of rows: tasks of neighbouring rows, task t from row rows * t / tasks on, have their own places
 * begin[t] ... begin[t+1]-1 for entries, and say in end[t] how far they came. */
typedef struct cn__sparse_listing {
    int tasks;
    int64_t begin[CN_MAX_THREADS + 1], end[CN_MAX_THREADS];
    cn__ink *entries;
    int32_t *counts; /* of each row */
    uint8_t *is_heavy;
} cn__sparse_listing;

typedef enum cn__sparse_outcome { CN__SPARSE_LISTED, CN__SPARSE_NO_CODE, CN__SPARSE_NO_ROOM } cn__sparse_outcome;

/* A data set of bytes, divided by columns: frequent ones, which often have ink, go into tiles; the non-zeros of all
 * others are few and stand in lists, row by row, each a column and, in codes[0], its code. */
typedef struct cn__frequent {
    int64_t columns, n_rare;
    const uint16_t *index; /* the frequent columns, ascending, 2q and 2q+1 always together; a multiple of 64 of them */
    const uint16_t *rare;  /* the others, ascending */
    const uint64_t *is_frequent; /* words of eight columns, with 0xff where a column is frequent */
    const uint8_t *codes;  /* (rows, columns) of the frequent columns; NULL: only the choice of columns, always 4q ...
                            * 4q+3 together, is known, and rows are divided when they become tiles for a forward pass */
    const cn__ink *entries;
    const uint32_t *first; /* row r has the rare entries first[r] ... first[r]+count[r]-1 */
    const uint16_t *count;
} cn__frequent;

/* What dividing fills in. `words` words of eight columns have 0xff where a column is frequent. Tasks of neighbouring
 * rows have room for `room` entries each. */
typedef struct cn__division {
    const uint64_t *is_frequent;
    int64_t words, columns, tasks, room;
    uint8_t *codes;
    cn__ink *entries;
    uint32_t *first;
    uint16_t *count;
} cn__division;

/* Rows of `columns` stored numbers without gaps; a number's value is stored x scale, rounded once. */
typedef struct cn__source {
    const void *data;
    cn__stored stored;
    int64_t rows, columns;
    double scale;
    const uint8_t *codes; /* the same rows as bytes, NULL: not available; for bytes it is `data` itself */
    const cn__sparse_rows *sparse; /* the same rows as lists of non-zeros, NULL: not available */
    const cn__frequent *frequent;  /* the codes, divided, for batches of tiles; NULL: they are not */
    double code_scale;    /* the value of a code is code x code_scale */
    int mostly_blank;     /* as in cn__batch */
} cn__source;

/* Which rows: picks[0 ... n-1], or first, first+1, ... when picks is NULL. */
typedef struct cn__choice {
    const uint32_t *picks;
    int64_t first, n;
    const uint32_t *next; /* n more picks that come next, to be fetched in advance; NULL: nothing known */
} cn__choice;

static inline int64_t cn__choice_row(const cn__choice *choice, int64_t i)
{
    return choice->picks ? (int64_t)choice->picks[i] : choice->first + i;
}

/* Memory for a cn__batch of up to `rows` rows.
 *   lists   two counts and cn__list_stride(pairs of columns) entries for each row, a count and cn__list_stride(pairs of
 *           rows) entries for each column, last_peaks as for tiles
 *   tiles   (and what sparse batches need) the numbers 0, 1, 2, ... of the columns,
 *           cn__tile_lines(rows) * cn__tile_steps(columns) tiles by samples, cn__tile_lines(columns) *
 *           cn__tile_steps(rows) by columns, a byte for each tile by samples, a word for each two steps, and one
 *           for each 16 outputs of the layer and one more; a span for each row
 *   sparse  rows * columns entries, as many `used` and places as columns, a byte for each row, last_peaks as for tiles,
 *           sums
 *   halves  the numbers of the columns, twice as many tiles of either kind and 16 bits for each of them; for columns
 *           that stand in no tile a span for each row, and entries, `used` and places as for sparse batches */
typedef struct cn__batch_memory {
    int64_t rows, columns;
    cn__ink *by_samples;
    cn__list_ends *sample_ends;
    cn__ink *by_columns; /* NULL: not needed (no training) */
    int32_t *column_count;
    uint8_t *sample_tiles;
    uint8_t *sample_filled;
    uint8_t *column_tiles; /* NULL: not needed (no training) */
    uint64_t *inked;
    const uint16_t *in_order;
    uint32_t *last_peaks;
    cn__ink *entries;
    cn__column *used;
    uint32_t *places; /* one for each column */
    uint8_t *is_heavy;
    uint32_t *sums; /* 2 * columns * cn__sparse_lanes(outputs) zeros, for kernels of CN__SPARSE_NARROW outputs at most;
                     * NULL: others */
    cn__span *spans;
    uint16_t *sample_lines, *column_lines;
} cn__batch_memory;

/* A batch of lists or tiles in the making, as a loop over 0 ... count-1 that may be cut anyhow (base/pool.h) and may be
 * done ahead of time. It and what it points to must last as long. */
typedef struct cn__gathering {
    int64_t count;
    void (*body)(void *gathering, int thread, int64_t begin, int64_t end);
    const uint8_t *codes; /* (rows of the data set, columns) */
    int64_t columns;
    cn__choice choice;
    const cn__batch_memory *memory;
    int with_columns;
    void (*make)(const struct cn__gathering *g, int64_t sample_step, int64_t column_step);
    const cn__frequent *frequent; /* whose rare columns are one more task; NULL: none */
    cn__batch *batch;
} cn__gathering;

typedef struct cn__gather_math {
    /* out (n, columns) of `real` */
    void (*dense)(cn__pool *pool, const cn__source *source, const cn__choice *choice, void *out);
    /* The batch from source->codes, as lists or as tiles; float32 engines only, NULL elsewhere, and tiles only where
     * cn__cpu_amx_int8 says yes. Without with_columns only what a forward pass reads. */
    void (*lists)(cn__pool *pool, const cn__source *source, const cn__choice *choice, int with_columns,
                  const cn__batch_memory *memory, cn__batch *batch);
    void (*tiles)(cn__pool *pool, const cn__source *source, const cn__choice *choice, int with_columns,
                  const cn__batch_memory *memory, cn__batch *batch);
    /* The same for training, only prepared: the batch is there when the loop has been done. NULL where `lists` and
     * `tiles` are. */
    void (*begin_lists)(const cn__source *source, const cn__choice *choice, const cn__batch_memory *memory,
                        cn__batch *batch, cn__gathering *g);
    void (*begin_tiles)(const cn__source *source, const cn__choice *choice, const cn__batch_memory *memory,
                        cn__batch *batch, cn__gathering *g);
    /* As tiles for a forward pass only, where there are no codes straight from float32 numbers with scale 1; 0 if one
     * of them has no code on the scale code_scale. NULL where `tiles` is. */
    int (*encoded_tiles)(cn__pool *pool, const cn__source *source, const cn__choice *choice,
                         const cn__batch_memory *memory, cn__batch *batch);
    /* The digits of a kernel (inputs, outputs) whose rows are `stride` apart. NULL where `tiles` is. */
    void (*digits)(cn__pool *pool, const void *kernel, int64_t inputs, int64_t outputs, int64_t stride,
                   const cn__digits *digits);
    /* Divides source->codes; 0 if a task had no room. NULL where `tiles` is. */
    int (*divide)(cn__pool *pool, const cn__source *source, const cn__division *division);
    /* As tiles of bfloat16; NULL where there are none, and only where cn__cpu_amx_bf16 says yes. */
    void (*halves)(cn__pool *pool, const cn__source *source, const cn__choice *choice, int with_columns,
                   const cn__batch_memory *memory, cn__batch *batch);
    void (*begin_halves)(const cn__source *source, const cn__choice *choice, const cn__batch_memory *memory,
                         cn__batch *batch, cn__gathering *g);
    /* codes (rows, columns) such that each number is the float32 nearest to code x scale; 0 if there are none. The pool
     * may be NULL. */
    int (*encode)(cn__pool *pool, const cn__source *source, double scale, uint8_t *codes);
    /* The batch from source->sparse, and how that is made: all numbers that are not zero as codes; or only counted,
     * which leaves in end[t] - begin[t] how many task t needs. float32 engines only. */
    void (*sparse)(cn__pool *pool, const cn__source *source, const cn__choice *choice, const cn__batch_memory *memory,
                   cn__batch *batch);
    void (*count_nonzeros)(cn__pool *pool, const cn__source *source, cn__sparse_listing *listing);
    cn__sparse_outcome (*list_nonzeros)(cn__pool *pool, const cn__source *source, double scale,
                                        cn__sparse_listing *listing);
} cn__gather_math;

#endif
