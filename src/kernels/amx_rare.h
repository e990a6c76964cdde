/* Tiles of bfloat16 may leave out the columns of a batch that seldom have ink (kernels/batch.h). This is what they add
 * to the two products, in the same precision: operands rounded to bfloat16, sums in float32, behind those of the
 * tiles. */
#ifndef CN_KERNELS_AMX_RARE_H
#define CN_KERNELS_AMX_RARE_H

#include "kernels/amx_matmul.h"
#include "kernels/amx_pack.h"
#include "kernels/sink_row.h"

/* Adds to the sum of a sample, for sixteen outputs. `kernel` is the first row's. */
static inline __m512 cn__rare_forward(const cn__batch *x, int64_t sample, const float *kernel, int64_t stride,
                                      __mmask16 some, __m512 sum)
{
    const cn__span *span = &x->spans[sample];
    for (const cn__ink *entry = x->in_spans + span->first, *end = entry + span->count; entry < end; entry++) {
        const __m512 w = rounded(_mm512_maskz_loadu_ps(some, kernel + entry->index * stride));
        sum = _mm512_fmadd_ps(_mm512_set1_ps(entry->codes[0]), w, sum);
    }
    return sum;
}

/* For 32 outputs. */
static inline void cn__rare_forward_two(const cn__batch *x, int64_t sample, const float *kernel, int64_t stride,
                                        __m512 *first, __m512 *second)
{
    const cn__span *span = &x->spans[sample];
    __m512 a = *first, b = *second;
    for (const cn__ink *entry = x->in_spans + span->first, *end = entry + span->count; entry < end; entry++) {
        const float *row = kernel + entry->index * stride;
        const __m512 code = _mm512_set1_ps(entry->codes[0]);
        a = _mm512_fmadd_ps(code, rounded(_mm512_loadu_ps(row)), a);
        b = _mm512_fmadd_ps(code, rounded(_mm512_loadu_ps(row + 16)), b);
    }
    *first = a;
    *second = b;
}

/* A row of the kernel's gradient from tiles, still to be multiplied by the scale. */
static inline void cn__rare_gradient_of_tiles(const cn__amx_matmul *p, const cn__column *list, int64_t column,
                                              int64_t width, float gradient[CN__IDLE_COLUMNS])
{
    const cn__ink *begin = p->x->entries + list->first, *end = begin + list->count;
    for (int64_t c = 0; c < width; c += 16) {
        __m512 sum = _mm512_setzero_ps();
        for (const cn__ink *entry = begin; entry < end; entry++) {
            const int64_t sample = entry->index, pair = sample % TILE_K / 2;
            const uint16_t *tile = p->b_tiles + sample / TILE_K * TILE_K * p->n +
                                   (column + c) / TILE_LINES * TILE_NUMBERS;
            const __m512i both = _mm512_load_si512(tile + pair * TILE_K);
            const __m512 dy = sample % 2 ? odd_of_pairs(both) : even_of_pairs(both);
            sum = _mm512_fmadd_ps(_mm512_set1_ps(entry->codes[0]), dy, sum);
        }
        _mm512_store_ps(gradient + c, sum);
    }
}

/* The same for all groups of a whole strip, in registers: with a list of one or two entries a loop of its own for each
 * group is mostly guessing where it ends. */
#define CN__RARE_GROUPS (CN__IDLE_COLUMNS / 16)

static inline __attribute__((always_inline)) void cn__rare_gradients_of_tiles(const cn__amx_matmul *p,
                                                                              const cn__column *list, int64_t column,
                                                                              __m512 sum[CN__RARE_GROUPS])
{
    const __m512i upper = _mm512_set1_epi32((int)0xffff0000);
    const uint16_t *tiles = p->b_tiles + column / TILE_LINES * TILE_NUMBERS;
    CN__UNROLL(8)
    for (int k = 0; k < CN__RARE_GROUPS; k++) sum[k] = _mm512_setzero_ps();
    for (const cn__ink *entry = p->x->entries + list->first, *end = entry + list->count; entry < end; entry++) {
        const int64_t sample = entry->index, pair = sample % TILE_K / 2;
        const uint16_t *line = tiles + sample / TILE_K * TILE_K * p->n + pair * TILE_K;
        const __m512 code = _mm512_set1_ps(entry->codes[0]);
        const __m512i up = _mm512_set1_epi32(sample % 2 ? 0 : 16); /* no branch: the CPU could not foresee it */
        CN__UNROLL(8)
        for (int k = 0; k < CN__RARE_GROUPS; k++) {
            const __m512i both = _mm512_load_si512(line + k * TILE_NUMBERS);
            const __m512i dy = _mm512_and_si512(_mm512_sllv_epi32(both, up), upper);
            sum[k] = _mm512_fmadd_ps(code, _mm512_castsi512_ps(dy), sum[k]);
        }
    }
}

/* A row of the kernel's gradient. */
static inline void cn__rare_gradient(const cn__amx_matmul *p, const cn__column *list, int64_t column, int64_t width,
                                     float gradient[CN__IDLE_COLUMNS])
{
    const cn__ink *begin = p->x->entries + list->first, *end = begin + list->count;
    for (int64_t c = 0; c < width; c += 16) {
        __m512 sum = _mm512_setzero_ps();
        for (const cn__ink *entry = begin; entry < end; entry++) {
            const float *dy = p->b.data + entry->index * p->b.stride + column + c;
            const __m512 scaled = _mm512_mul_ps(_mm512_maskz_loadu_ps(first_of_16(width - c), dy),
                                                _mm512_set1_ps(p->scale));
            sum = _mm512_fmadd_ps(_mm512_set1_ps(entry->codes[0]), rounded(scaled), sum);
        }
        _mm512_store_ps(gradient + c, sum);
    }
}

/* Part `part` of `parts` of the rows: those with ink if others may wait, all if not. */
static inline void cn__rare_backward(const cn__amx_matmul *p, const cn__sink *sink, int64_t column, int64_t width,
                                     int64_t part, int64_t parts)
{
    const cn__batch *x = p->x;
    const cn__accounts *accounts = sink->accounts;
    const int64_t n = accounts ? x->n_used : x->n_rare;
    _Alignas(64) float gradient[CN__IDLE_COLUMNS];
    for (int64_t i = n * part / parts, u = 0; i < n * (part + 1) / parts; i++) {
        cn__column list = {.index = accounts ? x->used[i].index : x->rare[i]};
        while (u < x->n_used && x->used[u].index < list.index) u++;
        if (u < x->n_used && x->used[u].index == list.index) list = x->used[u];
        if (accounts && list.count == 0) continue;
        cn__rare_gradient(p, &list, column, width, gradient);
        if (accounts) {
            cn__sink_settle(sink, list.index, column, width);
            accounts->settled[column / CN__IDLE_COLUMNS * accounts->rows + list.index]++;
        }
        cn__sink_row(sink, list.index, column, width, gradient);
    }
}

#endif
