/* One batch of inputs as lists of its non-zeros, for first layers whose inputs are mostly zero (81 % of MNIST's pixels).
 *
 *   by sample   the non-zeros of a row, in ascending column order, cut at multiples of CN__BLOCK columns:
 *               entries of (sample b, block k) are  first[b * (blocks+1) + k] ... first[b * (blocks+1) + k + 1] - 1
 *   by pair     for columns 2q and 2q+1 the samples that have either, in ascending order
 */
#ifndef CN_KERNELS_BATCH_H
#define CN_KERNELS_BATCH_H

#include <stdint.h>

#define CN__BLOCK 96 /* columns; 96 rows of 128 float32 weights stay in a 48 KiB level-1 cache */

typedef struct cn__pair_entry {
    int32_t row;      /* sample */
    float values[2];  /* columns 2q and 2q+1 */
} cn__pair_entry;

typedef struct cn__batch {
    int64_t rows, columns;
    int32_t blocks;             /* of CN__BLOCK columns */
    const int32_t *first;       /* rows * (blocks+1) positions */
    const int32_t *column;      /* by sample: column of each entry */
    const float *value;         /* and its value */
    const int32_t *pair_count;  /* by pair: entries of each pair */
    const cn__pair_entry *pair; /* pair q begins at q * rows */
} cn__batch;

#endif
