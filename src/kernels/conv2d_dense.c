#include "kernels/conv2d_parts.h"

#include <string.h>

/* --- windows in memory --- */

#define BAND ((int64_t)1 << 16)

static int64_t rows_of_band(const cn__conv2d *c, int64_t rows)
{
    return (rows - 1) * c->stride[0] + c->dilation[0] * (c->size[0] - 1) + 1;
}

static int64_t row_numbers(const cn__conv2d *c)
{
    return cn__conv2d_reach(c, 1) * c->channels;
}

/* Copies row `at` (counted with all zeros) of the picture, with the zeros around and between its pixels. */
static void copy_row(const cn__conv2d *c, const real *in, int64_t at, real *to)
{
    int64_t reach = cn__conv2d_reach(c, 1), spread = c->spread[1], n = c->channels, from = at - c->before[0];
    if (from < 0 || from % c->spread[0] || from / c->spread[0] >= c->height) {
        memset(to, 0, (size_t)(reach * n) * sizeof *to);
        return;
    }
    const real *row = in + from / c->spread[0] * c->width * n;
    int64_t pixels = cn__smaller(c->width, reach > c->before[1] ? (reach - c->before[1] - 1) / spread + 1 : 0);
    if (spread > 1 || c->before[1] + pixels < reach) memset(to, 0, (size_t)(reach * n) * sizeof *to);
    else memset(to, 0, (size_t)(c->before[1] * n) * sizeof *to);
    to += c->before[1] * n;
    if (spread == 1) memcpy(to, row, (size_t)(pixels * n) * sizeof *to);
    else
        for (int64_t w = 0; w < pixels; w++) memcpy(to + w * spread * n, row + w * n, (size_t)n * sizeof *to);
}

cn__band cn__conv2d_open_band(const cn__conv2d *c, const real *in, int64_t p, int64_t rows, int whole, real *memory)
{
    int64_t n = c->channels / c->groups, width = c->width * c->channels;
    cn__band band = {.step = c->stride[1] * c->channels, .run_step = c->dilation[1] * c->channels, .runs = c->size[1],
                     .run = n};
    if (c->groups == 1 && c->dilation[1] == 1) {
        band.runs = 1;
        band.run = n * c->size[1];
    }
    if (cn__conv2d_needs_zeros(c) || (whole && band.run % CN__VEC)) {
        width = row_numbers(c);
        int64_t all = rows_of_band(c, rows);
        for (int64_t r = 0; r < all; r++) copy_row(c, in, p * c->stride[0] + r, memory + r * width);
        memset(memory + all * width, 0, CN__VEC * sizeof *memory); /* what whole vectors read beyond the end */
        band.base = memory;
    } else {
        band.base = in + p * c->stride[0] * width;
    }
    band.row_step = c->stride[0] * width;
    band.pitch = c->dilation[0] * width;
    return band;
}

/* --- tiles --- */

/* Some neighbouring pixels of a row times some vectors of filters, held in registers. a: the first window; b: the
 * packed panel; out: pixels `out_step` apart; `last`: filters in the last vector. */
typedef struct tile_job {
    const cn__band *band;
    int64_t window_rows;
    const real *b;
    int64_t out_step;
    int last;
} tile_job;
typedef void (*tile)(const tile_job *job, const real *a, real *out);

static inline __attribute__((always_inline)) void tile_sum(const int rows, const int vectors, const tile_job *job,
                                                           const real *a, real *out)
{
    vec sum[16][CN__PANEL_VECTORS];
    const cn__band *band = job->band;
    const real *b = job->b;
    int64_t step = band->step, run = band->run;
    CN__UNROLL(16)
    for (int r = 0; r < rows; r++)
        CN__UNROLL(4)
        for (int v = 0; v < vectors; v++) sum[r][v] = vec_zero();
    for (int64_t i = 0; i < job->window_rows; i++)
        for (int64_t j = 0; j < band->runs; j++) {
            /* every third pixel has a pointer; the others are reached by adding `step` once or twice */
            const real *at[6];
            CN__UNROLL(6)
            for (int r = 0; r < rows; r += 3) at[r / 3] = a + i * band->pitch + j * band->run_step + r * step;
            for (int64_t n = 0; n < run; n++) {
                vec column[CN__PANEL_VECTORS];
                CN__UNROLL(4)
                for (int v = 0; v < vectors; v++) column[v] = vec_load(b + v * CN__VEC);
                CN__UNROLL(16)
                for (int r = 0; r < rows; r++) {
                    vec element = vec_set(at[r / 3][r % 3 * step]);
                    CN__UNROLL(4)
                    for (int v = 0; v < vectors; v++) sum[r][v] = vec_fma(element, column[v], sum[r][v]);
                }
                b += vectors * CN__VEC;
                CN__UNROLL(6)
                for (int r = 0; r < rows; r += 3) at[r / 3]++;
            }
        }
    CN__UNROLL(16)
    for (int r = 0; r < rows; r++)
        CN__UNROLL(4)
        for (int v = 0; v < vectors; v++) {
            if (v < vectors - 1 || job->last == CN__VEC) vec_store(out + r * job->out_step + v * CN__VEC, sum[r][v]);
            else vec_store_n(out + r * job->out_step + v * CN__VEC, sum[r][v], job->last);
        }
}

#if defined(CN_ISA_AVX512)
#define TILE_ROWS 14
#define TILES(TILE)                                                                                                 \
    TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1) TILE(7, 1) TILE(8, 1) TILE(9, 1) TILE(10, 1)  \
    TILE(11, 1) TILE(12, 1) TILE(13, 1) TILE(14, 1)                                                                 \
    TILE(1, 2) TILE(2, 2) TILE(3, 2) TILE(4, 2) TILE(5, 2) TILE(6, 2) TILE(7, 2) TILE(8, 2) TILE(9, 2) TILE(10, 2)  \
    TILE(11, 2) TILE(12, 2) TILE(13, 2) TILE(14, 2)
#elif defined(CN_ISA_AVX2) || defined(CN_ISA_NEON)
#define TILE_ROWS 6
#define TILES(TILE) TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1)
#else
#define TILE_ROWS 4
#define TILES(TILE) TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1)
#endif
#define TILE_FUNCTION(R, V)                                                                                         \
    static void tile_##R##_##V(const tile_job *job, const real *a, real *out) { tile_sum(R, V, job, a, out); }
#define TILE_ENTRY(R, V) [R][V] = tile_##R##_##V,

TILES(TILE_FUNCTION)

static const tile tiles[TILE_ROWS + 1][CN__PANEL_VECTORS + 1] = {TILES(TILE_ENTRY)};

/* One row of out for one panel of filters, its pixels in tiles of nearly equal size. */
static void row_of_tiles(const cn__conv2d *c, const tile_job *job, int vectors, const real *a, real *out)
{
    int64_t parts = (c->out_width + TILE_ROWS - 1) / TILE_ROWS;
    for (int64_t part = 0; part < parts; part++) {
        int64_t q = c->out_width * part / parts, end = c->out_width * (part + 1) / parts;
        tiles[end - q][vectors](job, a + q * job->band->step, out + q * c->filters);
    }
}

static void dense_band(const cn__conv2d *c, const cn__band *band, const real *packed, int64_t rows, real *out)
{
    int64_t share = c->filters / c->groups, terms = cn__conv2d_terms(c), whole = cn__conv2d_whole_vectors(share);
    for (int64_t g = 0; g < c->groups; g++)
        for (int64_t f = 0; f < share; f += CN__PANEL) {
            int64_t columns = cn__smaller(CN__PANEL, share - f);
            int vectors = (int)((columns + CN__VEC - 1) / CN__VEC);
            tile_job job = {band, c->size[0], packed + (g * whole + f) * terms, c->filters,
                            (int)(columns - (vectors - 1) * CN__VEC)};
            for (int64_t p = 0; p < rows; p++)
                row_of_tiles(c, &job, vectors, band->base + p * band->row_step + g * (c->channels / c->groups),
                             out + p * c->out_width * c->filters + g * share + f);
        }
}

void cn__conv2d_dense(const cn__conv2d *c, const real *in, const real *packed, int64_t p, int64_t rows, real *out,
                      real *memory)
{
    int64_t most = cn__conv2d_band_rows(c);
    for (int64_t done = 0; done < rows; done += most) {
        int64_t n = cn__smaller(most, rows - done);
        cn__band band = cn__conv2d_open_band(c, in, p + done, n, 0, memory);
        dense_band(c, &band, packed, n, out + done * c->out_width * c->filters);
    }
}

#if CN_ONCE
int64_t cn__conv2d_band_rows(const cn__conv2d *c)
{
    int64_t fit = BAND / (row_numbers(c) * c->stride[0]);
    return fit < 1 ? 1 : cn__smaller(fit, c->out_height);
}

int64_t cn__conv2d_band_memory(const cn__conv2d *c)
{
    return rows_of_band(c, cn__conv2d_band_rows(c)) * row_numbers(c) + CN__VEC;
}
#endif
