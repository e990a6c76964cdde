#include "kernels/conv2d_parts.h"

#include <string.h>

/* The sums of a piece lie in one of two orders. Dense loops hold some terms by some vectors of filters in registers:
 * row g * terms + k has the filters of group g, filled up to whole vectors. Loops over the non-zeros of dz hold the
 * terms of one filter: row f has the lines of its window (runs of neighbouring numbers), each filled up to whole
 * vectors. */
typedef struct lines {
    int64_t count, numbers; /* of a window; in a line, filled up */
} lines;

static lines lines_of(const cn__conv2d *c)
{
    int64_t n = c->channels / c->groups;
    if (c->groups == 1 && c->dilation[1] == 1) return (lines){c->size[0], cn__conv2d_whole_vectors(n * c->size[1])};
    return (lines){c->size[0] * c->size[1], cn__conv2d_whole_vectors(n)};
}

/* --- dense --- */

#if defined(CN_ISA_AVX512)
#define TERMS 12
#elif defined(CN_ISA_AVX2) || defined(CN_ISA_NEON)
#define TERMS 6
#else
#define TERMS 4
#endif

/* Some terms by some vectors of filters over the pixels of one row of dz. */
typedef struct term_job {
    int64_t offset[TERMS]; /* of the terms in a window */
    int64_t pixels, step, dz_step, sums_step;
    int last; /* filters in the last vector */
} term_job;
typedef void (*term_tile)(const term_job *job, const real *window, const real *dz, real *sums);

static inline __attribute__((always_inline)) void term_sum(const int terms, const int vectors, const term_job *job,
                                                           const real *window, const real *dz, real *sums)
{
    vec sum[TERMS][CN__PANEL_VECTORS];
    int64_t offset[TERMS], step = job->step, dz_step = job->dz_step;
    int last = job->last;
    CN__UNROLL(16)
    for (int t = 0; t < terms; t++) {
        offset[t] = job->offset[t];
        CN__UNROLL(4)
        for (int v = 0; v < vectors; v++) sum[t][v] = vec_load(sums + t * job->sums_step + v * CN__VEC);
    }
    for (int64_t q = 0; q < job->pixels; q++, window += step, dz += dz_step) {
        vec d[CN__PANEL_VECTORS];
        CN__UNROLL(4)
        for (int v = 0; v < vectors; v++)
            d[v] = v < vectors - 1 || last == CN__VEC ? vec_load(dz + v * CN__VEC) : vec_load_n(dz + v * CN__VEC, last);
        CN__UNROLL(16)
        for (int t = 0; t < terms; t++) {
            vec x = vec_set(window[offset[t]]);
            CN__UNROLL(4)
            for (int v = 0; v < vectors; v++) sum[t][v] = vec_fma(x, d[v], sum[t][v]);
        }
    }
    CN__UNROLL(16)
    for (int t = 0; t < terms; t++)
        CN__UNROLL(4)
        for (int v = 0; v < vectors; v++) vec_store(sums + t * job->sums_step + v * CN__VEC, sum[t][v]);
}

#if defined(CN_ISA_AVX512)
#define TILES(TILE)                                                                                                 \
    TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1) TILE(7, 1) TILE(8, 1) TILE(9, 1) TILE(10, 1)  \
    TILE(11, 1) TILE(12, 1)                                                                                         \
    TILE(1, 2) TILE(2, 2) TILE(3, 2) TILE(4, 2) TILE(5, 2) TILE(6, 2) TILE(7, 2) TILE(8, 2) TILE(9, 2) TILE(10, 2)  \
    TILE(11, 2) TILE(12, 2)
#elif TERMS == 6
#define TILES(TILE) TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1)
#else
#define TILES(TILE) TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1)
#endif
#define TILE_FUNCTION(T, V)                                                                                         \
    static void term_##T##_##V(const term_job *job, const real *window, const real *dz, real *sums)                 \
    {                                                                                                               \
        term_sum(T, V, job, window, dz, sums);                                                                      \
    }
#define TILE_ENTRY(T, V) [T][V] = term_##T##_##V,

TILES(TILE_FUNCTION)

static const term_tile term_tiles[TERMS + 1][CN__PANEL_VECTORS + 1] = {TILES(TILE_ENTRY)};

/* One row of dz, one group. */
static void dense_row(const cn__conv2d *c, const cn__band *band, const real *window, const real *dz, real *sums)
{
    int64_t terms = cn__conv2d_terms(c), share = c->filters / c->groups, whole = cn__conv2d_whole_vectors(share);
    int64_t in_row = band->runs * band->run, parts = (terms + TERMS - 1) / TERMS;
    for (int64_t part = 0; part < parts; part++) {
        int64_t k = terms * part / parts, end = terms * (part + 1) / parts;
        term_job job = {.pixels = c->out_width, .step = band->step, .dz_step = c->filters, .sums_step = whole};
        for (int64_t t = k; t < end; t++)
            job.offset[t - k] = t / in_row * band->pitch + t % in_row / band->run * band->run_step + t % band->run;
        for (int64_t f = 0; f < share; f += CN__PANEL) {
            int64_t columns = cn__smaller(CN__PANEL, share - f);
            int vectors = (int)((columns + CN__VEC - 1) / CN__VEC);
            job.last = (int)(columns - (vectors - 1) * CN__VEC);
            term_tiles[end - k][vectors](&job, window, dz + f, sums + k * whole + f);
        }
    }
}

static void dense_rows(const cn__conv2d *c, const cn__band *band, const real *dz, int64_t rows, real *sums)
{
    int64_t share = c->filters / c->groups, rows_of_sums = cn__conv2d_terms(c) * cn__conv2d_whole_vectors(share);
    for (int64_t p = 0; p < rows; p++)
        for (int64_t g = 0; g < c->groups; g++)
            dense_row(c, band, band->base + p * band->row_step + g * (c->channels / c->groups),
                      dz + p * c->out_width * c->filters + g * share, sums + g * rows_of_sums);
}

/* --- from lists --- */

#if defined(CN_ISA_AVX512)
#define LINES 3
#define LINE_VECTORS 8
#else
#define LINES 1
#define LINE_VECTORS 6
#endif

/* A filter's non-zeros: where their windows begin, and their values. */
typedef struct line_job {
    const cn__nonzero *entries, *end;
    const real *line[LINES]; /* of the first window */
    int64_t sums_step;
    real *bias; /* gets the sum of the values; NULL: it has it already */
} line_job;
typedef void (*line_tile)(const line_job *job, real *sums);

static inline __attribute__((always_inline)) void line_sum(const int count, const int vectors, const line_job *job,
                                                           real *sums)
{
    vec sum[LINES][LINE_VECTORS];
    const real *line[LINES];
    CN__UNROLL(4)
    for (int l = 0; l < count; l++) {
        line[l] = job->line[l];
        CN__UNROLL(8)
        for (int v = 0; v < vectors; v++) sum[l][v] = vec_load(sums + l * job->sums_step + v * CN__VEC);
    }
    vec total = vec_set(job->bias ? *job->bias : 0);
    for (const cn__nonzero *e = job->entries; e < job->end; e++) {
        int64_t at = e->offset;
        vec d = vec_set(e->value);
        total = vec_add(total, d);
        CN__UNROLL(4)
        for (int l = 0; l < count; l++)
            CN__UNROLL(8)
            for (int v = 0; v < vectors; v++)
                sum[l][v] = vec_fma(vec_load(line[l] + at + v * CN__VEC), d, sum[l][v]);
    }
    CN__UNROLL(4)
    for (int l = 0; l < count; l++)
        CN__UNROLL(8)
        for (int v = 0; v < vectors; v++) vec_store(sums + l * job->sums_step + v * CN__VEC, sum[l][v]);
    if (job->bias) vec_store_n(job->bias, total, 1);
}

#define LINE_TILES_OF(TILE, L) TILE(L, 1) TILE(L, 2) TILE(L, 3) TILE(L, 4) TILE(L, 5) TILE(L, 6)
#if LINES == 3
#define LINE_TILES(TILE)                                                                                            \
    LINE_TILES_OF(TILE, 1) LINE_TILES_OF(TILE, 2) LINE_TILES_OF(TILE, 3) TILE(1, 7) TILE(2, 7) TILE(3, 7)           \
    TILE(1, 8) TILE(2, 8) TILE(3, 8)
#else
#define LINE_TILES(TILE) LINE_TILES_OF(TILE, 1)
#endif
#define LINE_FUNCTION(L, V)                                                                                         \
    static void line_##L##_##V(const line_job *job, real *sums) { line_sum(L, V, job, sums); }
#define LINE_ENTRY(L, V) [L][V] = line_##L##_##V,

LINE_TILES(LINE_FUNCTION)

static const line_tile line_tiles[LINES + 1][LINE_VECTORS + 1] = {LINE_TILES(LINE_ENTRY)};

/* All lines of the windows of one filter's non-zeros. */
static void add_filter(const cn__conv2d *c, const cn__band *band, int64_t g, line_job *job, real *sums)
{
    lines all = lines_of(c);
    int64_t vectors = all.numbers / CN__VEC, parts = (vectors + LINE_VECTORS - 1) / LINE_VECTORS;
    job->sums_step = all.numbers;
    for (int64_t l = 0; l < all.count; l += LINES)
        for (int64_t part = 0; part < parts; part++) {
            int64_t v = vectors * part / parts, end = vectors * (part + 1) / parts;
            int count = (int)cn__smaller(LINES, all.count - l);
            for (int i = 0; i < count; i++)
                job->line[i] = band->base + g * (c->channels / c->groups) + (l + i) / band->runs * band->pitch +
                               (l + i) % band->runs * band->run_step + v * CN__VEC;
            line_tiles[count][end - v](job, sums + l * all.numbers + v * CN__VEC);
            job->bias = NULL;
        }
}

typedef struct filter_lists {
    int64_t capacity; /* of each filter */
    uint32_t *count;
    cn__nonzero *entries;
} filter_lists;

static inline void append(const filter_lists *lists, int64_t f, uint32_t at, real d)
{
    lists->entries[f * lists->capacity + lists->count[f]++] = (cn__nonzero){d, at};
}

static void list_pixel(const filter_lists *lists, int64_t filters, uint32_t at, const real *dz)
{
    int64_t f = 0;
#if defined(CN_ISA_AVX512)
    for (; f + CN__VEC <= filters; f += CN__VEC) {
        unsigned mask = _mm512_cmp_ps_mask(vec_load(dz + f), _mm512_setzero_ps(), _CMP_NEQ_UQ);
        for (; mask; mask &= mask - 1) {
            int lane = __builtin_ctz(mask);
            append(lists, f + lane, at, dz[f + lane]);
        }
    }
#endif
    for (; f < filters; f++)
        if (dz[f] != 0) append(lists, f, at, dz[f]);
}

static void listed_rows(const cn__conv2d *c, const cn__band *band, const real *dz, int64_t rows,
                        const filter_lists *lists, real *sums, real *bias)
{
    lines all = lines_of(c);
    for (int64_t f = 0; f < c->filters; f++) lists->count[f] = 0;
    for (int64_t p = 0; p < rows; p++)
        for (int64_t q = 0; q < c->out_width; q++)
            list_pixel(lists, c->filters, (uint32_t)(p * band->row_step + q * band->step),
                       dz + (p * c->out_width + q) * c->filters);
    for (int64_t f = 0; f < c->filters; f++) {
        const cn__nonzero *entries = lists->entries + f * lists->capacity;
        line_job job = {.entries = entries, .end = entries + lists->count[f], .bias = bias + f};
        if (lists->count[f])
            add_filter(c, band, f / (c->filters / c->groups), &job, sums + f * all.count * all.numbers);
    }
}

/* --- a picture --- */

static void add_bias(const cn__conv2d *c, const real *dz, real *bias)
{
    for (int64_t n = 0; n < c->out_height * c->out_width; n++, dz += c->filters)
        for (int64_t f = 0; f < c->filters; f++) bias[f] += dz[f];
}

int cn__conv2d_wants_lists(const cn__conv2d *c, const real *dz)
{
    int64_t numbers = c->out_height * c->out_width * c->filters, nonzeros = 0;
    lines all = lines_of(c);
    for (int64_t i = 0; i < numbers; i++) nonzeros += dz[i] != 0;
    /* in tenths of clock cycles: finding a non-zero and its line vectors, against its terms in the dense loops */
    return nonzeros * (100 + all.count * all.numbers / CN__VEC * 6) < numbers * cn__conv2d_terms(c) * 4 / 10;
}

void cn__conv2d_add_gradient(const cn__conv2d *c, const real *in, const real *dz, int lists, real *sums, real *memory)
{
    int64_t most = cn__conv2d_gradient_rows(c), row = c->out_width * c->filters;
    real *bias = sums + cn__conv2d_sums_size(c) - c->filters;
    filter_lists filters = {.capacity = most * c->out_width,
                            .entries = (cn__nonzero *)(void *)(memory + (cn__conv2d_band_memory(c) + 1) / 2 * 2)};
    filters.count = (uint32_t *)(void *)(filters.entries + most * row);
    if (!lists) add_bias(c, dz, bias);
    for (int64_t p = 0; p < c->out_height; p += most) {
        int64_t rows = cn__smaller(most, c->out_height - p);
        cn__band band = cn__conv2d_open_band(c, in, p, rows, lists, memory);
        if (lists) listed_rows(c, &band, dz + p * row, rows, &filters, sums, bias);
        else dense_rows(c, &band, dz + p * row, rows, sums);
    }
}

void cn__conv2d_gradient_row(const cn__conv2d *c, const real *sums, int by_lists, int64_t k, real *row)
{
    int64_t terms = cn__conv2d_terms(c), share = c->filters / c->groups, n = c->channels / c->groups;
    if (!by_lists) {
        int64_t whole = cn__conv2d_whole_vectors(share);
        for (int64_t f = 0; f < c->filters; f++) row[f] = sums[(f / share * terms + k) * whole + f % share];
        return;
    }
    lines all = lines_of(c);
    int64_t line = all.count * n == terms ? k / n : k / (n * c->size[1]);
    int64_t at = line * all.numbers + (all.count * n == terms ? k % n : k % (n * c->size[1]));
    for (int64_t f = 0; f < c->filters; f++) row[f] = sums[f * all.count * all.numbers + at];
}

#if CN_ONCE
int64_t cn__conv2d_sums_size(const cn__conv2d *c)
{
    lines all = lines_of(c);
    int64_t dense = cn__conv2d_terms(c) * c->groups * cn__conv2d_whole_vectors(c->filters / c->groups);
    int64_t listed = c->filters * all.count * all.numbers;
    return (dense > listed ? dense : listed) + c->filters;
}

int64_t cn__conv2d_gradient_rows(const cn__conv2d *c)
{
    int64_t fit = ((int64_t)1 << 16) / (c->out_width * c->filters), band = cn__conv2d_band_rows(c);
    fit = cn__smaller(fit < 1 ? 1 : fit, c->out_height);
    return cn__smaller(fit, band);
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* In numbers, of which two take at least the room of a cn__nonzero. */
static int64_t list_memory(const cn__conv2d *c)
{
    int64_t rows = cn__conv2d_list_rows(c);
    return 2 * (rows * c->width * c->channels + CN__VEC) + rows * c->width + 1;
}

int64_t cn__conv2d_memory(const cn__conv2d *c)
{
    cn__conv2d turned = cn__conv2d_turned(c);
    int64_t gradient = cn__conv2d_band_memory(c) + 2 * cn__conv2d_gradient_rows(c) * c->out_width * c->filters +
                       c->filters + 2;
    int64_t most = larger(gradient, c->filters);
    most = larger(most, larger(cn__conv2d_band_memory(&turned), larger(list_memory(c), list_memory(&turned))));
    return larger(most, cn__conv2d_band_memory(c));
}
#endif
