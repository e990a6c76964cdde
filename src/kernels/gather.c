#include "kernels/gather.h"

#include "kernels/amx_bytes.h"
#include "kernels/gather_lists.h"
#include "kernels/gather_sparse.h"
#include "kernels/gather_tiles.h"

#include <stdatomic.h>
#include <string.h>

typedef struct job {
    const cn__source *source;
    const cn__choice *choice;
    void *out;
    real table[256];      /* value of each byte */
} job;

static void fill_table(job *j)
{
    if (j->source->stored != CN__STORED_U8) return;
    for (int i = 0; i < 256; i++) j->table[i] = (real)(i * j->source->scale);
}

static void convert_row(const job *j, const void *row, real *out)
{
    int64_t n = j->source->columns;
    double scale = j->source->scale;
    switch (j->source->stored) {
    case CN__STORED_U8: {
        const uint8_t *x = row;
        for (int64_t i = 0; i < n; i++) out[i] = j->table[x[i]];
        break;
    }
    case CN__STORED_I32: {
        const int32_t *x = row;
        for (int64_t i = 0; i < n; i++) out[i] = (real)(x[i] * scale);
        break;
    }
    case CN__STORED_I64: {
        const int64_t *x = row;
        for (int64_t i = 0; i < n; i++) out[i] = (real)((double)x[i] * scale);
        break;
    }
    case CN__STORED_F32: {
        const float *x = row;
        if (scale == 1)
            for (int64_t i = 0; i < n; i++) out[i] = x[i];
        else
            for (int64_t i = 0; i < n; i++) out[i] = (real)((double)x[i] * scale);
        break;
    }
    default: {
        const double *x = row;
        for (int64_t i = 0; i < n; i++) out[i] = (real)(x[i] * scale);
    }
    }
}

static const size_t stored_bytes[] = {1, 4, 8, 4, 8};

static const void *source_row(const job *j, int64_t i)
{
    const cn__source *s = j->source;
    return (const char *)s->data + (size_t)(cn__choice_row(j->choice, i) * s->columns) * stored_bytes[s->stored];
}

static void dense_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    (void)thread;
    for (int64_t i = begin; i < end; i++) convert_row(j, source_row(j, i), (real *)j->out + i * j->source->columns);
}

#define FEW_NUMBERS 4096 /* so many are converted before a team has come together */

static void dense(cn__pool *pool, const cn__source *source, const cn__choice *choice, void *out)
{
    job j = {.source = source, .choice = choice, .out = out};
    fill_table(&j);
    if (choice->n * source->columns < FEW_NUMBERS) dense_rows(&j, 0, 0, choice->n);
    else cn__parallel(pool, choice->n, dense_rows, &j);
}

#if CN_REAL_BITS == 32

typedef struct encoding {
    job rows;
    double scale;
    uint8_t *codes;
    atomic_int failed;
} encoding;

/* 1 if any of n numbers has no code. Written so that a NaN has none, and without branches, so that it becomes
 * vectors. */
static int encode_numbers(const float *x, int64_t n, double scale, uint8_t *codes)
{
    const float per_code = (float)(1 / scale);
    int bad = 0;
    for (int64_t i = 0; i < n; i++) {
        float nearest = x[i] * per_code + 0.5f;
        int code = (int)(nearest > 0 && nearest < 256 ? nearest : 0);
        bad |= !((float)((double)code * scale) == x[i]);
        codes[i] = (uint8_t)code;
    }
    return bad;
}

#define NUMBERS_AT_ONCE 1024

static void encode_rows(void *context, int thread, int64_t begin, int64_t end)
{
    encoding *e = context;
    const cn__source *s = e->rows.source;
    float numbers[NUMBERS_AT_ONCE];
    (void)thread;
    for (int64_t i = begin; i < end && !atomic_load_explicit(&e->failed, memory_order_relaxed); i++) {
        const char *row = source_row(&e->rows, i);
        for (int64_t c = 0; c < s->columns; c += NUMBERS_AT_ONCE) {
            cn__source part = *s;
            part.columns = s->columns - c < NUMBERS_AT_ONCE ? s->columns - c : NUMBERS_AT_ONCE;
            const void *stored = row + (size_t)c * stored_bytes[s->stored];
            job piece = {.source = &part};
            int is_ready = s->stored == CN__STORED_F32 && s->scale == 1;
            if (!is_ready) convert_row(&piece, stored, numbers);
            if (encode_numbers(is_ready ? stored : numbers, part.columns, e->scale, e->codes + i * s->columns + c))
                atomic_store_explicit(&e->failed, 1, memory_order_relaxed);
        }
    }
}

static int encode(cn__pool *pool, const cn__source *source, double scale, uint8_t *codes)
{
    if (!(scale > 0)) return 0;
    const cn__choice all = {.n = source->rows};
    encoding e = {.rows = {.source = source, .choice = &all}, .scale = scale, .codes = codes};
    if (pool) cn__parallel(pool, source->rows, encode_rows, &e);
    else encode_rows(&e, 0, 0, source->rows);
    return !atomic_load(&e.failed);
}

#if CN__GATHER_TILES
static void digits(cn__pool *pool, const void *kernel, int64_t inputs, int64_t outputs, int64_t stride,
                   const cn__digits *made)
{
    cn__amx_bytes_digits(&(cn__dense){.pool = pool, .inputs = inputs, .outputs = outputs, .kernel = kernel,
                                      .kernel_stride = stride}, made);
}

#define TILES cn__gather_tiles
#define BEGIN_TILES cn__gather_begin_tiles
#define ENCODED_TILES cn__gather_encoded_tiles
#define DIVIDE cn__gather_divide
#define DIGITS digits
#define HALVES cn__gather_halves
#define BEGIN_HALVES cn__gather_begin_halves
#else
#define TILES NULL
#define BEGIN_TILES NULL
#define ENCODED_TILES NULL
#define DIVIDE NULL
#define DIGITS NULL
#define HALVES NULL
#define BEGIN_HALVES NULL
#endif
const cn__gather_math CN_T(cn__gather) = {.dense = dense,
                                          .lists = cn__gather_lists,
                                          .begin_lists = cn__gather_begin_lists,
                                          .tiles = TILES,
                                          .begin_tiles = BEGIN_TILES,
                                          .encoded_tiles = ENCODED_TILES,
                                          .digits = DIGITS,
                                          .divide = DIVIDE,
                                          .halves = HALVES,
                                          .begin_halves = BEGIN_HALVES,
                                          .encode = encode,
                                          .sparse = cn__gather_sparse,
                                          .count_nonzeros = cn__gather_count_nonzeros,
                                          .list_nonzeros = cn__gather_list_nonzeros};
#else
const cn__gather_math CN_T(cn__gather) = {.dense = dense};
#endif
