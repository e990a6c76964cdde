#include "model/model.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Tiles multiply zeros, too: of MNIST's 784 pixels 448 hold 99 % of the ink. The other 1 % goes into lists, so that
 * seven columns of tiles do instead of thirteen, and gathering a sample reads 448 bytes instead of 784. Sums over bytes
 * being exact, it makes no difference to any result where a number stands; mixed_bfloat16 then adds in another
 * order. */
#define SAMPLED_ROWS 2048
#define MOST_ENTRIES_A_STEP 2 /* rare entries of a row that take about as long as a step of tiles */
#define TASKS_A_THREAD 4
#define MOST_BYTES ((int64_t)1 << 30) /* of a data set: dividing it takes up to as much memory again */
#define PAIR 2 /* columns 2q and 2q+1: rows may wait by two (kernels/sink.h) */

/* Rows seen once: a look at some of them costs a hundredth of what it saves, and whole groups of four columns are
 * faster to move. */
#define FEWEST_SAMPLED 32
#define MOST_SAMPLED 64
#define SAMPLED_OF 16
#define FOUR 4

static const char what[] = "the inputs, divided by columns";

/* Neighbouring columns, from index * size on, that stay together. */
typedef struct column_group {
    uint32_t ink, index;
} column_group;

static int more_ink_first(const void *a, const void *b)
{
    const column_group *x = a, *y = b;
    if (x->ink != y->ink) return x->ink < y->ink ? 1 : -1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Of some rows, whose numbers are codes or float32. */
static void count_ink(const cn__source *x, int64_t rows, uint32_t *ink)
{
    for (int64_t r = 0; r < rows; r++) {
        const int64_t first = x->rows * r / rows * x->columns;
        const uint8_t *codes = x->codes ? x->codes + first : NULL;
        const float *numbers = (const float *)x->data + first;
        for (int64_t c = 0; codes && c < x->columns; c++) ink[c] += codes[c] != 0;
        for (int64_t c = 0; !codes && c < x->columns; c++) ink[c] += numbers[c] != 0;
    }
}

static void group(const uint32_t *ink, int64_t n, int64_t size, column_group *groups)
{
    for (int64_t g = 0; g < n; g++) {
        groups[g] = (column_group){0, (uint32_t)g};
        for (int64_t c = g * size; c < (g + 1) * size; c++) groups[g].ink += ink[c];
    }
    qsort(groups, (size_t)n, sizeof *groups, more_ink_first);
}

/* How many steps of tiles are best; groups are sorted. Last columns that are no whole group count as rare. */
static int64_t best_steps(const column_group *groups, int64_t n, int64_t size, int64_t rows)
{
    int64_t most = n / (CN__TILE_STEP / size), best = most + 1;
    double rare = 0, least = (double)best;
    for (int64_t g = n, steps = most; steps > 0; steps--) {
        while (g > steps * (CN__TILE_STEP / size)) rare += groups[--g].ink;
        double cost = (double)steps + rare / (double)rows / MOST_ENTRIES_A_STEP;
        if (cost >= least) continue;
        least = cost;
        best = steps;
    }
    return best;
}

/* Sets x.frequent, and says how many rare entries a row has, where fewer steps of tiles would do. */
static int choose(cn__data *data, int64_t rows, int64_t size, uint32_t *ink, column_group *groups, double *entries)
{
    const cn__source *x = &data->x;
    int64_t n = x->columns / size;
    count_ink(x, rows, ink);
    group(ink, n, size, groups);
    int64_t steps = best_steps(groups, n, size, rows), columns = steps * CN__TILE_STEP;
    if (steps >= cn__tile_steps(x->columns)) return CN_OK;
    uint32_t rare = 0;
    for (int64_t g = columns / size; g < n; g++) rare += groups[g].ink;
    *entries = (double)rare / (double)rows + (double)(x->columns % size);
    cn__frequent *made = cn__alloc(1, sizeof *made, what);
    uint64_t *is_frequent = cn__alloc((size_t)(x->columns + 7) / 8, sizeof *is_frequent, what);
    uint16_t *index = cn__alloc_raw((size_t)columns, sizeof *index, what);
    uint16_t *others = cn__alloc_raw((size_t)(x->columns - columns) + 1, sizeof *others, what);
    if (!made || !is_frequent || !index || !others) {
        cn__free(made);
        cn__free(is_frequent);
        cn__free(index);
        cn__free(others);
        return CN_ENOMEM;
    }
    *made = (cn__frequent){.columns = columns, .index = index, .rare = others, .is_frequent = is_frequent};
    unsigned char *frequent = (unsigned char *)is_frequent;
    for (int64_t g = 0; g < columns / size; g++) memset(frequent + groups[g].index * size, 0xff, (size_t)size);
    for (int64_t c = 0, next = 0; c < x->columns; c++) {
        if (frequent[c]) index[next++] = (uint16_t)c;
        else others[made->n_rare++] = (uint16_t)c;
    }
    data->x.frequent = data->own_frequent = made;
    return CN_OK;
}

static void forget(cn__data *data)
{
    cn__frequent_free(data->own_frequent);
    data->x.frequent = data->own_frequent = NULL;
}

/* Leaves the data set as it is if a row has far more entries than the sampled ones. */
static int divide(const cn_model *model, cn__data *data, double entries)
{
    const cn__source *x = &data->x;
    const int tasks = model->threads * TASKS_A_THREAD;
    const int64_t room = (int64_t)((double)(x->rows / tasks + 1) * (entries + 1) * 1.5) + 64;
    cn__frequent *f = data->own_frequent;
    if ((double)room * tasks > UINT32_MAX) {
        forget(data);
        return CN_OK;
    }
    cn__division d = {.is_frequent = f->is_frequent, .words = (x->columns + 7) / 8, .columns = f->columns,
                      .tasks = tasks, .room = room};
    f->codes = d.codes = cn__alloc_raw((size_t)x->rows, (size_t)f->columns, what);
    f->entries = d.entries = cn__alloc_raw((size_t)(room * tasks), sizeof *d.entries, what);
    f->first = d.first = cn__alloc_raw((size_t)x->rows, sizeof *d.first, what);
    f->count = d.count = cn__alloc_raw((size_t)x->rows, sizeof *d.count, what);
    if (!d.codes || !d.entries || !d.first || !d.count) return CN_ENOMEM;
    if (!model->engine->gather->divide(model->pool, x, &d)) forget(data);
    return CN_OK;
}

static int find(const cn_model *model, cn__data *data, int64_t rows, int64_t size, int is_divided)
{
    if (!data->as_tiles) return CN_OK;
    double entries = 0;
    uint32_t *ink = cn__alloc((size_t)data->x.columns, sizeof *ink, what);
    column_group *groups = cn__alloc_raw((size_t)data->x.columns, sizeof *groups, what);
    int status = ink && groups ? choose(data, rows, size, ink, groups, &entries) : CN_ENOMEM;
    cn__free(groups);
    cn__free(ink);
    if (status == CN_OK && is_divided && data->x.frequent) status = divide(model, data, entries);
    if (status == CN_ENOMEM) forget(data);
    return status;
}

int cn__frequent_find(const cn_model *model, cn__data *data)
{
    if (!data->x.codes || data->rows == 0 || data->rows > MOST_BYTES / data->x.columns) return CN_OK;
    return find(model, data, data->rows < SAMPLED_ROWS ? data->rows : SAMPLED_ROWS, PAIR, 1);
}

int cn__frequent_choose(const cn_model *model, cn__data *data)
{
    int64_t rows = data->rows / SAMPLED_OF;
    if (model->bf16_way != CN__BF16_NONE) return CN_OK; /* its tiles are made of a data set divided already */
    if (rows < FEWEST_SAMPLED || (!data->x.codes && data->x.stored != CN__STORED_F32)) return CN_OK;
    return find(model, data, rows < MOST_SAMPLED ? rows : MOST_SAMPLED, FOUR, 0);
}

void cn__frequent_free(cn__frequent *frequent)
{
    if (!frequent) return;
    cn__free((void *)frequent->index);
    cn__free((void *)frequent->rare);
    cn__free((void *)frequent->is_frequent);
    cn__free((void *)frequent->codes);
    cn__free((void *)frequent->entries);
    cn__free((void *)frequent->first);
    cn__free((void *)frequent->count);
    cn__free(frequent);
}
