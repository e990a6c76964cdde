#include "model/model.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Tiles multiply zeros, too: of MNIST's 784 pixels 448 hold 99 % of the ink. The other 1 % goes into lists, so that seven
 * columns of tiles do instead of thirteen, and gathering a sample reads 448 bytes instead of 784. Sums over bytes being
 * exact, it makes no difference to any result where a number stands. */
#define SAMPLED_ROWS 2048
#define MOST_ENTRIES_A_STEP 2 /* rare entries of a row that take about as long as a step of tiles */
#define TASKS_A_THREAD 4

static const char what[] = "the inputs, divided by columns";

/* Columns 2q and 2q+1: rows may wait by two (kernels/sink.h). */
typedef struct column_pair {
    uint32_t ink, q;
} column_pair;

static int more_ink_first(const void *a, const void *b)
{
    const column_pair *x = a, *y = b;
    if (x->ink != y->ink) return x->ink < y->ink ? 1 : -1;
    return x->q < y->q ? -1 : x->q > y->q;
}

/* Of some rows. */
static void count_ink(const cn__source *x, int64_t rows, column_pair *pairs)
{
    int64_t n = x->columns / 2;
    for (int64_t q = 0; q < n; q++) pairs[q] = (column_pair){0, (uint32_t)q};
    for (int64_t r = 0; r < rows; r++) {
        const uint8_t *codes = x->codes + x->rows * r / rows * x->columns;
        for (int64_t q = 0; q < n; q++) pairs[q].ink += (uint32_t)(codes[2 * q] != 0) + (codes[2 * q + 1] != 0);
    }
}

/* How many steps of tiles are best; pairs are sorted. A last odd column counts as rare. */
static int64_t best_steps(const column_pair *pairs, int64_t n, int64_t rows)
{
    int64_t most = n / (CN__TILE_STEP / 2), best = most + 1;
    double rare = 0, least = (double)best;
    for (int64_t q = n, steps = most; steps > 0; steps--) {
        while (q > steps * (CN__TILE_STEP / 2)) rare += pairs[--q].ink;
        double cost = (double)steps + rare / (double)rows / MOST_ENTRIES_A_STEP;
        if (cost >= least) continue;
        least = cost;
        best = steps;
    }
    return best;
}

typedef struct making {
    const cn__source *x;
    cn__frequent *made;
    cn__division division;
    uint64_t *is_frequent;
    uint16_t *index, *rare;
} making;

static int make_room(making *m, int64_t columns, int64_t entries, int tasks)
{
    const cn__source *x = m->x;
    cn__division *d = &m->division;
    int64_t in_task = x->rows / tasks + 1;
    *d = (cn__division){.words = (x->columns + 7) / 8, .columns = columns, .tasks = tasks};
    d->room = in_task * entries + in_task * entries / 2 + 64;
    if ((double)d->room * tasks > UINT32_MAX) return CN_EINVAL;
    m->made = cn__alloc(1, sizeof *m->made, what);
    m->is_frequent = cn__alloc((size_t)d->words, sizeof *m->is_frequent, what);
    m->index = cn__alloc_raw((size_t)columns, sizeof *m->index, what);
    m->rare = cn__alloc_raw((size_t)(x->columns - columns) + 1, sizeof *m->rare, what);
    d->codes = cn__alloc_raw((size_t)x->rows, (size_t)columns, what);
    d->entries = cn__alloc_raw((size_t)(d->room * tasks), sizeof *d->entries, what);
    d->first = cn__alloc_raw((size_t)x->rows, sizeof *d->first, what);
    d->count = cn__alloc_raw((size_t)x->rows, sizeof *d->count, what);
    d->is_frequent = m->is_frequent;
    return m->made && m->is_frequent && m->index && m->rare && d->codes && d->entries && d->first && d->count ? CN_OK : CN_ENOMEM;
}

static void choose(making *m, const column_pair *pairs)
{
    unsigned char *frequent = (unsigned char *)m->is_frequent;
    int64_t n = 0, n_rare = 0;
    for (int64_t q = 0; q < m->division.columns / 2; q++) memset(frequent + 2 * pairs[q].q, 0xff, 2);
    for (int64_t c = 0; c < m->x->columns; c++) {
        if (frequent[c]) m->index[n++] = (uint16_t)c;
        else m->rare[n_rare++] = (uint16_t)c;
    }
    *m->made = (cn__frequent){.columns = n, .n_rare = n_rare, .index = m->index, .rare = m->rare, .codes = m->division.codes,
                              .entries = m->division.entries, .first = m->division.first, .count = m->division.count};
}

static void give_up(making *m)
{
    cn__free(m->index);
    cn__free(m->rare);
    cn__free(m->division.codes);
    cn__free(m->division.entries);
    cn__free(m->division.first);
    cn__free(m->division.count);
    cn__free(m->made);
    m->made = NULL;
}

static int divide(const cn_model *model, cn__data *data, column_pair *pairs)
{
    const cn__source *x = &data->x;
    int64_t rows = x->rows < SAMPLED_ROWS ? x->rows : SAMPLED_ROWS, n = x->columns / 2, rare = 0;
    count_ink(x, rows, pairs);
    qsort(pairs, (size_t)n, sizeof *pairs, more_ink_first);
    int64_t steps = best_steps(pairs, n, rows);
    if (steps >= cn__tile_steps(x->columns)) return CN_OK;
    for (int64_t q = steps * (CN__TILE_STEP / 2); q < n; q++) rare += pairs[q].ink;
    making m = {.x = x};
    int status = make_room(&m, steps * CN__TILE_STEP, rare / rows + 1 + x->columns % 2, model->threads * TASKS_A_THREAD);
    if (status == CN_OK) {
        choose(&m, pairs);
        if (model->engine->gather->divide(model->pool, x, &m.division)) data->x.frequent = data->own_frequent = m.made;
    }
    if (!data->x.frequent) give_up(&m);
    cn__free(m.is_frequent);
    return status == CN_ENOMEM ? status : CN_OK;
}

int cn__frequent_find(const cn_model *model, cn__data *data)
{
    if (!data->as_tiles || !data->x.codes || model->bf16_way != CN__BF16_NONE || data->rows == 0) return CN_OK;
    column_pair *pairs = cn__alloc_raw((size_t)data->x.columns, sizeof *pairs, what);
    if (!pairs) return CN_ENOMEM;
    int status = divide(model, data, pairs);
    cn__free(pairs);
    return status;
}

void cn__frequent_free(cn__frequent *frequent)
{
    if (!frequent) return;
    cn__free((void *)frequent->index);
    cn__free((void *)frequent->rare);
    cn__free((void *)frequent->codes);
    cn__free((void *)frequent->entries);
    cn__free((void *)frequent->first);
    cn__free((void *)frequent->count);
    cn__free(frequent);
}
