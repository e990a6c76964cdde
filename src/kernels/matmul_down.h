/* A matrix product whose innermost loop goes down the columns of C. A panel of B, one vector wide, stays in the level-1
 * cache while the panels of a block of A, in level 2, go by: that is 24 bytes from level 2 for 6 rows and one term, and
 * going along the rows of C, with the panel of A in level 1, it is 64. And A is copied once for as many columns as
 * level 3 keeps of B, which matters where level 2 is small.
 * While tiles are computed the next panels of B are copied, a few terms for each tile, and the next block of A is asked
 * for. With fewer terms results are more of what moves, and want to be written along their rows: then some panels of B
 * take turns with each panel of A, and with very few terms all of them (matmul.c). */
#ifndef CN_KERNELS_MATMUL_DOWN_H
#define CN_KERNELS_MATMUL_DOWN_H

#include "kernels/block_sizes.h"
#include "kernels/matmul.h"
#include "kernels/matmul_ahead.h"
#include "kernels/matmul_cut.h"
#include "kernels/matmul_pack.h"
#include "kernels/matmul_tile.h"

#define CN__DOWN_SLACK 32     /* numbers that packing may write beyond its end */
#define CN__DOWN_GROUP 8      /* panels of B that are copied together where its rows are long: memory gives long runs */
#define CN__DOWN_AT_ONCE 1024 /* terms */

_Static_assert(2 * CN__DOWN_GROUP * CN__TILE_N <= CN__DOWN_SPARE, "two groups are more than is counted on");
_Static_assert((CN__DOWN_NUMBERS + CN__DOWN_SLACK) * sizeof(real) <= CN__MATMUL_SCRATCH, "the blocks do not fit");

/* One block of B. */
typedef struct cn__down_block {
    int64_t number, n0, n, k0, k;
} cn__down_block;

/* A group of panels of B, of which `done` terms have been copied. */
typedef struct cn__coming_group {
    const real *from;
    real *to;
    int64_t k, done, columns, panel; /* `panel`: from one to the next in `to` */
} cn__coming_group;

typedef struct cn__down {
    const cn__matmul *p;
    int64_t height, rows, columns, terms; /* of panels of A; of its blocks; of blocks of B */
    int64_t group; /* columns of a group */
    int is_kept;   /* other rows will need the block of B; otherwise a group is forgotten after its use */
    cn__matmul_rows to_do;
    real *a, *b;
    cn__down_block at;
    int64_t m0, m; /* the block of A */
    cn__coming_group coming;
    cn__ahead next_a;
    int64_t tiles_left; /* until the block of A is done with */
} cn__down;

/* Copies `count` more terms and asks for those after them. */
static void cn__copy_coming(const cn__matmul *p, cn__coming_group *c, int64_t count)
{
    int64_t i = c->done, end = cn__smaller(c->k, i + count), whole = c->columns / CN__TILE_N * CN__TILE_N;
    if (p->b_column != 1 && p->b_row != 1) whole = 0;
    if (i == 0 && whole < c->columns)
        cn__pack_b(c->k, c->columns - whole, CN__TILE_N, c->from + whole * p->b_column, p->b_row, p->b_column,
                   c->to + whole / CN__TILE_N * c->panel);
    if (p->b_column == 1) {
        for (; i < end; i++) {
            const real *from = c->from + i * p->b_row;
            real *to = c->to + i * CN__TILE_N;
            for (int64_t j = 0; j < whole; j += CN__TILE_N, to += c->panel)
                for (int v = 0; v < CN__TILE_N; v += CN__VEC) {
                    __builtin_prefetch(from + j + v + count * p->b_row);
                    vec_store(to + v, vec_load(from + j + v));
                }
        }
    } else if (i < end) {
        for (int64_t j = 0; j < whole; j += CN__TRANSPOSE)
            cn__pack_turned(CN__TRANSPOSE, end - i, c->from + i + j * p->b_column, p->b_column,
                            c->to + j / CN__TILE_N * c->panel + i * CN__TILE_N + j % CN__TILE_N, CN__TILE_N);
    }
    c->done = end;
}

static void cn__copy_rest(const cn__matmul *p, cn__coming_group *c)
{
    while (c->done < c->k) cn__copy_coming(p, c, CN__LINE);
}

/* Where the panel at column j of the block lies. The first group of a block is copied while the last of the one before
 * it is in use, so blocks take turns between two places for it. */
static real *cn__place_of(const cn__down *d, const cn__down_block *b, int64_t j)
{
    int64_t groups = cn__quotient_up(b->n, d->group), in_group = d->group / CN__TILE_N, panel = j / CN__TILE_N;
    int64_t turn = d->is_kept ? b->number : b->number * groups + j / d->group;
    int64_t place = d->is_kept && panel >= in_group ? in_group + panel : turn % 2 * in_group + panel % in_group;
    return d->b + place * CN__TILE_N * d->terms;
}

static void cn__expect_group(cn__down *d, const cn__down_block *b, int64_t j)
{
    const cn__matmul *p = d->p;
    d->coming = (cn__coming_group){.from = p->b + b->k0 * p->b_row + (b->n0 + j) * p->b_column,
                                   .to = cn__place_of(d, b, j), .k = b->k, .panel = CN__TILE_N * d->terms,
                                   .columns = cn__smaller(d->group, b->n - j)};
}

/* How many panels, from column j on, are multiplied by a panel of A before the next one comes: as many as make
 * CN__DOWN_AT_ONCE terms, and as lie behind each other. */
static int64_t cn__panels_at_once(const cn__down *d, int64_t j)
{
    int64_t panels = d->at.k == d->terms ? d->group / CN__TILE_N : 1;
    while (panels > 1 && (panels * d->at.k > CN__DOWN_AT_ONCE || j + panels * CN__TILE_N > d->at.n)) panels /= 2;
    return panels;
}

/* Some panels of B, from column j on, times the block of A. `copies_a`: where rows of A are long, its panels are copied
 * on the way, straight into level 1. */
static void cn__multiply_down(cn__down *d, int64_t j, int64_t panels, int copies_a)
{
    const cn__matmul *p = d->p;
    const cn__down_block at = d->at;
    int columns = (int)cn__smaller(CN__TILE_N * panels, at.n - j);
    const real *b = cn__place_of(d, &at, j), *next_b = cn__place_of(d, &at, j + columns);
    real *c = p->c + d->m0 * p->c_row + at.n0 + j;
    int64_t lines = cn__quotient_up(at.k, CN__ASK), tiles = cn__quotient_up(d->m, d->height);
    int64_t busy_for_a = d->next_a.runs * cn__quotient_up(d->next_a.length, lines * CN__LINE);
    int64_t in_group = cn__quotient_up(cn__smaller(d->group, at.n - j / d->group * d->group), CN__TILE_N);
    int64_t piece = cn__quotient_up(at.k * panels, tiles * in_group);
    if (p->b_row == 1) piece = cn__quotient_up(piece, CN__LINE) * CN__LINE;
    const int is_copied = d->m0 > d->to_do.begin || d->to_do.b_is_copied;
    cn__ahead packed = {.at = next_b, .runs = is_copied && j + columns < at.n, .length = at.k * columns};
    for (int64_t i = 0; i < d->m; i += d->height, d->tiles_left -= panels) {
        int rows = (int)cn__smaller(d->height, d->m - i);
        real *a = d->a + i * at.k, *here = c + i * p->c_row;
        if (copies_a)
            cn__pack_a(rows, rows, at.k, p->a + (d->m0 + i) * p->a_row + at.k0 * p->a_column, p->a_row, p->a_column, a);
        cn__copy_coming(p, &d->coming, piece);
        if (columns < CN__TILE_N) {
            cn__narrow_tile(rows, columns, at.k, a, b, here, p->c_row, at.k0 == 0);
            continue;
        }
        cn__soon soon = {.c = i + d->height < d->m ? here + d->height * p->c_row : c + columns, .c_row = p->c_row,
                         .every = CN__ASK, .a = {a, a}};
        if (d->tiles_left <= busy_for_a) soon.a = cn__ask(&d->next_a, lines, a);
        soon.b = cn__ask(&packed, lines, a);
        cn__tiles[rows][CN__TILE_V](at.k, a, b, CN__TILE_N, here, p->c_row, at.k0 == 0, panels, &soon);
    }
}

/* What will be copied after this block of A. */
static void cn__look_ahead_down(cn__down *d, const cn__down_block *next)
{
    const cn__matmul *p = d->p;
    const cn__down_block *b = d->m0 + d->m < p->m ? &d->at : next;
    int64_t m0 = d->m0 + d->m < p->m ? d->m0 + d->m : 0;
    d->next_a = (cn__ahead){.at = p->a};
    if (b->n > 0)
        d->next_a = cn__runs_of(p->a + m0 * p->a_row + b->k0 * p->a_column, cn__smaller(d->rows, p->m - m0), p->a_row,
                                b->k, p->a_column);
    d->tiles_left = cn__quotient_up(d->m, d->height) * cn__quotient_up(d->at.n, CN__TILE_N);
}

/* After the last block there is one without columns. */
static cn__down_block cn__block_after(const cn__down *d)
{
    const cn__matmul *p = d->p;
    cn__down_block b = d->at;
    b.number++;
    b.k0 += b.k;
    if (b.k0 >= p->k) {
        b.k0 = 0;
        b.n0 += b.n;
    }
    b.n = cn__smaller(d->columns, p->n - b.n0);
    b.k = cn__smaller(d->terms, p->k - b.k0);
    return b;
}

static void cn__multiply_block_down(cn__down *d, const cn__down_block *next)
{
    const cn__matmul *p = d->p;
    const cn__matmul_rows r = d->to_do;
    for (d->m0 = r.begin; d->m0 < r.end; d->m0 += d->rows) {
        d->m = cn__smaller(d->rows, r.end - d->m0);
        if (p->a_column != 1)
            cn__pack_a(d->m, (int)d->height, d->at.k, p->a + d->m0 * p->a_row + d->at.k0 * p->a_column, p->a_row,
                       p->a_column, d->a);
        cn__look_ahead_down(d, next);
        for (int64_t j = 0, panels; j < d->at.n; j += panels * CN__TILE_N) {
            int64_t coming = j + d->group;
            panels = cn__panels_at_once(d, j);
            if (j % d->group == 0) {
                if (coming < d->at.n && d->m0 == r.begin && !r.b_is_copied) cn__expect_group(d, &d->at, coming);
                if (coming >= d->at.n && d->m0 + d->m == r.end && next->n > 0) cn__expect_group(d, next, 0);
            }
            const int64_t end = j + panels * CN__TILE_N;
            cn__multiply_down(d, j, panels, j == 0 && p->a_column == 1);
            if (end % d->group == 0 || end >= d->at.n) cn__copy_rest(p, &d->coming);
        }
    }
}

static int64_t cn__group_down(const cn__matmul *p)
{
    return p->b_column == 1 ? CN__DOWN_GROUP * CN__TILE_N : CN__TILE_N;
}

/* So many columns of B may be in one block. */
static int64_t cn__columns_down(const cn__matmul *p, const cn__block_sizes *size)
{
    const int64_t terms = cn__even_piece(p->k, size->terms, 1);
    return size->columns * size->terms / terms / CN__TILE_N * CN__TILE_N;
}

static void cn__matmul_down(const cn__matmul *p, cn__matmul_rows to_do, int64_t height, real *scratch)
{
    const cn__block_sizes size = cn__block_sizes_down(cn__pool_caches(p->pool));
    cn__down d = {.p = p, .to_do = to_do, .height = height, .b = scratch};
    d.group = cn__group_down(p);
    d.terms = cn__even_piece(p->k, size.terms, 1);
    const int64_t rows = size.rows * size.terms / d.terms / height * height; /* with few terms many */
    d.rows = cn__even_piece(to_do.end - to_do.begin, rows, height);
    d.is_kept = to_do.end - to_do.begin < p->m || d.rows < p->m;
    d.columns = d.is_kept ? cn__even_piece(p->n, cn__columns_down(p, &size), CN__TILE_N) : p->n;
    d.a = scratch + ((d.is_kept ? d.columns : 0) + 2 * d.group) * d.terms + CN__DOWN_SLACK;
    d.at = (cn__down_block){.n = cn__smaller(d.columns, p->n), .k = d.terms};
    if (!to_do.b_is_copied) {
        cn__expect_group(&d, &d.at, 0);
        cn__copy_rest(p, &d.coming);
    }
    while (d.at.n > 0) {
        cn__down_block next = cn__block_after(&d);
        cn__multiply_block_down(&d, &next);
        d.at = next;
    }
}

#endif
