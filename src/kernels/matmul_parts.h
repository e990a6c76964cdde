/* What matmul.c can do of a product for one thread of the team that shares it (matmul_team.c). */
#ifndef CN_KERNELS_MATMUL_PARTS_H
#define CN_KERNELS_MATMUL_PARTS_H

#include "kernels/matmul.h"

/* Pieces whose rows and columns are multiples of these waste nothing. */
#define cn__matmul_row_unit CN_T(cn__matmul_row_unit)
int64_t cn__matmul_row_unit(const cn__matmul *p);
#define cn__matmul_column_unit CN_T(cn__matmul_column_unit)
int64_t cn__matmul_column_unit(const cn__matmul *p);

/* So many columns of B are one block, if all terms are; otherwise 0. */
#define cn__matmul_block_columns CN_T(cn__matmul_block_columns)
int64_t cn__matmul_block_columns(const cn__matmul *p);

/* Some rows of C, by blocks, where B is one block. `b_is_copied`: the thread's scratch memory still has it from other
 * rows of the same product. */
#define cn__matmul_some_rows CN_T(cn__matmul_some_rows)
void cn__matmul_some_rows(const cn__matmul *p, int64_t begin, int64_t end, int b_is_copied, int thread);

#endif
