#include "model/model.h"

/* In mixed_bfloat16 all that reads the outputs of a hidden layer, or their gradients, rounds them first. Between two
 * dense layers the first one may as well leave them as the second one's tiles: half the memory, half of which another
 * thread has just written, and nobody packs them. */

static int is_plain_relu(const cn_layer *layer)
{
    return layer->activation == CN__ACTIVATION_relu && layer->n_along == 0 &&
           cn__activation_is_plain(layer->activation, &layer->activation_options);
}

/* The kernels that read such tiles move weights by RMSprop. */
static int moves_in_registers(const cn_model *model)
{
    const cn_optimizer *optimizer = model->optimizer;
    cn__step step = {0};
    if (model->gradients.block || !model->accounts.settled) return 0;
    if (cn__optimizer_shared(optimizer)->weight_decay != 0) return 0;
    for (int i = 0; i < model->n_weights; i++)
        if (!cn__model_trains(model, i)) return 0;
    optimizer->class_->begin_step(optimizer->options, 1, model->learning_rate, &step);
    return step.is_plain_rmsprop;
}

/* The only layer behind the first that works, or -1. */
static int layer_behind(const cn_model *model, int first)
{
    int behind = -1;
    for (int i = first + 1; i < model->n_layers; i++) {
        if (cn__layer_hands_on(model->layers[i], 1)) continue;
        if (behind >= 0 || model->layers[i]->class_ != &cn__layer_dense) return -1;
        behind = i;
    }
    return behind;
}

void cn__hidden_begin(cn_model *model, int64_t rows)
{
    const int first = cn__blocks_first(model), behind = layer_behind(model, first);
    if (model->bf16_way != CN__BF16_TILES || rows > CN__HIDDEN_ROWS || behind < 0 || !moves_in_registers(model)) return;
    const cn_layer *hidden = model->layers[first], *last = model->layers[behind];
    if (hidden->class_ != &cn__layer_dense || hidden->output_ndim != 1 || !is_plain_relu(hidden)) return;
    if (hidden->output_size % CN__HIDDEN_UNITS || last->output_size > CN__HIDDEN_OUTPUTS) return;
    cn__bf16 *from = &model->plan.bf16[first], *to = &model->plan.bf16[behind];
    from->y_tiles = model->plan.outputs[first];
    to->x_tiles = from->y_tiles;
    to->dx_tiles = model->plan.layer_gradients[first];
    from->dy_tiles = to->dx_tiles;
}

void cn__hidden_end(cn_model *model)
{
    for (int i = 0; model->plan.bf16 && i < model->n_layers; i++) {
        cn__bf16 *part = &model->plan.bf16[i];
        part->y_tiles = part->dx_tiles = NULL;
        part->x_tiles = part->dy_tiles = NULL;
    }
}

int cn__hidden_in_tiles(const cn_model *model)
{
    return model->plan.bf16 && model->plan.bf16[cn__blocks_first(model)].y_tiles != NULL;
}
