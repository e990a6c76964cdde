#include "kernels/gather.h"

#include "kernels/real.h"

#include <string.h>

typedef struct job {
    const cn__source *source;
    const cn__choice *choice;
    const cn__batch_memory *memory;
    void *out;
    real table[256]; /* value of each byte */
} job;

static int64_t row_of(const cn__choice *choice, int64_t i)
{
    return choice->picks ? (int64_t)choice->picks[i] : choice->first + i;
}

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
    return (const char *)s->data + (size_t)(row_of(j->choice, i) * s->columns) * stored_bytes[s->stored];
}

static void dense_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    (void)thread;
    for (int64_t i = begin; i < end; i++) convert_row(j, source_row(j, i), (real *)j->out + i * j->source->columns);
}

static void dense(cn__pool *pool, const cn__source *source, const cn__choice *choice, void *out)
{
    job j = {.source = source, .choice = choice, .out = out};
    fill_table(&j);
    cn__parallel(pool, choice->n, dense_rows, &j);
}

#if CN_REAL_BITS == 32

/* Appends the non-zeros among columns c ... stop-1. Every sample has room for all its columns, so samples can be filled
 * side by side and nothing has to be counted first. */
static int32_t append_bytes(const job *j, const uint8_t *bytes, int64_t c, int64_t stop, int32_t at)
{
    const cn__batch_memory *m = j->memory;
    while (c < stop) {
        uint64_t eight = 0;
        size_t some = stop - c < 8 ? (size_t)(stop - c) : 8;
        memcpy(&eight, bytes + c, some);
        /* Ink comes in strokes: most groups of eight are blank. */
        for (size_t i = 0; eight && i < some; i++) {
            m->column[at] = (int32_t)(c + (int64_t)i);
            m->value[at] = j->table[bytes[c + (int64_t)i]];
            at += bytes[c + (int64_t)i] != 0;
        }
        c += (int64_t)some;
    }
    return at;
}

static int32_t append_numbers(const job *j, const real *x, int64_t c, int64_t stop, int32_t at)
{
    const cn__batch_memory *m = j->memory;
    for (; c < stop; c++) {
        m->column[at] = (int32_t)c;
        m->value[at] = x[c];
        at += x[c] != 0;
    }
    return at;
}

static void list_samples(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    const cn__batch_memory *m = j->memory;
    int64_t columns = j->source->columns, blocks = (columns + CN__BLOCK - 1) / CN__BLOCK;
    int is_bytes = j->source->stored == CN__STORED_U8;
    for (int64_t b = begin; b < end; b++) {
        int32_t at = (int32_t)(b * columns);
        const void *row = source_row(j, b);
        real *numbers = (real *)j->out + thread * columns;
        if (!is_bytes) convert_row(j, row, numbers);
        for (int64_t block = 0; block < blocks; block++) {
            int64_t c = block * CN__BLOCK, stop = c + CN__BLOCK < columns ? c + CN__BLOCK : columns;
            m->first[b * (blocks + 1) + block] = at;
            at = is_bytes ? append_bytes(j, row, c, stop, at) : append_numbers(j, numbers, c, stop, at);
        }
        m->first[b * (blocks + 1) + blocks] = at;
    }
}

/* Columns of one block at a time: a block begins at an even column, so no pair is cut. */
static void list_pairs(void *context, int thread, int64_t begin, int64_t end)
{
    const job *j = context;
    const cn__batch_memory *m = j->memory;
    int64_t columns = j->source->columns, rows = j->choice->n, blocks = (columns + CN__BLOCK - 1) / CN__BLOCK;
    int64_t pairs = (columns + 1) / 2, stop = end * (CN__BLOCK / 2) < pairs ? end * (CN__BLOCK / 2) : pairs;
    (void)thread;
    for (int64_t q = begin * (CN__BLOCK / 2); q < stop; q++) m->pair_count[q] = 0;
    for (int64_t b = 0; b < rows; b++) {
        for (int32_t e = m->first[b * (blocks + 1) + begin]; e < m->first[b * (blocks + 1) + end]; e++) {
            int32_t q = m->column[e] >> 1, side = m->column[e] & 1;
            cn__pair_entry *entries = m->pair + q * rows, *last = entries + m->pair_count[q];
            if (side && last > entries && last[-1].row == b) {
                last[-1].values[1] = m->value[e];
            } else {
                last->row = (int32_t)b;
                last->values[side] = m->value[e];
                last->values[1 - side] = 0;
                m->pair_count[q]++;
            }
        }
    }
}

static void sparse(cn__pool *pool, const cn__source *source, const cn__choice *choice, int with_pairs,
                   const cn__batch_memory *memory, cn__batch *batch)
{
    job j = {.source = source, .choice = choice, .memory = memory, .out = memory->numbers};
    int32_t blocks = (int32_t)((source->columns + CN__BLOCK - 1) / CN__BLOCK);
    fill_table(&j);
    cn__parallel(pool, choice->n, list_samples, &j);
    if (with_pairs) cn__parallel(pool, blocks, list_pairs, &j);
    *batch = (cn__batch){.rows = choice->n, .columns = source->columns, .blocks = blocks, .first = memory->first,
                         .column = memory->column, .value = memory->value, .pair_count = memory->pair_count,
                         .pair = memory->pair};
}

const cn__gather_math CN_T(cn__gather) = {dense, sparse};
#else
const cn__gather_math CN_T(cn__gather) = {.dense = dense};
#endif
