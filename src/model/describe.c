#include "model/model.h"

#include "layers/activation.h"
#include "layers/initializer.h"

static int first_index(const cn_model *model)
{
    return model->n_layers && model->layers[0]->class_ == &cn__layer_input;
}

static const cn_layer *layer_at(const cn_model *model, int i)
{
    if (!model || i < 0 || i + first_index(model) >= model->n_layers) return NULL;
    return model->layers[i + first_index(model)];
}

const char *cn_model_name(const cn_model *model)
{
    return model ? model->name : NULL;
}

int cn_model_n_layers(const cn_model *model)
{
    return model ? model->n_layers - first_index(model) : 0;
}

const char *cn_model_layer_name(const cn_model *model, int i)
{
    const cn_layer *layer = layer_at(model, i);
    return layer ? layer->name : NULL;
}

const char *cn_model_layer_class(const cn_model *model, int i)
{
    const cn_layer *layer = layer_at(model, i);
    return layer ? layer->class_->name : NULL;
}

int64_t cn_model_count_params(const cn_model *model)
{
    int64_t count = 0;
    for (int i = 0; model && i < model->n_weights; i++) {
        const cn__weight *w = cn__model_weight_of(model, i);
        count += w->rows * w->columns;
    }
    return count;
}

const char *cn_model_loss(const cn_model *model)
{
    return model && model->is_compiled ? model->loss_text : NULL;
}

const char *cn_model_optimizer_name(const cn_model *model)
{
    return model && model->is_compiled ? model->optimizer->class_->snake : NULL;
}

int cn_model_threads(const cn_model *model)
{
    return model ? model->threads : 0;
}

const char *cn_model_isa(const cn_model *model)
{
    return model ? cn__isa_name(model->engine->isa) : NULL;
}

const char *cn_model_precision(const cn_model *model)
{
    return model ? model->precision : NULL;
}

uint64_t cn_model_seed(const cn_model *model)
{
    return model ? model->seed : 0;
}

const int64_t *cn_model_input_shape(const cn_model *model, int *ndim)
{
    *ndim = 0;
    if (!model || !model->is_built || !model->n_layers) return NULL;
    *ndim = model->layers[0]->input_ndim;
    return model->layers[0]->input_shape;
}

const int64_t *cn_model_output_shape(const cn_model *model, int *ndim)
{
    *ndim = 0;
    if (!model || !model->is_built || !model->n_layers) return NULL;
    *ndim = cn__model_last(model)->output_ndim;
    return cn__model_last(model)->output_shape;
}

const char *cn_names(cn_names_kind kind, int i)
{
    if (i < 0) return NULL;
    switch (kind) {
    case CN_NAMES_LAYER: return i < CN__LAYER_COUNT ? cn__layer_classes[i]->name : NULL;
    case CN_NAMES_ACTIVATION: return i < CN__ACTIVATION_COUNT ? cn__activation_classes[i]->name : NULL;
    case CN_NAMES_INITIALIZER: return i < CN__INITIALIZER_COUNT ? cn__initializer_classes[i]->name : NULL;
    case CN_NAMES_OPTIMIZER: return i < CN__OPTIMIZER_COUNT ? cn__optimizer_classes[i]->snake : NULL;
    case CN_NAMES_LOSS: return i < CN__LOSS_COUNT ? cn__loss_classes[i]->name : NULL;
    case CN_NAMES_REGULARIZER: return i < CN__REGULARIZER_COUNT ? cn__regularizer_names[i] : NULL;
    case CN_NAMES_SCHEDULE: return i < CN__SCHEDULE_COUNT ? cn__schedule_classes[i]->snake : NULL;
    case CN_NAMES_CONSTRAINT: return i < CN__CONSTRAINT_COUNT ? cn__constraint_names[i] : NULL;
    case CN_NAMES_METRIC: return cn__metric_name(i);
    }
    return NULL;
}
