#include "model/save.h"

#include "base/checksum.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a file holds besides the weights, as text in its metadata. */
enum { FORMAT, MODEL_CONFIG, SEED, TRAINING_CONFIG, ITERATIONS, LOSS_SCALE, FINITE_STEPS, METADATA_COUNT };
static const char *const keys[METADATA_COUNT] = {"format", "model_config", "seed", "training_config", "iterations",
                                               "loss_scale", "loss_scale_steps"};
#define FORMAT_NAME "cornu-1"
#define CHECKSUM "checksum"

/* All arrays of one file and what they borrow from. */
typedef struct bundle {
    int n;
    cn__array *arrays;
    cn_tensor **tensors;
    char (*names)[160];
} bundle;

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

static int collect(const cn_model *model, int include_optimizer, const cn__more *more, bundle *b)
{
    const char *slots[CN__MAX_STATE];
    size_t most = (size_t)model->n_weights * (1 + CN__MAX_STATE) + 1 + (size_t)more->n_arrays;
    b->arrays = cn__alloc(most, sizeof *b->arrays, "the list of arrays");
    b->tensors = cn__alloc(most, sizeof *b->tensors, "the list of arrays");
    b->names = cn__alloc(most, sizeof *b->names, "the list of arrays");
    if (!b->arrays || !b->tensors || !b->names) return CN_ENOMEM;
    cn__state_names(model, slots);
    for (int i = 0; i < model->n_weights; i++)
        CN_TRY(add_array(b, "", model->weights[i].name, cn__model_copy_weight(model, i, model->block)));
    for (int k = 0; include_optimizer && k < CN__MAX_STATE; k++) {
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

/* Of all arrays' names and numbers. */
static uint32_t checksum_of(uint32_t sum, const cn__array *array)
{
    int64_t count = 1;
    for (int a = 0; a < array->ndim; a++) count *= array->shape[a];
    sum = cn__checksum(sum, array->name, strlen(array->name));
    return cn__checksum(sum, array->data, (size_t)count * cn_dtype_size(array->dtype));
}

static int write_bundle(const char *path, bundle *b, const char *const *own, const cn__more *more)
{
    const char *names[METADATA_COUNT + CN__MOST_NOTES + 1], *values[METADATA_COUNT + CN__MOST_NOTES + 1];
    char checksum[16];
    uint32_t sum = 0;
    int n = 0;
    for (int i = 0; i < METADATA_COUNT; i++)
        if (own[i]) names[n] = keys[i], values[n++] = own[i];
    for (int i = 0; i < more->n_notes; i++) names[n] = more->notes[i].key, values[n++] = more->notes[i].value;
    if (more->n_arrays) memcpy(b->arrays + b->n, more->arrays, (size_t)more->n_arrays * sizeof *b->arrays);
    for (int i = 0; i < b->n + more->n_arrays; i++) sum = checksum_of(sum, &b->arrays[i]);
    snprintf(checksum, sizeof checksum, "%08x", (unsigned)sum);
    names[n] = CHECKSUM;
    values[n++] = checksum;
    return cn__safetensors_write(path, b->n + more->n_arrays, b->arrays, n, names, values);
}

int cn__save_with_more(const cn_model *model, const char *path, int with_optimizer, const cn__more *more)
{
    char seed[24], iterations[24], scale[32], finite[24];
    if (with_optimizer) cn__lazy_settle(model); /* a callback may save while fit runs */
    char *model_config = cn__config_model_text(model);
    char *training_config = model->is_compiled && model_config ? cn__config_training_text(model) : NULL;
    bundle b = {.n = 0};
    int status = model_config && (training_config || !model->is_compiled) ? CN_OK : cn_error_status();
    if (status == CN_OK) status = collect(model, with_optimizer, more, &b);
    if (status == CN_OK) {
        snprintf(seed, sizeof seed, "%llu", (unsigned long long)model->seed);
        snprintf(iterations, sizeof iterations, "%lld", (long long)model->iterations);
        int is_scaled = with_optimizer && model->loss_scale.scale > 0;
        snprintf(scale, sizeof scale, "%a", model->loss_scale.scale); /* all bits, in any locale */
        snprintf(finite, sizeof finite, "%lld", (long long)model->loss_scale.finite);
        const char *own[METADATA_COUNT] = {FORMAT_NAME, model_config, seed, training_config,
                                           with_optimizer ? iterations : NULL, is_scaled ? scale : NULL,
                                           is_scaled ? finite : NULL};
        status = write_bundle(path, &b, own, more);
    }
    release(&b);
    cn__free(model_config);
    cn__free(training_config);
    return status;
}

int cn_model_save_with(const cn_model *model, const char *path, const cn_save_options *options)
{
    CN_TRY(cn__model_need_built(model));
    if (!path) return cn__fail(CN_EINVAL, "cn_model_save: the path is NULL");
    int with_optimizer = options && options->include_optimizer && model->is_compiled;
    return cn__save_with_more(model, path, with_optimizer, &(const cn__more){.n_arrays = 0});
}

int cn__save_check(cn__safetensors *file)
{
    const char *wanted = cn__safetensors_metadata(file, CHECKSUM);
    if (!wanted) return CN_OK; /* written by somebody else */
    char found[16];
    uint32_t sum = 0;
    for (int i = 0; i < cn__safetensors_count(file); i++) {
        cn__array array;
        CN_TRY(cn__safetensors_at(file, i, &array));
        sum = checksum_of(sum, &array);
    }
    snprintf(found, sizeof found, "%08x", (unsigned)sum);
    return strcmp(found, wanted) ? cn__fail(CN_EFORMAT, "it is damaged: its checksum is not right") : CN_OK;
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

static int read_loss_scale(cn_model *model, cn__safetensors *file)
{
    const char *text = cn__safetensors_metadata(file, keys[LOSS_SCALE]);
    uint64_t finite = 0;
    char *end;
    if (!text) return CN_OK;
    double scale = strtod(text, &end);
    CN_TRY(read_number(file, FINITE_STEPS, &finite));
    if (*end || !(scale > 0 && scale <= 1e300) || finite > INT64_MAX / 2)
        return cn__fail(CN_EFORMAT, "\"%s\" in its metadata is no positive number", keys[LOSS_SCALE]);
    model->loss_scale = (cn__loss_scale){scale, (int64_t)finite};
    return CN_OK;
}

/* The optimizer's state and the number of its updates. */
static int read_state(cn_model *model, cn__safetensors *file)
{
    const char *slots[CN__MAX_STATE];
    uint64_t iterations = 0;
    CN_TRY(read_number(file, ITERATIONS, &iterations));
    if (iterations > INT64_MAX / 2) return cn__fail(CN_EFORMAT, "it claims an absurd number of training steps");
    model->iterations = (int64_t)iterations;
    CN_TRY(read_loss_scale(model, file));
    cn__lazy_mark(model);
    cn__state_names(model, slots);
    for (int k = 0; k < CN__MAX_STATE; k++) {
        if (!model->slots[k]) continue;
        char prefix[48];
        snprintf(prefix, sizeof prefix, "optimizer/%.32s/", slots[k]);
        CN_TRY(read_block(model, file, prefix, model->slots[k]));
    }
    return CN_OK;
}

static int read_training(cn_model *model, cn__safetensors *file)
{
    const char *text = cn__safetensors_metadata(file, keys[TRAINING_CONFIG]);
    if (!text) return CN_OK;
    CN_TRY(cn__config_read_training(model, text));
    return cn__safetensors_metadata(file, keys[ITERATIONS]) ? read_state(model, file) : CN_OK;
}

int cn__save_agrees(const cn_model *model, cn__safetensors *file)
{
    const char *texts[2] = {cn__safetensors_metadata(file, keys[MODEL_CONFIG]),
                            cn__safetensors_metadata(file, keys[TRAINING_CONFIG])};
    static const char *const what[2] = {"of another model: its layers are not the same",
                                        "of a model that was compiled with another optimizer, loss or metrics"};
    if (!texts[0] || !texts[1] || !cn__safetensors_metadata(file, keys[ITERATIONS]))
        return cn__fail(CN_EFORMAT, "it is no checkpoint of a training");
    for (int i = 0; i < 2; i++) {
        char *own = i ? cn__config_training_text(model) : cn__config_model_text(model);
        int same = own && !strcmp(own, texts[i]);
        if (!own) return cn_error_status();
        cn__free(own);
        if (!same) return cn__fail(CN_ESTATE, "it is %s", what[i]);
    }
    return CN_OK;
}

int cn__save_read_into(cn_model *model, cn__safetensors *file)
{
    CN_TRY(read_block(model, file, "", model->block));
    return read_state(model, file);
}

static int fill(cn_model *model, cn__safetensors *file)
{
    const char *format = cn__safetensors_metadata(file, keys[FORMAT]);
    const char *text = cn__safetensors_metadata(file, keys[MODEL_CONFIG]);
    if (!format || strncmp(format, "cornu-", 6) || !text)
        return cn__fail(CN_EFORMAT, "it holds arrays but no Cornu model (no \"model_config\" in its metadata)");
    if (strcmp(format, FORMAT_NAME))
        return cn__fail(CN_EFORMAT, "it is of format \"%.32s\", this version reads %s", format, FORMAT_NAME);
    CN_TRY(cn__save_check(file));
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

/* Everything that read_block will ask for is there, with the right shapes. */
static int check_block(const cn_model *model, cn__safetensors *file, const char *prefix)
{
    for (int i = 0; i < model->n_weights; i++) {
        char name[160];
        cn__array array;
        snprintf(name, sizeof name, "%s%s", prefix, model->weights[i].name);
        CN_TRY(find_array(file, name, cn__model_weight_of(model, i), &array));
    }
    return CN_OK;
}

static int check_state(const cn_model *model, cn__safetensors *file)
{
    const char *slots[CN__MAX_STATE];
    cn__state_names(model, slots);
    for (int k = 0; k < CN__MAX_STATE; k++) {
        char prefix[48];
        snprintf(prefix, sizeof prefix, "optimizer/%.32s/", slots[k] ? slots[k] : "");
        if (model->slots[k]) CN_TRY(check_block(model, file, prefix));
    }
    return CN_OK;
}

/* 1 if the file holds the state of an optimizer like the model's; negative when that cannot be found out. */
static int has_same_training(const cn_model *model, const cn__safetensors *file)
{
    const char *text = cn__safetensors_metadata(file, keys[TRAINING_CONFIG]);
    if (!model->is_compiled || !text || !cn__safetensors_metadata(file, keys[ITERATIONS])) return 0;
    char *own = cn__config_training_text(model);
    if (!own) return cn_error_status();
    int same = !strcmp(own, text);
    cn__free(own);
    return same;
}

static int read_weights(cn_model *model, cn__safetensors *file)
{
    int same = has_same_training(model, file);
    CN_TRY(same);
    CN_TRY(cn__save_check(file));
    CN_TRY(check_block(model, file, ""));
    if (same) CN_TRY(check_state(model, file));
    cn__panels_close(model);
    if (model->is_compiled) cn__lazy_settle(model);
    if (same) CN_TRY(read_state(model, file)); /* first, as it may still find a number that is none */
    return read_block(model, file, "", model->block);
}

int cn_model_load_weights(cn_model *model, const char *path)
{
    CN_TRY(cn__model_need_built(model));
    if (!path) return cn__fail(CN_EINVAL, "cn_model_load_weights: the path is NULL");
    cn__safetensors *file;
    CN_TRY(cn__safetensors_read(path, &file));
    int status = read_weights(model, file);
    if (status < 0) cn__fail_prefix("%s: ", path);
    cn__safetensors_destroy(&file);
    return status;
}
