#include "model/model.h"

#include "base/error.h"
#include "base/sha256.h"
#include "tensor/tensor.h"

#include <string.h>

int cn_model_n_weights(const cn_model *model)
{
    return model ? model->n_weights : 0;
}

const char *cn_model_weight_name(const cn_model *model, int i)
{
    return model && i >= 0 && i < model->n_weights ? model->weights[i].name : NULL;
}

static int check_index(const cn_model *model, int i)
{
    CN_TRY(cn__model_need_built(model));
    if (i < 0 || i >= model->n_weights)
        return cn__fail(CN_EINVAL, "model %s has %d weights; there is no number %d", model->name, model->n_weights, i);
    return CN_OK;
}

cn_tensor *cn__model_copy_weight(const cn_model *model, int i, void *block)
{
    const cn__weight *w = cn__model_weight_of(model, i);
    cn_tensor *copy = cn_tensor_create(model->engine->bits == 64 ? CN_FLOAT64 : CN_FLOAT32, w->ndim, w->shape);
    if (!copy) return NULL;
    size_t bytes = cn__engine_bytes(model->engine), row = (size_t)w->columns * bytes;
    const char *from = cn__model_weight_at(model, block, i);
    for (int64_t r = 0; r < w->rows; r++)
        memcpy((char *)cn_data(copy) + (size_t)r * row, from + (size_t)(r * w->stride) * bytes, row);
    return copy;
}

cn_tensor *cn_model_get_weight(const cn_model *model, int i)
{
    return check_index(model, i) < 0 ? NULL : cn__model_copy_weight(model, i, model->block);
}

void cn__model_store_weight(cn_model *model, int i, void *block, const cn_tensor *values)
{
    const cn__weight *w = cn__model_weight_of(model, i);
    char *to = cn__model_weight_at(model, block, i);
    if (model->plan.copied) model->plan.copied[model->weights[i].layer] = 0;
    size_t bytes = cn__engine_bytes(model->engine);
    for (int64_t r = 0; r < w->rows; r++) {
        for (int64_t c = 0; c < w->columns; c++) {
            int64_t index[CN_MAX_NDIM], rest = r;
            index[w->ndim > 0 ? w->ndim - 1 : 0] = c;
            for (int a = w->ndim - 2; a >= 0; a--) {
                index[a] = rest % w->shape[a];
                rest /= w->shape[a];
            }
            double value = cn__tensor_value(values, cn__tensor_element(values, index));
            if (bytes == 8) ((double *)(void *)to)[r * w->stride + c] = value;
            else ((float *)(void *)to)[r * w->stride + c] = (float)value;
        }
    }
}

size_t cn__model_block_bytes(const cn_model *model)
{
    return (size_t)model->block_size * cn__engine_bytes(model->engine);
}

void cn__model_copy_block(const cn_model *model, void *to)
{
    cn__panels_close(model);
    memcpy(to, model->block, cn__model_block_bytes(model));
}

void cn__model_restore_block(cn_model *model, const void *from)
{
    cn__panels_close(model);
    memcpy(model->block, from, cn__model_block_bytes(model));
    cn__plan_forget_copies(&model->plan, model->n_layers);
}

int cn_model_set_weight(cn_model *model, int i, const cn_tensor *values)
{
    CN_TRY(check_index(model, i));
    if (!values) return cn__null_tensor("cn_model_set_weight");
    const cn__weight *w = cn__model_weight_of(model, i);
    char wanted[CN_SHAPE_TEXT_BYTES], given[CN_SHAPE_TEXT_BYTES];
    int same = cn_ndim(values) == w->ndim;
    for (int a = 0; same && a < w->ndim; a++) same = cn_shape(values)[a] == w->shape[a];
    if (!same)
        return cn__fail(CN_ESHAPE, "%s: weight shape %s is not compatible with the given shape %s",
                        model->weights[i].name, cn__shape_text(wanted, w->ndim, w->shape),
                        cn__shape_text(given, cn_ndim(values), cn_shape(values)));
    cn__model_store_weight(model, i, model->block, values);
    return CN_OK;
}

int cn_model_weights_sha256(const cn_model *model, char digest[65])
{
    CN_TRY(cn__model_need_built(model));
    cn__sha256 hash;
    cn__sha256_begin(&hash);
    for (int i = 0; i < model->n_weights; i++) {
        const cn__weight *w = cn__model_weight_of(model, i);
        const void *at = cn__model_weight_at(model, model->block, i);
        for (int64_t r = 0; r < w->rows; r++) {
            if (model->engine->bits == 32) {
                cn__sha256_add(&hash, (const float *)at + r * w->stride, (size_t)w->columns * sizeof(float));
                continue;
            }
            for (int64_t c = 0; c < w->columns; c++) {
                float value = (float)((const double *)at)[r * w->stride + c];
                cn__sha256_add(&hash, &value, sizeof value);
            }
        }
    }
    cn__sha256_end(&hash, digest);
    return CN_OK;
}
