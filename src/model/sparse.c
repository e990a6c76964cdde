#include "base/error.h"
#include "base/memory.h"
#include "model/model.h"

#include <string.h>

static const char what[] = "the non-zeros of the inputs";

/* What is made, and what is needed meanwhile. */
typedef struct making {
    const cn_model *model;
    const cn__source *x;
    cn__sparse_listing lists;
    cn__sparse_rows *rows;
    int64_t *first;
} making;

static void give_up(making *m)
{
    cn__free(m->lists.entries);
    cn__free(m->lists.is_heavy);
    cn__free(m->first);
    cn__free(m->rows);
    m->rows = NULL;
}

/* Places for so many entries, divided among the tasks. */
static int make_room(making *m, int64_t entries)
{
    cn__free(m->lists.entries);
    m->lists.entries = cn__alloc_raw((size_t)entries + 1, sizeof *m->lists.entries, what);
    return m->lists.entries ? CN_OK : CN_ENOMEM;
}

/* As many entries as there seem to be and half as many more: then one pass over the data is enough, which, with memory
 * as slow as it is, counts. */
static int make_guessed_room(making *m, double ink)
{
    int64_t numbers = m->x->rows * m->x->columns,
            entries = (int64_t)((double)numbers * ink * 1.5) + 64 * m->lists.tasks;
    for (int task = 0; task <= m->lists.tasks; task++) m->lists.begin[task] = entries * task / m->lists.tasks;
    return make_room(m, entries);
}

static int make_exact_room(making *m)
{
    for (int task = 0; task <= m->lists.tasks; task++) m->lists.begin[task] = 0;
    m->model->engine->gather->count_nonzeros(m->model->pool, m->x, &m->lists);
    int64_t *begin = m->lists.begin;
    for (int task = 0; task < m->lists.tasks; task++) begin[task + 1] = begin[task] + m->lists.end[task];
    return make_room(m, begin[m->lists.tasks]);
}

static cn__sparse_outcome list(making *m, const double *scales, int n_scales, double *scale)
{
    cn__sparse_outcome outcome = CN__SPARSE_NO_CODE;
    for (int i = 0; i < n_scales && outcome == CN__SPARSE_NO_CODE; i++) {
        *scale = scales[i];
        outcome = m->model->engine->gather->list_nonzeros(m->model->pool, m->x, scales[i], &m->lists);
    }
    return outcome;
}

static int64_t join_tasks(making *m)
{
    cn__ink *entries = m->lists.entries;
    int64_t n = m->lists.end[0];
    for (int task = 1; task < m->lists.tasks; task++) {
        int64_t count = m->lists.end[task] - m->lists.begin[task];
        memmove(entries + n, entries + m->lists.begin[task], (size_t)count * sizeof *entries);
        n += count;
    }
    return n;
}

/* Cuts the columns so that each part has as many entries: words of a text differ so much in frequency that equal
 * numbers of columns would not do. Some entries are looked at. */
static int cut_columns(making *m, int64_t n)
{
    const int64_t columns = m->x->columns, step = n / 100000 + 1;
    int64_t *counts = cn__alloc((size_t)columns, sizeof *counts, what), seen = 0, before = 0, column = 0;
    if (!counts) return CN_ENOMEM;
    for (int64_t i = 0; i < n; i += step, seen++) counts[m->lists.entries[i].index]++;
    for (int part = 0; part < m->rows->parts; part++) {
        while (column < columns && before < seen * part / m->rows->parts) before += counts[column++];
        m->rows->cuts[part] = (int32_t)(column & ~INT64_C(1)); /* rows of a kernel may wait by two */
    }
    m->rows->cuts[m->rows->parts] = (int32_t)columns;
    cn__free(counts);
    return CN_OK;
}

static void find_firsts(making *m)
{
    const cn__ink *entries = m->lists.entries;
    const int parts = m->rows->parts;
    int64_t i = 0;
    for (int64_t row = 0; row < m->x->rows; row++) {
        const int64_t end = i + m->lists.counts[row];
        for (int part = 0; part < parts; part++) {
            m->first[row * parts + part] = i;
            while (i < end && entries[i].index < m->rows->cuts[part + 1]) i++;
        }
    }
    m->first[m->x->rows * parts] = i;
}

int cn__sparse_find(const cn_model *model, cn__data *data, const double *scales, int n_scales)
{
    making m = {.model = model, .x = &data->x, .lists = {.tasks = model->threads}};
    const size_t rows = (size_t)data->x.rows;
    m.rows = cn__alloc(1, sizeof *m.rows, what);
    m.first = cn__alloc_raw(rows * (size_t)model->threads + 1, sizeof *m.first, what);
    m.lists.counts = cn__alloc_raw(rows, sizeof *m.lists.counts, what);
    m.lists.is_heavy = cn__alloc_raw(rows, 1, what);
    int status = m.rows && m.first && m.lists.counts && m.lists.is_heavy ? make_guessed_room(&m, data->ink) : CN_ENOMEM;
    double scale = 0;
    cn__sparse_outcome outcome = status == CN_OK ? list(&m, scales, n_scales, &scale) : CN__SPARSE_NO_CODE;
    if (outcome == CN__SPARSE_NO_ROOM) {
        status = make_exact_room(&m);
        if (status == CN_OK) outcome = list(&m, scales, n_scales, &scale);
    }
    if (status == CN_OK && outcome == CN__SPARSE_LISTED) {
        m.rows->parts = model->threads;
        status = cut_columns(&m, join_tasks(&m));
    }
    if (status == CN_OK && outcome == CN__SPARSE_LISTED) {
        find_firsts(&m);
        m.rows->entries = m.lists.entries;
        m.rows->first = m.first;
        m.rows->is_heavy = m.lists.is_heavy;
        data->x.sparse = data->own_sparse = m.rows;
        data->x.code_scale = scale;
    } else {
        give_up(&m);
    }
    cn__free(m.lists.counts);
    return status;
}

void cn__sparse_free(cn__sparse_rows *rows)
{
    if (!rows) return;
    cn__free((void *)rows->entries);
    cn__free((void *)rows->first);
    cn__free((void *)rows->is_heavy);
    cn__free(rows);
}
