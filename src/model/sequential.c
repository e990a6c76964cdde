#include "model/model.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const precisions[] = {"float32", "mixed_bfloat16", "float64"};

/* Tiles belong to the level avx512: asking for a lower one means that the CPU's own rounding is not wanted. */
static cn__bf16_way choose_bf16_way(cn__isa isa)
{
    return isa == CN__ISA_AVX512 && cn__cpu_avx512_bf16() && cn__cpu_amx_bf16() ? CN__BF16_TILES : CN__BF16_ROUNDED;
}

static int choose_engine(cn_model *model, const cn_sequential_options *options)
{
    const char *precision = options->precision ? options->precision : "float32";
    cn__isa isa;
    const char *name = options->isa;
    CN_TRY(cn__isa_choose(options->isa, &isa));
    model->isa_wish = cn__isa_wish(&name);
    for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++) {
        if (strcmp(precision, precisions[i])) continue;
        model->precision = precisions[i];
        model->engine = cn__engine_find(i == 2 ? 64 : 32, isa);
        if (i == 1) model->bf16_way = choose_bf16_way(isa);
        return CN_OK;
    }
    return cn__fail_unknown("precision", precision, precisions, sizeof precisions / sizeof *precisions);
}

/* Threads beyond the CPUs only take them from each other. Tests that want to see what 8 threads do to each other say
 * so. */
static int threads_of(int wanted)
{
    const int most = cn__cpu_threads();
    if (wanted > 0 && (wanted < most || getenv("CORNU_THREADS_BEYOND_CPUS"))) return wanted;
    return most;
}

cn_model *cn_sequential_create(const cn_sequential_options *options)
{
    const cn_sequential_options defaults = {CN_SEQUENTIAL_DEFAULTS};
    if (!options) options = &defaults;
    cn_model *model = cn__alloc(1, sizeof *model, "a model");
    if (!model) return NULL;
    model->seed = options->seed;
    model->threads = threads_of(options->threads);
    if (options->threads < 0 || options->threads > CN_MAX_THREADS) {
        cn__fail(CN_EINVAL, "threads must lie in 0 (automatic) ... %d, got %d", CN_MAX_THREADS, options->threads);
        cn_model_destroy(&model);
        return NULL;
    }
    if (model->threads > CN_MAX_THREADS) model->threads = CN_MAX_THREADS;
    model->name = cn__strdup(options->name ? options->name : "sequential", "the model's name");
    if (!model->name || choose_engine(model, options) < 0) cn_model_destroy(&model);
    return model;
}

void cn_model_destroy(cn_model **model_)
{
    if (!model_ || !*model_) return;
    cn_model *model = *model_;
    for (int i = 0; i < model->n_layers; i++) cn_layer_destroy(&model->layers[i]);
    cn__free(model->layers);
    cn__free(model->weights);
    cn__panels_destroy(model);
    cn__free(model->block);
    cn__model_forget_compile(model);
    cn__plan_destroy(&model->plan);
    cn__history_destroy(&model->history);
    cn__warnings_clear(model);
    cn__pool_destroy(&model->pool);
    cn__pool_destroy(&model->alone);
    cn__free(model->name);
    cn__free(model);
    *model_ = NULL;
}

/* "dense", "dense_1", ...: the class's name and how many of that class the model has already. */
static int name_layer(cn_model *model, cn_layer *layer)
{
    char automatic[80];
    const char *name = cn__layer_label(layer);
    if (name == layer->class_->snake) {
        int same = 0;
        for (int i = 0; i < model->n_layers; i++) same += model->layers[i]->class_ == layer->class_;
        if (same) {
            snprintf(automatic, sizeof automatic, "%s_%d", name, same);
            name = automatic;
        }
    }
    for (int i = 0; i < model->n_layers; i++)
        if (!strcmp(model->layers[i]->name, name))
            return cn__fail(CN_EINVAL,
                            "two layers are called \"%.64s\"; every layer of a model needs a name of its own", name);
    layer->name = cn__strdup(name, "a layer's name");
    return layer->name ? CN_OK : CN_ENOMEM;
}

static int append(cn_model *model, cn_layer *layer)
{
    if (model->n_layers == model->capacity) {
        int capacity = model->capacity ? 2 * model->capacity : 8;
        cn_layer **grown = cn__realloc(model->layers, (size_t)capacity, sizeof *grown, "the list of layers");
        if (!grown) return CN_ENOMEM;
        model->layers = grown;
        model->capacity = capacity;
    }
    int is_input = layer->class_ == &cn__layer_input, ndim;
    if (is_input && model->n_layers)
        return cn__fail(CN_EINVAL, "an Input stands first in a model; this one would be layer %d", model->n_layers + 1);
    CN_TRY(name_layer(model, layer));
    const int64_t *shape = cn__layer_shape_option(layer, &ndim);
    if (model->n_layers && shape && !is_input) shape = NULL;
    model->layers[model->n_layers++] = layer;
    model->is_compiled = 0;
    int status = CN_OK;
    if (model->is_built || shape) status = cn__model_build(model, ndim, shape);
    if (status < 0) model->layers[--model->n_layers] = NULL;
    return status;
}

int cn_add(cn_model *model, cn_layer *layer)
{
    if (!model) {
        cn_layer_destroy(&layer);
        return cn__fail(CN_EINVAL, "cn_add: the model is NULL");
    }
    int status = model->status;
    if (status == CN_OK) {
        if (!layer) status = cn_error_status() < 0 ? cn_error_status() : cn__fail(CN_EINVAL, "cn_add: no layer");
        else status = append(model, layer);
        if (status == CN_OK) return CN_OK;
        model->status = status;
        snprintf(model->sentence, sizeof model->sentence, "%s", cn_error_message());
    } else {
        cn__fail(status, "%s", model->sentence);
    }
    cn_layer_destroy(&layer);
    return status;
}
