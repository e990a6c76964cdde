/* One batch of inputs as lists of its non-zeros, for first layers whose inputs are mostly zero (81 % of MNIST's pixels).
 *
 * Inputs are bytes, codes into a table of at most 256 values, code 0 being 0. Lists exist twice, in ascending order:
 *
 *   by sample        the columns where a sample has ink, cut at multiples of CN__BLOCK columns;
 *                    entries of (sample b, block k):  first[b * (blocks+1) + k]  up to the position after it
 *   by two columns   for columns 2q and 2q+1 the samples that have ink in either; list q begins at
 *                    q * cn__list_stride(rows) and has column_count[q] entries. Neighbouring pixels mostly have ink together, and a vector of gradients,
 *                    once loaded, then serves both. (Two samples rarely have ink at the same place.)
 */
#ifndef CN_KERNELS_BATCH_H
#define CN_KERNELS_BATCH_H

#include <stdint.h>

#define CN__BLOCK 128 /* columns; measured: 64 to 256 differ by 20 %, docs/speed-log.md */

#define CN__BATCH_MOST_ROWS 65535
#define CN__BATCH_MOST_COLUMNS 65535

/* Small fields that are loaded one by one: taking a word apart would cost the units that also multiply. */
typedef struct cn__ink {
    uint16_t column;
    uint8_t code, unused;
} cn__ink;

typedef struct cn__two_inks {
    uint16_t sample;
    uint8_t codes[2]; /* of columns 2q and 2q+1 */
} cn__two_inks;

/* Lists are as long as the batch and a cache line more, so that their ends do not fall into the same few cache sets. */
static inline int64_t cn__list_stride(int64_t rows)
{
    return (rows + 15) / 16 * 16 + 16;
}

typedef struct cn__batch {
    int64_t rows, columns;
    int32_t blocks;      /* of CN__BLOCK columns */
    const float *table;  /* 256 values */
    const cn__ink *by_sample;
    const int32_t *first;
    const cn__two_inks *by_columns;
    const int32_t *column_count;
} cn__batch;

#endif
