#include "model/model.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

/* While fit trains on bytes, the first kernel and its slots stand in panels of as many columns as are worked on at a
 * time, one panel behind the other: each is read from end to end. In whole rows the columns of two threads are
 * neighbours, and each core's prefetcher takes lines from the other's cache: with two threads that made the kernel's
 * gradient 1.7 times slower. */
static int64_t count_panels(const cn__weight *kernel, int64_t width)
{
    return (kernel->columns + width - 1) / width;
}

typedef struct copying {
    const cn_model *model;
    int into_panels;
} copying;

static void copy_panel(const cn__weight *kernel, int64_t column, int64_t width, float *rows, float *panel,
                       int into_panels)
{
    int64_t n = kernel->columns - column < width ? kernel->columns - column : width;
    for (int64_t r = 0; r < kernel->rows; r++) {
        float *row = rows + r * kernel->stride + column, *piece = panel + r * width;
        memcpy(into_panels ? piece : row, into_panels ? row : piece, (size_t)n * sizeof(float));
    }
}

static void copy_panels(void *context, int thread, int64_t begin, int64_t end)
{
    const copying *c = context;
    const cn_model *model = c->model;
    const cn__panels *p = model->panels;
    const cn__weight *kernel = cn__model_weight_of(model, model->lazy_weight);
    float *weights = cn__model_weight_at(model, model->block, model->lazy_weight);
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        const int64_t column = i * p->width, at = i * p->panel;
        copy_panel(kernel, column, p->width, weights, p->weight + at, c->into_panels);
        for (int k = 0; k < CN__MAX_SLOTS; k++)
            if (p->slots[k])
                copy_panel(kernel, column, p->width, cn__model_weight_at(model, model->slots[k], model->lazy_weight),
                           p->slots[k] + at, c->into_panels);
    }
}

/* Each thread those panels that it works on, mostly, whose memory is then near it. */
static void copy_all(const cn_model *model, int into_panels)
{
    copying c = {.model = model, .into_panels = into_panels};
    const cn__weight *kernel = cn__model_weight_of(model, model->lazy_weight);
    cn__parallel(model->pool, count_panels(kernel, model->panels->width), copy_panels, &c);
}

static int make(cn_model *model, const cn__weight *kernel, int64_t width)
{
    int n = 1;
    for (int k = 0; k < CN__MAX_SLOTS; k++) n += model->slots[k] != NULL;
    int64_t count = count_panels(kernel, width);
    cn__panels *p = cn__alloc(1, sizeof *p, "the panels of a kernel");
    if (!p) return CN_ENOMEM;
    p->width = width;
    p->panel = kernel->rows * width;
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

int64_t cn__panels_width(const cn_model *model, int as_tiles)
{
    return as_tiles ? CN__IDLE_COLUMNS : CN__LIST_COLUMNS(model->bf16_way == CN__BF16_NONE ? 2 : 1);
}

int cn__panels_open(cn_model *model, int as_tiles)
{
    if (!cn__panels_serve(model)) return CN_OK;
    if (model->panels && model->panels->width != cn__panels_width(model, as_tiles)) {
        cn__panels_close(model);
        cn__panels_destroy(model);
    }
    if (model->panels && model->panels->is_open) return CN_OK;
    if (!model->panels)
        CN_TRY(make(model, cn__model_weight_of(model, model->lazy_weight), cn__panels_width(model, as_tiles)));
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
