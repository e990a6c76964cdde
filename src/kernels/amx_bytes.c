#include "kernels/amx_bytes.h"

#if CN__AMX_BYTES
#include "kernels/amx_tiles.h"
#include "kernels/coming.h"
#include "kernels/exact.h"
#include "kernels/rmsprop.h"
#include "kernels/sink_row.h"

#include <immintrin.h>

/* Whole numbers as digits to the base 256, of which the highest has a sign: three of a weight, four of a gradient. */
#define WEIGHT_DIGITS 3
#define GRADIENT_DIGITS 4
#define SQUARE 32 /* two tiles side by side */

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static __mmask16 first_of_16(int64_t n)
{
    if (n >= 16) return 0xffff;
    return (__mmask16)(n > 0 ? (1u << n) - 1 : 0);
}

/* Where m has a 1, a; elsewhere b. */
static inline __m512i choose(__m512i m, __m512i a, __m512i b)
{
    return _mm512_ternarylogic_epi32(m, a, b, 0xca);
}

/* Digits of a right factor with sixteen columns stand in tiles (digit, step) of 64 terms, four terms of a column side by
 * side. This puts four terms into a line of each digit's tile. */
static inline void store_digits(const __m512i q[4], uint8_t *line, int64_t tiles_apart, const int digits)
{
    const __m512i bytes = _mm512_set1_epi32(0x00ff00ff), words = _mm512_set1_epi32(0x0000ffff);
    __m512i even01 = choose(bytes, q[0], _mm512_slli_epi32(q[1], 8));
    __m512i odd01 = choose(bytes, _mm512_srli_epi32(q[0], 8), q[1]);
    __m512i even23 = choose(bytes, q[2], _mm512_slli_epi32(q[3], 8));
    __m512i odd23 = choose(bytes, _mm512_srli_epi32(q[2], 8), q[3]);
    _mm512_store_si512(line, choose(words, even01, _mm512_slli_epi32(even23, 16)));
    _mm512_store_si512(line + tiles_apart, choose(words, odd01, _mm512_slli_epi32(odd23, 16)));
    _mm512_store_si512(line + 2 * tiles_apart, choose(words, _mm512_srli_epi32(even01, 16), even23));
    if (digits == 4) _mm512_store_si512(line + 3 * tiles_apart, choose(words, _mm512_srli_epi32(odd01, 16), odd23));
}

static inline __m512i magnitude(__m512 w)
{
    return _mm512_and_si512(_mm512_castps_si512(w), _mm512_set1_epi32(0x7fffffff));
}

/* Sixteen columns of a right factor, whose rows are `stride` apart. Term t is row index[t] (index NULL: row t); bit t of
 * used[t / 64] tells whether it is multiplied by anything but 0 (used NULL: all are), and if not, its digits may be
 * anything. The rows in `others` are no terms, but belong to the group whose scale is wanted; their exponents, if they are
 * kept, are read or filled in. */
typedef struct columns {
    const float *w;
    int64_t stride, terms, steps;
    __mmask16 some;
    const uint16_t *index;
    const uint64_t *used;
    const uint16_t *others;
    int64_t n_others;
    uint8_t *exponents;
    int are_known;
} columns;

static inline __m512i peak_of_rows(const columns *c, const uint16_t *index, int64_t begin, int64_t end, __m512i peak)
{
    for (int64_t t = begin; t < end; t++) {
        const float *w = c->w + (index ? index[t] : t) * c->stride;
        peak = _mm512_max_epu32(peak, magnitude(_mm512_maskz_loadu_ps(c->some, w)));
    }
    return peak;
}

/* The exponent bits of the largest of sixteen magnitudes. */
static inline uint8_t exponent_of(__m512i magnitudes)
{
    return (uint8_t)(_mm512_reduce_max_epu32(magnitudes) >> 23);
}

/* Of the others: the exponent decides. */
static inline __m512i peak_of_others(const columns *c)
{
    if (!c->exponents) return peak_of_rows(c, c->others, 0, c->n_others, _mm512_setzero_si512());
    for (int64_t i = 0; i < c->n_others && !c->are_known; i++)
        c->exponents[i] = exponent_of(peak_of_rows(c, c->others, i, i + 1, _mm512_setzero_si512()));
    uint8_t most = 0;
    for (int64_t i = 0; i < c->n_others; i++) most = c->exponents[i] > most ? c->exponents[i] : most;
    return _mm512_set1_epi32((int)most << 23);
}

/* The largest magnitude among all terms and others, or one of the same exponent; of the terms in use, the digits on the given scale too. */
static inline uint32_t read_columns(const columns *c, const uint16_t *index, const cn__exact_scale *scale, uint8_t *tiles,
                                    const int digits)
{
    const __m512 up = _mm512_set1_ps(scale->up), most = _mm512_set1_ps(scale->most);
    const int64_t apart = c->steps * CN__TILE_BYTES;
    __m512i peak = peak_of_others(c);
    for (int64_t t = 0; t < c->terms; t += 4) {
        unsigned use = c->used ? (unsigned)(c->used[t / 64] >> t % 64) & 15 : 15;
        if (!use) {
            peak = peak_of_rows(c, index, t, smaller(t + 4, c->terms), peak);
            continue;
        }
        __m512i q[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            const int is_there = t + i < c->terms;
            const float *w = c->w + (!is_there ? 0 : index ? index[t + i] : t + i) * c->stride;
            __m512 v = _mm512_maskz_loadu_ps(is_there ? c->some : 0, w);
            peak = _mm512_max_epu32(peak, magnitude(v));
            q[i] = _mm512_cvtps_epi32(_mm512_min_ps(_mm512_mul_ps(v, up), most));
        }
        store_digits(q, tiles + t * 16, apart, digits);
    }
    return _mm512_reduce_max_epu32(peak);
}

/* The scale is known only when all terms have been seen, so the one that served last time is tried first; mostly it is
 * right. */
static void make_weight_digits(const columns *c, uint32_t *last_peak, uint8_t *tiles)
{
    for (int is_right = 0; !is_right;) {
        cn__exact_scale guess = cn__exact_scale_of(CN__EXACT_WEIGHTS, *last_peak, 1);
        uint32_t peak = read_columns(c, c->index, &guess, tiles, WEIGHT_DIGITS);
        is_right = peak == *last_peak || (peak < 0x7f800000u && *last_peak < 0x7f800000u &&
                                          cn__exact_exponent(peak) == cn__exact_exponent(*last_peak));
        *last_peak = peak;
    }
}

static uint32_t peak_of(const columns *c)
{
    return _mm512_reduce_max_epu32(peak_of_rows(c, NULL, 0, c->terms, _mm512_setzero_si512()));
}

static uint64_t inked_columns(const cn__batch *x, int64_t step)
{
    uint64_t inked = 0;
    for (int64_t s = 0; s < cn__tile_steps(x->rows); s++) inked |= x->inked[s * cn__tile_steps(x->columns) + step];
    return inked;
}

/* --- forward ------------------------------------------------------------------------------------------------------- */

typedef struct job {
    const cn__dense *d;
    const cn__batch *x;
    const cn__finish *finish;
    real *y;
    const real *dy;
    const cn__sink *sink;
    int64_t groups; /* backward: each strip of columns is cut into so many tasks */
} job;

/* Four accumulators, two tiles a on the left and two tiles b on the right, so that each tile loaded is used twice.
 * `steps` are n places of tiles, in bytes: blank ones are left out. Tile instructions leave the vector units idle:
 * `between` is work for them after each instruction, `behind` after each place. */
#define MULTIPLY(first, second, between, behind)                                                                     \
    _tile_zero(0);                                                                                                   \
    _tile_zero(1);                                                                                                   \
    _tile_zero(2);                                                                                                   \
    _tile_zero(3);                                                                                                   \
    for (int64_t i = 0; i < n; i++) {                                                                                \
        const int64_t at = steps[i];                                                                                 \
        _tile_loadd(6, b0 + at, 64);                                                                                 \
        between;                                                                                                     \
        _tile_loadd(4, a0 + at, 64);                                                                                 \
        between;                                                                                                     \
        _tile_loadd(7, b1 + at, 64);                                                                                 \
        between;                                                                                                     \
        _tile_loadd(5, a1 + at, 64);                                                                                 \
        between;                                                                                                     \
        first(0, 4, 6);                                                                                              \
        between;                                                                                                     \
        second(1, 4, 7);                                                                                             \
        between;                                                                                                     \
        first(2, 5, 6);                                                                                              \
        between;                                                                                                     \
        second(3, 5, 7);                                                                                             \
        between;                                                                                                     \
        behind;                                                                                                      \
    }

/* Memory that is read soon, to be fetched meanwhile, some lines at a time. */
typedef struct fetching {
    const char *next, *end;
    int64_t lines;
} fetching;

static inline void fetch_some(fetching *f)
{
    for (int64_t i = 0; i < f->lines && f->next < f->end; i++, f->next += 64) _mm_prefetch(f->next, _MM_HINT_T1);
}

static inline void multiply_low(const int32_t *steps, int64_t n, const uint8_t *a0, const uint8_t *a1,
                                const uint8_t *b0, const uint8_t *b1, fetching *soon)
{
    MULTIPLY(_tile_dpbuud, _tile_dpbuud, (void)0, fetch_some(soon))
}

/* The highest digit has a sign. */
static inline void multiply_signed(const int32_t *steps, int64_t n, const uint8_t *a0, const uint8_t *a1,
                                   const uint8_t *b0, const uint8_t *b1, fetching *soon)
{
    MULTIPLY(_tile_dpbusd, _tile_dpbusd, (void)0, fetch_some(soon))
}

#define ROWS_AT_ONCE 128
#define GRADIENT_APART (SQUARE * CN__EXACT_GROUP) /* sums of one digit */
#define SUMS_APART (ROWS_AT_ONCE * CN__EXACT_GROUP) /* sums of one digit and a group's columns */

/* high + rest are the sums of whole numbers. Digits that overflow their byte are carried into the next one. */
static inline __m512 value(__m512i high, __m512i rest, const cn__exact_scale *scale)
{
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(high), _mm512_set1_ps(scale->high),
                           _mm512_mul_ps(_mm512_cvtepi32_ps(rest), _mm512_set1_ps(scale->rest)));
}

static inline __m512 weight_value(const int32_t *sums, const cn__exact_scale *scale)
{
    const __m512i low = _mm512_set1_epi32(0xff);
    __m512i d0 = _mm512_load_si512(sums);
    __m512i d1 = _mm512_add_epi32(_mm512_load_si512(sums + SUMS_APART), _mm512_srli_epi32(d0, 8));
    __m512i high = _mm512_add_epi32(_mm512_load_si512(sums + 2 * SUMS_APART), _mm512_srli_epi32(d1, 8));
    __m512i rest = choose(low, d0, _mm512_slli_epi32(d1, 8));
    return value(high, _mm512_and_si512(rest, _mm512_set1_epi32(0xffff)), scale);
}

static inline __m512 gradient_value(const int32_t *sums, const cn__exact_scale *scale)
{
    /* the lowest byte of d1 becomes the second one of rest, that of d2 the third; the fourth is 0 */
    const __m512i second = _mm512_set4_epi32((int)0x80000c00, (int)0x80000800, (int)0x80000400, (int)0x80000000);
    const __m512i third = _mm512_set4_epi32(0xc0000, 0x80000, 0x40000, 0);
    __m512i d0 = _mm512_load_si512(sums);
    __m512i d1 = _mm512_add_epi32(_mm512_load_si512(sums + GRADIENT_APART), _mm512_srli_epi32(d0, 8));
    __m512i d2 = _mm512_add_epi32(_mm512_load_si512(sums + 2 * GRADIENT_APART), _mm512_srli_epi32(d1, 8));
    __m512i high = _mm512_add_epi32(_mm512_load_si512(sums + 3 * GRADIENT_APART), _mm512_srli_epi32(d2, 8));
    __m512i rest = _mm512_mask_shuffle_epi8(d0, 0xaaaaaaaaaaaaaaaa, d1, second);
    return value(high, _mm512_mask_shuffle_epi8(rest, 0x4444444444444444, d2, third), scale);
}

/* Rare columns: to the digits' sums of a sample comes what its tiles do not hold. A product has 32 bits: the lower half
 * goes with the lowest digit, the upper one with the highest. */
static inline void add_rare(const job *j, const cn__span *span, int64_t o, const cn__exact_scale *scale, int32_t *sums)
{
    const cn__batch *x = j->x;
    const __m512 up = _mm512_set1_ps(scale->up), most = _mm512_set1_ps(scale->most);
    const __mmask16 some = first_of_16(j->d->outputs - o);
    const float *kernel = cn__kernel_column(j->d, o);
    __m512i low = _mm512_load_si512(sums), high = _mm512_load_si512(sums + 2 * SUMS_APART);
    for (const cn__ink *entry = x->in_spans + span->first, *end = entry + span->count; entry < end; entry++) {
        const float *row = kernel + entry->index * j->d->kernel_stride;
        const __m512 w = _mm512_maskz_loadu_ps(some, row);
        _mm_prefetch((const char *)(row + CN__EXACT_GROUP), _MM_HINT_T0); /* for the next group */
        const __m512i q = _mm512_cvtps_epi32(_mm512_min_ps(_mm512_mul_ps(w, up), most));
        const __m512i product = _mm512_mullo_epi32(q, _mm512_set1_epi32(entry->codes[0]));
        low = _mm512_add_epi32(low, _mm512_and_si512(product, _mm512_set1_epi32(0xffff)));
        high = _mm512_add_epi32(high, _mm512_srai_epi32(product, 16));
    }
    _mm512_store_si512(sums, low);
    _mm512_store_si512(sums + 2 * SUMS_APART, high);
}

/* Rows row ... row+rows-1 of a group's sixteen columns of y from the digits' sums. */
static void finish_group(const job *j, int64_t row, int64_t rows, int64_t o, const cn__exact_scale *scale, int32_t *sums)
{
    const int64_t outputs = j->d->outputs;
    const int has_bias = j->finish->bias != NULL, relu = j->finish->relu;
    const __mmask16 some = first_of_16(outputs - o);
    const __m512 bias = has_bias ? _mm512_maskz_loadu_ps(some, j->finish->bias + o) : _mm512_setzero_ps();
    const cn__exact_scale by = *scale;
    const cn__span *spans = j->x->spans ? j->x->spans + row : NULL;
    float *y = j->y + row * outputs + o;
    for (int64_t r = 0; r < rows; r++, y += outputs) {
        if (spans && spans[r].count) add_rare(j, &spans[r], o, &by, sums + r * CN__EXACT_GROUP);
        __m512 z = weight_value(sums + r * CN__EXACT_GROUP, &by);
        if (has_bias) z = _mm512_add_ps(z, bias);
        if (relu) z = _mm512_mask_blend_ps(_mm512_cmp_ps_mask(z, _mm512_setzero_ps(), _CMP_LE_OQ), z, _mm512_setzero_ps());
        _mm512_mask_storeu_ps(y, some, z);
    }
}

#define MOST_STEPS (CN__BATCH_MOST_COLUMNS / CN__TILE_STEP)

/* Places of the tiles where either of two neighbouring lines of tiles has ink. */
static int64_t filled_steps(const uint8_t *filled, int64_t steps, int32_t places[MOST_STEPS])
{
    int64_t n = 0;
    for (int64_t k = 0; k < steps; k++) {
        places[n] = (int32_t)k * CN__TILE_BYTES;
        n += filled[k] | filled[steps + k];
    }
    return n;
}

/* Rows row ... row+n-1, and where each SQUARE of them has tiles with ink. */
typedef struct inked_rows {
    int64_t row, n, n_places[ROWS_AT_ONCE / SQUARE];
    int32_t places[ROWS_AT_ONCE / SQUARE][MOST_STEPS];
} inked_rows;

static void find_ink(const cn__batch *x, int64_t row, inked_rows *rows)
{
    const int64_t steps = cn__tile_steps(x->columns);
    rows->row = row;
    rows->n = smaller(ROWS_AT_ONCE, x->rows - row);
    for (int64_t r = 0; r < rows->n; r += SQUARE)
        rows->n_places[r / SQUARE] = filled_steps(x->sample_filled + (row + r) / 16 * steps, steps, rows->places[r / SQUARE]);
}

/* Two right factors, say two digits of a group: their tiles stay in the level-1 cache meanwhile. */
static void forward_pair(const job *j, const inked_rows *rows, const uint8_t *b0, const uint8_t *b1, int have_signs,
                         int32_t *sums0, int32_t *sums1, fetching *soon)
{
    const int64_t apart = cn__tile_steps(j->x->columns) * CN__TILE_BYTES;
    for (int64_t r = 0; r < rows->n; r += SQUARE) {
        const uint8_t *a = j->x->sample_tiles + (rows->row + r) / 16 * apart;
        const int32_t *places = rows->places[r / SQUARE];
        const int64_t n = rows->n_places[r / SQUARE];
        if (have_signs) multiply_signed(places, n, a, a + apart, b0, b1, soon);
        else multiply_low(places, n, a, a + apart, b0, b1, soon);
        _tile_stored(0, sums0 + r * 16, 64);
        _tile_stored(1, sums1 + r * 16, 64);
        _tile_stored(2, sums0 + (r + 16) * 16, 64);
        _tile_stored(3, sums1 + (r + 16) * 16, 64);
    }
}

/* Which rows of a kernel are terms of a product, and which are not but count for its scales. */
typedef struct terms {
    int64_t n, n_others;
    const uint16_t *index, *others;
    const uint64_t *used;
    const cn__rare_exponents *exponents;
} terms;

/* Digits of SQUARE columns from o on. */
static void make_square(const cn__dense *d, int64_t o, const terms *t, uint32_t peaks[2], uint8_t *tiles)
{
    const int64_t steps = cn__tile_steps(t->n);
    for (int g = 0; g < 2; g++) {
        columns c = {.w = cn__kernel_column(d, o) + g * 16, .stride = d->kernel_stride, .terms = t->n,
                     .steps = steps, .some = first_of_16(d->outputs - o - g * 16), .index = t->index, .used = t->used,
                     .others = t->others, .n_others = t->n_others};
        if (t->exponents) {
            c.exponents = t->exponents->exponents + (o / 16 + g) * t->n_others;
            c.are_known = t->exponents->are_known;
        }
        make_weight_digits(&c, &peaks[g], tiles + g * WEIGHT_DIGITS * steps * CN__TILE_BYTES);
    }
}

typedef struct digits_job {
    const cn__dense *d;
    const cn__digits *digits;
} digits_job;

static void digits_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const digits_job *j = context;
    const cn__digits *to = j->digits;
    const terms t = {.n = to->terms, .n_others = to->n_rare, .index = to->index, .others = to->rare};
    (void)thread;
    for (int64_t s = begin; s < end; s++)
        make_square(j->d, s * SQUARE, &t, &to->peaks[2 * s], to->tiles + cn__digits_bytes(to->terms, s * SQUARE));
}

void cn__amx_bytes_digits(const cn__dense *d, const cn__digits *digits)
{
    digits_job j = {.d = d, .digits = digits};
    cn__parallel(d->pool, (d->outputs + SQUARE - 1) / SQUARE, digits_tasks, &j);
}

/* SQUARE columns of y from o on. */
static void forward_square(const job *j, int64_t o, const terms *t, uint8_t *scratch, int32_t *sums, inked_rows *rows,
                           fetching *soon)
{
    const int64_t apart = cn__tile_steps(j->x->columns) * CN__TILE_BYTES;
    const cn__digits *ready = j->x->digits;
    const uint8_t *tiles = ready ? ready->tiles + cn__digits_bytes(ready->terms, o) : scratch;
    const uint8_t *other_tiles = tiles + WEIGHT_DIGITS * apart;
    int32_t *const other_sums = sums + WEIGHT_DIGITS * SUMS_APART;
    cn__exact_scale scale[2];
    if (!ready) make_square(j->d, o, t, &j->x->last_peaks[o / 16], scratch);
    for (int g = 0; g < 2; g++)
        scale[g] = cn__exact_scale_of(CN__EXACT_WEIGHTS, (ready ? ready->peaks : j->x->last_peaks)[o / 16 + g], j->x->scale);
    for (int64_t row = 0; row < j->x->rows; row += ROWS_AT_ONCE) {
        find_ink(j->x, row, rows);
        forward_pair(j, rows, tiles, tiles + apart, 0, sums, sums + SUMS_APART, soon);
        forward_pair(j, rows, other_tiles, other_tiles + apart, 0, other_sums, other_sums + SUMS_APART, soon);
        forward_pair(j, rows, tiles + 2 * apart, other_tiles + 2 * apart, 1, sums + 2 * SUMS_APART,
                     other_sums + 2 * SUMS_APART, soon);
        finish_group(j, row, rows->n, o, &scale[0], sums);
        if (o + 16 < j->d->outputs) finish_group(j, row, rows->n, o + 16, &scale[1], other_sums);
    }
}

/* As many lines at a time as bring all of it in the time of so many squares. */
static fetching fetch_soon(const job *j, int64_t squares)
{
    const cn__batch *x = j->x;
    int64_t times = squares * WEIGHT_DIGITS * cn__tile_steps(x->columns) * ((x->rows + SQUARE - 1) / SQUARE);
    return (fetching){.next = x->soon, .end = x->soon ? x->soon + x->soon_bytes : NULL,
                      .lines = x->soon && times ? x->soon_bytes / 64 / times + 1 : 0};
}

static void forward_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    uint64_t used[MOST_STEPS];
    for (int64_t step = 0; !j->x->digits && step < cn__tile_steps(j->x->columns); step++) used[step] = inked_columns(j->x, step);
    const terms t = {.n = j->x->columns, .n_others = j->x->n_rare, .index = j->x->index, .others = j->x->rare, .used = used,
                     .exponents = j->x->rare_exponents};
    inked_rows rows;
    fetching soon = fetch_soon(j, end - begin);
    cn__tiles_open();
    for (int64_t task = begin; task < end; task++)
        forward_square(j, task * SQUARE, &t, cn__pool_scratch(j->d->pool, thread), cn__pool_strip(j->d->pool, thread),
                       &rows, &soon);
    cn__tiles_close();
}

void cn__amx_bytes_forward(const cn__dense *d, const cn__batch *x, const cn__finish *finish, real *y)
{
    job j = {.d = d, .x = x, .finish = finish, .y = y};
    cn__parallel(d->pool, (d->outputs + SQUARE - 1) / SQUARE, forward_tasks, &j);
    if (x->rare_exponents && !x->digits) x->rare_exponents->are_known = 1;
}

/* --- gradient of the kernel ---------------------------------------------------------------------------------------- */

#define STRIP CN__IDLE_COLUMNS /* columns of a task: accounts are kept for them */
#define STRIP_GROUPS (STRIP / CN__EXACT_GROUP)
#define PIECE 64 /* rows of the kernel at a time, as many as a word of `inked` has bits */
#define EVEN UINT64_C(0x5555555555555555) /* rows wait by two, as with lists: a NaN must reach the same rows */
#define SUMS_OF_SQUARE (GRADIENT_DIGITS * GRADIENT_APART)

/* SQUARE rows of a group's sixteen columns. Their digits' sums become gradients, and these go to their sink, while the
 * tiles of the next square multiply. */
typedef struct square {
    const int32_t *sums;
    const cn__exact_scale *scale;
    uint32_t rows;            /* those still to be done, */
    const uint16_t *index;    /* which rows of the kernel they are, */
    __mmask16 some;
    float *weight, *velocity; /* where those begin, of plain RMSprop; */
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
    int turn;
    square last, next; /* the one that is done while the tiles of the next one multiply */
    cn__coming coming;
} gradient_job;

static inline __attribute__((always_inline)) void work_on_a_row(gradient_job *g)
{
    const square *last = &g->last;
    if (!last->rows) return;
    const int64_t r = __builtin_ctz(last->rows), at = last->index[r] * g->sink.stride;
    const __m512 gradient = gradient_value(last->sums + r * CN__EXACT_GROUP, last->scale);
    g->last.rows &= last->rows - 1;
    if (!g->moves) {
        _mm512_store_ps(last->gradient + r * STRIP, gradient);
        return;
    }
    const int64_t next = g->next.index[r] * g->sink.stride;
    _mm_prefetch((const char *)(g->next.weight + next), _MM_HINT_T0);
    _mm_prefetch((const char *)(g->next.velocity + next), _MM_HINT_T0);
    const __m512 w = _mm512_maskz_loadu_ps(last->some, last->weight + at);
    _mm512_mask_storeu_ps(last->weight + at, last->some,
                          cn__rmsprop_move(&g->update, w, gradient, last->some, last->velocity + at));
}

static inline void multiply_low_meanwhile(const int32_t *steps, int64_t n, const uint8_t *a0, const uint8_t *a1,
                                          const uint8_t *b0, const uint8_t *b1, gradient_job *g)
{
    MULTIPLY(_tile_dpbuud, _tile_dpbuud, work_on_a_row(g), (void)0)
}

static inline void multiply_high_meanwhile(const int32_t *steps, int64_t n, const uint8_t *a0, const uint8_t *a1,
                                           const uint8_t *b0, const uint8_t *b1, gradient_job *g)
{
    MULTIPLY(_tile_dpbuud, _tile_dpbusd, work_on_a_row(g), (void)0)
}

/* The sums of the square g->next, which begins at column `row` of the tiles, and meanwhile what is left to do of g->last. */
static void make_sums(gradient_job *g, int64_t row, int64_t group)
{
    const cn__batch *x = g->j->x;
    const int64_t steps = cn__tile_steps(x->rows), apart = steps * CN__TILE_BYTES, words = cn__tile_steps(x->columns);
    const uint8_t *a = x->column_tiles + row / 16 * apart, *digits = g->digits + group * GRADIENT_DIGITS * apart;
    int32_t places[MOST_STEPS], *to = g->sums + g->turn * SUMS_OF_SQUARE;
    int64_t n = 0;
    for (int64_t s = 0; s < steps; s++) {
        places[n] = (int32_t)s * CN__TILE_BYTES;
        n += (uint32_t)(x->inked[s * words + row / PIECE] >> row % PIECE) != 0;
    }
    for (int pair = 0; pair < 2; pair++, digits += 2 * apart, to += 2 * GRADIENT_APART) {
        if (pair == 0) multiply_low_meanwhile(places, n, a, a + apart, digits, digits + apart, g);
        else multiply_high_meanwhile(places, n, a, a + apart, digits, digits + apart, g);
        _tile_stored(0, to, 64);
        _tile_stored(1, to + GRADIENT_APART, 64);
        _tile_stored(2, to + 16 * CN__EXACT_GROUP, 64);
        _tile_stored(3, to + 16 * CN__EXACT_GROUP + GRADIENT_APART, 64);
        cn__fetch_a_line(&g->coming);
    }
}

/* SQUARE rows from `row` on, of which those in `rows` have a gradient. */
static void work_on_square(gradient_job *g, int64_t row, uint32_t rows, int64_t group)
{
    const int64_t at = g->column + group * CN__EXACT_GROUP;
    g->next = (square){.sums = g->sums + g->turn * SUMS_OF_SQUARE,
                       .scale = &g->scales[group],
                       .rows = rows,
                       .index = g->j->x->index + row,
                       .some = first_of_16(g->width - group * CN__EXACT_GROUP)};
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

static void settle_row(const gradient_job *g, int64_t row)
{
    const cn__accounts *accounts = g->sink.accounts;
    if (!accounts) return;
    cn__sink_settle(&g->sink, row, g->column, g->width);
    accounts->settled[g->column / CN__IDLE_COLUMNS * accounts->rows + row]++;
}

static void settle(const gradient_job *g, int64_t row, uint64_t rows)
{
    for (uint64_t left = g->sink.accounts ? rows : 0; left; left &= left - 1)
        settle_row(g, g->j->x->index[row + __builtin_ctzll(left)]);
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
    uint64_t rows = inked_columns(j->x, piece), all = ~(uint64_t)0;
    if (j->x->columns - piece * PIECE < PIECE) all >>= PIECE - (j->x->columns - piece * PIECE);
    return j->sink->accounts ? (rows | (rows & EVEN) << 1 | (rows >> 1 & EVEN)) & all : all;
}

/* A row of the gradient from a list: sums of whole numbers in 64 bits. */
static void rare_gradient(const gradient_job *g, const cn__column *column, float gradient[STRIP])
{
    const job *j = g->j;
    const __m512i low = _mm512_set1_epi64(0xffffff);
    for (int64_t o = 0; o < g->width; o += CN__EXACT_GROUP) {
        const cn__exact_scale *scale = &g->scales[o / CN__EXACT_GROUP];
        const __m512 up = _mm512_set1_ps(scale->up);
        const __mmask16 some = first_of_16(g->width - o);
        __m512i sum[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
        for (int64_t i = 0; i < column->count; i++) {
            const cn__ink entry = j->x->entries[column->first + i];
            const __m512 dy = _mm512_maskz_loadu_ps(some, j->dy + entry.index * j->d->outputs + g->column + o);
            const __m512i q = _mm512_cvtps_epi32(_mm512_mul_ps(dy, up)), code = _mm512_set1_epi64(entry.codes[0]);
            const __m512i halves[2] = {_mm512_cvtepi32_epi64(_mm512_castsi512_si256(q)),
                                       _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(q, 1))};
            for (int h = 0; h < 2; h++) sum[h] = _mm512_add_epi64(sum[h], _mm512_mul_epi32(halves[h], code));
        }
        for (int h = 0; h < 2; h++) {
            __m256 high = _mm512_cvtepi64_ps(_mm512_srai_epi64(sum[h], (unsigned)CN__EXACT_GRADIENTS.low));
            __m256 rest = _mm512_cvtepi64_ps(_mm512_and_si512(sum[h], low));
            _mm256_store_ps(gradient + o + h * 8, _mm256_fmadd_ps(high, _mm256_set1_ps(scale->high),
                                                                  _mm256_mul_ps(rest, _mm256_set1_ps(scale->rest))));
        }
    }
}

/* Weights of rare column i after their update. */
static void keep_exponents(const gradient_job *g, int64_t i, int64_t column)
{
    const cn__batch *x = g->j->x;
    const float *w = (const float *)g->sink.weight + column * g->sink.stride + g->column;
    uint8_t *exponents = x->rare_exponents->exponents + g->column / CN__EXACT_GROUP * x->n_rare + i;
    for (int64_t o = 0; o < g->width; o += CN__EXACT_GROUP, exponents += x->n_rare)
        *exponents = exponent_of(magnitude(_mm512_maskz_loadu_ps(first_of_16(g->width - o), w + o)));
}

/* The share of a task that has the pieces begin ... end-1: of the columns with ink if others may wait, of all if not. */
static void hand_over_rare(const gradient_job *g, int64_t begin, int64_t end)
{
    const cn__batch *x = g->j->x;
    const int64_t pieces = cn__tile_steps(x->columns), n = g->sink.accounts ? x->n_used : x->n_rare;
    _Alignas(64) float gradient[STRIP];
    for (int64_t i = n * begin / pieces, u = 0, place = 0; i < n * end / pieces; i++) {
        cn__column column = {.index = g->sink.accounts ? x->used[i].index : x->rare[i]};
        while (u < x->n_used && x->used[u].index < column.index) u++;
        if (u < x->n_used && x->used[u].index == column.index) column = x->used[u];
        rare_gradient(g, &column, gradient);
        settle_row(g, column.index);
        cn__sink_row(&g->sink, column.index, g->column, g->width, gradient);
        if (!x->rare_exponents) continue;
        while (x->rare[place] != column.index) place++;
        keep_exponents(g, place, column.index);
    }
}

static void strip(const job *j, int64_t o, int64_t begin, int64_t end, uint8_t *tiles, uint8_t *near)
{
    const cn__batch *x = j->x;
    const int64_t steps = cn__tile_steps(x->rows), apart = steps * CN__TILE_BYTES;
    const int64_t width = smaller(STRIP, j->d->outputs - o), groups = (width + 15) / 16;
    cn__exact_scale scales[STRIP_GROUPS];
    for (int64_t group = 0; group < groups; group++) {
        columns c = {.w = j->dy + o + group * 16, .stride = j->d->outputs, .terms = x->rows, .steps = steps,
                     .some = first_of_16(width - group * 16)};
        scales[group] = cn__exact_scale_of(CN__EXACT_GRADIENTS, peak_of(&c), x->scale);
        read_columns(&c, NULL, &scales[group], tiles + group * GRADIENT_DIGITS * apart, GRADIENT_DIGITS);
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
        settle(&g, row, rows);
        for (int64_t group = 0; group < groups; group++) {
            if ((uint32_t)rows) work_on_square(&g, row, (uint32_t)rows, group);
            if (rows >> SQUARE) work_on_square(&g, row + SQUARE, (uint32_t)(rows >> SQUARE), group);
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
typedef int no_byte_tiles_in_this_engine;
#endif
