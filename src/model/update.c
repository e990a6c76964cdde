#include "model/model.h"

#include <string.h>

int cn__model_trains(const cn_model *model, int weight)
{
    return model->layers[model->weights[weight].layer]->trainable && cn__model_weight_of(model, weight)->trainable;
}

/* Optimizers count moves; with accumulated gradients not every step is one. */
static int64_t moves_before(const cn_model *model)
{
    int64_t every = cn__optimizer_shared(model->optimizer)->gradient_accumulation_steps;
    return every > 1 ? model->iterations / every : model->iterations;
}

void cn__moves_begin(cn_model *model, cn__moves *moves)
{
    const cn_optimizer *optimizer = model->optimizer;
    if (optimizer->class_->first_slot_is_weight && model->iterations == 0 && model->block_size)
        memcpy(model->slots[0], model->block, (size_t)model->block_size * cn__engine_bytes(model->engine));
    if (optimizer->schedule.name) model->learning_rate = cn__optimizer_learning_rate(optimizer, model->iterations);
    *moves = (cn__moves){.update = *model->engine->updates[cn__optimizer_index(optimizer)],
                         .before = moves_before(model)};
    optimizer->class_->begin_step(optimizer->options, moves->before + 1, model->learning_rate, &moves->step);
    moves->step.takes_cpu_root = moves->step.is_plain_rmsprop && model->bf16_way == CN__BF16_TILES;
    moves->decaying_step = moves->step;
    moves->decaying_step.decay = cn__optimizer_shared(optimizer)->weight_decay * model->learning_rate;
}

cn__sink cn__moves_sink(const cn_model *model, const cn__moves *moves, int weight, const cn__panels *panels)
{
    cn__sink sink = {.stride = cn__model_weight_of(model, weight)->stride};
    if (!cn__model_trains(model, weight)) return sink;
    int decays = moves->decaying_step.decay != 0 && cn__optimizer_decays(model->optimizer, model->weights[weight].name);
    sink.update = moves->update;
    sink.step = decays ? &moves->decaying_step : &moves->step;
    if (panels && weight == model->lazy_weight) {
        sink.weight = panels->weight;
        sink.stride = panels->width;
        sink.panel = panels->panel;
        for (int s = 0; s < CN__MAX_SLOTS; s++) sink.slots[s] = panels->slots[s];
        return sink;
    }
    sink.weight = cn__model_weight_at(model, model->block, weight);
    for (int s = 0; s < CN__MAX_SLOTS; s++)
        if (model->slots[s]) sink.slots[s] = cn__model_weight_at(model, model->slots[s], weight);
    return sink;
}
