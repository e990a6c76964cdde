#include "model/model.h"

#include "base/error.h"
#include "base/suggest.h"

#include <string.h>

#define MOST_SUGGESTED 256

/* Rows of the first kernel may wait only while it trains, so the accounts are settled and opened anew. */
static int switch_layer(cn_model *model, cn_layer *layer, int trainable)
{
    if (layer->trainable == (trainable != 0)) return CN_OK;
    if (model->is_compiled) cn__lazy_settle(model);
    cn__layer_set_trainable(layer, trainable != 0);
    if (!model->is_compiled || !model->is_built) return CN_OK;
    CN_TRY(cn__lazy_open(model));
    cn__lazy_mark(model);
    return CN_OK;
}

int cn_model_set_trainable(cn_model *model, const char *layer, int trainable)
{
    const char *names[MOST_SUGGESTED];
    int n = 0, found = !layer;
    if (!model) return cn__fail(CN_EINVAL, "cn_model_set_trainable: the model is NULL");
    for (int i = 0; i < model->n_layers; i++) {
        if (model->layers[i]->class_ == &cn__layer_input) continue;
        if (n < MOST_SUGGESTED) names[n++] = model->layers[i]->name;
        if (layer && strcmp(layer, model->layers[i]->name)) continue;
        found = 1;
        CN_TRY(switch_layer(model, model->layers[i], trainable));
    }
    return found ? CN_OK : cn__fail_unknown("layer", layer, names, n);
}

int64_t cn_model_count_trainable_params(const cn_model *model)
{
    int64_t count = 0;
    for (int i = 0; model && i < model->n_weights; i++) {
        const cn__weight *w = cn__model_weight_of(model, i);
        if (cn__model_trains(model, i)) count += w->rows * w->columns;
    }
    return count;
}
