#include "kernels/amx_bytes.h"

#if CN__AMX_BYTES
#include "kernels/amx_digits.h"

#define WEIGHT_DIGITS 3

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The scale is known only when all terms have been seen, so the one that served last time is tried first; mostly it is
 * right. */
static void make_weight_digits(const cn__digit_columns *c, uint32_t *last_peak, uint8_t *tiles)
{
    for (int is_right = 0; !is_right;) {
        cn__exact_scale guess = cn__exact_scale_of(CN__EXACT_WEIGHTS, *last_peak, 1);
        uint32_t peak = cn__read_columns(c, c->index, &guess, tiles, WEIGHT_DIGITS);
        is_right = peak == *last_peak || (peak < 0x7f800000u && *last_peak < 0x7f800000u &&
                                          cn__exact_exponent(peak) == cn__exact_exponent(*last_peak));
        *last_peak = peak;
    }
}

typedef struct job {
    const cn__dense *d;
    const cn__batch *x;
    const cn__finish *finish;
    real *y;
} job;

/* Memory that is read soon, to be fetched meanwhile, some lines at a time: what comes after the product, and the
 * weights of the next square, `rows` of two lines, which no prefetcher finds. */
typedef struct fetching {
    const char *next, *end;
    int64_t lines;
    const float *weights;
    int64_t stride, row, rows, rows_at_once;
    const uint16_t *index;
} fetching;

static inline void fetch_some(fetching *f)
{
    for (int64_t i = 0; i < f->lines && f->next < f->end; i++, f->next += 64) _mm_prefetch(f->next, _MM_HINT_T1);
    for (int64_t i = 0; i < f->rows_at_once && f->row < f->rows; i++, f->row++) {
        const float *row = f->weights + f->index[f->row] * f->stride;
        _mm_prefetch((const char *)row, _MM_HINT_T1);
        _mm_prefetch((const char *)(row + CN__EXACT_GROUP), _MM_HINT_T1);
    }
}

/* Where another program computes on the other half of a core, tile instructions next to each other take 1.5 times as
 * long as with others in between, be it some that do nothing (docs/speed-log.md). Where none does, these cost
 * nothing. */
#define NOTHING __asm__ volatile("nop; nop; nop; nop; nop; nop; nop; nop")

static inline void multiply_low(const int32_t *steps, int64_t n, const uint8_t *a0, const uint8_t *a1,
                                const uint8_t *b0, const uint8_t *b1, fetching *soon)
{
    CN__MULTIPLY_TILES(_tile_dpbuud, _tile_dpbuud, NOTHING, fetch_some(soon))
}

/* The highest digit has a sign. */
static inline void multiply_signed(const int32_t *steps, int64_t n, const uint8_t *a0, const uint8_t *a1,
                                   const uint8_t *b0, const uint8_t *b1, fetching *soon)
{
    CN__MULTIPLY_TILES(_tile_dpbusd, _tile_dpbusd, NOTHING, fetch_some(soon))
}

#define ROWS_AT_ONCE 128
#define SUMS_APART (ROWS_AT_ONCE * CN__EXACT_GROUP) /* sums of one digit and a group's columns */

/* Sixteen columns of y: sums of digits on their way to them. */
typedef struct finishing {
    const float *kernel; /* the columns' first weights */
    float *y;
    int32_t *sums;
    __m512 up, most, high, rest, bias;
    __mmask16 some;
} finishing;

static finishing finishing_of(const job *j, int64_t row, int64_t o, const cn__exact_scale *scale, int32_t *sums)
{
    const __mmask16 some = cn__first_of_16(j->d->outputs - o);
    return (finishing){.kernel = cn__kernel_column(j->d, o),
                       .y = j->y + row * j->d->outputs + o,
                       .sums = sums,
                       .up = _mm512_set1_ps(scale->up),
                       .most = _mm512_set1_ps(scale->most),
                       .high = _mm512_set1_ps(scale->high),
                       .rest = _mm512_set1_ps(scale->rest),
                       .bias = j->finish->bias ? _mm512_maskz_loadu_ps(some, j->finish->bias + o) : _mm512_setzero_ps(),
                       .some = some};
}

/* Digits' sums of a row, to which come those of what no tile holds. */
typedef struct digit_sums {
    __m512i d0, d1, d2;
} digit_sums;

CN__INLINE digit_sums digit_sums_of(const finishing *f, int64_t r)
{
    const int32_t *sums = f->sums + r * CN__EXACT_GROUP;
    return (digit_sums){_mm512_load_si512(sums), _mm512_load_si512(sums + SUMS_APART),
                        _mm512_load_si512(sums + 2 * SUMS_APART)};
}

/* A product has 32 bits: the lower half goes with the lowest digit, the upper one with the highest. */
CN__INLINE void add_rare(const finishing *f, int64_t at, __m512i code, digit_sums *s)
{
    const __m512 w = _mm512_maskz_loadu_ps(f->some, f->kernel + at);
    const __m512i q = _mm512_cvtps_epi32(_mm512_min_ps(_mm512_mul_ps(w, f->up), f->most));
    const __m512i product = _mm512_mullo_epi32(q, code);
    s->d0 = _mm512_add_epi32(s->d0, _mm512_and_si512(product, _mm512_set1_epi32(0xffff)));
    s->d2 = _mm512_add_epi32(s->d2, _mm512_srai_epi32(product, 16));
}

CN__INLINE __m512 weight_value(const finishing *f, const digit_sums *s)
{
    const __m512i low = _mm512_set1_epi32(0xff);
    __m512i d1 = _mm512_add_epi32(s->d1, _mm512_srli_epi32(s->d0, 8));
    __m512i high = _mm512_add_epi32(s->d2, _mm512_srli_epi32(d1, 8));
    __m512i rest = _mm512_and_si512(cn__choose_bits(low, s->d0, _mm512_slli_epi32(d1, 8)), _mm512_set1_epi32(0xffff));
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(high), f->high, _mm512_mul_ps(_mm512_cvtepi32_ps(rest), f->rest));
}

CN__INLINE void finish_row(const finishing *f, const digit_sums *s, int64_t at, const int has_bias, const int relu)
{
    __m512 z = weight_value(f, s);
    if (has_bias) z = _mm512_add_ps(z, f->bias);
    if (relu) z = _mm512_mask_blend_ps(_mm512_cmp_ps_mask(z, _mm512_setzero_ps(), _CMP_LE_OQ), z, _mm512_setzero_ps());
    _mm512_mask_storeu_ps(f->y + at, f->some, z);
}

/* Rows of y for two groups of sixteen columns. Both go through a sample's rare columns in one loop, since the CPU
 * mostly guesses wrong where it ends. */
static void finish_groups(const job *j, int64_t row, int64_t rows, const finishing *first, const finishing *second)
{
    const int64_t outputs = j->d->outputs, stride = j->d->kernel_stride;
    const int has_bias = j->finish->bias != NULL, relu = j->finish->relu;
    const cn__span *spans = j->x->spans ? j->x->spans + row : NULL;
    const cn__ink *entries = j->x->in_spans;
    const finishing a = *first, b = *second;
    for (int64_t r = 0; r < rows; r++) {
        digit_sums of_a = digit_sums_of(&a, r), of_b = digit_sums_of(&b, r);
        for (uint32_t i = 0, n = spans ? spans[r].count : 0; i < n; i++) {
            const cn__ink *entry = &entries[spans[r].first + i];
            const __m512i code = _mm512_set1_epi32(entry->codes[0]);
            add_rare(&a, entry->index * stride, code, &of_a);
            add_rare(&b, entry->index * stride, code, &of_b);
        }
        finish_row(&a, &of_a, r * outputs, has_bias, relu);
        finish_row(&b, &of_b, r * outputs, has_bias, relu);
    }
}

/* Places of the tiles where either of two neighbouring lines of tiles has ink. */
static int64_t filled_steps(const uint8_t *filled, int64_t steps, int32_t places[CN__MOST_TILE_STEPS])
{
    int64_t n = 0;
    for (int64_t k = 0; k < steps; k++) {
        places[n] = (int32_t)k * CN__TILE_BYTES;
        n += filled[k] | filled[steps + k];
    }
    return n;
}

/* Rows row ... row+n-1, and where each CN__SQUARE of them has tiles with ink. */
typedef struct inked_rows {
    int64_t row, n, n_places[ROWS_AT_ONCE / CN__SQUARE];
    int32_t places[ROWS_AT_ONCE / CN__SQUARE][CN__MOST_TILE_STEPS];
} inked_rows;

static void find_ink(const cn__batch *x, int64_t row, inked_rows *rows)
{
    const int64_t steps = cn__tile_steps(x->columns);
    rows->row = row;
    rows->n = smaller(ROWS_AT_ONCE, x->rows - row);
    for (int64_t r = 0; r < rows->n; r += CN__SQUARE)
        rows->n_places[r / CN__SQUARE] =
            filled_steps(x->sample_filled + (row + r) / 16 * steps, steps, rows->places[r / CN__SQUARE]);
}

/* Two right factors, say two digits of a group: their tiles stay in the level-1 cache meanwhile. */
static void forward_pair(const job *j, const inked_rows *rows, const uint8_t *b0, const uint8_t *b1, int have_signs,
                         int32_t *sums0, int32_t *sums1, fetching *soon)
{
    const int64_t apart = cn__tile_steps(j->x->columns) * CN__TILE_BYTES;
    for (int64_t r = 0; r < rows->n; r += CN__SQUARE) {
        const uint8_t *a = j->x->sample_tiles + (rows->row + r) / 16 * apart;
        const int32_t *places = rows->places[r / CN__SQUARE];
        const int64_t n = rows->n_places[r / CN__SQUARE];
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

/* Digits of CN__SQUARE columns from o on. */
static void make_square(const cn__dense *d, int64_t o, const terms *t, uint32_t peaks[2], uint8_t *tiles)
{
    const int64_t steps = cn__tile_steps(t->n);
    for (int g = 0; g < 2; g++) {
        cn__digit_columns c = {.w = cn__kernel_column(d, o) + g * 16, .stride = d->kernel_stride, .terms = t->n,
                     .steps = steps, .some = cn__first_of_16(d->outputs - o - g * 16), .index = t->index,
                     .used = t->used, .others = t->others, .n_others = t->n_others};
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
        make_square(j->d, s * CN__SQUARE, &t, &to->peaks[2 * s],
                    to->tiles + cn__digits_bytes(to->terms, s * CN__SQUARE));
}

void cn__amx_bytes_digits(const cn__dense *d, const cn__digits *digits)
{
    digits_job j = {.d = d, .digits = digits};
    cn__parallel(d->pool, (d->outputs + CN__SQUARE - 1) / CN__SQUARE, digits_tasks, &j);
}

/* Kernels that the level-2 caches of the team do not hold. */
static int is_large(const cn__dense *d)
{
    return d->inputs * d->outputs * (int64_t)sizeof(float) > cn__pool_threads(d->pool) * cn__pool_caches(d->pool)[1];
}

/* How many tile places there are in a square, at most. */
static int64_t places_in_square(const cn__batch *x)
{
    return WEIGHT_DIGITS * cn__tile_steps(x->columns) * ((x->rows + CN__SQUARE - 1) / CN__SQUARE);
}

static void fetch_weights(const job *j, int64_t o, const terms *t, fetching *soon)
{
    soon->weights = cn__kernel_column(j->d, o);
    soon->stride = j->d->kernel_stride;
    soon->index = t->index;
    soon->row = 0;
    soon->rows = t->n;
    soon->rows_at_once = t->n / places_in_square(j->x) + 1;
}

/* CN__SQUARE columns of y from o on. */
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
    if (!ready && is_large(j->d) && o + CN__SQUARE < j->d->outputs) fetch_weights(j, o + CN__SQUARE, t, soon);
    for (int g = 0; g < 2; g++)
        scale[g] = cn__exact_scale_of(CN__EXACT_WEIGHTS, (ready ? ready->peaks : j->x->last_peaks)[o / 16 + g],
                                      j->x->scale);
    for (int64_t row = 0; row < j->x->rows; row += ROWS_AT_ONCE) {
        find_ink(j->x, row, rows);
        forward_pair(j, rows, tiles, tiles + apart, 0, sums, sums + SUMS_APART, soon);
        forward_pair(j, rows, other_tiles, other_tiles + apart, 0, other_sums, other_sums + SUMS_APART, soon);
        forward_pair(j, rows, tiles + 2 * apart, other_tiles + 2 * apart, 1, sums + 2 * SUMS_APART,
                     other_sums + 2 * SUMS_APART, soon);
        const finishing first = finishing_of(j, row, o, &scale[0], sums);
        const finishing second = finishing_of(j, row, o + 16, &scale[1], other_sums);
        finish_groups(j, row, rows->n, &first, &second);
    }
}

/* As many lines at a time as bring all of it in the time of so many squares. */
static fetching fetch_soon(const job *j, int64_t squares)
{
    const cn__batch *x = j->x;
    int64_t times = squares * places_in_square(x);
    return (fetching){.next = x->soon, .end = x->soon ? x->soon + x->soon_bytes : NULL,
                      .lines = x->soon && times ? x->soon_bytes / 64 / times + 1 : 0};
}

static void forward_tasks(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    uint64_t used[CN__MOST_TILE_STEPS];
    for (int64_t step = 0; !j->x->digits && step < cn__tile_steps(j->x->columns); step++)
        used[step] = cn__inked_columns(j->x, step);
    const terms t = {.n = j->x->columns, .n_others = j->x->n_rare, .index = j->x->index, .others = j->x->rare,
                     .used = used, .exponents = j->x->rare_exponents};
    inked_rows rows;
    fetching soon = fetch_soon(j, end - begin);
    cn__tiles_open();
    for (int64_t task = begin; task < end; task++)
        forward_square(j, task * CN__SQUARE, &t, cn__pool_scratch(j->d->pool, thread),
                       cn__pool_strip(j->d->pool, thread), &rows, &soon);
    cn__tiles_close();
}

void cn__amx_bytes_forward(const cn__dense *d, const cn__batch *x, const cn__finish *finish, real *y)
{
    job j = {.d = d, .x = x, .finish = finish, .y = y};
    cn__parallel(d->pool, (d->outputs + CN__SQUARE - 1) / CN__SQUARE, forward_tasks, &j);
    if (x->rare_exponents && !x->digits) x->rare_exponents->are_known = 1;
}

#else
typedef int no_byte_tiles_forward_in_this_engine;
#endif
