#include "base/error.h"
#include "base/memory.h"
#include "model/model.h"

/* The entries of a data set, taken all together, are divided by columns into CN_MAX_THREADS equal parts: words of a text
 * differ so much in frequency that equal numbers of columns would not do. */
static void find_cuts(const cn__source *x, const int64_t *counts, int64_t entries, cn__sparse_rows *rows)
{
    int64_t column = 0, before = 0;
    for (int part = 0; part <= CN_MAX_THREADS; part++) {
        while (column < x->columns && before < entries * part / CN_MAX_THREADS) before += counts[column++];
        rows->cuts[part] = (uint16_t)column;
    }
}

static int list(const cn_model *model, cn__data *data, double scale, int64_t *first, cn__ink *entries, uint8_t *is_heavy)
{
    if (!model->engine->gather->list_nonzeros(model->pool, &data->x, scale, first, entries, is_heavy)) return 0;
    data->x.code_scale = scale;
    return 1;
}

int cn__sparse_find(const cn_model *model, cn__data *data, const double *scales, int n_scales)
{
    const cn__source *x = &data->x;
    int64_t n = x->rows > x->columns ? x->rows : x->columns, entries = 0;
    cn__sparse_rows *rows = cn__alloc(1, sizeof *rows, "the non-zeros of the inputs");
    int64_t *first = cn__alloc((size_t)x->rows + 1, sizeof *first, "the non-zeros of the inputs");
    int64_t *counts = cn__alloc((size_t)n, sizeof *counts, "the non-zeros of the inputs");
    uint8_t *is_heavy = cn__alloc((size_t)x->rows, 1, "the non-zeros of the inputs");
    cn__ink *list_of_entries = NULL;
    int status = CN_OK, found = 0;
    if (!rows || !first || !counts || !is_heavy) status = CN_ENOMEM;
    else {
        model->engine->gather->count_nonzeros(model->pool, x, counts);
        for (int64_t r = 0; r < x->rows; r++) first[r + 1] = entries += counts[r];
        list_of_entries = cn__alloc_raw((size_t)entries + 1, sizeof *list_of_entries, "the non-zeros of the inputs");
        if (!list_of_entries) status = CN_ENOMEM;
    }
    for (int i = 0; i < n_scales && status == CN_OK && !found; i++)
        found = list(model, data, scales[i], first, list_of_entries, is_heavy);
    if (found) {
        *rows = (cn__sparse_rows){.entries = list_of_entries, .first = first, .is_heavy = is_heavy};
        for (int64_t c = 0; c < x->columns; c++) counts[c] = 0;
        for (int64_t i = 0; i < entries; i++) counts[list_of_entries[i].index]++;
        find_cuts(x, counts, entries, rows);
        data->x.sparse = data->own_sparse = rows;
    } else {
        cn__free(list_of_entries);
        cn__free(first);
        cn__free(is_heavy);
        cn__free(rows);
    }
    cn__free(counts);
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
