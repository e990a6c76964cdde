#include "kernels/amx_bytes.h"

#if CN__AMX_BYTES
#include "kernels/amx_bytes_rare.h"
#include "kernels/amx_digits.h"
#include "kernels/coming.h"
#include "kernels/rmsprop.h"
#include "kernels/sink_row.h"

#define GRADIENT_DIGITS 4
#define STRIP CN__IDLE_COLUMNS /* columns of a task: accounts are kept for them */
#define STRIP_GROUPS (STRIP / CN__EXACT_GROUP)
#define PIECE 64 /* rows of the kernel at a time, as many as a word of `inked` has bits */
#define EVEN UINT64_C(0x5555555555555555) /* rows wait by two, as with lists: a NaN must reach the same rows */
#define GRADIENT_APART (CN__SQUARE * CN__EXACT_GROUP) /* sums of one digit */
#define SUMS_OF_SQUARE (GRADIENT_DIGITS * GRADIENT_APART)
#define FEW_MISSED 4 /* more updates in a row wait for each other less if a whole row goes through them together */

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static uint32_t peak_of(const cn__digit_columns *c)
{
    return _mm512_reduce_max_epu32(cn__peak_of_rows(c, NULL, 0, c->terms, _mm512_setzero_si512()));
}

static inline __m512 gradient_value(const int32_t *sums, __m512 high_scale, __m512 rest_scale)
{
    /* the lowest byte of d1 becomes the second one of rest, that of d2 the third; the fourth is 0. Carries go by
     * shuffles, too, because shifts take the unit that multiplies. */
    const __m512i carry = _mm512_set4_epi32((int)0x800f0e0d, (int)0x800b0a09, (int)0x80070605, (int)0x80030201);
    const __m512i second = _mm512_set4_epi32((int)0x80000c00, (int)0x80000800, (int)0x80000400, (int)0x80000000);
    const __m512i third = _mm512_set4_epi32(0xc0000, 0x80000, 0x40000, 0);
    __m512i d0 = _mm512_load_si512(sums);
    __m512i d1 = _mm512_add_epi32(_mm512_load_si512(sums + GRADIENT_APART), _mm512_shuffle_epi8(d0, carry));
    __m512i d2 = _mm512_add_epi32(_mm512_load_si512(sums + 2 * GRADIENT_APART), _mm512_shuffle_epi8(d1, carry));
    __m512i high = _mm512_add_epi32(_mm512_load_si512(sums + 3 * GRADIENT_APART), _mm512_shuffle_epi8(d2, carry));
    __m512i rest = _mm512_mask_shuffle_epi8(d0, 0xaaaaaaaaaaaaaaaa, d1, second);
    rest = _mm512_mask_shuffle_epi8(rest, 0x4444444444444444, d2, third);
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(high), high_scale, _mm512_mul_ps(_mm512_cvtepi32_ps(rest), rest_scale));
}

typedef struct job {
    const cn__dense *d;
    const cn__batch *x;
    const real *dy;
    const cn__sink *sink;
    int64_t groups; /* each strip of columns is cut into so many tasks */
} job;

/* CN__SQUARE rows of a group's sixteen columns. Their digits' sums become gradients, and these go to their sink, while
 * the tiles of the next square multiply. */
typedef struct square {
    const int32_t *sums;
    const cn__exact_scale *scale;
    uint32_t rows;            /* those still to be done, */
    const int64_t *at;        /* where they begin */
    __mmask16 some;
    float *weight, *velocity; /* in these, of plain RMSprop; */
    float *gradient;          /* otherwise rows of a strip, to be handed over later */
} square;

typedef struct gradient_job {
    const job *j;
    cn__sink sink;
    int moves; /* plain RMSprop: gradients move weights at once */
    cn__rmsprop update;
    int64_t column, width;
    const uint8_t *digits;
    const cn__exact_scale *scales;
    int32_t *sums;    /* of two squares */
    float *gradients; /* PIECE rows of STRIP numbers */
    int64_t at[2][PIECE]; /* where rows of a piece begin, of this one and the last */
    int turn;
    square last, next; /* the one that is done while the tiles of the next one multiply */
    cn__coming coming;
} gradient_job;

static void work_on_a_row(gradient_job *g)
{
    const square *last = &g->last;
    if (!last->rows) return;
    const int64_t r = __builtin_ctz(last->rows), at = last->at[r];
    const __m512 gradient = gradient_value(last->sums + r * CN__EXACT_GROUP, _mm512_set1_ps(last->scale->high),
                                           _mm512_set1_ps(last->scale->rest));
    g->last.rows &= last->rows - 1;
    if (!g->moves) {
        _mm512_store_ps(last->gradient + r * STRIP, gradient);
        return;
    }
    const __m512 w = _mm512_maskz_loadu_ps(last->some, last->weight + at);
    _mm512_mask_storeu_ps(last->weight + at, last->some,
                          cn__rmsprop_move(&g->update, w, gradient, last->some, last->velocity + at));
}

/* What it takes to move the rows of a whole square, in registers: in the structures above, the compiler would load all
 * of it again for every row, as what a row stores may be anything. */
typedef struct mover {
    cn__rmsprop update;
    __m512 high, rest;
    const int32_t *sums;
    const int64_t *at, *next_at;
    float *weight, *velocity;
    const float *next_weight, *next_velocity;
    int64_t row;
} mover;

static int is_whole(const gradient_job *g)
{
    return g->moves && g->last.rows == UINT32_MAX && g->last.some == 0xffff;
}

CN__INLINE mover mover_of(const gradient_job *g)
{
    return (mover){.update = g->update,
                   .high = _mm512_set1_ps(g->last.scale->high),
                   .rest = _mm512_set1_ps(g->last.scale->rest),
                   .sums = g->last.sums,
                   .at = g->last.at,
                   .weight = g->last.weight,
                   .velocity = g->last.velocity,
                   .next_at = g->next.at,
                   .next_weight = g->next.weight,
                   .next_velocity = g->next.velocity};
}

CN__INLINE void move_a_row(mover *m)
{
    if (m->row == CN__SQUARE) return;
    const int64_t at = m->at[m->row], next = m->next_at[m->row];
    _mm_prefetch((const char *)(m->next_weight + next), _MM_HINT_T0);
    _mm_prefetch((const char *)(m->next_velocity + next), _MM_HINT_T0);
    const __m512 gradient = gradient_value(m->sums + m->row * CN__EXACT_GROUP, m->high, m->rest);
    const __m512 w = _mm512_loadu_ps(m->weight + at);
    _mm512_storeu_ps(m->weight + at, cn__rmsprop_move(&m->update, w, gradient, 0xffff, m->velocity + at));
    m->row++;
}

static inline void multiply_low(const int32_t *steps, int64_t n, const uint8_t *a0, const uint8_t *a1,
                                const uint8_t *b0, const uint8_t *b1, gradient_job *g)
{
    CN__MULTIPLY_TILES(_tile_dpbuud, _tile_dpbuud, work_on_a_row(g), (void)0)
}

static inline void multiply_high(const int32_t *steps, int64_t n, const uint8_t *a0, const uint8_t *a1,
                                 const uint8_t *b0, const uint8_t *b1, gradient_job *g)
{
    CN__MULTIPLY_TILES(_tile_dpbuud, _tile_dpbusd, work_on_a_row(g), (void)0)
}

CN__INLINE void multiply_low_and_move(const int32_t *steps, int64_t n, const uint8_t *a0, const uint8_t *a1,
                                      const uint8_t *b0, const uint8_t *b1, mover *m)
{
    CN__MULTIPLY_TILES(_tile_dpbuud, _tile_dpbuud, move_a_row(m), (void)0)
}

CN__INLINE void multiply_high_and_move(const int32_t *steps, int64_t n, const uint8_t *a0, const uint8_t *a1,
                                       const uint8_t *b0, const uint8_t *b1, mover *m)
{
    CN__MULTIPLY_TILES(_tile_dpbuud, _tile_dpbusd, move_a_row(m), (void)0)
}

/* Two steps have as many tile instructions as a square has rows. */
CN__INLINE void multiply_two_low_and_move(const int32_t *steps, const uint8_t *a0, const uint8_t *a1,
                                          const uint8_t *b0, const uint8_t *b1, mover *m)
{
    CN__BEGIN_TILES()
    CN__MULTIPLY_PLACE(steps[0], _tile_dpbuud, _tile_dpbuud, move_a_row(m))
    CN__MULTIPLY_PLACE(steps[1], _tile_dpbuud, _tile_dpbuud, move_a_row(m))
}

CN__INLINE void multiply_two_high_and_move(const int32_t *steps, const uint8_t *a0, const uint8_t *a1,
                                           const uint8_t *b0, const uint8_t *b1, mover *m)
{
    CN__BEGIN_TILES()
    CN__MULTIPLY_PLACE(steps[0], _tile_dpbuud, _tile_dpbusd, move_a_row(m))
    CN__MULTIPLY_PLACE(steps[1], _tile_dpbuud, _tile_dpbusd, move_a_row(m))
}

CN__INLINE void store_sums(int32_t *to)
{
    _tile_stored(0, to, 64);
    _tile_stored(1, to + GRADIENT_APART, 64);
    _tile_stored(2, to + 16 * CN__EXACT_GROUP, 64);
    _tile_stored(3, to + 16 * CN__EXACT_GROUP + GRADIENT_APART, 64);
}

/* Tiles of a square: n places, from `a` on for its columns, from `digits` on for dy. */
typedef struct factors {
    const uint8_t *a, *digits;
    int64_t apart, n;
    int32_t places[CN__MOST_TILE_STEPS];
} factors;

static void multiply(const factors *f, int32_t *to, gradient_job *g)
{
    const uint8_t *a = f->a, *digits = f->digits;
    const int64_t apart = f->apart;
    multiply_low(f->places, f->n, a, a + apart, digits, digits + apart, g);
    store_sums(to);
    cn__fetch_a_line(&g->coming);
    multiply_high(f->places, f->n, a, a + apart, digits + 2 * apart, digits + 3 * apart, g);
    store_sums(to + 2 * GRADIENT_APART);
}

static void multiply_and_move(const factors *f, int32_t *to, gradient_job *g)
{
    const uint8_t *a = f->a, *digits = f->digits;
    const int64_t apart = f->apart;
    mover m = mover_of(g);
    multiply_low_and_move(f->places, f->n, a, a + apart, digits, digits + apart, &m);
    store_sums(to);
    cn__fetch_a_line(&g->coming);
    multiply_high_and_move(f->places, f->n, a, a + apart, digits + 2 * apart, digits + 3 * apart, &m);
    store_sums(to + 2 * GRADIENT_APART);
    while (m.row < CN__SQUARE) move_a_row(&m);
    g->last.rows = 0;
}

static void multiply_two_and_move(const factors *f, int32_t *to, gradient_job *g)
{
    const uint8_t *a = f->a, *digits = f->digits;
    const int64_t apart = f->apart;
    mover m = mover_of(g);
    multiply_two_low_and_move(f->places, a, a + apart, digits, digits + apart, &m);
    store_sums(to);
    cn__fetch_a_line(&g->coming);
    multiply_two_high_and_move(f->places, a, a + apart, digits + 2 * apart, digits + 3 * apart, &m);
    store_sums(to + 2 * GRADIENT_APART);
    g->last.rows = 0;
}

/* The sums of the square g->next, which begins at column `row` of the tiles, and meanwhile what is left to do of
 * g->last. */
static void make_sums(gradient_job *g, int64_t row, int64_t group)
{
    const cn__batch *x = g->j->x;
    const int64_t steps = cn__tile_steps(x->rows), apart = steps * CN__TILE_BYTES, words = cn__tile_steps(x->columns);
    factors f = {.a = x->column_tiles + row / 16 * apart, .digits = g->digits + group * GRADIENT_DIGITS * apart,
                 .apart = apart};
    for (int64_t s = 0; s < steps; s++) {
        f.places[f.n] = (int32_t)s * CN__TILE_BYTES;
        f.n += (uint32_t)(x->inked[s * words + row / PIECE] >> row % PIECE) != 0;
    }
    int32_t *to = g->sums + g->turn * SUMS_OF_SQUARE;
    if (!is_whole(g)) multiply(&f, to, g);
    else if (f.n == 2) multiply_two_and_move(&f, to, g);
    else multiply_and_move(&f, to, g);
    cn__fetch_a_line(&g->coming);
}

/* CN__SQUARE rows from `row` on, of which those in `rows` have a gradient. */
static void work_on_square(gradient_job *g, int64_t row, uint32_t rows, int64_t group)
{
    const int64_t at = g->column + group * CN__EXACT_GROUP;
    g->next = (square){.sums = g->sums + g->turn * SUMS_OF_SQUARE,
                       .scale = &g->scales[group],
                       .rows = rows,
                       .at = g->at[row / PIECE % 2] + row % PIECE,
                       .some = cn__first_of_16(g->width - group * CN__EXACT_GROUP)};
    if (g->moves) {
        g->next.weight = (float *)g->sink.weight + at;
        g->next.velocity = (float *)g->sink.slots[0] + at;
    } else {
        g->next.gradient = g->gradients + row % PIECE * STRIP + group * CN__EXACT_GROUP;
    }
    make_sums(g, row, group);
    while (g->last.rows) work_on_a_row(g);
    g->last = g->next;
    g->turn = !g->turn;
}

/* How many updates a row has missed; none after the one that follows. */
static int64_t settle_account(const gradient_job *g, int64_t row)
{
    const cn__accounts *accounts = g->sink.accounts;
    uint32_t *settled = &accounts->settled[g->column / CN__IDLE_COLUMNS * accounts->rows + row];
    const int64_t missed = (int64_t)accounts->done - (int64_t)*settled;
    *settled = accounts->done + 1;
    return missed;
}

static void settle_row(const gradient_job *g, int64_t row)
{
    if (!g->sink.accounts) return;
    const int64_t missed = settle_account(g, row);
    if (missed > 0) cn__sink_idle(&g->sink, row, g->column, g->width, missed);
}

static void settle(const gradient_job *g, int64_t row, uint64_t rows)
{
    for (uint64_t left = g->sink.accounts ? rows : 0; left; left &= left - 1)
        settle_row(g, g->j->x->index[row + __builtin_ctzll(left)]);
}

static void find_rows(gradient_job *g, int64_t row)
{
    const cn__batch *x = g->j->x;
    int64_t *at = g->at[row / PIECE % 2];
    for (int64_t r = 0; r < PIECE; r++)
        at[r] = row + r < x->columns ? x->index[row + r] * g->sink.stride : 0;
}

static void hand_over(gradient_job *g, int64_t row, uint64_t rows)
{
    while (g->last.rows) work_on_a_row(g);
    for (uint64_t left = rows; left; left &= left - 1) {
        int64_t r = __builtin_ctzll(left);
        cn__sink_row(&g->sink, g->j->x->index[row + r], g->column, g->width, g->gradients + r * STRIP);
    }
}

/* Which of the rows of a piece have a gradient. */
static uint64_t rows_to_move(const job *j, int64_t piece)
{
    uint64_t rows = cn__inked_columns(j->x, piece), all = ~(uint64_t)0;
    if (j->x->columns - piece * PIECE < PIECE) all >>= PIECE - (j->x->columns - piece * PIECE);
    return j->sink->accounts ? (rows | (rows & EVEN) << 1 | (rows >> 1 & EVEN)) & all : all;
}

CN__INLINE __m512 rare_gradient(const gradient_job *g, const cn__column *column, int64_t o, __mmask16 some)
{
    const job *j = g->j;
    const cn__rare_list list = {j->x->entries + column->first, column->count, j->d->outputs, j->dy + g->column + o};
    return cn__rare_value(&list, some, &g->scales[o / CN__EXACT_GROUP]);
}

/* A row of a strip through plain RMSprop, the updates that it has missed before. */
static void move_rare_row(const gradient_job *g, const cn__column *column, uint8_t *exponents)
{
    const job *j = g->j;
    int64_t missed = g->sink.accounts ? settle_account(g, column->index) : 0;
    if (g->width == STRIP && column->count <= CN__RARE_SHORT) {
        const int64_t at = column->index * g->sink.stride + g->column;
        const cn__rare_list list = {j->x->entries + column->first, column->count, j->d->outputs, j->dy + g->column};
        const cn__rare_row row = {(float *)g->sink.weight + at, (float *)g->sink.slots[0] + at, missed, exponents,
                                  j->x->n_rare};
        cn__rare_move(&row, &list, g->scales, &g->update);
        return;
    }
    if (missed > FEW_MISSED) {
        cn__sink_idle(&g->sink, column->index, g->column, g->width, missed);
        missed = 0;
    }
    float *w = (float *)g->sink.weight + column->index * g->sink.stride + g->column;
    float *v = (float *)g->sink.slots[0] + column->index * g->sink.stride + g->column;
    const cn__rmsprop update = g->update;
    for (int64_t o = 0; o < g->width; o += CN__EXACT_GROUP, exponents += exponents ? g->j->x->n_rare : 0) {
        const __mmask16 some = cn__first_of_16(g->width - o);
        const __m512 gradient = rare_gradient(g, column, o, some);
        cn__rmsprop_idle(&update, missed, some, v + o);
        const __m512 moved = cn__rmsprop_move(&update, _mm512_maskz_loadu_ps(some, w + o), gradient, some, v + o);
        _mm512_mask_storeu_ps(w + o, some, moved);
        if (exponents) *exponents = cn__exponent_of(cn__magnitude(_mm512_maskz_mov_ps(some, moved)));
    }
}

static void hand_over_rare_row(const gradient_job *g, const cn__column *column, uint8_t *exponents)
{
    _Alignas(64) float gradient[STRIP];
    for (int64_t o = 0; o < g->width; o += CN__EXACT_GROUP)
        _mm512_store_ps(gradient + o, rare_gradient(g, column, o, cn__first_of_16(g->width - o)));
    settle_row(g, column->index);
    cn__sink_row(&g->sink, column->index, g->column, g->width, gradient);
    const float *w = (const float *)g->sink.weight + column->index * g->sink.stride + g->column;
    for (int64_t o = 0; exponents && o < g->width; o += CN__EXACT_GROUP, exponents += g->j->x->n_rare)
        *exponents = cn__exponent_of(cn__magnitude(_mm512_maskz_loadu_ps(cn__first_of_16(g->width - o), w + o)));
}

/* Whether a gradient of 0 is NaN somewhere, as 0 times NaN or an infinity is. */
static int blank_is_nan(const gradient_job *g)
{
    int is_nan = 0;
    for (int64_t o = 0; o < g->width; o += CN__EXACT_GROUP) is_nan |= isnan(g->scales[o / CN__EXACT_GROUP].high) != 0;
    return is_nan;
}

/* The share of a task that has the pieces begin ... end-1: of the columns with ink if others may wait, of all if not.
 * Weights of rare columns keep their exponents. */
static void hand_over_rare(const gradient_job *g, int64_t begin, int64_t end)
{
    const cn__batch *x = g->j->x;
    const int64_t pieces = cn__tile_steps(x->columns), n = g->sink.accounts ? x->n_used : x->n_rare;
    const int blank_may_wait = g->sink.accounts && !blank_is_nan(g);
    uint8_t *exponents = NULL;
    if (x->rare_exponents) exponents = x->rare_exponents->exponents + g->column / CN__EXACT_GROUP * x->n_rare;
    for (int64_t i = n * begin / pieces, u = 0, place = 0; i < n * end / pieces; i++) {
        cn__column column = {.index = g->sink.accounts ? x->used[i].index : x->rare[i]};
        while (u < x->n_used && x->used[u].index < column.index) u++;
        if (u < x->n_used && x->used[u].index == column.index) column = x->used[u];
        if (!column.count && blank_may_wait) continue;
        while (exponents && x->rare[place] != column.index) place++;
        if (g->moves) move_rare_row(g, &column, exponents ? exponents + place : NULL);
        else hand_over_rare_row(g, &column, exponents ? exponents + place : NULL);
    }
}

/* Rows of dy that are this far apart fall into so few sets of the level-2 cache that it does not hold a column of
 * them. */
#define FAR_APART ((int64_t)4096)
_Static_assert(CN__BATCH_MOST_ROWS * STRIP * (GRADIENT_DIGITS + sizeof(float)) <= CN_POOL_SCRATCH,
               "dy and its digits do not fit");

/* The columns of a strip, and how far apart their rows are: in dy, or a copy of them. */
static const float *columns_of(const job *j, int64_t o, int64_t width, float *near, int64_t *stride)
{
    const float *dy = j->dy + o;
    *stride = j->d->outputs;
    if (*stride < FAR_APART) return dy;
    for (int64_t b = 0; b < j->x->rows; b++) memcpy(near + b * STRIP, dy + b * *stride, (size_t)width * sizeof *near);
    *stride = STRIP;
    return near;
}

static void strip(const job *j, int64_t o, int64_t begin, int64_t end, uint8_t *tiles, uint8_t *near)
{
    const cn__batch *x = j->x;
    const int64_t steps = cn__tile_steps(x->rows), apart = steps * CN__TILE_BYTES;
    const int64_t width = smaller(STRIP, j->d->outputs - o), groups = (width + 15) / 16;
    cn__exact_scale scales[STRIP_GROUPS];
    int64_t stride;
    const float *dy = columns_of(j, o, width, (float *)(void *)(tiles + groups * GRADIENT_DIGITS * apart), &stride);
    for (int64_t group = 0; group < groups; group++) {
        cn__digit_columns c = {.w = dy + group * 16, .stride = stride, .terms = x->rows, .steps = steps,
                     .some = cn__first_of_16(width - group * 16)};
        scales[group] = cn__exact_scale_of(CN__EXACT_GRADIENTS, peak_of(&c), x->scale);
        cn__read_columns(&c, NULL, &scales[group], tiles + group * GRADIENT_DIGITS * apart, GRADIENT_DIGITS);
    }
    gradient_job g = {.j = j, .sink = cn__sink_at_panel(j->sink, o), .column = o, .width = width, .digits = tiles,
                      .scales = scales, .sums = (int32_t *)(void *)near, .last.scale = scales,
                      .coming = cn__coming_share(x, o, width, j->d->outputs)};
    g.gradients = (float *)(void *)(g.sums + 2 * SUMS_OF_SQUARE);
    g.moves = g.sink.update && g.sink.step->is_plain_rmsprop && g.sink.step->decay == 0;
    if (g.moves) g.update = cn__rmsprop_of(g.sink.step);
    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t row = piece * PIECE;
        const uint64_t rows = rows_to_move(j, piece);
        find_rows(&g, row);
        settle(&g, row, rows);
        for (int64_t group = 0; group < groups; group++) {
            if ((uint32_t)rows) work_on_square(&g, row, (uint32_t)rows, group);
            if (rows >> CN__SQUARE) work_on_square(&g, row + CN__SQUARE, (uint32_t)(rows >> CN__SQUARE), group);
        }
        if (!g.moves) hand_over(&g, row, rows);
    }
    while (g.last.rows) work_on_a_row(&g);
    hand_over_rare(&g, begin, end);
    while (g.coming.row < g.coming.end) cn__fetch_a_line(&g.coming);
}

static void backward_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    const int64_t pieces = cn__tile_steps(j->x->columns);
    cn__tiles_open();
    for (int64_t task = begin; task < end; task++) {
        int64_t o = task / j->groups * STRIP, group = task % j->groups;
        strip(j, o, pieces * group / j->groups, pieces * (group + 1) / j->groups, cn__pool_scratch(j->d->pool, thread),
              cn__pool_strip(j->d->pool, thread));
    }
    cn__tiles_close();
}

void cn__amx_bytes_backward_kernel(const cn__dense *d, const cn__batch *x, const real *dy, const cn__sink *sink)
{
    int64_t strips = (d->outputs + STRIP - 1) / STRIP, wanted = 2 * cn__pool_threads(d->pool);
    job j = {.d = d, .x = x, .dy = dy, .sink = sink, .groups = strips >= wanted ? 1 : (wanted + strips - 1) / strips};
    cn__parallel(d->pool, strips * j.groups, backward_tasks, &j);
}

#else
typedef int no_byte_tiles_gradient_in_this_engine;
#endif
