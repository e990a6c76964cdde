/* The innermost loops of a matrix product: a piece of C, some rows by some vectors, held in registers. */
#ifndef CN_KERNELS_MATMUL_TILE_H
#define CN_KERNELS_MATMUL_TILE_H

#include "kernels/vector.h"

/* Cache lines that a tile asks for on its way, because otherwise whoever needs them next would have to wait: those of
 * one line of memory after another from `from` to `last`, into level 2. Any addresses will do. */
typedef struct cn__run {
    const real *from, *last;
} cn__run;

typedef struct cn__soon {
    const real *c; /* the piece of C that comes after this one, into level 1: its loads stand at the head of every
                    * sum */
    int64_t c_row;
    int64_t every; /* terms between asking for one row of c and one line of each run; asking for all at once would fill
                    * the queue in which the loads of A and B wait too */
    cn__run a, b; /* operands that will be copied */
    real *copy;        /* only of tiles that copy: where to put their columns of B, packed, */
    const real *ahead; /* and the columns that will be read after them; their rows are as far apart */
} cn__soon;

/* CN__ASK: `every`, if there is something to ask for; otherwise it is all terms. CN__UNROLLED: terms between two jumps.
 * A term of AVX2's largest tile is twenty instructions, of which twelve multiply, so few are to come beside them. */
#if defined(CN_ISA_AVX2)
#define CN__ASK 32
#define CN__UNROLLED 4
#else
#define CN__ASK 16
#define CN__UNROLLED 1
#endif

/* C (rows x vectors) += A . B over k > 0 terms. A is packed: element (r, i) at a[i * rows + r]. Row i of B is at
 * b + i * b_row. `first`: C starts at 0 and is not read. The same for `count` pieces of C side by side, whose columns
 * of B, one packed panel after another, lie behind each other. */
typedef void (*cn__tile)(int64_t k, const real *a, const real *b, int64_t b_row, real *c, int64_t c_row, int first,
                         int64_t count, const cn__soon *soon);

/* A core that shares its front end with another tenant gives us some two instructions a cycle, in which two
 * multiply-adds would fit: then every other instruction costs. A multiply-add that reads its element of A itself saves
 * one, but reads it once for each vector, and loads are limited to two a cycle as well; with ten rows of fourteen both
 * limits are met. */
static inline __attribute__((always_inline)) int cn__reads_element(const int vectors, const int row)
{
    return vectors == 1 || (vectors == 2 && row < 10);
}

/* Tiles that copy ask for rows of B so many terms ahead: time enough for memory, and few enough for rows whose distance
 * is a large power of two, which share few places in level 2. */
#define CN__COPY_AHEAD 32

static inline __attribute__((always_inline)) void cn__tile_term(const int rows, const int vectors, const int copies,
                                                                const real *a, const real *b, real *copy,
                                                                const real *ahead, vec sum[16][8])
{
    vec column[8];
    CN__UNROLL(8)
    for (int v = 0; v < vectors; v++) {
        column[v] = vec_keep(vec_load(b + v * CN__VEC));
        if (!copies) continue;
        vec_store(copy + v * CN__VEC, column[v]);
        __builtin_prefetch(ahead + v * CN__VEC, 0, 2);
    }
    CN__UNROLL(16)
    for (int r = 0; r < rows; r++) {
        if (cn__reads_element(vectors, r)) {
            CN__UNROLL(8)
            for (int v = 0; v < vectors; v++) sum[r][v] = vec_fma_at(a + r, column[v], sum[r][v]);
        } else {
            vec element = vec_keep(vec_set(a[r]));
            CN__UNROLL(8)
            for (int v = 0; v < vectors; v++) sum[r][v] = vec_fma(element, column[v], sum[r][v]);
        }
    }
}

static inline __attribute__((always_inline)) void cn__tile_sum(const int rows, const int vectors, const int copies,
                                                               int64_t k, const real *a, const real *b, int64_t b_row,
                                                               real *c, int64_t c_row, int first, const real *next,
                                                               const cn__soon *soon)
{
    vec sum[16][8];
    CN__UNROLL(16)
    for (int r = 0; r < rows; r++) {
        CN__UNROLL(8)
        for (int v = 0; v < vectors; v++) sum[r][v] = vec_zero();
    }
    if (!first) {
        CN__UNROLL(16)
        for (int r = 0; r < rows; r++)
            CN__UNROLL(8)
            for (int v = 0; v < vectors; v++) sum[r][v] = vec_load(c + r * c_row + v * CN__VEC);
    }
    const real *last = next + (rows - 1) * soon->c_row, *end = a + k * rows;
    int64_t every = soon->every * rows;
    cn__run soon_a = soon->a, soon_b = soon->b;
    real *copy = soon->copy;
    const real *ahead = NULL;
    do {
        const real *pause = end - a < every ? end : a + every;
        if (copies) {
            int64_t beyond = CN__COPY_AHEAD - (end - a) / rows;
            ahead = beyond < 0 ? b + CN__COPY_AHEAD * b_row : soon->ahead + beyond * b_row;
        }
        CN__UNROLL(8)
        for (int v = 0; v < vectors; v++) __builtin_prefetch(next + v * CN__VEC, 1);
        next += next < last ? soon->c_row : 0;
        if (!copies) {
            __builtin_prefetch(soon_a.from, 0, 2);
            __builtin_prefetch(soon_b.from, 0, 2);
            soon_a.from += soon_a.from < soon_a.last ? CN__LINE : 0;
            soon_b.from += soon_b.from < soon_b.last ? CN__LINE : 0;
        }
        for (; CN__UNROLLED > 1 && !copies && pause - a >= CN__UNROLLED * rows;
             a += CN__UNROLLED * rows, b += CN__UNROLLED * b_row)
            CN__UNROLL(8)
            for (int i = 0; i < CN__UNROLLED; i++)
                cn__tile_term(rows, vectors, 0, a + i * rows, b + i * b_row, copy, ahead, sum);
        if (CN__UNROLLED > 1 && a == pause) continue;
        do {
            cn__tile_term(rows, vectors, copies, a, b, copy, ahead, sum);
            a += rows;
            b += b_row;
            if (copies) {
                copy += vectors * CN__VEC;
                ahead += b_row;
            }
        } while (a != pause);
    } while (a != end);
    CN__UNROLL(16)
    for (int r = 0; r < rows; r++)
        CN__UNROLL(8)
        for (int v = 0; v < vectors; v++) vec_store(c + r * c_row + v * CN__VEC, sum[r][v]);
}

/* CN__TILE_M rows by CN__TILE_V vectors is the piece that the registers hold best: 28 of AVX-512's 32 for C, two for B
 * and one for an element of A; 12 + 2 + 1 of AVX2's 16 (a vector is two there); 24 + 4 + 1 of NEON's 32 (four).
 * CN__TILES lists these and every smaller number of rows, so no row is computed in vain, and with few rows more
 * vectors, because a tile needs about ten sums to keep two multiply-add units busy. CN__WIDEST: that number of
 * vectors. */
#if defined(CN_ISA_AVX512)
#define CN__TILE_M 14
#define CN__TILE_V 2
#define CN__TILES(TILE)                                                                                             \
    TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1) TILE(7, 1) TILE(8, 1) TILE(9, 1) TILE(10, 1)  \
    TILE(11, 1) TILE(12, 1) TILE(13, 1) TILE(14, 1)                                                                 \
    TILE(1, 2) TILE(2, 2) TILE(3, 2) TILE(4, 2) TILE(5, 2) TILE(6, 2) TILE(7, 2) TILE(8, 2) TILE(9, 2) TILE(10, 2)  \
    TILE(11, 2) TILE(12, 2) TILE(13, 2) TILE(14, 2)                                                                 \
    TILE(1, 8) TILE(2, 8) TILE(3, 8) TILE(4, 6) TILE(5, 4) TILE(6, 4) TILE(7, 4) TILE(8, 3) TILE(9, 3)
#define CN__HEIGHTS(ROWS)                                                                                           \
    ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6) ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12) ROWS(13) ROWS(14)
static const int cn__widest[CN__TILE_M + 1] = {0, 8, 8, 8, 6, 4, 4, 4, 3, 3, 2, 2, 2, 2, 2};
#else
#if defined(CN_ISA_AVX2) || defined(CN_ISA_NEON)
#define CN__TILE_M 6
#else
#define CN__TILE_M 4
#endif
#define CN__TILE_V 1
#define CN__TILES(TILE)                                                                                             \
    TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) CN__TILES_TO_6(TILE) TILE(1, 4) TILE(2, 3) TILE(3, 2)
#if CN__TILE_M == 6
#define CN__TILES_TO_6(TILE) TILE(5, 1) TILE(6, 1)
#define CN__HEIGHTS(ROWS) ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6)
static const int cn__widest[CN__TILE_M + 1] = {0, 4, 3, 2, 1, 1, 1};
#else
#define CN__TILES_TO_6(TILE)
#define CN__HEIGHTS(ROWS) ROWS(1) ROWS(2) ROWS(3) ROWS(4)
static const int cn__widest[CN__TILE_M + 1] = {0, 4, 3, 2, 1};
#endif
#endif
#define CN__TILE_N (CN__TILE_V * CN__VEC)

#define CN__TILE_FUNCTION(R, V)                                                                                     \
    static void tile_##R##_##V(int64_t k, const real *a, const real *b, int64_t b_row, real *c, int64_t c_row,      \
                               int first, int64_t count, const cn__soon *soon)                                      \
    {                                                                                                               \
        for (; count > 0; count--, b += k * b_row, c += V * CN__VEC)                                                \
            cn__tile_sum(R, V, 0, k, a, b, b_row, c, c_row, first, count > 1 ? c + V * CN__VEC : soon->c, soon);    \
    }
#define CN__TILE_ENTRY(R, V) [R][V] = tile_##R##_##V,

CN__TILES(CN__TILE_FUNCTION)

/* The first rows to meet B read it where it lies and copy it for the others, one tile after another (`count` is 1):
 * loads from far away and stores then overlap with multiply-adds. The widest tiles only. */
#define CN__COPYING_FUNCTION(R)                                                                                     \
    static void copying_tile_##R(int64_t k, const real *a, const real *b, int64_t b_row, real *c, int64_t c_row,    \
                                 int first, int64_t count, const cn__soon *soon)                                    \
    {                                                                                                               \
        (void)count;                                                                                                \
        cn__tile_sum(R, CN__TILE_V, 1, k, a, b, b_row, c, c_row, first, soon->c, soon);                             \
    }
#define CN__COPYING_ENTRY(R) [R] = copying_tile_##R,

CN__HEIGHTS(CN__COPYING_FUNCTION)

static const cn__tile cn__copying_tiles[CN__TILE_M + 1] = {CN__HEIGHTS(CN__COPYING_ENTRY)};

static const cn__tile cn__tiles[CN__TILE_M + 1][9] = {CN__TILES(CN__TILE_ENTRY)};

/* A tile whose last vector is not full is computed beside C. Rows of B are whole vectors. */
static void cn__narrow_tile(int rows, int columns, int64_t k, const real *a, const real *b, real *c, int64_t c_row,
                            int first)
{
    real beside[CN__TILE_M * CN__TILE_N] = {0};
    int vectors = (columns + CN__VEC - 1) / CN__VEC, width = vectors * CN__VEC;
    for (int r = 0; r < rows && !first; r++)
        for (int i = 0; i < columns; i++) beside[r * width + i] = c[r * c_row + i];
    cn__soon soon = {.c = beside, .c_row = width, .every = k, .a = {a, a}, .b = {a, a}};
    cn__tiles[rows][vectors](k, a, b, width, beside, width, first, 1, &soon);
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < columns; i++) c[r * c_row + i] = beside[r * width + i];
}

#endif
