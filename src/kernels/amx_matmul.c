#include "kernels/amx_matmul.h"

#if CN__AMX
#include "kernels/amx_pack.h"
#include "kernels/amx_rare.h"
#include "kernels/amx_tiles.h"
#include "kernels/coming.h"
#include "kernels/sink_row.h"

/* A result is made in squares of 32x32: four accumulators, so that each tile loaded is used twice. */
#define SQUARE 32

/* How the result is cut: strips of columns times blocks of rows, one task each. A strip of B is packed by the thread
 * that uses it, unless several tasks share it. */
typedef struct job {
    const cn__amx_matmul *p;
    int64_t k_tiles, row_tiles, column_tiles; /* of A and B, even numbers of rows and columns */
    int64_t strip, strips;                    /* columns of a task, multiple of SQUARE */
    int64_t block, blocks;                    /* rows of a task, multiple of SQUARE */
    int64_t a_to_pack;                        /* lines of tiles of A */
    uint16_t *own_filled;                     /* for those */
    int64_t depth;                            /* tiles of k that are worked on at a time */
    const uint16_t *a;
    uint16_t *b;                              /* packed: line block by line block; b NULL: packed on the way */
    const uint16_t *filled;                   /* one bit for each line of each tile of A that is not all 0 */
} job;

#define STRIP_BYTES ((int64_t)512 << 10) /* of packed B: a quarter of the level-2 cache */
#define SQUARES_AT ((size_t)4 << 20)     /* of the scratch memory; B stands before */
#define WIDEST_STRIP 256                 /* columns */
#define SINK_STRIP 128                   /* columns */
_Static_assert(SINK_STRIP == CN__IDLE_COLUMNS, "accounts are kept for strips");
#define SHARED_ROWS 512                  /* more rows than this are cut */

_Static_assert(SQUARES_AT + SHARED_ROWS * WIDEST_STRIP * sizeof(float) <= CN_POOL_SCRATCH,
               "scratch memory is too small");

static int64_t pieces(int64_t n, int64_t size)
{
    return (n + size - 1) / size;
}

/* Rows of a gradient that wait for their sink. They are handed over while the tiles of the next rows multiply, since
 * tile instructions leave the vector units idle; the weights are fetched as early. */
typedef struct chore {
    const cn__sink *sink;
    int64_t row, column, width; /* where the strip stands in the kernel */
    int64_t rows, done;
    int64_t steps, step; /* calls until the next strip is ready, and calls so far */
    const float *strip;
    int64_t strip_width;
    uint32_t filled; /* rows that have a gradient: the others may wait, if the sink allows that */
    const uint16_t *index; /* where rows stand in the kernel; NULL: as they are counted */
    uint16_t *copy;  /* of the kernel, to be kept up to date; or NULL */
    int64_t copy_k_tiles, kernel_rows;
    int pair_moved;
    cn__coming coming;
} chore;

static void fetch_weights(const cn__sink *sink, int64_t row, int64_t column, int64_t width)
{
    int64_t at = row * sink->stride + column;
    for (int64_t c = 0; c < width; c += 16) {
        _mm_prefetch((const char *)((const float *)sink->weight + at + c), _MM_HINT_T0);
        _mm_prefetch((const char *)((const float *)sink->slots[0] + at + c), _MM_HINT_T0);
    }
}

static int64_t in_kernel(const chore *c, int64_t row)
{
    return c->index ? c->index[row] : row;
}

/* Row `row`, an even one, and the next of the gradient into the copy of the kernel. */
static void copy_pair(const chore *c, int64_t row)
{
    const float *even = (const float *)c->sink->weight + in_kernel(c, row) * c->sink->stride + c->column;
    const float *odd = even + c->sink->stride;
    int64_t line = c->copy_k_tiles * TILE_NUMBERS;
    uint16_t *to = c->copy + c->column / TILE_LINES * line + row / TILE_K * TILE_NUMBERS + row % TILE_K * TILE_LINES;
    for (int64_t o = 0; o < c->width; o += TILE_LINES, to += line) {
        __mmask16 some = first_of_16(c->width - o), next = row + 1 < c->kernel_rows ? some : 0;
        __m512i both = round_two(_mm512_maskz_loadu_ps(some, even + o), _mm512_maskz_loadu_ps(next, odd + o));
        _mm512_store_si512(to, _mm512_permutexvar_epi16(interleaving(), both));
    }
}

static int hand_over(const chore *c)
{
    const int64_t row = in_kernel(c, c->row + c->done);
    if (c->sink->update && c->sink->slots[0] && c->done + 2 < c->rows)
        fetch_weights(c->sink, in_kernel(c, c->row + c->done + 2), c->column, c->width);
    if (c->sink->accounts) {
        if (!(c->filled >> c->done & 1)) return 0;
        cn__sink_settle(c->sink, row, c->column, c->width);
        c->sink->accounts->settled[c->column / CN__IDLE_COLUMNS * c->sink->accounts->rows + row]++;
    }
    cn__sink_row(c->sink, row, c->column, c->width, c->strip + c->done * c->strip_width);
    return 1;
}

/* After `step` of `steps` calls at least step / steps of the rows are done, and all after the last. */
static void work_on_chore(chore *c)
{
    int64_t due = c->done;
    c->step++;
    cn__fetch_a_line(&c->coming);
    while (due < c->rows && due * c->steps < c->rows * c->step) due++;
    for (; c->done < due; c->done++) {
        int64_t row = c->row + c->done;
        c->pair_moved |= hand_over(c);
        if (!(row & 1) && c->done + 1 < c->rows) continue;
        if (c->copy && c->pair_moved) copy_pair(c, row & ~(int64_t)1);
        c->pair_moved = 0;
    }
}

/* Two neighbouring lines of tiles. */
typedef struct lines {
    const uint16_t *first, *second;
    const uint16_t *first_filled, *second_filled;
} lines;

static lines lines_of_a(const job *j, int64_t row, int64_t k)
{
    int64_t at = row / TILE_LINES * j->k_tiles + k;
    const uint16_t *tiles = j->a + at * TILE_NUMBERS;
    const uint16_t *filled = j->filled + at;
    return (lines){tiles, tiles + j->k_tiles * TILE_NUMBERS, filled, filled + j->k_tiles};
}

/* One 32x32 square: rows of c are `step` bytes apart. */
static void square(int64_t k_tiles, const lines *a, const uint16_t *b0, const uint16_t *b1, float *c, int64_t step,
                   int add, chore *meanwhile)
{
    float *below = (float *)(void *)((char *)c + TILE_LINES * step);
    if (add) {
        _tile_loadd(0, c, step);
        _tile_loadd(1, c + TILE_LINES, step);
        _tile_loadd(2, below, step);
        _tile_loadd(3, below + TILE_LINES, step);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (int64_t k = 0; k < k_tiles; k++) {
        if (a->first_filled[k] && a->second_filled[k]) {
            _tile_loadd(6, b0 + k * TILE_NUMBERS, 64);
            _tile_loadd(4, a->first + k * TILE_NUMBERS, 64);
            _tile_loadd(7, b1 + k * TILE_NUMBERS, 64);
            _tile_loadd(5, a->second + k * TILE_NUMBERS, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        } else if (a->first_filled[k]) {
            _tile_loadd(6, b0 + k * TILE_NUMBERS, 64);
            _tile_loadd(4, a->first + k * TILE_NUMBERS, 64);
            _tile_loadd(7, b1 + k * TILE_NUMBERS, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
        } else if (a->second_filled[k]) {
            _tile_loadd(6, b0 + k * TILE_NUMBERS, 64);
            _tile_loadd(5, a->second + k * TILE_NUMBERS, 64);
            _tile_loadd(7, b1 + k * TILE_NUMBERS, 64);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        }
        if (meanwhile) work_on_chore(meanwhile);
    }
    _tile_stored(0, c, step);
    _tile_stored(1, c + TILE_LINES, step);
    _tile_stored(2, below, step);
    _tile_stored(3, below + TILE_LINES, step);
}

/* Tile number `line` (of lines) and `k` (of terms), wherever it has to be read from. */
static uint16_t pack_tile(const cn__amx_factor *f, int as_pairs, int64_t n_lines, int64_t terms, float scale,
                          uint16_t *tile)
{
    _Alignas(64) uint16_t turned[TILE_NUMBERS];
    uint16_t *to = as_pairs == f->rows_are_k ? tile : turned;
    uint16_t any = f->rows_are_k ? pack_pairs(f->data, f->stride, f->index, n_lines, terms, scale, to)
                                 : pack_rows(f->data, f->stride, n_lines, terms, to);
    if (to == turned) transpose_words(turned, tile);
    return any;
}

static cn__amx_factor factor_at(const cn__amx_factor *f, int64_t line, int64_t k)
{
    cn__amx_factor part = *f;
    if (f->index) part.index += k;
    if (f->panel) part.data += line / CN__IDLE_COLUMNS * f->panel + line % CN__IDLE_COLUMNS;
    else if (f->rows_are_k) part.data += line;
    else part.data += line * f->stride + k;
    if (f->rows_are_k && !f->index) part.data += k * f->stride;
    return part;
}

/* Tiles first ... first+count-1 of k, of the line blocks begin ... end-1. */
static void pack(const cn__amx_factor *f, int as_pairs, float scale, int64_t n_lines, int64_t terms, int64_t begin,
                 int64_t end, int64_t first, int64_t count, uint16_t *to, uint16_t *filled)
{
    for (int64_t k = 0; k < count; k++) {
        for (int64_t block = begin; block < end; block++) {
            cn__amx_factor part = factor_at(f, block * TILE_LINES, (first + k) * TILE_K);
            int64_t at = (block - begin) * count + k;
            uint16_t any = pack_tile(&part, as_pairs, n_lines - block * TILE_LINES, terms - (first + k) * TILE_K,
                                     scale, to + at * TILE_NUMBERS);
            if (filled) filled[at] = any;
        }
    }
}

static float scale_of_b(const cn__amx_matmul *p)
{
    return p->sink && p->scale != 0 ? p->scale : 1;
}

static void pack_lines(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    const cn__amx_matmul *p = j->p;
    int64_t line_numbers = j->k_tiles * TILE_NUMBERS;
    (void)thread;
    for (int64_t line = begin; line < end; line++) {
        int64_t b_line = line - j->a_to_pack;
        if (b_line < 0)
            pack(&p->a, 0, 1, p->m, p->k, line, line + 1, 0, j->k_tiles, (uint16_t *)p->memory + line * line_numbers,
                 j->own_filled + line * j->k_tiles);
        else
            pack(&p->b, 1, scale_of_b(p), p->n, p->k, b_line, b_line + 1, 0, j->k_tiles, j->b + b_line * line_numbers,
                 NULL);
    }
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

typedef struct task {
    int64_t row, row_end, column, column_end;
} task;

/* A result that would not stay in level 2 goes past the caches: nobody will find it there. */
static int is_large(const cn__amx_matmul *p)
{
    int64_t level2 = cn__pool_caches(p->pool)[1];
    return level2 > 0 && (double)p->m * (double)p->n * sizeof(float) > (double)level2 && p->c_row % TILE_LINES == 0 &&
           (uintptr_t)p->c % 64 == 0;
}

/* Sixteen columns of a square, or as many as there are. */
static void finish_columns(const cn__amx_matmul *p, __mmask16 some, const float *from, int64_t row, int64_t rows,
                           int64_t column, float *to)
{
    const cn__finish f = *p->finish;
    const float *kernel = factor_at(&p->b, column, 0).data;
    const __m512 bias = f.bias ? _mm512_maskz_loadu_ps(some, f.bias + column) : _mm512_setzero_ps();
    const __m512 zero = _mm512_setzero_ps(), scale = _mm512_set1_ps(p->scale != 0 ? p->scale : 1);
    for (int64_t r = 0; r < rows; r++, from += SQUARE, to += p->c_row) {
        __m512 z = _mm512_load_ps(from);
        if (p->x && p->x->spans) z = cn__rare_forward(p->x, row + r, kernel, p->b.stride, some, z);
        z = _mm512_fmadd_ps(z, scale, bias);
        if (f.relu) z = _mm512_mask_blend_ps(_mm512_cmp_ps_mask(z, zero, _CMP_LE_OQ), z, zero);
        if (f.rounds) z = rounded(z);
        _mm512_mask_storeu_ps(to, some, z);
    }
}

/* A square as two lines of tiles of a hidden layer's outputs: zeros behind the last row. */
static void finish_tiles(const cn__amx_matmul *p, const float *from, int64_t row, int64_t column)
{
    const cn__finish f = *p->finish;
    const int64_t line = p->n / TILE_K * TILE_NUMBERS;
    const float *kernel = factor_at(&p->b, column, 0).data;
    const __m512 zero = _mm512_setzero_ps(), scale = _mm512_set1_ps(p->scale != 0 ? p->scale : 1);
    __m512 bias[2] = {zero, zero};
    for (int half = 0; f.bias && half < 2; half++) bias[half] = _mm512_loadu_ps(f.bias + column + 16 * half);
    uint16_t *to = p->c_tiles + row / TILE_LINES * line + column / TILE_K * TILE_NUMBERS;
    for (int64_t r = 0; r < SQUARE; r++, from += SQUARE) {
        __m512 first = zero, second = zero;
        if (row + r < p->m) {
            first = _mm512_load_ps(from);
            second = _mm512_load_ps(from + 16);
            if (p->x->spans) cn__rare_forward_two(p->x, row + r, kernel, p->b.stride, &first, &second);
            first = _mm512_fmadd_ps(first, scale, bias[0]);
            second = _mm512_fmadd_ps(second, scale, bias[1]);
            if (f.relu) {
                first = _mm512_mask_blend_ps(_mm512_cmp_ps_mask(first, zero, _CMP_LE_OQ), first, zero);
                second = _mm512_mask_blend_ps(_mm512_cmp_ps_mask(second, zero, _CMP_LE_OQ), second, zero);
            }
        }
        _mm512_store_si512(to + r / TILE_LINES * line + r % TILE_LINES * TILE_K, round_two(first, second));
    }
}

/* Squares are made in scratch memory: rows of a wide matrix lie a power of two apart too often and fight for the same
 * places of the cache. Here the part that lies inside the result goes there. */
static void copy_square(const cn__amx_matmul *p, const float *from, int64_t row, int64_t column, int streams)
{
    int64_t rows = smaller(p->m - row, SQUARE), columns = smaller(p->n - column, SQUARE);
    __mmask16 left = first_of_16(columns), right = first_of_16(columns - 16);
    if (p->c_tiles) {
        finish_tiles(p, from, row, column);
        return;
    }
    float *to = p->c + row * p->c_row + column;
    if (p->finish) {
        finish_columns(p, left, from, row, rows, column, to);
        if (right) finish_columns(p, right, from + 16, row, rows, column + 16, to + 16);
        return;
    }
    if (streams && columns == SQUARE) {
        for (int64_t r = 0; r < rows; r++, to += p->c_row, from += SQUARE) {
            _mm512_stream_ps(to, _mm512_load_ps(from));
            _mm512_stream_ps(to + TILE_LINES, _mm512_load_ps(from + TILE_LINES));
        }
        return;
    }
    for (int64_t r = 0; r < rows; r++, to += p->c_row, from += SQUARE) {
        _mm512_mask_storeu_ps(to, left, _mm512_load_ps(from));
        _mm512_mask_storeu_ps(to + 16, right, _mm512_load_ps(from + 16));
    }
}

static void into_memory(const job *j, const task *t, uint16_t *scratch)
{
    const cn__amx_matmul *p = j->p;
    int64_t line = j->k_tiles * TILE_NUMBERS;
    float *squares = (float *)(void *)((char *)scratch + SQUARES_AT);
    int streams = is_large(p);
    for (int64_t first = 0; first < j->k_tiles; first += j->depth) {
        int64_t depth = smaller(j->depth, j->k_tiles - first), b_line = j->b ? line : depth * TILE_NUMBERS;
        const uint16_t *b = j->b ? j->b + t->column / TILE_LINES * line + first * TILE_NUMBERS : scratch;
        float *result = squares;
        if (!j->b)
            pack(&p->b, 1, scale_of_b(p), p->n, p->k, t->column / TILE_LINES, t->column_end / TILE_LINES, first, depth,
                 scratch, NULL);
        for (int64_t column = t->column; column < t->column_end; column += SQUARE) {
            const uint16_t *part = b + (column - t->column) / TILE_LINES * b_line;
            for (int64_t row = t->row; row < t->row_end; row += SQUARE) {
                lines a = lines_of_a(j, row, first);
                square(depth, &a, part, part + b_line, result, SQUARE * (int64_t)sizeof(float), first > 0, NULL);
                if (first + depth == j->k_tiles) copy_square(p, result, row, column, streams);
                if (j->depth < j->k_tiles) result += SQUARE * SQUARE;
            }
        }
    }
    if (streams) _mm_sfence();
}

/* Two strips take turns: one is filled while the other is handed over. */
static void into_sink(const job *j, const task *t, uint16_t *scratch, float *strips)
{
    const cn__amx_matmul *p = j->p;
    int64_t line = j->k_tiles * TILE_NUMBERS, width = t->column_end - t->column;
    const uint16_t *b = j->b ? j->b + t->column / TILE_LINES * line : scratch;
    if (!j->b)
        pack(&p->b, 1, scale_of_b(p), p->n, p->k, t->column / TILE_LINES, t->column_end / TILE_LINES, 0, j->k_tiles,
             scratch, NULL);
    const cn__sink sink = cn__sink_at_panel(p->sink, t->column);
    chore waiting = {.sink = &sink, .column = t->column, .width = smaller(width, p->n - t->column),
                     .strip_width = width, .steps = width / SQUARE * j->k_tiles,
                     .copy = p->copy && p->sink->update && *p->copied == p->m ? p->copy : NULL,
                     .copy_k_tiles = pieces(p->m, TILE_K), .kernel_rows = p->m, .index = p->x ? p->x->index : NULL};
    if (p->x && t->row == 0) waiting.coming = cn__coming_share(p->x, t->column, waiting.width, p->n);
    for (int64_t row = t->row; row < t->row_end; row += SQUARE) {
        lines a = lines_of_a(j, row, 0);
        float *strip = strips + (row / SQUARE & 1) * SQUARE * width;
        for (int64_t column = 0; column < width; column += SQUARE) {
            const uint16_t *part = b + column / TILE_LINES * line;
            square(j->k_tiles, &a, part, part + line, strip + column, width * (int64_t)sizeof(float), 0,
                   &waiting);
        }
        waiting.filled = 0;
        for (int64_t k = 0; k < j->k_tiles; k++)
            waiting.filled |= (uint32_t)a.second_filled[k] << TILE_LINES | a.first_filled[k];
        waiting.row = row;
        waiting.rows = smaller(p->m - row, SQUARE);
        waiting.done = waiting.step = 0;
        waiting.strip = strip;
    }
    waiting.steps = 0;
    work_on_chore(&waiting);
    if (p->x) cn__rare_backward(p, &sink, t->column, waiting.width, t->row / j->block, j->blocks);
}

static void run_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    cn__tiles_open();
    for (int64_t i = begin; i < end; i++) {
        task t = {.row = i % j->blocks * j->block, .column = i / j->blocks * j->strip};
        t.row_end = smaller(t.row + j->block, j->row_tiles * TILE_LINES);
        t.column_end = smaller(t.column + j->strip, j->column_tiles * TILE_LINES);
        if (j->p->sink) into_sink(j, &t, cn__pool_scratch(j->p->pool, thread), cn__pool_strip(j->p->pool, thread));
        else into_memory(j, &t, cn__pool_scratch(j->p->pool, thread));
    }
    cn__tiles_close();
}

/* Products of fewer multiply-adds than this take less time than waking the team. */
#define ALONE (1 << 20)

/* Where the tiles are; returns how many lines of them have to be packed first. */
static int64_t place_tiles(job *j)
{
    const cn__amx_matmul *p = j->p;
    int lasting = p->copy && !p->sink, fresh = lasting && *p->copied == p->k;
    int shared = lasting || j->blocks > 1 || j->depth * TILE_K * j->strip * 2 > (int64_t)SQUARES_AT;
    uint16_t *memory = p->memory;
    j->a_to_pack = p->a_tiles ? 0 : j->row_tiles;
    j->a = p->a_tiles ? p->a_tiles : memory;
    memory += j->a_to_pack * j->k_tiles * TILE_NUMBERS;
    if (shared) j->b = lasting ? p->copy : memory;
    if (shared && !lasting) memory += j->column_tiles * j->k_tiles * TILE_NUMBERS;
    j->own_filled = memory;
    j->filled = p->a_tiles ? p->a_lines : memory;
    if (lasting && !fresh) *p->copied = p->k; /* threads that share a fresh copy must not write */
    return j->a_to_pack + (shared && !fresh ? j->column_tiles : 0);
}

void cn__amx_matmul_run(const cn__amx_matmul *p)
{
    job j = {.p = p};
    j.k_tiles = pieces(p->k, TILE_K);
    j.row_tiles = pieces(p->m, SQUARE) * (SQUARE / TILE_LINES);
    j.column_tiles = pieces(p->n, SQUARE) * (SQUARE / TILE_LINES);
    int alone = (double)p->m * (double)p->n * (double)p->k < ALONE;
    int64_t wanted = alone ? 1 : (p->sink ? 2 : 4) * (int64_t)cn__pool_threads(p->pool);
    j.strip = p->sink ? SINK_STRIP : p->n > 2048 ? WIDEST_STRIP : 128;
    if (!p->sink && pieces(p->n, j.strip) < wanted) j.strip = 64;
    j.strips = pieces(p->n, j.strip);
    j.block = p->sink || p->m <= SHARED_ROWS ? j.row_tiles * TILE_LINES : SHARED_ROWS / 2;
    if (j.strips * pieces(p->m, j.block) < wanted)
        j.block = pieces(pieces(p->m, pieces(wanted, j.strips)), SQUARE) * SQUARE;
    j.blocks = pieces(p->m, j.block);
    j.depth = smaller(j.k_tiles, STRIP_BYTES / (j.strip * TILE_K * 2));
    if (p->sink) j.depth = j.k_tiles;
    int64_t to_pack = place_tiles(&j);
    if (alone) {
        pack_lines(&j, 0, 0, to_pack);
        run_tasks(&j, 0, 0, j.strips * j.blocks);
    } else {
        cn__parallel(p->pool, to_pack, pack_lines, &j);
        cn__parallel(p->pool, j.strips * j.blocks, run_tasks, &j);
    }
}

#else
typedef int no_tiles_in_this_engine;
#endif
