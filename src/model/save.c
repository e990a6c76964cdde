#include "model/config.h"

#include "base/error.h"
#include "base/memory.h"
#include "formats/format_safetensors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a file holds besides the weights, as text in its metadata. */
enum { FORMAT, MODEL_CONFIG, SEED, TRAINING_CONFIG, ITERATIONS, METADATA_COUNT };
static const char *const keys[METADATA_COUNT] = {"format", "model_config", "seed", "training_config", "iterations"};
#define FORMAT_NAME "cornu-1"

/* All arrays of one file and what they borrow from. */
typedef struct bundle {
    int n;
    cn__array *arrays;
    cn_tensor **tensors;
    char (*names)[160];
} bundle;

static void slot_names(const cn_model *model, const char *names[CN__MAX_SLOTS])
{
    for (int k = 0; k < CN__MAX_SLOTS; k++) names[k] = NULL;
    if (model->is_compiled) model->optimizer->class_->slots(model->optimizer->options, names);
}

static int add_array(bundle *b, const char *prefix, const char *name, cn_tensor *tensor)
{
    if (!tensor) return CN_ENOMEM;
    int i = b->n++;
    snprintf(b->names[i], sizeof b->names[i], "%s%s", prefix, name);
    b->tensors[i] = tensor;
    b->arrays[i] = (cn__array){.name = b->names[i], .dtype = cn_dtype_of(tensor), .ndim = cn_ndim(tensor),
                               .data = cn_data(tensor)};
    memcpy(b->arrays[i].shape, cn_shape(tensor), (size_t)cn_ndim(tensor) * sizeof(int64_t));
    return CN_OK;
}

static int collect(const cn_model *model, int include_optimizer, bundle *b)
{
    const char *slots[CN__MAX_SLOTS];
    size_t most = (size_t)model->n_weights * (1 + CN__MAX_SLOTS) + 1;
    b->arrays = cn__alloc(most, sizeof *b->arrays, "the list of arrays");
    b->tensors = cn__alloc(most, sizeof *b->tensors, "the list of arrays");
    b->names = cn__alloc(most, sizeof *b->names, "the list of arrays");
    if (!b->arrays || !b->tensors || !b->names) return CN_ENOMEM;
    slot_names(model, slots);
    for (int i = 0; i < model->n_weights; i++)
        CN_TRY(add_array(b, "", model->weights[i].name, cn__model_copy_weight(model, i, model->block)));
    for (int k = 0; include_optimizer && k < CN__MAX_SLOTS; k++) {
        char prefix[48];
        snprintf(prefix, sizeof prefix, "optimizer/%.32s/", slots[k] ? slots[k] : "");
        for (int i = 0; model->slots[k] && i < model->n_weights; i++)
            CN_TRY(add_array(b, prefix, model->weights[i].name, cn__model_copy_weight(model, i, model->slots[k])));
    }
    return CN_OK;
}

static void release(bundle *b)
{
    for (int i = 0; i < b->n; i++) cn_tensor_destroy(&b->tensors[i]);
    cn__free(b->arrays);
    cn__free(b->tensors);
    cn__free(b->names);
}

int cn_model_save_with(const cn_model *model, const char *path, const cn_save_options *options)
{
    CN_TRY(cn__model_need_built(model));
    if (!path) return cn__fail(CN_EINVAL, "cn_model_save: the path is NULL");
    int with_optimizer = options && options->include_optimizer && model->is_compiled, n = 0;
    if (with_optimizer) cn__lazy_settle(model); /* a callback may save while fit runs */
    char seed[24], iterations[24];
    const char *names[METADATA_COUNT], *values[METADATA_COUNT];
    char *model_config = cn__config_model_text(model);
    char *training_config = model->is_compiled && model_config ? cn__config_training_text(model) : NULL;
    bundle b = {.n = 0};
    int status = model_config && (training_config || !model->is_compiled) ? CN_OK : cn_error_status();
    if (status == CN_OK) status = collect(model, with_optimizer, &b);
    if (status == CN_OK) {
        snprintf(seed, sizeof seed, "%llu", (unsigned long long)model->seed);
        snprintf(iterations, sizeof iterations, "%lld", (long long)model->iterations);
        const char *all[METADATA_COUNT] = {FORMAT_NAME, model_config, seed, training_config,
                                           with_optimizer ? iterations : NULL};
        for (int i = 0; i < METADATA_COUNT; i++) {
            if (!all[i]) continue;
            names[n] = keys[i];
            values[n++] = all[i];
        }
        status = cn__safetensors_write(path, b.n, b.arrays, n, names, values);
    }
    release(&b);
    cn__free(model_config);
    cn__free(training_config);
    return status;
}

/* The array for a weight; its shape must be what the configuration says, before any memory is taken for it. */
static int find_array(cn__safetensors *file, const char *name, const cn__weight *w, cn__array *array)
{
    CN_TRY(cn__safetensors_find(file, name, array));
    int same = array->ndim == w->ndim;
    for (int a = 0; same && a < w->ndim; a++) same = array->shape[a] == w->shape[a];
    if (!same) return cn__fail(CN_EFORMAT, "the shape of \"%s\" does not fit the layer's configuration", name);
    return CN_OK;
}

/* Shapes first, by a build that makes no weights: a file cannot ask for more memory than it is long. */
static int check_arrays(cn_model *model, cn__safetensors *file, int ndim, const int64_t *shape)
{
    for (int i = 0; i < model->n_layers; i++) {
        cn_layer *layer = model->layers[i];
        CN_TRY(cn__layer_build(layer, ndim, shape));
        layer->is_built = 0;
        for (int k = 0; k < layer->n_weights; k++) {
            char name[160];
            cn__array array;
            snprintf(name, sizeof name, "%.64s/%s", layer->name, layer->weights[k].name);
            CN_TRY(find_array(file, name, &layer->weights[k], &array));
        }
        ndim = layer->output_ndim;
        shape = layer->output_shape;
    }
    return CN_OK;
}

static int read_block(cn_model *model, cn__safetensors *file, const char *prefix, void *block)
{
    for (int i = 0; i < model->n_weights; i++) {
        char name[160];
        cn__array array;
        snprintf(name, sizeof name, "%s%s", prefix, model->weights[i].name);
        CN_TRY(find_array(file, name, cn__model_weight_of(model, i), &array));
        cn_tensor *values = cn_tensor_from(array.dtype, array.ndim, array.shape, array.data);
        if (!values) return CN_ENOMEM;
        cn__model_store_weight(model, i, block, values);
        cn_tensor_destroy(&values);
    }
    return CN_OK;
}

static int read_number(cn__safetensors *file, int key, uint64_t *number)
{
    const char *text = cn__safetensors_metadata(file, keys[key]);
    if (!text) return CN_OK;
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    if (errno || *end || end == text || *text == '-')
        return cn__fail(CN_EFORMAT, "\"%s\" in its metadata is no number", keys[key]);
    return CN_OK;
}

static int read_training(cn_model *model, cn__safetensors *file)
{
    const char *text = cn__safetensors_metadata(file, keys[TRAINING_CONFIG]), *slots[CN__MAX_SLOTS];
    if (!text) return CN_OK;
    CN_TRY(cn__config_read_training(model, text));
    if (!cn__safetensors_metadata(file, keys[ITERATIONS])) return CN_OK;
    uint64_t iterations = 0;
    CN_TRY(read_number(file, ITERATIONS, &iterations));
    if (iterations > INT64_MAX / 2) return cn__fail(CN_EFORMAT, "it claims an absurd number of training steps");
    model->iterations = (int64_t)iterations;
    cn__lazy_mark(model);
    slot_names(model, slots);
    for (int k = 0; k < CN__MAX_SLOTS; k++) {
        if (!model->slots[k]) continue;
        char prefix[48];
        snprintf(prefix, sizeof prefix, "optimizer/%.32s/", slots[k]);
        CN_TRY(read_block(model, file, prefix, model->slots[k]));
    }
    return CN_OK;
}

static int fill(cn_model *model, cn__safetensors *file)
{
    const char *format = cn__safetensors_metadata(file, keys[FORMAT]);
    const char *text = cn__safetensors_metadata(file, keys[MODEL_CONFIG]);
    if (!format || strncmp(format, "cornu-", 6) || !text)
        return cn__fail(CN_EFORMAT, "it holds arrays but no Cornu model (no \"model_config\" in its metadata)");
    if (strcmp(format, FORMAT_NAME))
        return cn__fail(CN_EFORMAT, "it is of format \"%.32s\", this version reads %s", format, FORMAT_NAME);
    int ndim;
    int64_t shape[CN_MAX_NDIM] = {0};
    CN_TRY(read_number(file, SEED, &model->seed));
    CN_TRY(cn__config_read_model(model, text, &ndim, shape));
    CN_TRY(check_arrays(model, file, ndim, shape));
    CN_TRY(cn__model_build(model, ndim, shape));
    CN_TRY(read_block(model, file, "", model->block));
    return read_training(model, file);
}

cn_model *cn_model_load_with(const char *path, const cn_sequential_options *options)
{
    if (!path) return cn__fail_null(CN_EINVAL, "cn_model_load: the path is NULL");
    cn__safetensors *file;
    if (cn__safetensors_read(path, &file) < 0) return NULL;
    cn_model *model = cn_sequential_create(options);
    if (model && fill(model, file) < 0) {
        cn__fail_prefix("%s: ", path);
        cn_model_destroy(&model);
    }
    cn__safetensors_destroy(&file);
    return model;
}
