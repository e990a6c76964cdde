/* A batch of bytes as tiles (kernels/batch.h); only in the AVX-512 engine. */
#ifndef CN_KERNELS_GATHER_TILES_H
#define CN_KERNELS_GATHER_TILES_H

#include "kernels/gather.h"
#include "kernels/real.h"

#if defined(CN_ISA_AVX512) && CN_REAL_BITS == 32
#define CN__GATHER_TILES 1
#define cn__gather_tiles CN_T(cn__gather_tiles)
#define cn__gather_encoded_tiles CN_T(cn__gather_encoded_tiles)
void cn__gather_tiles(cn__pool *pool, const cn__source *source, const cn__choice *choice, int with_columns,
                      const cn__batch_memory *memory, cn__batch *batch);
#define cn__gather_begin_tiles CN_T(cn__gather_begin_tiles)
#define cn__gather_begin_halves CN_T(cn__gather_begin_halves)
void cn__gather_begin_tiles(const cn__source *source, const cn__choice *choice, const cn__batch_memory *memory,
                            cn__batch *batch, cn__gathering *g);
void cn__gather_begin_halves(const cn__source *source, const cn__choice *choice, const cn__batch_memory *memory,
                             cn__batch *batch, cn__gathering *g);
int cn__gather_encoded_tiles(cn__pool *pool, const cn__source *source, const cn__choice *choice,
                             const cn__batch_memory *memory, cn__batch *batch);
/* gather_frequent.c: a data set divided into frequent columns and lists, and the lists of a batch. */
#define cn__gather_divide CN_T(cn__gather_divide)
#define cn__gather_rare CN_T(cn__gather_rare)
int cn__gather_divide(cn__pool *pool, const cn__source *source, const cn__division *division);
void cn__gather_rare(const cn__frequent *from, const cn__choice *choice, const cn__batch_memory *memory,
                     cn__batch *batch);
/* gather_halves.c: with tiles of bfloat16; only where the CPU has AVX-512 bf16. */
#define cn__gather_halves CN_T(cn__gather_halves)
void cn__gather_halves(cn__pool *pool, const cn__source *source, const cn__choice *choice, int with_columns,
                       const cn__batch_memory *memory, cn__batch *batch);
#else
#define CN__GATHER_TILES 0
#endif
#endif
