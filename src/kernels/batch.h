/* One batch of inputs as lists of its non-zeros, for first layers whose inputs are mostly zero (81 % of MNIST's pixels).
 *
 * Inputs are bytes, codes into a table of at most 256 values, code 0 being 0. Lists exist twice, in ascending order:
 *
 *   by two samples   for samples 2p and 2p+1 the columns where either has ink: entries first[2p] ... first[2p+1]-1
 *   by two columns   for columns 2q and 2q+1 the samples that have ink in either: list q begins at
 *                    q * cn__list_stride(rows) and has column_count[q] entries
 *
 * Two at a time, because a vector of weights or of gradients, once loaded, then serves both, and loading is what takes
 * the time. Neighbouring pixels mostly have ink together; two samples share 47 % of theirs.
 */
#ifndef CN_KERNELS_BATCH_H
#define CN_KERNELS_BATCH_H

#include <stdint.h>

#define CN__BATCH_MOST_ROWS 65535
#define CN__BATCH_MOST_COLUMNS 65535

/* Small fields that are loaded one by one: taking a word apart would cost the units that also multiply. */
typedef struct cn__ink {
    uint16_t index;   /* the column, or the sample */
    uint8_t codes[2]; /* of the two samples, or of the two columns */
} cn__ink;

/* Lists are as long as the batch and a cache line more, so that their ends do not fall into the same few cache sets. */
static inline int64_t cn__list_stride(int64_t rows)
{
    return (rows + 15) / 16 * 16 + 16;
}

typedef struct cn__batch {
    int64_t rows, columns;
    const float *table;  /* 256 values */
    const cn__ink *by_samples;
    const int32_t *first;
    const cn__ink *by_columns;
    const int32_t *column_count;
} cn__batch;

#endif
