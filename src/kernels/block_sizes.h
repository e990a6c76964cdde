/* How large the blocks are into which a matrix product copies its factors, from the sizes of the caches. Which size is
 * chosen changes no bit: between two blocks of k a sum waits in memory and goes on in the same order.
 *   terms    a panel of the right factor, CN__BLOCK_PANEL columns wide, fills the level-1 data cache
 *   columns  a block of the right factor, terms x columns, takes three eighths of level 2
 *   rows     a block of the left factor, rows x terms, takes a third of it; the rest is for what comes next
 * Cores with more than CN__BLOCK_MOST of level 2 get no larger ones: copies are made seldom enough by then. */
#ifndef CN_KERNELS_BLOCK_SIZES_H
#define CN_KERNELS_BLOCK_SIZES_H

#include <stdint.h>

#define CN__BLOCK_PANEL 32
#define CN__BLOCK_MOST ((int64_t)2 << 20)

typedef struct cn__block_sizes {
    int64_t rows, terms, columns;
} cn__block_sizes;

static inline int64_t cn__block_within(int64_t least, int64_t n, int64_t most, int64_t unit)
{
    n = n < least ? least : n > most ? most : n;
    return n / unit * unit;
}

/* `caches`: bytes of level-1 data and level 2 of one core, 0 where unknown. */
static inline cn__block_sizes cn__block_sizes_for(const int64_t caches[2])
{
    int64_t level1 = caches[0] > 0 ? caches[0] : 32 << 10, level2 = caches[1] > 0 ? caches[1] : 1 << 20;
    if (level2 > CN__BLOCK_MOST) level2 = CN__BLOCK_MOST;
    cn__block_sizes s;
    s.terms = cn__block_within(128, level1 / (CN__BLOCK_PANEL * (int64_t)sizeof(float)), 512, 32);
    int64_t line = s.terms * (int64_t)sizeof(float);
    s.columns = cn__block_within(64, level2 / 8 * 3 / line, 1024, 32);
    s.rows = cn__block_within(64, level2 / 3 / line, 1024, 16);
    return s;
}

/* No blocks of both factors have more numbers than this together. */
#define CN__BLOCK_NUMBERS (CN__BLOCK_MOST * 17 / 24 / (int64_t)sizeof(float))

/* The same where the innermost loop goes down the columns of the result (matmul_down.h):
 *   terms    a panel of the right factor, half as wide, takes half of the level-1 data cache
 *   rows     a block of the left factor takes a quarter of level 2, which others may want as well
 *   columns  a block of the right factor stays in level 3, or is read from memory a panel ahead; the more columns, the
 *            less often the left factor is copied */
#define CN__DOWN_COLUMNS 2048
#define CN__DOWN_SPARE 256 /* columns that are copied while others are in use */
#define CN__DOWN_NUMBERS (((int64_t)3 << 18) - 64) /* all together */

static inline cn__block_sizes cn__block_sizes_down(const int64_t caches[2])
{
    cn__block_sizes s = cn__block_sizes_for(caches);
    s.rows = s.rows * 3 / 4;
    s.columns = CN__DOWN_NUMBERS / s.terms - s.rows - CN__DOWN_SPARE;
    if (s.columns > CN__DOWN_COLUMNS) s.columns = CN__DOWN_COLUMNS;
    return s;
}

#endif
