#include "kernels/amx_hidden.h"

#if CN__AMX
#include "kernels/amx_pack.h"
#include "kernels/amx_tiles.h"
#include "kernels/sink_row.h"

#define SAMPLES 32 /* two lines of tiles */
#define UNITS 32
#define TERMS CN__HIDDEN_OUTPUTS /* of the sums that give the hidden layer's gradients */

void cn__amx_hidden_forward(const cn__dense *last, const cn__bf16 *bf16, float *y)
{
    const int64_t steps = last->inputs / UNITS;
    const __mmask16 some = first_of_16(last->outputs);
    _Alignas(64) float sums[SAMPLES * 16];
    cn__tiles_open();
    for (int64_t row = 0; row < last->rows; row += SAMPLES) {
        const uint16_t *x = bf16->x_tiles + row * last->inputs;
        _tile_zero(0);
        _tile_zero(1);
        for (int64_t k = 0; k < steps; k++) {
            _tile_loadd(6, bf16->copy + k * TILE_NUMBERS, 64);
            _tile_loadd(4, x + k * TILE_NUMBERS, 64);
            _tile_loadd(5, x + (steps + k) * TILE_NUMBERS, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 5, 6);
        }
        _tile_stored(0, sums, 64);
        _tile_stored(1, sums + 16 * 16, 64);
        for (int64_t r = 0; r < SAMPLES && row + r < last->rows; r++)
            _mm512_mask_storeu_ps(y + (row + r) * last->outputs, some, _mm512_load_ps(sums + r * 16));
    }
    cn__tiles_close();
}

/* A tile of the kernel's copy, 32 units in pairs x 16 outputs, becomes two right tiles of half the height, 16 outputs
 * in pairs x 16 units. */
static void turn_kernel(const uint16_t *copy, uint16_t *turned)
{
    const __m512i counting = _mm512_set_epi16(31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14,
                                              13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i even = _mm512_slli_epi16(counting, 1), odd = _mm512_or_si512(even, _mm512_set1_epi16(1));
    _Alignas(64) uint16_t units[TILE_NUMBERS]; /* line i: the outputs of unit i, then those of unit 16 + i */
    for (int pair = 0; pair < 8; pair++) {
        const __m512i upper = _mm512_load_si512(copy + pair * TILE_K);
        const __m512i lower = _mm512_load_si512(copy + (pair + 8) * TILE_K);
        _mm512_store_si512(units + 2 * pair * TILE_K, _mm512_permutex2var_epi16(upper, even, lower));
        _mm512_store_si512(units + (2 * pair + 1) * TILE_K, _mm512_permutex2var_epi16(upper, odd, lower));
    }
    transpose_words(units, turned);
}

/* 32 x 32 sums with relu's derivative: where the layer's output x is not above 0, or is NaN, there is no
 * gradient. */
static void finish_square(const float *sums, const uint16_t *x, int64_t x_line, uint16_t *tiles)
{
    const __m512i interleave = interleaving(), one = _mm512_set1_epi16(1), infinity = _mm512_set1_epi16(0x7f80);
    for (int pair = 0; pair < SAMPLES / 2; pair++, sums += 2 * UNITS) {
        const uint16_t *line = x + (pair >= 8 ? x_line : 0) + pair % 8 * 2 * TILE_K;
        const __m512i a = _mm512_sub_epi16(_mm512_load_si512(line), one);
        const __m512i b = _mm512_sub_epi16(_mm512_load_si512(line + TILE_K), one);
        const __mmask32 even = _mm512_cmplt_epu16_mask(a, infinity), odd = _mm512_cmplt_epu16_mask(b, infinity);
        for (int half = 0; half < 2; half++) {
            const __m512 first = _mm512_maskz_load_ps((__mmask16)(even >> 16 * half), sums + 16 * half);
            const __m512 second = _mm512_maskz_load_ps((__mmask16)(odd >> 16 * half), sums + UNITS + 16 * half);
            _mm512_store_si512(tiles + half * TILE_NUMBERS + pair * TILE_K,
                               _mm512_permutexvar_epi16(interleave, round_two(first, second)));
        }
    }
}

void cn__amx_hidden_backward_input(const cn__dense *last, const cn__bf16 *bf16, const float *dy)
{
    const int64_t steps = last->inputs / UNITS, x_line = steps * TILE_NUMBERS;
    uint16_t *turned = bf16->memory;
    _Alignas(64) uint16_t left[2][TILE_NUMBERS];
    _Alignas(64) float squares[2][SAMPLES * UNITS];
    for (int64_t k = 0; k < steps; k++) turn_kernel(bf16->copy + k * TILE_NUMBERS, turned + k * TILE_NUMBERS);
    cn__tiles_open_for(TERMS);
    for (int64_t row = 0; row < last->rows; row += SAMPLES) {
        const uint16_t *x = bf16->x_tiles + row * last->inputs;
        uint16_t *to = bf16->dx_tiles + row * last->inputs;
        for (int half = 0; half < 2; half++)
            pack_rows(dy + (row + half * TILE_LINES) * last->outputs, last->outputs,
                      last->rows - row - half * TILE_LINES, last->outputs, left[half]);
        _tile_loadd(4, left[0], 64);
        _tile_loadd(5, left[1], 64);
        for (int64_t k = 0; k <= steps; k++) { /* a square is finished while the next one multiplies */
            if (k < steps) {
                const int step = UNITS * (int)sizeof(float);
                float *sums = squares[k % 2];
                _tile_zero(0);
                _tile_zero(1);
                _tile_zero(2);
                _tile_zero(3);
                _tile_loadd(6, turned + k * TILE_NUMBERS, 64);
                _tile_loadd(7, turned + k * TILE_NUMBERS + TERMS / 2 * TILE_K, 64);
                _tile_dpbf16ps(0, 4, 6);
                _tile_dpbf16ps(1, 4, 7);
                _tile_dpbf16ps(2, 5, 6);
                _tile_dpbf16ps(3, 5, 7);
                _tile_stored(0, sums, step);
                _tile_stored(1, sums + 16, step);
                _tile_stored(2, sums + 16 * UNITS, step);
                _tile_stored(3, sums + 16 * UNITS + 16, step);
            }
            if (k > 0)
                finish_square(squares[(k - 1) % 2], x + (k - 1) * TILE_NUMBERS, x_line,
                              to + 2 * (k - 1) * TILE_NUMBERS);
        }
    }
    cn__tiles_close();
}

typedef struct bias_gradient {
    const cn__dense *hidden;
    const uint16_t *gradients;
    const cn__sink *sink;
} bias_gradient;

#define AT_ONCE 8 /* tiles side by side */

static void bias_columns(void *context, int thread, int64_t begin, int64_t end)
{
    const bias_gradient *g = context;
    const int64_t units = g->hidden->outputs, tiles = units / TILE_LINES;
    (void)thread;
    for (int64_t first = begin * AT_ONCE; first < end * AT_ONCE && first < tiles; first += AT_ONCE) {
        const int n = (int)(tiles - first < AT_ONCE ? tiles - first : AT_ONCE);
        _Alignas(64) float sums[AT_ONCE * 16];
        __m512 sum[AT_ONCE];
        for (int t = 0; t < AT_ONCE; t++) sum[t] = _mm512_setzero_ps();
        for (int64_t row = 0; row < g->hidden->rows; row += SAMPLES)
            for (int pair = 0; pair < SAMPLES / 2; pair++) {
                const uint16_t *line = g->gradients + row * units + first * TILE_NUMBERS + pair * TILE_K;
                for (int t = 0; t < AT_ONCE; t++) {
                    if (t >= n) break;
                    const __m512i both = _mm512_load_si512(line + t * TILE_NUMBERS);
                    sum[t] = _mm512_add_ps(sum[t], even_of_pairs(both));
                    sum[t] = _mm512_add_ps(sum[t], odd_of_pairs(both));
                }
            }
        for (int t = 0; t < AT_ONCE; t++) _mm512_store_ps(sums + t * 16, sum[t]);
        cn__sink_row(g->sink, 0, first * TILE_LINES, (int64_t)n * TILE_LINES, sums);
    }
}

void cn__amx_hidden_bias(const cn__dense *hidden, const uint16_t *gradients, const cn__sink *sink)
{
    const int64_t tiles = hidden->outputs / TILE_LINES;
    cn__parallel(hidden->pool, (tiles + AT_ONCE - 1) / AT_ONCE, bias_columns,
                 &(bias_gradient){hidden, gradients, sink});
}

#else
typedef int no_hidden_tiles_in_this_engine;
#endif
