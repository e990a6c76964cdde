#include "model/model.h"

#include "base/error.h"
#include "base/memory.h"
#include "layers/initializer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const cn_layer *cn__model_first(const cn_model *model)
{
    for (int i = 0; i < model->n_layers; i++)
        if (model->layers[i]->class_ != &cn__layer_input) return model->layers[i];
    return NULL;
}

const cn_layer *cn__model_last(const cn_model *model)
{
    return model->n_layers ? model->layers[model->n_layers - 1] : NULL;
}

int cn__model_need_built(const cn_model *model)
{
    if (!model) return cn__fail(CN_EINVAL, "the model is NULL");
    if (model->status < 0) return cn__fail(model->status, "%s", model->sentence);
    if (!cn__model_first(model))
        return cn__fail(CN_ESTATE, "model %s has no layers; add some with cn_add", model->name);
    if (!model->is_built)
        return cn__fail(CN_ESTATE,
                        "model %s does not know the shape of its input; give .input_shape to its first layer",
                        model->name);
    return CN_OK;
}

int cn__model_need_compiled(const cn_model *model)
{
    if (!model) return cn__fail(CN_EINVAL, "the model is NULL");
    if (model->status < 0) return cn__fail(model->status, "%s", model->sentence);
    if (!model->is_compiled)
        return cn__fail(CN_ESTATE, "model %s is not compiled; call cn_compile after the last cn_add", model->name);
    return CN_OK;
}

int cn__model_start_threads(cn_model *model)
{
    if (!model->pool) model->pool = cn__pool_create(model->threads);
    if (model->pool && !model->alone) model->alone = cn__pool_create(1);
    return model->pool && model->alone ? CN_OK : cn_error_status();
}

int64_t cn__model_labels_per_sample(const cn_model *model)
{
    int64_t shape[CN__MOST_AXES], count = 1;
    if (!model->loss_axes.moves) return cn__model_rows_per_sample(model);
    for (int i = cn__axes_kept(&model->loss_axes, 1, shape) - 1; i >= 0; i--) count *= shape[i];
    return count;
}

int64_t cn__model_rows_per_sample(const cn_model *model)
{
    const cn_layer *last = cn__model_last(model);
    return last->output_size / last->output_shape[last->output_ndim - 1];
}

double cn__model_work(const cn_model *model, int64_t rows)
{
    double work = 0;
    for (int i = 0; i < model->n_layers; i++) work += model->layers[i]->work;
    return (double)rows * work;
}

void cn__model_choose_team(cn_model *model, int64_t rows)
{
    model->team = cn__model_work(model, rows) < CN__WORTH_A_TEAM ? model->alone : model->pool;
}

const cn__weight *cn__model_weight_of(const cn_model *model, int weight)
{
    const cn__model_weight *w = &model->weights[weight];
    return &model->layers[w->layer]->weights[w->index];
}

void *cn__model_weight_at(const cn_model *model, void *block, int weight)
{
    if (model->panels && weight == model->lazy_weight) cn__panels_close(model);
    return (char *)block + (size_t)model->weights[weight].offset * cn__engine_bytes(model->engine);
}

static void store(const cn_model *model, int weight, const double *values)
{
    const cn__weight *shape = cn__model_weight_of(model, weight);
    void *at = cn__model_weight_at(model, model->block, weight);
    for (int64_t r = 0; r < shape->rows; r++) {
        for (int64_t c = 0; c < shape->columns; c++) {
            double value = values[r * shape->columns + c];
            if (model->engine->bits == 64) ((double *)at)[r * shape->stride + c] = value;
            else ((float *)at)[r * shape->stride + c] = (float)value;
        }
    }
}

static int initialize(const cn_model *model, int weight)
{
    const cn__weight *shape = cn__model_weight_of(model, weight);
    double *values = cn__alloc((size_t)(shape->rows * shape->columns), sizeof *values, "initial weights");
    if (!values) return CN_ENOMEM;
    cn__random random;
    cn__random_begin(&random, model->seed, CN__FOR_INITIALIZER, (uint32_t)weight);
    const cn_layer *layer = model->layers[model->weights[weight].layer];
    int status = cn__initializer_fill(layer->name, shape->initializer, &random, shape->ndim, shape->shape, values);
    for (int64_t i = 0; shape->begins_with_root && i < shape->rows * shape->columns; i++) values[i] = sqrt(values[i]);
    if (status == CN_OK) store(model, weight, values);
    cn__free(values);
    return status;
}

/* Room for the weights of one more layer at the end of the block, then their initial values. */
static int add_weights(cn_model *model, int layer)
{
    const cn_layer *l = model->layers[layer];
    if (!l->n_weights) return CN_OK;
    int n = model->n_weights + l->n_weights;
    cn__model_weight *weights = cn__realloc(model->weights, (size_t)n, sizeof *weights, "the list of weights");
    if (!weights) return CN_ENOMEM;
    model->weights = weights;
    int64_t size = model->block_size;
    for (int i = 0; i < l->n_weights; i++) {
        cn__model_weight *w = &weights[model->n_weights + i];
        *w = (cn__model_weight){.layer = layer, .index = i, .offset = size};
        snprintf(w->name, sizeof w->name, "%.64s/%s", l->name, l->weights[i].name);
        int64_t numbers;
        if (__builtin_mul_overflow(l->weights[i].rows, l->weights[i].stride, &numbers) ||
            __builtin_add_overflow(size, numbers, &size))
            return cn__fail(CN_ENOMEM, "%s: its weights do not fit into memory", l->name);
    }
    size_t bytes = cn__engine_bytes(model->engine);
    char *block = cn__realloc(model->block, (size_t)size, bytes, "the weights");
    if (!block) return cn__fail_prefix("%s: ", l->name);
    memset(block + (size_t)model->block_size * bytes, 0, (size_t)(size - model->block_size) * bytes);
    model->block = block;
    model->block_size = size;
    int first = model->n_weights;
    model->n_weights = n;
    for (int i = first; i < n; i++) CN_TRY(initialize(model, i));
    return CN_OK;
}

int cn__model_build(cn_model *model, int ndim, const int64_t *shape)
{
    for (int i = 0; i < model->n_layers; i++) {
        cn_layer *layer = model->layers[i];
        if (!layer->is_built) {
            CN_TRY(cn__layer_build(layer, ndim, shape));
            int status = add_weights(model, i);
            if (status < 0) {
                layer->is_built = 0;
                return status;
            }
        }
        ndim = layer->output_ndim;
        shape = layer->output_shape;
    }
    model->is_built = 1;
    cn__plan_destroy(&model->plan);
    return CN_OK;
}
