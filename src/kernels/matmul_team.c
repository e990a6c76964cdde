#include "kernels/matmul.h"
#include "kernels/matmul_cut.h"
#include "kernels/matmul_parts.h"
#include "kernels/matmul_turned.h"
#include "kernels/vector.h"

/* What threads keep for their next pieces. */
typedef enum kept {
    NOTHING,
    COPY_OF_B, /* some columns of it */
    COPY_OF_A  /* all of it, where columns of B are read in place */
} kept;

/* C in rectangles, one after another along its rows; or, if threads keep what they copied of B, down its columns. */
typedef struct cut {
    const cn__matmul *p;
    int64_t row_parts, column_parts, row_unit, column_unit;
    kept keeps;
} cut;

static int64_t part_begin(int64_t whole, int64_t unit, int64_t parts, int64_t part)
{
    return cn__smaller(cn__quotient_up(whole, unit) * part / parts * unit, whole);
}

static cn__matmul rectangle(const cut *c, int64_t part)
{
    cn__matmul piece = *c->p;
    int64_t row = part / c->column_parts, column = part % c->column_parts;
    int64_t m0 = part_begin(piece.m, c->row_unit, c->row_parts, row);
    int64_t n0 = part_begin(piece.n, c->column_unit, c->column_parts, column);
    piece.m = part_begin(piece.m, c->row_unit, c->row_parts, row + 1) - m0;
    piece.n = part_begin(piece.n, c->column_unit, c->column_parts, column + 1) - n0;
    if (!piece.c) return piece; /* nothing is to be computed */
    piece.a += m0 * piece.a_row;
    piece.b += n0 * piece.b_column;
    piece.c += m0 * piece.c_row + n0;
    return piece;
}

/* `copied`: the columns of B that a thread has kept, counted in parts; of A there is only one part. -1: none. */
typedef struct keeping {
    cut c;
    int64_t copied[CN_MAX_THREADS];
} keeping;

static void multiply_and_keep_b(keeping *k, int thread, int64_t part)
{
    const int64_t column = part / k->c.row_parts, row = part % k->c.row_parts;
    cut columns = k->c;
    columns.row_parts = 1;
    const cn__matmul piece = rectangle(&columns, column);
    cn__matmul_some_rows(&piece, part_begin(piece.m, k->c.row_unit, k->c.row_parts, row),
                         part_begin(piece.m, k->c.row_unit, k->c.row_parts, row + 1), k->copied[thread] == column,
                         thread);
    k->copied[thread] = column;
}

static void multiply_and_keep_a(keeping *k, int thread, int64_t part)
{
    const cut *c = &k->c;
    cn__matmul_turned(c->p, part_begin(c->p->n, c->column_unit, c->column_parts, part),
                      part_begin(c->p->n, c->column_unit, c->column_parts, part + 1), k->copied[thread] == 0, thread);
    k->copied[thread] = 0;
}

static void multiply_and_keep(void *context, int thread, int64_t begin, int64_t end)
{
    keeping *k = context;
    for (int64_t part = begin; part < end; part++)
        (k->c.keeps == COPY_OF_A ? multiply_and_keep_a : multiply_and_keep_b)(k, thread, part);
}

static void multiply_rectangles(void *context, int thread, int64_t begin, int64_t end)
{
    for (int64_t part = begin; part < end; part++) {
        cn__matmul piece = rectangle(context, part);
        cn__matmul_alone(&piece, thread);
    }
}

static double largest_part(int64_t whole, int64_t unit, int64_t parts)
{
    return (double)(cn__quotient_up(cn__quotient_up(whole, unit), parts) * unit);
}

/* What the largest rectangle costs, for each k: its multiply-adds, one vector at a time, and copying its operands. */
static double cost_of(const cut *c)
{
    double rows = largest_part(c->p->m, c->row_unit, c->row_parts);
    double columns = largest_part(c->p->n, c->column_unit, c->column_parts);
    return rows * columns / CN__VEC + 2 * (rows + columns);
}

/* The fewer terms, the more of what moves is C, and rows of it from end to end move faster, by more than they cost. */
#define LONG_ROWS_TERMS 512
#define LONG_ROWS_COST 1.25

/* Cuts C into `parts`; returns what the cheapest way costs, and takes it, or whole rows. */
static double cut_evenly(cut *c, int parts)
{
    cut best = *c;
    double least = 0;
    for (int rows = 1; rows <= parts; rows++) {
        if (parts % rows) continue;
        c->row_parts = rows;
        c->column_parts = parts / rows;
        const double cost = cost_of(c);
        const int is_cheapest = rows == 1 || cost < least;
        if (is_cheapest) least = cost;
        const int is_long = rows == parts && c->p->k <= LONG_ROWS_TERMS && cost < least * LONG_ROWS_COST;
        if (is_cheapest || is_long) best = *c;
    }
    *c = best;
    return least;
}

/* Enough pieces that a thread which has the core to itself helps one that has not. */
#define KEEPING_PARTS 8 /* for each thread */

static void cut_and_keep_a(cut *c, int threads)
{
    c->keeps = COPY_OF_A;
    c->row_parts = 1;
    c->column_parts = cn__smaller(KEEPING_PARTS * threads, cn__quotient_up(c->p->n, c->column_unit));
}

/* With few terms B is one block, or a few side by side. Returns whether there are rows enough. */
#define KEEPING_TILES 4 /* in each piece, at least */

static int cut_and_keep_b(cut *c, int threads)
{
    const int64_t columns = cn__matmul_block_columns(c->p), tiles = cn__quotient_up(c->p->m, c->row_unit);
    if (!columns) return 0;
    const int64_t column_parts = cn__quotient_up(c->p->n, columns);
    const int64_t row_parts = cn__quotient_up(KEEPING_PARTS * threads, column_parts);
    if (tiles < KEEPING_TILES * row_parts) return 0;
    c->keeps = COPY_OF_B;
    c->row_parts = row_parts;
    c->column_parts = column_parts;
    return 1;
}

static int cut_and_keep(cut *c, int threads)
{
    if (!cn__matmul_is_turned(c->p))
        return cn__matmul_alone_choice(c->p) == CN__PRODUCT_BLOCKS && cut_and_keep_b(c, threads);
    cut_and_keep_a(c, threads);
    return 1;
}

/* 0: not worth a team. */
static int cut_for_team(const cn__matmul *p, cut *out)
{
    int threads = cn__pool_threads(p->pool);
    if (threads == 1 || (double)p->m * (double)p->n * (double)p->k < CN__MATMUL_TEAM) return 0;
    cut c = {.p = p, .row_unit = cn__matmul_row_unit(p), .column_unit = cn__matmul_column_unit(p)};
    if (cut_and_keep(&c, threads)) {
        *out = c;
        return 1;
    }
    double whole = cut_evenly(&c, threads);
    /* Smaller rectangles let a thread that has the core to itself help one that has not, if they cost little. */
    cut finer = c;
    if (cut_evenly(&finer, 4 * threads) * 4 < whole * 1.02) c = finer;
    else if (cut_evenly(&finer, 2 * threads) * 2 < whole * 1.02) c = finer;
    *out = c;
    return 1;
}

void cn__matmul_run(const cn__matmul *p)
{
    cut c;
    if (p->m <= 0 || p->n <= 0) return;
    if (!cut_for_team(p, &c)) {
        cn__matmul_alone(p, 0);
    } else if (c.keeps == NOTHING) {
        cn__parallel(p->pool, c.row_parts * c.column_parts, multiply_rectangles, &c);
    } else {
        keeping k = {.c = c};
        for (int t = 0; t < CN_MAX_THREADS; t++) k.copied[t] = -1;
        cn__parallel(p->pool, c.row_parts * c.column_parts, multiply_and_keep, &k);
    }
}

cn__product cn__matmul_choice(const cn__matmul *p, int64_t *parts)
{
    cut c;
    *parts = 1;
    if (!cut_for_team(p, &c)) return cn__matmul_alone_choice(p);
    *parts = c.row_parts * c.column_parts;
    if (c.keeps != NOTHING) return cn__matmul_alone_choice(p);
    cn__matmul piece = rectangle(&c, 0); /* one of them stands for all */
    return cn__matmul_alone_choice(&piece);
}
