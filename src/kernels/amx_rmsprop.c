#include "kernels/amx_rmsprop.h"

#if CN__AMX
#include "kernels/amx_pack.h"
#include "kernels/amx_rare.h"
#include "kernels/amx_tiles.h"
#include "kernels/coming.h"
#include "kernels/rmsprop.h"
#include "kernels/sink_row.h"

#define SQUARE 32
#define STRIP CN__IDLE_COLUMNS
#define RARE_AT_ONCE 3 /* rows, of the seven squares or so of a task's columns */

typedef struct job {
    const cn__amx_matmul *p;
    int64_t k_tiles;
    int64_t groups; /* each strip of columns is cut into so many tasks */
} job;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t pieces(int64_t n, int64_t size)
{
    return (n + size - 1) / size;
}

/* What all squares of 32 rows have in common. */
typedef struct places {
    int32_t at[SQUARE / 2]; /* where pairs of rows begin in the panel */
    __mmask16 even[SQUARE / 2], odd[SQUARE / 2]; /* all, or none where a row has no gradient */
} places;

static void find_places(places *to, const uint16_t *index, uint32_t rows)
{
    for (int pair = 0; pair < SQUARE / 2; pair++) {
        to->at[pair] = index[2 * pair] * STRIP;
        to->even[pair] = (__mmask16)-(rows >> 2 * pair & 1);
        to->odd[pair] = (__mmask16)-(rows >> (2 * pair + 1) & 1);
    }
}

/* A square of the gradient whose weights are still to be moved. That is done while the tiles of the next square
 * multiply, since tile instructions leave the vector units idle: a piece behind each of them, for where another program
 * has the other half of the core, a thread gets so few registers for tiles in flight that a row of tile instructions
 * keeps all that follows waiting. */
typedef struct waiting {
    const cn__sink *sink;
    cn__rmsprop update;
    const float *gradient; /* SQUARE rows of SQUARE numbers */
    uint32_t rows;         /* those that have a gradient: the others may wait */
    int pairs;             /* of rows that are there */
    const places *places;  /* of whole squares, which have all rows and columns, a copy and stand in a panel; or NULL */
    int last_is_single;
    const uint16_t *index; /* where the rows stand in the kernel, */
    float *weight, *velocity; /* whose columns of this square begin here */
    int64_t stride;
    __mmask16 some[2];
    uint16_t *copy[2]; /* tiles of the kernel's lasting copy, NULL: none */
    cn__coming coming;
} waiting;

/* What whole squares need, where the compiler can keep it in registers. */
typedef struct mover {
    cn__rmsprop update;
    __m512i interleave;
    const places *places;
    const float *gradient;
    float *weight, *velocity;
    uint16_t *copy[2];
} mover;

static inline mover mover_of(const waiting *w)
{
    return (mover){w->update, interleaving(), w->places, w->gradient, w->weight, w->velocity, {w->copy[0], w->copy[1]}};
}

/* Rows 2 pair and 2 pair + 1 of sixteen columns. Nothing branches here: rows without a gradient are masked. */
static inline __attribute__((always_inline)) void move_whole(const mover *m, int pair, int half)
{
    const int64_t at = m->places->at[pair];
    const float *gradient = m->gradient + 2 * pair * SQUARE + half * 16;
    float *weight = m->weight + half * 16 + at, *velocity = m->velocity + half * 16 + at;
    const __m512 a = cn__rmsprop_move_some(&m->update, _mm512_loadu_ps(weight), _mm512_load_ps(gradient),
                                           m->places->even[pair], velocity);
    const __m512 b = cn__rmsprop_move_some(&m->update, _mm512_loadu_ps(weight + STRIP),
                                           _mm512_load_ps(gradient + SQUARE), m->places->odd[pair], velocity + STRIP);
    _mm512_storeu_ps(weight, a);
    _mm512_storeu_ps(weight + STRIP, b);
    _mm512_store_si512(m->copy[half] + pair * SQUARE, _mm512_permutexvar_epi16(m->interleave, round_two(a, b)));
}

/* Rows 2 pair and 2 pair + 1 of sixteen columns. */
static void move_pair(const waiting *w, int pair, int half)
{
    const int64_t at = w->index[2 * pair] * w->stride + half * 16;
    const float *gradient = w->gradient + 2 * pair * SQUARE + half * 16;
    const uint32_t rows = w->rows >> 2 * pair & 3;
    const __mmask16 some = w->some[half], even = rows & 1 ? some : 0, odd = rows & 2 ? some : 0;
    __m512 a = _mm512_maskz_loadu_ps(some, w->weight + at), b = _mm512_maskz_loadu_ps(some, w->weight + at + w->stride);
    if (even) a = cn__rmsprop_move_halves(&w->update, a, _mm512_load_ps(gradient), some, w->velocity + at);
    if (odd)
        b = cn__rmsprop_move_halves(&w->update, b, _mm512_load_ps(gradient + SQUARE), some,
                                    w->velocity + at + w->stride);
    _mm512_mask_storeu_ps(w->weight + at, even, a);
    _mm512_mask_storeu_ps(w->weight + at + w->stride, odd, b);
    if (w->copy[half])
        _mm512_store_si512(w->copy[half] + pair * SQUARE, _mm512_permutexvar_epi16(interleaving(), round_two(a, b)));
}

/* The last row of a kernel has no partner. */
static void move_last(const waiting *w, int pair, int half)
{
    const int64_t at = w->index[2 * pair] * w->stride + half * 16;
    const __mmask16 some = w->some[half];
    __m512 a = _mm512_maskz_loadu_ps(some, w->weight + at);
    a = cn__rmsprop_move_halves(&w->update, a, _mm512_load_ps(w->gradient + 2 * pair * SQUARE + half * 16), some,
                         w->velocity + at);
    _mm512_mask_storeu_ps(w->weight + at, some, a);
    if (w->copy[half])
        _mm512_store_si512(w->copy[half] + pair * SQUARE,
                           _mm512_permutexvar_epi16(interleaving(), round_two(a, _mm512_setzero_ps())));
}

/* From pair `next` on. */
static void move_rest(waiting *w, int next)
{
    const mover m = mover_of(w);
    for (int pair = next; pair < w->pairs; pair++) {
        if (!(w->rows >> 2 * pair & 3)) continue;
        for (int half = 0; half < 2 && w->some[half]; half++) {
            if (w->places) move_whole(&m, pair, half);
            else if (w->last_is_single && pair == w->pairs - 1) move_last(w, pair, half);
            else move_pair(w, pair, half);
        }
    }
    w->pairs = 0;
}

/* One square of the gradient. a and b: two lines of tiles each, those of b b_step numbers apart. */
static void multiply(int64_t k_tiles, const uint16_t *a0, const uint16_t *a1, const uint16_t *lines0,
                     const uint16_t *lines1, const uint16_t *b0, const uint16_t *b1, int64_t b_step, float *c,
                     waiting *w)
{
    const mover m = mover_of(w);
    const int meanwhile = w->places ? w->pairs : 0;
    int next = 0;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int64_t k = 0; k < k_tiles; k++) {
        const int64_t at = k * TILE_NUMBERS, b_at = k * b_step;
        cn__fetch_a_line(&w->coming);
        if (!(lines0[k] | lines1[k])) continue;
        if (next < meanwhile) {
            _tile_loadd(6, b0 + b_at, 64);
            move_whole(&m, next, 0);
            _tile_loadd(4, a0 + at, 64);
            move_whole(&m, next, 1);
            _tile_dpbf16ps(0, 4, 6);
            move_whole(&m, next + 1, 0);
            _tile_loadd(7, b1 + b_at, 64);
            move_whole(&m, next + 1, 1);
            _tile_dpbf16ps(1, 4, 7);
            move_whole(&m, next + 2, 0);
            _tile_loadd(5, a1 + at, 64);
            move_whole(&m, next + 2, 1);
            _tile_dpbf16ps(2, 5, 6);
            move_whole(&m, next + 3, 0);
            _tile_dpbf16ps(3, 5, 7);
            move_whole(&m, next + 3, 1);
            next += 4;
        } else {
            _tile_loadd(6, b0 + b_at, 64);
            _tile_loadd(4, a0 + at, 64);
            _tile_loadd(7, b1 + b_at, 64);
            _tile_loadd(5, a1 + at, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        }
    }
    if (next < w->pairs) move_rest(w, next);
    _tile_stored(0, c, SQUARE * sizeof *c);
    _tile_stored(1, c + 16, SQUARE * sizeof *c);
    _tile_stored(2, c + 16 * SQUARE, SQUARE * sizeof *c);
    _tile_stored(3, c + 16 * SQUARE + 16, SQUARE * sizeof *c);
}

/* Lets w wait for the square that begins at `row` and at the strip's column c. */
static void put(waiting *w, const cn__amx_matmul *p, const float *gradient, uint32_t rows, int64_t row, int64_t column,
                int64_t c)
{
    const int64_t line = pieces(p->m, TILE_K) * TILE_NUMBERS;
    w->gradient = gradient;
    w->rows = rows;
    w->pairs = (int)(smaller(p->m - row, SQUARE) + 1) / 2;
    w->last_is_single = p->m - row < SQUARE && p->m % 2;
    w->index = p->x->index + row;
    w->weight = (float *)w->sink->weight + column + c;
    w->velocity = (float *)w->sink->slots[0] + column + c;
    for (int half = 0; half < 2; half++) {
        w->some[half] = first_of_16(p->n - column - c - 16 * half);
        w->copy[half] = p->copy && *p->copied == p->m
                            ? p->copy + ((column + c) / TILE_LINES + half) * line + row / TILE_K * TILE_NUMBERS
                            : NULL;
    }
    if (p->m - row < SQUARE || w->some[1] != 0xffff || !w->copy[0] || w->stride != STRIP) w->places = NULL;
}

static void settle(const cn__sink *sink, const uint16_t *index, uint32_t rows, int64_t column, int64_t width)
{
    for (uint32_t left = rows; left; left &= left - 1) {
        int64_t r = index[__builtin_ctz(left)];
        cn__sink_settle(sink, r, column, width);
        sink->accounts->settled[column / CN__IDLE_COLUMNS * sink->accounts->rows + r]++;
    }
}

/* The rows that few samples touch come late, from wherever: they are fetched while tiles multiply. */
typedef struct rare_rows {
    const cn__column *next, *end;
} rare_rows;

static rare_rows rare_share(const cn__batch *x, int64_t group, int64_t groups)
{
    if (!x->used) return (rare_rows){NULL, NULL};
    return (rare_rows){x->used + x->n_used * group / groups, x->used + x->n_used * (group + 1) / groups};
}

static void fetch_rare(rare_rows *coming, const cn__sink *sink, int64_t column, int64_t width)
{
    for (int i = 0; i < RARE_AT_ONCE && coming->next < coming->end; i++, coming->next++) {
        const int64_t at = coming->next->index * sink->stride + column;
        if (!coming->next->count) continue;
        for (int64_t c = 0; c < width; c += 16) {
            _mm_prefetch((const char *)((const float *)sink->weight + at + c), _MM_HINT_T1);
            _mm_prefetch((const char *)((const float *)sink->slots[0] + at + c), _MM_HINT_T1);
        }
    }
}

/* A row of a whole strip through the updates that it has missed and that of its entries. */
static void move_whole_rare(const cn__amx_matmul *p, const waiting *w, int64_t column, const cn__column *list)
{
    const cn__accounts *accounts = w->sink->accounts;
    const cn__rmsprop u = w->update;
    uint32_t *settled = &accounts->settled[column / CN__IDLE_COLUMNS * accounts->rows + list->index];
    const int64_t missed = (int64_t)accounts->done - (int64_t)*settled, at = list->index * w->stride + column;
    float *weight = (float *)w->sink->weight + at, *velocity = (float *)w->sink->slots[0] + at;
    __m512 gradient[CN__RARE_GROUPS], v[CN__RARE_GROUPS];
    *settled = accounts->done + 1;
    cn__rare_gradients_of_tiles(p, list, column, gradient);
    CN__UNROLL(8)
    for (int k = 0; k < CN__RARE_GROUPS; k++) v[k] = _mm512_loadu_ps(velocity + k * 16);
    for (int64_t i = 0; i < missed; i++)
        CN__UNROLL(8)
        for (int k = 0; k < CN__RARE_GROUPS; k++) v[k] = cn__rmsprop_decayed(&u, v[k]);
    CN__UNROLL(8)
    for (int k = 0; k < CN__RARE_GROUPS; k++) {
        v[k] = cn__rmsprop_average_of(&u, gradient[k], v[k]);
        const __m512 moved = cn__rmsprop_moved_halves(&u, _mm512_loadu_ps(weight + k * 16), gradient[k], v[k]);
        _mm512_storeu_ps(velocity + k * 16, v[k]);
        _mm512_storeu_ps(weight + k * 16, moved);
    }
}

static void move_rare(const cn__amx_matmul *p, const waiting *w, int64_t column, int64_t width, rare_rows rows)
{
    const cn__accounts *accounts = w->sink->accounts;
    _Alignas(64) float gradient[CN__IDLE_COLUMNS];
    for (const cn__column *list = rows.next; list < rows.end; list++) {
        if (!list->count) continue;
        if (p->b_tiles && width == STRIP) {
            move_whole_rare(p, w, column, list);
            continue;
        }
        const int64_t at = list->index * w->stride + column;
        float *weight = (float *)w->sink->weight + at, *velocity = (float *)w->sink->slots[0] + at;
        cn__sink_settle(w->sink, list->index, column, width);
        accounts->settled[column / CN__IDLE_COLUMNS * accounts->rows + list->index]++;
        if (p->b_tiles) cn__rare_gradient_of_tiles(p, list, column, width, gradient);
        else cn__rare_gradient(p, list, column, width, gradient);
        for (int64_t c = 0; c < width; c += 16) {
            const __mmask16 some = first_of_16(width - c);
            const __m512 moved = cn__rmsprop_move_halves(&w->update, _mm512_maskz_loadu_ps(some, weight + c),
                                                         _mm512_load_ps(gradient + c), some, velocity + c);
            _mm512_mask_storeu_ps(weight + c, some, moved);
        }
    }
}

/* The gradient of y: 16 columns of it are `line` numbers from the next ones, 32 samples `step`. */
typedef struct right_tiles {
    const uint16_t *first;
    int64_t line, step;
} right_tiles;

static right_tiles right_factor(const job *j, int64_t column, int64_t width, uint16_t *memory)
{
    const cn__amx_matmul *p = j->p;
    const int64_t line = j->k_tiles * TILE_NUMBERS;
    if (p->b_tiles)
        return (right_tiles){p->b_tiles + column / TILE_LINES * TILE_NUMBERS, TILE_NUMBERS,
                             p->n / TILE_LINES * TILE_NUMBERS};
    for (int64_t c = 0; c < pieces(width, SQUARE) * SQUARE; c += TILE_LINES)
        for (int64_t k = 0; k < j->k_tiles; k++)
            pack_pairs(p->b.data + k * TILE_K * p->b.stride + column + c, p->b.stride, NULL, width - c,
                       p->k - k * TILE_K, p->scale, memory + c / TILE_LINES * line + k * TILE_NUMBERS);
    return (right_tiles){memory, line, TILE_NUMBERS};
}

/* Columns column ... of the gradient, one of the groups of their rows. */
static void strip(const job *j, int64_t column, int64_t group, uint16_t *tiles, float *squares)
{
    const cn__amx_matmul *p = j->p;
    const int64_t all = pieces(p->m, SQUARE), begin = all * group / j->groups * SQUARE,
                  end = all * (group + 1) / j->groups * SQUARE;
    const int64_t width = smaller(STRIP, p->n - column), line = j->k_tiles * TILE_NUMBERS;
    const cn__sink sink = cn__sink_at_panel(p->sink, column);
    waiting w = {.sink = &sink, .update = cn__rmsprop_scaled(sink.step, p->b_tiles ? (double)p->scale : 1),
                 .stride = sink.stride};
    if (begin == 0) w.coming = cn__coming_share(p->x, column, width, p->n);
    const right_tiles right = right_factor(j, column, width, tiles);
    places here[2];
    rare_rows rare = rare_share(p->x, group, j->groups);
    int turn = 0, block = 0;
    for (int64_t row = begin; row < end; row += SQUARE) {
        const int64_t first = row / TILE_LINES * j->k_tiles;
        const uint16_t *lines = p->a_lines + first, *a = p->a_tiles + first * TILE_NUMBERS;
        uint32_t rows = 0;
        for (int64_t k = 0; k < j->k_tiles; k++) rows |= (uint32_t)lines[j->k_tiles + k] << TILE_LINES | lines[k];
        if (!rows) continue;
        settle(&sink, p->x->index + row, rows, column, width);
        places *of_rows = &here[block++ % 2]; /* the last square of other rows still waits for theirs */
        if (p->m - row >= SQUARE) find_places(of_rows, p->x->index + row, rows);
        for (int64_t c = 0; c < width; c += SQUARE, turn = !turn) {
            float *square = squares + turn * SQUARE * SQUARE;
            const uint16_t *b = right.first + c / TILE_LINES * right.line;
            fetch_rare(&rare, &sink, column, width);
            multiply(j->k_tiles, a, a + line, lines, lines + j->k_tiles, b, b + right.line, right.step, square, &w);
            w.places = of_rows;
            put(&w, p, square, rows, row, column, c);
        }
    }
    move_rest(&w, 0);
    move_rare(p, &w, column, width, rare_share(p->x, group, j->groups));
}

static void run_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    cn__tiles_open();
    for (int64_t task = begin; task < end; task++) {
        strip(j, task / j->groups * STRIP, task % j->groups, cn__pool_scratch(j->p->pool, thread),
              cn__pool_strip(j->p->pool, thread));
    }
    cn__tiles_close();
}

int cn__amx_rmsprop_serves(const cn__amx_matmul *p)
{
    return p->x && p->sink && p->sink->update && p->sink->accounts && p->sink->step->is_plain_rmsprop &&
           p->sink->step->decay == 0;
}

void cn__amx_rmsprop_run(const cn__amx_matmul *p)
{
    int64_t strips = pieces(p->n, STRIP), wanted = 4 * cn__pool_threads(p->pool);
    job j = {.p = p, .k_tiles = pieces(p->k, TILE_K), .groups = strips >= wanted ? 1 : pieces(wanted, strips)};
    cn__parallel(p->pool, strips * j.groups, run_tasks, &j);
}

#else
typedef int no_rmsprop_on_tiles_in_this_engine;
#endif
