#include "kernels/amx_rmsprop.h"

#if CN__AMX
#include "kernels/amx_pack.h"
#include "kernels/amx_tiles.h"
#include "kernels/bf16.h"
#include "kernels/rmsprop.h"

#define LINES 32 /* rows of the kernel that a task makes: one tile of its copy */
#define MOST_ROWS CN__HIDDEN_ROWS

typedef struct job {
    const cn__amx_matmul *p;
    int64_t k_tiles;
} job;

/* The right factor as the left one of the turned product: tile k holds 32 samples of each column. */
static void turn_factor(const job *j, uint16_t *tiles)
{
    const cn__amx_matmul *p = j->p;
    for (int64_t k = 0; k < j->k_tiles; k++) {
        _Alignas(64) uint16_t pairs[TILE_NUMBERS];
        pack_pairs(p->b.data + k * TILE_K * p->b.stride, p->b.stride, NULL, p->n, p->k - k * TILE_K, 1, pairs);
        transpose_words(pairs, tiles + k * TILE_NUMBERS);
    }
}

/* 32 samples of a hidden layer's outputs in tiles as right factors: samples in pairs x 16 units. */
static void pair_samples(const uint16_t *upper, const uint16_t *lower, uint16_t tiles[2][TILE_NUMBERS])
{
    const __m512i first = interleaving_halves(0), second = interleaving_halves(16);
    for (int pair = 0; pair < TILE_LINES; pair++) {
        const uint16_t *line = (pair < 8 ? upper : lower) + pair % 8 * 2 * TILE_K;
        const __m512i even = _mm512_load_si512(line), odd = _mm512_load_si512(line + TILE_K);
        _mm512_store_si512(tiles[0] + pair * TILE_K, _mm512_permutex2var_epi16(even, first, odd));
        _mm512_store_si512(tiles[1] + pair * TILE_K, _mm512_permutex2var_epi16(even, second, odd));
    }
}

static void left_as_right(const job *j, int64_t k, int64_t row, uint16_t tiles[2][TILE_NUMBERS])
{
    const cn__amx_matmul *p = j->p;
    if (p->a_turned) {
        const int64_t line = p->m / TILE_K * TILE_NUMBERS;
        const uint16_t *upper = p->a_turned + 2 * k * line + row / TILE_K * TILE_NUMBERS;
        pair_samples(upper, upper + line, tiles);
        return;
    }
    for (int half = 0; half < 2; half++)
        pack_pairs(p->a.data + k * TILE_K * p->a.stride + row + half * 16, p->a.stride, NULL, p->m - row - half * 16,
                   p->k - k * TILE_K, 1, tiles[half]);
}

/* Rows row ... row+31 of the gradient, 16 numbers each. */
static void make_gradient(const job *j, const uint16_t *turned, int64_t row, float *gradient)
{
    _Alignas(64) uint16_t tiles[2][TILE_NUMBERS];
    _Alignas(64) float sums[2][16 * 16];
    _tile_zero(0);
    _tile_zero(1);
    for (int64_t k = 0; k < j->k_tiles; k++) {
        left_as_right(j, k, row, tiles);
        _tile_loadd(4, turned + k * TILE_NUMBERS, 64);
        _tile_loadd(6, tiles[0], 64);
        _tile_loadd(7, tiles[1], 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
    }
    _tile_stored(0, sums[0], 64);
    _tile_stored(1, sums[1], 64);
    for (int half = 0; half < 2; half++) {
        const float *lines[16];
        for (int i = 0; i < 16; i++) lines[i] = sums[half] + i * 16;
        cn__transpose(lines, 0, gradient + half * 256, 16);
    }
}

static void move_rows(const job *j, const cn__rmsprop *update, int64_t row, const float *gradient)
{
    const cn__amx_matmul *p = j->p;
    const cn__sink *sink = p->sink;
    const __mmask16 some = first_of_16(p->n);
    float *weight = (float *)sink->weight + row * sink->stride,
          *velocity = (float *)sink->slots[0] + row * sink->stride;
    const int64_t rows = p->m - row < LINES ? p->m - row : LINES;
    for (int64_t r = 0; r < rows; r++) {
        __m512 w = _mm512_maskz_loadu_ps(some, weight + r * sink->stride);
        w = cn__rmsprop_move_halves(update, w, _mm512_load_ps(gradient + r * 16), some, velocity + r * sink->stride);
        _mm512_mask_storeu_ps(weight + r * sink->stride, some, w);
    }
    if (p->copy && *p->copied)
        pack_pairs(weight, sink->stride, NULL, p->n, rows, 1, p->copy + row / TILE_K * TILE_NUMBERS);
}

static void run_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    const cn__rmsprop update = cn__rmsprop_of(j->p->sink->step);
    _Alignas(64) float gradient[LINES * 16];
    uint16_t *turned = cn__pool_scratch(j->p->pool, thread);
    turn_factor(j, turned);
    cn__tiles_open();
    for (int64_t task = begin; task < end; task++) {
        make_gradient(j, turned, task * LINES, gradient);
        move_rows(j, &update, task * LINES, gradient);
    }
    cn__tiles_close();
}

int cn__amx_rmsprop_narrow_serves(const cn__amx_matmul *p)
{
    return !p->a_tiles && p->a.rows_are_k && p->n <= 16 && p->k <= MOST_ROWS && p->sink && p->sink->update &&
           !p->sink->accounts && !p->sink->panel && p->sink->step->is_plain_rmsprop && p->sink->step->decay == 0;
}

/* Four tasks at a time, so that the right factor is not turned too often. */
#define AT_ONCE 4

static void run_several(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    const int64_t tasks = (j->p->m + LINES - 1) / LINES;
    run_tasks(context, thread, begin * AT_ONCE, end * AT_ONCE < tasks ? end * AT_ONCE : tasks);
}

void cn__amx_rmsprop_narrow_run(const cn__amx_matmul *p)
{
    job j = {.p = p, .k_tiles = (p->k + TILE_K - 1) / TILE_K};
    cn__parallel(p->pool, (p->m + LINES * AT_ONCE - 1) / (LINES * AT_ONCE), run_several, &j);
}

#else
typedef int no_narrow_rmsprop_on_tiles_in_this_engine;
#endif
