/* A batch of bytes as lists of the non-zeros (kernels/batch.h). */
#ifndef CN_KERNELS_GATHER_LISTS_H
#define CN_KERNELS_GATHER_LISTS_H

#include "kernels/gather.h"
#include "kernels/real.h"

#if CN_REAL_BITS == 32
#define cn__gather_lists CN_T(cn__gather_lists)
void cn__gather_lists(cn__pool *pool, const cn__source *source, const cn__choice *choice, int with_columns,
                      const cn__batch_memory *memory, cn__batch *batch);
#define cn__gather_begin_lists CN_T(cn__gather_begin_lists)
void cn__gather_begin_lists(const cn__source *source, const cn__choice *choice, const cn__batch_memory *memory,
                            cn__batch *batch, cn__gathering *g);
#endif
#endif
