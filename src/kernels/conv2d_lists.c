#include "kernels/conv2d_parts.h"

#include <string.h>

#define LISTED ((int64_t)1 << 16) /* numbers that are listed together */
#define MOST_TAPS 5               /* columns of a window whose sums fit into registers together */

int cn__conv2d_can_list(const cn__conv2d *c)
{
    return c->groups == 1 && c->stride[1] == 1 && c->dilation[1] == 1 && c->size[1] <= MOST_TAPS &&
           c->channels <= INT32_MAX / (MOST_TAPS * CN__VEC);
}

/* --- lists --- */

/* Appends the non-zeros of one pixel; returns their new number. Entries may be written up to a vector beyond it. */
static inline int64_t list_pixel(int64_t channels, uint32_t unit, const real *in, cn__nonzero *entries, int64_t count)
{
#if defined(CN_ISA_AVX512)
    const __m512i steps = _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                                             _mm512_set1_epi32((int)unit));
    for (int64_t c = 0; c < channels; c += CN__VEC) {
        int n = (int)cn__smaller(CN__VEC, channels - c);
        vec x = n == CN__VEC ? vec_load(in + c) : vec_load_n(in + c, n);
        __mmask16 mask = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NEQ_UQ);
        __m512i places = _mm512_add_epi32(steps, _mm512_set1_epi32((int)((uint32_t)c * unit)));
        cn__compress(mask, x, places, entries + count);
        count += __builtin_popcount(mask);
    }
#else
    for (int64_t c = 0; c < channels; c++) {
        entries[count] = (cn__nonzero){in[c], (uint32_t)c * unit};
        count += in[c] != 0;
    }
#endif
    return count;
}

static int64_t list_rows(const cn__conv2d *c, const real *in, int64_t rows, const cn__nonzeros *lists)
{
    int64_t count = 0;
    uint32_t unit = (uint32_t)(c->size[1] * CN__VEC);
    for (int64_t n = 0; n < rows * c->width; n++) {
        lists->first[n] = (int32_t)count;
        count = list_pixel(c->channels, unit, in + n * c->channels, lists->entries, count);
    }
    lists->first[rows * c->width] = (int32_t)count;
    return count;
}

/* --- one row of the picture into one row of out --- */

/* Window row i of all windows of one row of out, which lie in one row of the picture; some vectors of filters. */
typedef struct spread_job {
    const cn__conv2d *c;
    const cn__nonzeros *lists;
    const int32_t *first;  /* of the row of the picture */
    int64_t pixels;        /* in that row; 0: it is all zeros */
    const real *kernel;    /* packed: channel, column j, vectors */
    real *out;
    int start, last;       /* out starts at 0 and is not read; filters in the last vector */
} spread_job;
typedef void (*spreader)(const spread_job *job);

static inline __attribute__((always_inline)) vec load_some(const real *from, int whole, int last)
{
    return whole || last == CN__VEC ? vec_load(from) : vec_load_n(from, last);
}

/* A pixel's non-zeros go into the sums of the `taps` windows that it lies under. Those are kept in registers while the
 * pixels of the row go by: where one window is left behind, another is met. Window q has the sums q mod taps. */
static inline __attribute__((always_inline)) void spread_row(const int taps, const int vectors, const spread_job *job)
{
    vec sum[MOST_TAPS][CN__CHUNK_VECTORS];
    const cn__conv2d *c = job->c;
    const real *kernel = job->kernel;
    int64_t windows = c->out_width, step = c->filters, end = windows + taps - 1, pixel = 0, next = c->before[1];
    CN__UNROLL(8)
    for (int t = 0; t < taps; t++)
        CN__UNROLL(8)
        for (int v = 0; v < vectors; v++) sum[t][v] = vec_zero();
    for (int64_t at = 0; at < end; at += taps) {
        CN__UNROLL(8)
        for (int turn = 0; turn < taps; turn++) {
            int64_t q = at + turn;
            if (q >= end) return;
            CN__UNROLL(8)
            for (int v = 0; v < vectors; v++)
                sum[turn][v] = job->start || q >= windows ? vec_zero()
                                                          : load_some(job->out + q * step + v * CN__VEC,
                                                                      v < vectors - 1, job->last);
            if (q == next && pixel < job->pixels) {
                const cn__nonzero *stop = job->lists->entries + job->first[pixel + 1];
                for (const cn__nonzero *e = job->lists->entries + job->first[pixel]; e < stop; e++) {
                    const real *row = kernel + (int64_t)e->offset * vectors;
                    vec x = vec_set(e->value);
                    CN__UNROLL(8)
                    for (int t = 0; t < taps; t++)
                        CN__UNROLL(8)
                        for (int v = 0; v < vectors; v++)
                            sum[(turn + taps - t) % taps][v] = vec_fma(x, vec_load(row + (t * vectors + v) * CN__VEC),
                                                                       sum[(turn + taps - t) % taps][v]);
                }
                pixel++;
                next += c->spread[1];
            }
            int64_t done = q - taps + 1;
            if (done < 0) continue;
            CN__UNROLL(8)
            for (int v = 0; v < vectors; v++) {
                real *to = job->out + done * step + v * CN__VEC;
                if (v < vectors - 1 || job->last == CN__VEC) vec_store(to, sum[(turn + 1) % taps][v]);
                else vec_store_n(to, sum[(turn + 1) % taps][v], job->last);
            }
        }
    }
}

#define SPREADERS_OF(SPREADER, V) SPREADER(1, V) SPREADER(2, V) SPREADER(3, V) SPREADER(4, V) SPREADER(5, V)
#if CN__CHUNK_VECTORS == 4
#define SPREADERS(SPREADER) SPREADERS_OF(SPREADER, 1) SPREADERS_OF(SPREADER, 2) SPREADERS_OF(SPREADER, 4)
#else
#define SPREADERS(SPREADER) SPREADERS_OF(SPREADER, 1) SPREADERS_OF(SPREADER, 2)
#endif
#define SPREAD_FUNCTION(T, V)                                                                                       \
    static void spread_##T##_##V(const spread_job *job) { spread_row(T, V, job); }
#define SPREAD_ENTRY(T, V) [T][V] = spread_##T##_##V,

SPREADERS(SPREAD_FUNCTION)

static const spreader spreaders[MOST_TAPS + 1][CN__CHUNK_VECTORS + 1] = {SPREADERS(SPREAD_ENTRY)};

/* --- some rows of out --- */

/* The row of the picture under row i of the windows of row p; -1: zeros. */
static int64_t row_under(const cn__conv2d *c, int64_t p, int64_t i)
{
    int64_t at = p * c->stride[0] + i * c->dilation[0] - c->before[0];
    return at < 0 || at % c->spread[0] || at / c->spread[0] >= c->height ? -1 : at / c->spread[0];
}

/* In half clock cycles: what the vectors of filters under one row of a window take for a non-zero, a pixel and, without
 * lists, a number. */
static int pays(const cn__conv2d *c, int64_t numbers, int64_t nonzeros)
{
    int64_t vectors = cn__conv2d_whole_vectors(c->filters) / CN__VEC, chunk = CN__CHUNK_VECTORS;
    if (chunk > vectors) chunk = cn__chunk_vectors(vectors);
    int64_t taps = c->size[1] * chunk, pixels = numbers / c->channels * c->spread[1];
    return nonzeros * (taps + 3) + pixels * (2 * chunk + 16) < numbers * taps * c->spread[0] * c->spread[1];
}

static void spread_rows(const cn__conv2d *c, const cn__nonzeros *lists, int64_t first, const real *packed, int64_t p,
                        int64_t rows, real *out)
{
    int64_t terms = cn__conv2d_terms(c), whole = cn__conv2d_whole_vectors(c->filters), vectors = whole / CN__VEC;
    for (int64_t at = 0; at < vectors; at += cn__chunk_vectors(vectors - at)) {
        int width = cn__chunk_vectors(vectors - at);
        int64_t left = c->filters - at * CN__VEC;
        spread_job job = {.c = c, .lists = lists,
                          .last = left < width * CN__VEC ? (int)(left - (width - 1) * CN__VEC) : CN__VEC};
        /* window rows outside, rows of out inside: that part of the kernel stays in the nearest cache */
        for (int64_t i = 0; i < c->size[0]; i++)
            for (int64_t r = 0; r < rows; r++) {
                int64_t under = row_under(c, p + r, i);
                job.out = out + r * c->out_width * c->filters + at * CN__VEC;
                job.start = i == 0;
                if (under < 0 && i > 0) continue;
                job.pixels = under < 0 ? 0 : c->width;
                job.first = under < 0 ? NULL : lists->first + (under - first) * c->width;
                job.kernel = packed + at * CN__VEC * terms + i * c->channels * c->size[1] * width * CN__VEC;
                spreaders[c->size[1]][width](&job);
            }
    }
}

int cn__conv2d_listed(const cn__conv2d *c, const real *in, const real *packed, int64_t p, int64_t rows, real *out,
                      real *memory)
{
    int64_t most = cn__conv2d_list_rows(c), numbers = c->width * c->channels;
    int64_t reach = c->dilation[0] * (c->size[0] - 1);
    cn__nonzeros lists = {.entries = (cn__nonzero *)(void *)memory};
    lists.first = (int32_t *)(void *)(lists.entries + most * numbers + CN__VEC);
    const real *kernel = packed + cn__conv2d_packed_size(c) / 2;
    for (int64_t done = 0; done < rows;) {
        /* rows of the picture from the first that is seen on, as many as fit */
        int64_t top = (p + done) * c->stride[0] - c->before[0],
                first = top <= 0 ? 0 : (top + c->spread[0] - 1) / c->spread[0];
        int64_t n = 1, last;
        for (;; n++) {
            int64_t bottom = (p + done + n - 1) * c->stride[0] - c->before[0] + reach;
            last = bottom < 0 ? -1 : cn__smaller(bottom / c->spread[0], c->height - 1);
            if (done + n == rows || last + 1 - first + c->stride[0] > most) break;
        }
        int64_t seen = last >= first ? last + 1 - first : 0;
        int64_t nonzeros = list_rows(c, in + first * numbers, seen, &lists);
        if (done == 0 && !pays(c, seen * numbers, nonzeros)) return 0;
        spread_rows(c, &lists, first, kernel, p + done, n, out + done * c->out_width * c->filters);
        done += n;
    }
    return 1;
}

#if CN_ONCE
int64_t cn__conv2d_list_rows(const cn__conv2d *c)
{
    int64_t fit = LISTED / (c->width * c->channels), least = c->dilation[0] * (c->size[0] - 1) + 1 + c->stride[0];
    if (fit < least) fit = least;
    return cn__smaller(fit, c->height);
}
#endif
