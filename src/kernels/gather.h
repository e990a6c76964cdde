/* From a data set to a batch: picks rows, converts bytes to `real`, applies the scale that a tensor carries. */
#ifndef CN_KERNELS_GATHER_H
#define CN_KERNELS_GATHER_H

#include "base/pool.h"
#include "kernels/batch.h"

#include <stdint.h>

typedef enum cn__stored { CN__STORED_U8, CN__STORED_I32, CN__STORED_I64, CN__STORED_F32, CN__STORED_F64 } cn__stored;

/* Rows of `columns` stored numbers without gaps; a number's value is stored x scale, rounded once. */
typedef struct cn__source {
    const void *data;
    cn__stored stored;
    int64_t rows, columns;
    double scale;
    const uint8_t *codes; /* the same rows as bytes, NULL: not available; for bytes it is `data` itself */
    const float *table;   /* the value of each code; 256 */
} cn__source;

/* Which rows: picks[0 ... n-1], or first, first+1, ... when picks is NULL. */
typedef struct cn__choice {
    const uint32_t *picks;
    int64_t first, n;
} cn__choice;

/* Memory for the lists of a cn__batch of up to `rows` rows: two positions and (columns + 16) entries
 * for each pair of rows; pairs of columns * cn__list_stride(rows) entries and as many counts as pairs of columns. */
typedef struct cn__batch_memory {
    int64_t rows, columns;
    cn__ink *by_samples;
    int32_t *first;
    cn__ink *by_columns; /* NULL: not needed (no training) */
    int32_t *column_count;
} cn__batch_memory;

typedef struct cn__gather_math {
    /* out (n, columns) of `real` */
    void (*dense)(cn__pool *pool, const cn__source *source, const cn__choice *choice, void *out);
    /* lists of the non-zeros from source->codes; float32 engines only, NULL elsewhere. with_columns 0 leaves the
     * lists by two columns out */
    void (*sparse)(cn__pool *pool, const cn__source *source, const cn__choice *choice, int with_columns,
                   const cn__batch_memory *memory, cn__batch *batch);
} cn__gather_math;

#endif
