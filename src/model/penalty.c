#include "model/model.h"

static int is_used(const cn__regularizer *regularizer)
{
    return regularizer->l1 != 0 || regularizer->l2 != 0;
}

/* What rows of numbers cost; added up in ascending order of rows. */
static double cost(const cn_model *model, const cn__regularizer *r, const void *at, int64_t rows, int64_t columns,
                   int64_t stride)
{
    size_t bytes = cn__engine_bytes(model->engine);
    cn__norm_sums all = {0, 0};
    for (int64_t i = 0; i < rows; i++) {
        cn__norm_sums row = model->engine->rules->sums(columns, (const char *)at + (size_t)(i * stride) * bytes);
        all.absolute += row.absolute;
        all.squares += row.squares;
    }
    /* A factor of 0 must not make NaN of an infinite sum. */
    return (r->l1 != 0 ? r->l1 * all.absolute : 0) + (r->l2 != 0 ? r->l2 * all.squares : 0);
}

int cn__penalizes_output(const cn_model *model, int layer)
{
    return is_used(&model->layers[layer]->activity);
}

double cn__penalties(const cn_model *model, int64_t rows)
{
    double sum = 0;
    for (int i = 0; i < model->n_weights; i++) {
        const cn__weight *w = cn__model_weight_of(model, i);
        if (is_used(&w->regularizer) && cn__model_trains(model, i))
            sum += cost(model, &w->regularizer, cn__model_weight_at(model, model->block, i), w->rows, w->columns,
                        w->stride);
    }
    for (int i = 0; i < model->n_layers; i++) {
        const cn_layer *layer = model->layers[i];
        if (is_used(&layer->activity))
            sum += cost(model, &layer->activity, model->plan.outputs[i], rows, layer->output_size, layer->output_size) /
                   (double)rows;
    }
    return sum;
}

typedef struct share {
    const cn_model *model;
    const cn_layer *layer;
    const char *y;
    char *dy;
    double parts; /* rows of the batch, less with a loss scale */
} share;

static void add_rows(void *context, int thread, int64_t begin, int64_t end)
{
    const share *s = context;
    const cn__regularizer *r = &s->layer->activity;
    size_t at = (size_t)(begin * s->layer->output_size) * cn__engine_bytes(s->model->engine);
    (void)thread;
    s->model->engine->rules->add_penalty((end - begin) * s->layer->output_size, s->y + at, r->l1 / s->parts,
                                         r->l2 / s->parts, s->dy + at);
}

void cn__penalty_of_output(const cn_model *model, int layer, int64_t rows, void *dy)
{
    share s = {.model = model, .layer = model->layers[layer], .y = model->plan.outputs[layer], .dy = dy,
               .parts = (double)rows / cn__loss_scale_now(model->optimizer, &model->loss_scale)};
    if (is_used(&s.layer->activity)) cn__parallel(model->team, rows, add_rows, &s);
}
