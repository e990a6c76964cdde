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
} cn__source;

/* Which rows: picks[0 ... n-1], or first, first+1, ... when picks is NULL. */
typedef struct cn__choice {
    const uint32_t *picks;
    int64_t first, n;
} cn__choice;

/* Memory for the lists of a cn__batch of up to `rows` rows: rows * (blocks+1), rows * columns (twice), pairs, and
 * pairs * rows entries, pairs being (columns+1)/2. */
typedef struct cn__batch_memory {
    int64_t rows, columns;
    int32_t *first, *column, *pair_count;
    float *value;
    cn__pair_entry *pair;
    float *numbers; /* a row per thread */
} cn__batch_memory;

typedef struct cn__gather_math {
    /* out (n, columns) of `real` */
    void (*dense)(cn__pool *pool, const cn__source *source, const cn__choice *choice, void *out);
    /* lists of the non-zeros; float32 engines only, NULL elsewhere. with_pairs 0 leaves the lists by pair out */
    void (*sparse)(cn__pool *pool, const cn__source *source, const cn__choice *choice, int with_pairs,
                   const cn__batch_memory *memory, cn__batch *batch);
} cn__gather_math;

#endif
