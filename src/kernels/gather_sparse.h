/* Data sets and batches with very few non-zeros, as lists (cn__sparse_rows in kernels/gather.h, `used` in
 * kernels/batch.h). */
#ifndef CN_KERNELS_GATHER_SPARSE_H
#define CN_KERNELS_GATHER_SPARSE_H

#include "kernels/gather.h"
#include "kernels/real.h"

#define cn__gather_sparse CN_T(cn__gather_sparse)
#define cn__gather_count_nonzeros CN_T(cn__gather_count_nonzeros)
#define cn__gather_list_nonzeros CN_T(cn__gather_list_nonzeros)

void cn__gather_sparse(cn__pool *pool, const cn__source *source, const cn__choice *choice,
                       const cn__batch_memory *memory, cn__batch *batch);
void cn__gather_count_nonzeros(cn__pool *pool, const cn__source *source, cn__sparse_listing *listing);
cn__sparse_outcome cn__gather_list_nonzeros(cn__pool *pool, const cn__source *source, double scale,
                                            cn__sparse_listing *listing);

#endif
