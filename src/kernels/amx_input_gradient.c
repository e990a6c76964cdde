#include "kernels/amx_input_gradient.h"

#if CN__AMX
#include "kernels/amx_pack.h"
#include "kernels/amx_tiles.h"

#define SQUARE 32   /* inputs and samples that four accumulators hold */
#define DEPTH 32    /* tiles of the sum at a time: 64 KiB of the kernel */
#define SAMPLES 512 /* whose dy stays in the level-2 cache meanwhile */
_Static_assert((2 * DEPTH * TILE_NUMBERS + 2 * SAMPLES * SQUARE) * sizeof(uint16_t) <= CN_POOL_SCRATCH,
               "scratch memory is too small");

typedef struct job {
    const cn__dense *d;
    const uint16_t *copy;
    const float *dy;
    float *dx;
    uint16_t *turned;               /* dy^T as pairs: for each 16 samples the tiles along the outputs */
    int64_t input_tiles, sum_tiles; /* of 32 inputs, which are also the squares; of 32 outputs */
    int streams;                    /* dx goes past the caches */
} job;

static int64_t pieces(int64_t n, int64_t size)
{
    return (n + size - 1) / size;
}

static void turn_dy(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    const cn__dense *d = j->d;
    _Alignas(64) uint16_t rows[TILE_NUMBERS];
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        uint16_t *to = j->turned + i * j->sum_tiles * TILE_NUMBERS;
        for (int64_t k = 0; k < j->sum_tiles; k++, to += TILE_NUMBERS) {
            pack_rows(j->dy + i * TILE_LINES * d->outputs + k * TILE_K, d->outputs, d->rows - i * TILE_LINES,
                      d->outputs - k * TILE_K, rows);
            transpose_words(rows, to);
        }
    }
}

/* Two neighbouring tiles of the copy, 32 inputs x 16 outputs each, hold inputs in pairs; out come two tiles of 16
 * inputs x 32 outputs. */
static void part_pairs(const uint16_t *left, const uint16_t *right, uint16_t *upper, uint16_t *lower)
{
    const __m512i counting = _mm512_set_epi16(31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14,
                                              13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i even = _mm512_slli_epi16(counting, 1), odd = _mm512_or_si512(even, _mm512_set1_epi16(1));
    for (int pair = 0; pair < TILE_LINES; pair++) {
        __m512i l = _mm512_load_si512(left + pair * TILE_K), r = _mm512_load_si512(right + pair * TILE_K);
        uint16_t *to = pair < 8 ? upper + pair * 2 * TILE_K : lower + (pair - 8) * 2 * TILE_K;
        _mm512_store_si512(to, _mm512_permutex2var_epi16(l, even, r));
        _mm512_store_si512(to + TILE_K, _mm512_permutex2var_epi16(l, odd, r));
    }
}

/* 32 inputs of the kernel, tiles first ... first+depth-1 of the outputs: the upper 16 inputs, then the lower. */
static void kernel_tiles(const job *j, int64_t square, int64_t first, int64_t depth, uint16_t *to)
{
    int64_t line = j->input_tiles * TILE_NUMBERS;
    const uint16_t *left = j->copy + 2 * first * line + square * TILE_NUMBERS;
    for (int64_t k = 0; k < depth; k++, left += 2 * line)
        part_pairs(left, left + line, to + k * TILE_NUMBERS, to + (DEPTH + k) * TILE_NUMBERS);
}

/* 32 inputs x 32 samples, rows of `sum` are inputs. */
static void add_products(int64_t depth, const uint16_t *kernel, const uint16_t *dy, int64_t dy_line, float *sum,
                         int first)
{
    const int step = SQUARE * (int)sizeof(float);
    float *below = sum + TILE_LINES * SQUARE;
    if (first) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    } else {
        _tile_loadd(0, sum, step);
        _tile_loadd(1, sum + TILE_LINES, step);
        _tile_loadd(2, below, step);
        _tile_loadd(3, below + TILE_LINES, step);
    }
    for (int64_t k = 0; k < depth; k++) {
        _tile_loadd(6, dy + k * TILE_NUMBERS, 64);
        _tile_loadd(4, kernel + k * TILE_NUMBERS, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, dy + dy_line + k * TILE_NUMBERS, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, kernel + (DEPTH + k) * TILE_NUMBERS, 64);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, sum, step);
    _tile_stored(1, sum + TILE_LINES, step);
    _tile_stored(2, below, step);
    _tile_stored(3, below + TILE_LINES, step);
}

/* A result that would not stay in level 2 goes past the caches: reading its lines first only to overwrite them takes
 * longer than fetching it again later. */
static int is_large(const cn__dense *d, const float *dx)
{
    int64_t level2 = cn__pool_caches(d->pool)[1];
    return level2 > 0 && (double)d->rows * (double)d->inputs * sizeof(float) > (double)level2 &&
           d->inputs % TILE_LINES == 0 && (uintptr_t)dx % 64 == 0;
}

/* The part of a square that lies inside dx, turned. */
static void store_turned(const job *j, const float *sum, int64_t input, int64_t sample)
{
    const cn__dense *d = j->d;
    for (int quarter = 0; quarter < 4; quarter++) {
        int64_t i = input + quarter / 2 * TILE_LINES, s = sample + quarter % 2 * TILE_LINES;
        _Alignas(64) float turned[TILE_LINES * TILE_LINES];
        const float *row[TILE_LINES];
        __mmask16 some = first_of_16(d->inputs - i);
        for (int r = 0; r < TILE_LINES; r++)
            row[r] = sum + (quarter / 2 * TILE_LINES + r) * SQUARE + quarter % 2 * TILE_LINES;
        cn__transpose(row, 0, turned, TILE_LINES);
        for (int c = 0; c < TILE_LINES && s + c < d->rows && some; c++) {
            float *to = j->dx + (s + c) * d->inputs + i;
            __m512 numbers = _mm512_load_ps(turned + c * TILE_LINES);
            if (j->streams) _mm512_stream_ps(to, numbers);
            else _mm512_mask_storeu_ps(to, some, numbers);
        }
    }
}

/* One task is 32 inputs by SAMPLES samples. */
static void multiply_squares(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    const cn__dense *d = j->d;
    uint16_t *kernel = cn__pool_scratch(d->pool, thread);
    float *sums = (float *)(void *)(kernel + 2 * DEPTH * TILE_NUMBERS);
    int64_t dy_line = j->sum_tiles * TILE_NUMBERS;
    cn__tiles_open();
    for (int64_t task = begin; task < end; task++) {
        int64_t square = task % j->input_tiles, sample = task / j->input_tiles * SAMPLES;
        int64_t sample_end = sample + SAMPLES < d->rows ? sample + SAMPLES : d->rows;
        for (int64_t first = 0; first < j->sum_tiles; first += DEPTH) {
            int64_t depth = j->sum_tiles - first < DEPTH ? j->sum_tiles - first : DEPTH;
            kernel_tiles(j, square, first, depth, kernel);
            for (int64_t s = sample; s < sample_end; s += SQUARE) {
                float *sum = sums + (s - sample) * SQUARE;
                add_products(depth, kernel, j->turned + s / TILE_LINES * dy_line + first * TILE_NUMBERS, dy_line, sum,
                             first == 0);
                if (first + depth == j->sum_tiles) store_turned(j, sum, square * SQUARE, s);
            }
        }
    }
    if (j->streams) _mm_sfence();
    cn__tiles_close();
}

/* Products of fewer multiply-adds than this take less time than waking the team. */
#define ALONE (1 << 20)

void cn__amx_input_gradient(const cn__dense *d, const cn__bf16 *bf16, const float *dy, float *dx)
{
    job j = {.d = d, .copy = bf16->copy, .dy = dy, .dx = dx, .turned = bf16->memory,
             .input_tiles = pieces(d->inputs, TILE_K), .sum_tiles = pieces(d->outputs, TILE_K)};
    j.streams = is_large(d, dx);
    int64_t lines = pieces(d->rows, SQUARE) * (SQUARE / TILE_LINES), tasks = j.input_tiles * pieces(d->rows, SAMPLES);
    if ((double)d->rows * (double)d->inputs * (double)d->outputs < ALONE) {
        turn_dy(&j, 0, 0, lines);
        multiply_squares(&j, 0, 0, tasks);
    } else {
        cn__parallel(d->pool, lines, turn_dy, &j);
        cn__parallel(d->pool, tasks, multiply_squares, &j);
    }
}

#else
typedef int no_tiles_in_this_engine;
#endif
