#include "model/model.h"

/* Gathering takes a twentieth of a step and needs nothing of it, so threads that are through with their share of the
 * first kernel's gradient do it for the next batch instead of waiting for the others. */

void cn__ahead_begin(cn_model *model, const cn__data *data, const cn__choice *choice)
{
    cn__ahead *ahead = &model->plan.ahead;
    const cn__gather_math *gather = model->engine->gather;
    const int halves = model->bf16_way == CN__BF16_TILES;
    if (!choice->next || choice->n > ahead->memory.rows || data->x.sparse || cn__pool_threads(model->team) == 1) return;
    if (!halves && data->as_tiles != cn__model_makes_tiles(model)) return; /* there is no memory for it */
    const cn__choice next = {.picks = choice->next, .n = choice->n};
    (halves ? gather->begin_halves : data->as_tiles ? gather->begin_tiles : gather->begin_lists)(
        &data->x, &next, &ahead->memory, &ahead->batch, &ahead->gathering);
    ahead->team = model->team;
    ahead->data = data;
    ahead->picks = choice->next;
    ahead->rows = choice->n;
    ahead->iterations = model->iterations + 1;
    cn__parallel_besides(model->team, ahead->gathering.count, ahead->gathering.body, &ahead->gathering);
}

int cn__ahead_take(cn_model *model, const cn__data *data, const cn__choice *choice, cn__batch *batch)
{
    cn__ahead *ahead = &model->plan.ahead;
    if (!ahead->team) return 0;
    ahead->team = NULL;
    if (ahead->data != data || ahead->picks != choice->picks || ahead->rows != choice->n) return 0;
    if (ahead->iterations != model->iterations) return 0;
    const cn__batch_memory memory = model->plan.batch;
    model->plan.batch = ahead->memory;
    ahead->memory = memory;
    *batch = ahead->batch;
    batch->next = choice->next;
    return 1;
}

void cn__ahead_forget(cn_model *model)
{
    model->plan.ahead.team = NULL;
}
