#include "kernels/matmul.h"

#include "kernels/block_sizes.h"
#include "kernels/matmul_ahead.h"
#include "kernels/matmul_cut.h"
#include "kernels/matmul_pack.h"
#include "kernels/matmul_parts.h"
#include "kernels/matmul_tile.h"
#include "kernels/matmul_turned.h"
#if defined(CN_ISA_AVX2)
#include "kernels/matmul_down.h"
#endif

#include <string.h>

/* The usual plan (Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008): B is copied in
 * panels of TILE_N columns and A in panels of TILE_M rows, so that the innermost loop reads both in order. A panel of A
 * stays in the level-1 cache while all panels of a block of B, in level 2, go by. K is cut into blocks as well; between
 * two of them C waits in memory, which does not change the order of its sum. While tiles are computed memory has little
 * to do, so they ask for the operands that will be copied next; where rows of B are neighbours in memory, the first
 * panel of A reads B where it lies, and its tiles copy it on their way.
 * Each thread copies what it needs for itself: with blocks of this size a copy is used hundreds of times, and nobody
 * waits for anybody. (How a team shares a product: matmul_team.c.)
 * With AVX2, whose tiles are one vector wide, products of more terms go the other way: see matmul_down.h. */
#define TILE_M CN__TILE_M
#define TILE_N CN__TILE_N
#define SLACK 32 /* what packing may write beyond its end */

_Static_assert((CN__BLOCK_NUMBERS + 2 * SLACK + CN__VEC) * sizeof(real) <= CN__MATMUL_SCRATCH,
               "the packed blocks do not fit");
_Static_assert(CN__MATMUL_SCRATCH <= CN_POOL_SCRATCH, "the scratch memory of a thread is too small");

/* One block of B at work: its place in the product and in the scratch memory, and what is needed after it. */
typedef struct pass {
    const cn__matmul *p;
    int64_t height, n0, n, k0, k;
    const real *packed_a, *packed_b;
    int first;
    cn__ahead next_a, next_b;
    int64_t tiles_left; /* until packed_b is done with */
} pass;

/* How many tiles, each asking for `lines` lines, it takes to ask for all of the piece. Short tiles ask for nothing:
 * they come too fast for memory, and what they would ask for is little. */
#define SHORT_TILE 128 /* terms */

static int64_t tiles_to_ask(const pass *s, const cn__ahead *piece, int64_t lines)
{
    return s->k < SHORT_TILE ? 0 : piece->runs * cn__quotient_up(piece->length, lines * CN__LINE);
}

/* The first packed panel of A times the whole tiles of the block of B that lies in place, copying it. Returns how many
 * columns these are. */
static int64_t multiply_and_copy(pass *s, int rows, const real *a, real *packed_b, real *c, const real *below)
{
    const cn__matmul *p = s->p;
    const real *b = p->b + s->k0 * p->b_row + s->n0;
    int64_t j = 0;
    for (; j + TILE_N <= s->n; j += TILE_N, s->tiles_left--) {
        int is_last = j + 2 * TILE_N > s->n;
        cn__soon soon = {.c = is_last ? below : c + j + TILE_N, .c_row = p->c_row, .every = CN__ASK,
                         .a = {a, a}, .b = {a, a}, .copy = packed_b + j * s->k,
                         .ahead = is_last ? s->next_b.at : b + j + TILE_N};
        cn__copying_tiles[rows](s->k, a, b + j, p->b_row, c + j, p->c_row, s->first, 1, &soon);
    }
    s->next_b.runs = 0;
    return j;
}

/* One packed panel of A times the packed block of B from column `begin` on, from left to right along the rows of C.
 * `panels_left` of the packed block of A come after it; `below`: the piece of C that comes after this row of pieces. As
 * many tiles as have nothing to ask for but C are computed in one call. */
static void multiply_panel(pass *s, int rows, int64_t begin, const real *a, real *c, const real *below,
                           int64_t panels_left)
{
    int64_t c_row = s->p->c_row, tiles = cn__quotient_up(s->n, TILE_N);
    int64_t left = (panels_left + 1) * tiles - begin / TILE_N;
    int64_t lines = cn__quotient_up(s->k, CN__ASK), busy_for_a = tiles_to_ask(s, &s->next_a, lines);
    int64_t busy_for_b = tiles_to_ask(s, &s->next_b, lines);
    for (int64_t j = begin, count = 1; j < s->n; j += count * TILE_N, left -= count, s->tiles_left -= count) {
        int columns = (int)cn__smaller(TILE_N, s->n - j), vectors = (columns + CN__VEC - 1) / CN__VEC, asks = !s->first;
        const real *b = s->packed_b + j * s->k;
        cn__tile tile = cn__tiles[rows][vectors];
        count = 1;
        if (columns % CN__VEC) {
            cn__narrow_tile(rows, columns, s->k, a, b, c + j, c_row, s->first);
            continue;
        }
        cn__soon soon = {.c_row = c_row, .a = {a, a}, .b = {a, a}};
        int64_t idle = cn__smaller(left - busy_for_a, s->tiles_left - busy_for_b);
        if (idle > 0 && columns == TILE_N) count = cn__smaller((s->n - j) / TILE_N, idle);
        if (idle <= 0) {
            if (left <= busy_for_a) soon.a = cn__ask(&s->next_a, lines, a);
            if (s->tiles_left <= busy_for_b) soon.b = cn__ask(&s->next_b, lines, a);
            asks = 1;
        }
        soon.every = asks ? CN__ASK : s->k;
        soon.c = j + count * TILE_N < s->n ? c + j + count * TILE_N : below;
        tile(s->k, a, b, vectors * CN__VEC, c + j, c_row, s->first, count, &soon);
    }
}

static void copy_a(const pass *s, int64_t m0, int64_t m, real *packed)
{
    const cn__matmul *p = s->p;
    cn__pack_a(m, (int)s->height, s->k, p->a + m0 * p->a_row + s->k0 * p->a_column, p->a_row, p->a_column, packed);
}

/* What will be copied after the rows up to m1: more of A for this block of B, or the next block of B and the first rows
 * of A. */
static void look_ahead(pass *s, int64_t m1, const cn__block_sizes *size)
{
    const cn__matmul *p = s->p;
    int64_t m0 = m1, k0 = s->k0, k = s->k, n0 = s->n0;
    if (m0 >= p->m) {
        m0 = 0;
        k0 += k;
        if (k0 >= p->k) {
            k0 = 0;
            n0 += s->n;
        }
        k = cn__smaller(size->terms, p->k - k0);
    }
    s->next_a = (cn__ahead){.at = NULL};
    if (n0 < p->n)
        s->next_a = cn__runs_of(p->a + m0 * p->a_row + k0 * p->a_column, cn__smaller(size->rows, p->m - m0), p->a_row,
                                k, p->a_column);
}

static void look_ahead_for_b(pass *s, const cn__block_sizes *size)
{
    const cn__matmul *p = s->p;
    int64_t k0 = s->k0 + s->k, n0 = s->n0;
    if (k0 >= p->k) {
        k0 = 0;
        n0 += s->n;
    }
    s->next_b = (cn__ahead){.at = p->b};
    if (n0 < p->n)
        s->next_b = cn__runs_of(p->b + k0 * p->b_row + n0 * p->b_column, cn__smaller(size->terms, p->k - k0), p->b_row,
                                 cn__smaller(size->columns, p->n - n0), p->b_column);
}

/* So many columns of B may be in one block: with few terms many. */
static int64_t columns_along(const cn__matmul *p, const cn__block_sizes *size, int64_t height)
{
    const int64_t columns = size->columns + (p->a_column == 1 ? size->rows - height : 0);
    return columns * size->terms / cn__even_piece(p->k, size->terms, 1) / TILE_N * TILE_N;
}

/* Rows of A whose terms are neighbours are copied a panel at a time, straight into level 1, and B has their place in
 * level 2 too, so that A is copied less often; where the rows are neighbours, a panel would be a small part of each of
 * many memory pages, so a whole block is copied along its runs. */
static cn__block_sizes sizes_for(const cn__matmul *p, int64_t m, int64_t height)
{
    cn__block_sizes size = cn__block_sizes_for(cn__pool_caches(p->pool));
    size.columns = cn__even_piece(p->n, columns_along(p, &size, height), TILE_N);
    size.terms = cn__even_piece(p->k, size.terms, 1);
    size.rows = p->a_column == 1 ? height : cn__even_piece(m, size.rows - TILE_M, height);
    return size;
}

static int64_t height_of(const cn__matmul *p)
{
    return cn__even_piece(p->m, TILE_M, 1);
}

#if defined(CN_ISA_AVX2)
#define FEWEST_DOWN 64 /* terms */

static int goes_down(const cn__matmul *p)
{
    return p->k >= FEWEST_DOWN;
}
#endif

int64_t cn__matmul_block_columns(const cn__matmul *p)
{
    const int64_t *caches = cn__pool_caches(p->pool);
#if defined(CN_ISA_AVX2)
    const cn__block_sizes down = cn__block_sizes_down(caches);
    if (goes_down(p)) return p->k <= down.terms ? cn__columns_down(p, &down) : 0;
#endif
    const cn__block_sizes size = cn__block_sizes_for(caches);
    return p->k <= size.terms ? columns_along(p, &size, TILE_M) : 0;
}

static void multiply_blocks(const cn__matmul *p, cn__matmul_rows to_do, real *scratch)
{
    const int64_t height = height_of(p);
#if defined(CN_ISA_AVX2)
    if (goes_down(p)) {
        cn__matmul_down(p, to_do, height, scratch);
        return;
    }
#endif
    cn__block_sizes size = sizes_for(p, to_do.end - to_do.begin, height);
    real *packed_b = scratch;
    real *packed_a = scratch + cn__quotient_up(size.columns * size.terms + SLACK, CN__VEC) * CN__VEC;
    pass s = {.p = p, .height = height, .packed_a = packed_a, .packed_b = packed_b};
    for (s.n0 = 0; s.n0 < p->n; s.n0 += size.columns) {
        s.n = cn__smaller(size.columns, p->n - s.n0);
        for (s.k0 = 0; s.k0 < p->k; s.k0 += size.terms) {
            s.k = cn__smaller(size.terms, p->k - s.k0);
            s.first = s.k0 == 0;
            /* What the first panel of A does not copy on its way. */
            int64_t rest = p->b_column == 1 ? s.n / TILE_N * TILE_N : 0;
            if (!to_do.b_is_copied)
                cn__pack_b(s.k, s.n - rest, TILE_N, p->b + s.k0 * p->b_row + (s.n0 + rest) * p->b_column, p->b_row,
                           p->b_column, packed_b + rest * s.k);
            look_ahead_for_b(&s, &size);
            s.tiles_left = cn__quotient_up(to_do.end - to_do.begin, height) * cn__quotient_up(s.n, TILE_N);
            for (int64_t m0 = to_do.begin; m0 < to_do.end; m0 += size.rows) {
                int64_t m = cn__smaller(size.rows, to_do.end - m0);
                copy_a(&s, m0, m, packed_a);
                look_ahead(&s, m0 + m, &size);
                for (int64_t i = 0; i < m; i += height) {
                    int rows = (int)cn__smaller(height, m - i);
                    real *a = packed_a + i * s.k, *c = p->c + (m0 + i) * p->c_row + s.n0;
                    const real *below = m0 + i + height < p->m ? c + height * p->c_row : c;
                    const int copies_b = m0 + i == to_do.begin && rest && !to_do.b_is_copied;
                    int64_t begin = copies_b ? multiply_and_copy(&s, rows, a, packed_b, c, below) : 0;
                    multiply_panel(&s, rows, begin, a, c, below, cn__quotient_up(m - i, height) - 1);
                }
            }
        }
    }
}

/* Few rows: B is read where it lies, some rows of it at a time from end to end, because copying would cost as much as
 * multiplying, and memory delivers long runs best. C (a few rows) stays in the nearest cache meanwhile. */
#define FEW_K 32

static void multiply_few(const cn__matmul *p, real *scratch)
{
    int rows = (int)p->m, vectors = cn__widest[rows];
    real *packed_b = scratch + FEW_K * (TILE_M + 1) + SLACK;
    cn__soon soon = {.c = scratch, .every = FEW_K, .a = {scratch, scratch}, .b = {scratch, scratch}};
    int64_t whole = p->n / CN__VEC * CN__VEC, rest = p->n - whole;
    for (int64_t k0 = 0; k0 < p->k; k0 += FEW_K) {
        int64_t k = cn__smaller(FEW_K, p->k - k0), j = 0;
        cn__pack_a(rows, rows, k, p->a + k0 * p->a_column, p->a_row, p->a_column, scratch);
        int first = k0 == 0;
        for (int width = vectors * CN__VEC; j + width <= whole; j += width)
            cn__tiles[rows][vectors](k, scratch, p->b + k0 * p->b_row + j, p->b_row, p->c + j, p->c_row, first, 1,
                                     &soon);
        for (; j < whole; j += CN__VEC)
            cn__tiles[rows][1](k, scratch, p->b + k0 * p->b_row + j, p->b_row, p->c + j, p->c_row, first, 1, &soon);
        if (rest) {
            cn__pack_b(k, rest, CN__VEC, p->b + k0 * p->b_row + j, p->b_row, 1, packed_b);
            cn__narrow_tile(rows, (int)rest, k, scratch, packed_b, p->c + j, p->c_row, first);
        }
    }
}

/* Few columns, at most one vector: every element of A is used once, so A is read where it lies. */
#if defined(CN_ISA_AVX512) || defined(CN_ISA_NEON)
#define SKINNY_ROWS 8
#else
#define SKINNY_ROWS 4
#endif

static inline __attribute__((always_inline)) void skinny_rows(const int rows, const cn__matmul *p, int64_t m0,
                                                              const real *b)
{
    vec sum[SKINNY_ROWS];
    const real *a[SKINNY_ROWS];
    int n = (int)p->n;
    CN__UNROLL(8)
    for (int r = 0; r < rows; r++) {
        sum[r] = vec_zero();
        a[r] = p->a + (m0 + r) * p->a_row;
    }
    for (int64_t i = 0; i < p->k; i++) {
        vec column = vec_load(b + i * CN__VEC);
        CN__UNROLL(8)
        for (int r = 0; r < rows; r++) sum[r] = vec_fma(vec_set(a[r][i]), column, sum[r]);
    }
    CN__UNROLL(8)
    for (int r = 0; r < rows; r++) vec_store_n(p->c + (m0 + r) * p->c_row, sum[r], n);
}

static void multiply_skinny(const cn__matmul *p, real *scratch)
{
    int64_t m = 0;
    cn__pack_b(p->k, p->n, CN__VEC, p->b, p->b_row, p->b_column, scratch);
    for (; m + SKINNY_ROWS <= p->m; m += SKINNY_ROWS) skinny_rows(SKINNY_ROWS, p, m, scratch);
    for (; m + 2 <= p->m; m += 2) skinny_rows(2, p, m, scratch);
    for (; m < p->m; m++) skinny_rows(1, p, m, scratch);
}

static int is_skinny(const cn__matmul *p)
{
    return p->n <= CN__VEC && p->a_column == 1 && (size_t)p->k * CN__VEC * sizeof(real) <= CN__MATMUL_SCRATCH;
}

int64_t cn__matmul_row_unit(const cn__matmul *p)
{
    return is_skinny(p) ? SKINNY_ROWS : height_of(p);
}

int64_t cn__matmul_column_unit(const cn__matmul *p)
{
    return cn__matmul_is_turned(p) ? CN__TURNED_COLUMNS : TILE_N;
}

cn__product cn__matmul_alone_choice(const cn__matmul *p)
{
    if (is_skinny(p)) return CN__PRODUCT_FEW_COLUMNS;
    if (cn__matmul_is_turned(p)) return CN__PRODUCT_FEW_ROWS;
    return p->m <= TILE_M && p->b_column == 1 ? CN__PRODUCT_FEW_ROWS : CN__PRODUCT_BLOCKS;
}

static void multiply(const cn__matmul *p, int thread)
{
    real *scratch = cn__pool_scratch(p->pool, thread);
    if (p->k <= 0) {
        for (int64_t r = 0; r < p->m; r++) memset(p->c + r * p->c_row, 0, (size_t)p->n * sizeof(real));
        return;
    }
    switch (cn__matmul_alone_choice(p)) {
    case CN__PRODUCT_FEW_COLUMNS: multiply_skinny(p, scratch); break;
    case CN__PRODUCT_FEW_ROWS:
        if (cn__matmul_is_turned(p)) cn__matmul_turned(p, 0, p->n, 0, thread);
        else multiply_few(p, scratch);
        break;
    default: multiply_blocks(p, (cn__matmul_rows){0, p->m, 0}, scratch);
    }
}

void cn__matmul_alone(const cn__matmul *p, int thread)
{
    if (p->m > 0 && p->n > 0) multiply(p, thread);
}

void cn__matmul_some_rows(const cn__matmul *p, int64_t begin, int64_t end, int b_is_copied, int thread)
{
    if (begin < end) multiply_blocks(p, (cn__matmul_rows){begin, end, b_is_copied}, cn__pool_scratch(p->pool, thread));
}
