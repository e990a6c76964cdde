/* One batch of inputs as lists of its non-zeros, for first layers whose inputs are mostly zero (81 % of MNIST's pixels).
 *
 * Inputs are bytes, codes into a table of at most 256 values, code 0 being 0. Lists exist twice, each in ascending order
 * and each for two neighbours at a time, so that a vector of weights or of gradients, once loaded, serves two sums:
 *
 *   by two samples   for samples 2p and 2p+1 the columns where either has ink, cut at multiples of CN__BLOCK columns;
 *                    entries of (pair p, block k):  first[p * (blocks+1) + k]  up to the position after it
 *   by two columns   for columns 2q and 2q+1 the samples that have ink in either; list q begins at q * rows and has
 *                    column_count[q] entries
 */
#ifndef CN_KERNELS_BATCH_H
#define CN_KERNELS_BATCH_H

#include <stdint.h>

#define CN__BLOCK 64 /* columns; 64 rows of 128 float32 weights take 32 of the 48 KiB of a level-1 cache */

#define CN__BATCH_MOST_ROWS 65535
#define CN__BATCH_MOST_COLUMNS 65535

/* Small fields that are loaded one by one: taking a word apart would cost the units that also multiply. */
typedef struct cn__entry {
    uint16_t index;        /* the column, or the sample */
    uint8_t first, second; /* codes of the two neighbours */
} cn__entry;

typedef struct cn__batch {
    int64_t rows, columns;
    int32_t blocks;      /* of CN__BLOCK columns */
    const float *table;  /* 256 values */
    const cn__entry *by_samples;
    const int32_t *first;
    const cn__entry *by_columns;
    const int32_t *column_count;
} cn__batch;

#endif
