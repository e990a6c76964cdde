#include "model/model.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

/* While fit trains on bytes, the first kernel and its slots stand in panels of CN__IDLE_COLUMNS columns, one panel behind
 * the other. In whole rows the columns of two threads are neighbours, and each core's prefetcher takes lines from the
 * other's cache: with two threads that made the kernel's gradient 1.7 times slower. */
static void copy_panels(const cn__panels *p, const cn__weight *kernel, float *rows, float *panels, int into_panels)
{
    for (int64_t column = 0; column < kernel->columns; column += CN__IDLE_COLUMNS, panels += p->panel) {
        int64_t n = kernel->columns - column < CN__IDLE_COLUMNS ? kernel->columns - column : CN__IDLE_COLUMNS;
        for (int64_t r = 0; r < kernel->rows; r++) {
            float *row = rows + r * kernel->stride + column, *piece = panels + r * CN__IDLE_COLUMNS;
            memcpy(into_panels ? piece : row, into_panels ? row : piece, (size_t)n * sizeof(float));
        }
    }
}

static void copy_all(const cn_model *model, int into_panels)
{
    const cn__panels *p = model->panels;
    const cn__weight *kernel = cn__model_weight_of(model, model->lazy_weight);
    copy_panels(p, kernel, cn__model_weight_at(model, model->block, model->lazy_weight), p->weight, into_panels);
    for (int k = 0; k < CN__MAX_SLOTS; k++)
        if (p->slots[k])
            copy_panels(p, kernel, cn__model_weight_at(model, model->slots[k], model->lazy_weight), p->slots[k],
                        into_panels);
}

static int make(cn_model *model, const cn__weight *kernel)
{
    int n = 1;
    for (int k = 0; k < CN__MAX_SLOTS; k++) n += model->slots[k] != NULL;
    int64_t count = (kernel->columns + CN__IDLE_COLUMNS - 1) / CN__IDLE_COLUMNS;
    cn__panels *p = cn__alloc(1, sizeof *p, "the panels of a kernel");
    if (!p) return CN_ENOMEM;
    p->panel = kernel->rows * CN__IDLE_COLUMNS;
    p->weight = cn__alloc((size_t)n * (size_t)(count * p->panel), sizeof(float), "the panels of a kernel");
    if (!p->weight) {
        cn__free(p);
        return CN_ENOMEM;
    }
    float *next = p->weight;
    for (int k = 0; k < CN__MAX_SLOTS; k++)
        if (model->slots[k]) p->slots[k] = next += count * p->panel;
    model->panels = p;
    return CN_OK;
}

int cn__panels_serve(const cn_model *model)
{
    return model->accounts.settled && cn__model_weight_of(model, model->lazy_weight)->columns > CN__IDLE_COLUMNS;
}

int cn__panels_open(cn_model *model)
{
    if ((model->panels && model->panels->is_open) || !cn__panels_serve(model)) return CN_OK;
    if (!model->panels) CN_TRY(make(model, cn__model_weight_of(model, model->lazy_weight)));
    copy_all(model, 1);
    model->panels->is_open = 1;
    model->plan.rare_exponents.are_known = 0;
    return CN_OK;
}

void cn__panels_close(const cn_model *model)
{
    if (!model->panels || !model->panels->is_open) return;
    model->panels->is_open = 0;
    copy_all(model, 0);
}

void cn__panels_destroy(cn_model *model)
{
    if (!model->panels) return;
    cn__free(model->panels->weight);
    cn__free(model->panels);
    model->panels = NULL;
}
