#include "model/model.h"

#include "base/error.h"
#include "model/hooks.h"
#include "model/progress.h"

#include <string.h>

static int run(cn_model *model, cn__data *data, const cn_evaluate_options *options, void *out)
{
    int watched = options->verbose || options->callbacks[0];
    int64_t batch = watched ? options->batch_size : CN__QUIET_BATCH, steps = (data->rows + batch - 1) / batch;
    size_t row = (size_t)cn__model_last(model)->output_size * cn__engine_bytes(model->engine);
    cn__progress progress;
    cn_logs none = {0, NULL, NULL};
    if (!watched) {
        cn__codes_judge(model, data, 1);
        int done = cn__parts_predict(model, data, out);
        if (done) return done < 0 ? done : CN_OK;
    }
    CN_TRY(cn__codes_find(model, data, 1));
    CN_TRY(cn__plan_prepare(model, batch < data->rows ? batch : data->rows, 0));
    cn__progress_open(&progress, options->verbose, options->output);
    cn__progress_begin(&progress, steps, 0, 0);
    CN_HOOK(options->callbacks, on_predict_begin, model, steps);
    for (int64_t step = 0; step < steps; step++) {
        int64_t first = step * batch, n = data->rows - first < batch ? data->rows - first : batch;
        CN_HOOK(options->callbacks, on_predict_batch_begin, model, step);
        const void *output = cn__forward(model, data, &(cn__choice){.first = first, .n = n}, -1);
        CN_TRY(cn__step_status(model));
        memcpy((char *)out + (size_t)first * row, output, (size_t)n * row);
        CN_HOOK(options->callbacks, on_predict_batch_end, model, step);
        if (cn__progress_wants(&progress, step + 1)) cn__progress_draw(&progress, step + 1, &none);
    }
    cn__progress_end(&progress, &none);
    CN_HOOK(options->callbacks, on_predict_end, model);
    return CN_OK;
}

static cn_tensor *predict(cn_model *model, const cn_tensor *x, const cn_evaluate_options *options)
{
    if (cn__model_need_built(model) < 0) return NULL;
    if (options->batch_size < 1)
        return cn__fail_null(CN_EINVAL, "batch_size must be at least 1, got %lld", (long long)options->batch_size);
    cn__data data;
    if (cn__data_open_as_given(model, x, NULL, &data) < 0) return NULL;
    const cn_layer *last = cn__model_last(model);
    int64_t shape[CN_MAX_NDIM] = {data.rows};
    cn_tensor *out = NULL;
    if (last->output_ndim + 1 > CN_MAX_NDIM) {
        cn__fail(CN_ESHAPE, "%s: an output of %d axes and the batch are more than %d", last->name, last->output_ndim,
                 CN_MAX_NDIM);
    } else {
        for (int i = 0; i < last->output_ndim; i++) shape[i + 1] = last->output_shape[i];
        out = cn_tensor_create(model->engine->bits == 64 ? CN_FLOAT64 : CN_FLOAT32, last->output_ndim + 1, shape);
    }
    if (out && run(model, &data, options, cn_data(out)) < 0) cn_tensor_destroy(&out);
    cn__data_close(&data);
    return out;
}

cn_tensor *cn_model_predict(cn_model *model, const cn_tensor *x, const cn_evaluate_options *options)
{
    const cn_evaluate_options defaults = {CN_EVALUATE_DEFAULTS};
    if (!options) options = &defaults;
    cn_tensor *out = predict(model, x, options);
    cn__hooks_release(options->callbacks);
    return out;
}

cn_tensor *cn_predict_classes(cn_model *model, const cn_tensor *x)
{
    cn_tensor *outputs = cn_model_predict(model, x, NULL), *classes = NULL;
    if (!outputs) return NULL;
    int last = cn_ndim(outputs) - 1;
    if (cn_shape(outputs)[last] != 1) {
        classes = cn_argmax(outputs);
    } else {
        classes = cn_tensor_create(CN_INT64, last, cn_shape(outputs));
        for (int64_t i = 0; classes && i < cn_size(outputs); i++)
            ((int64_t *)cn_data(classes))[i] = cn_dtype_of(outputs) == CN_FLOAT64
                                                   ? ((const double *)cn_data(outputs))[i] > 0.5
                                                   : ((const float *)cn_data(outputs))[i] > 0.5f;
    }
    cn_tensor_destroy(&outputs);
    return classes;
}

int cn_predict_into(cn_model *model, int64_t n, const float *x, float *outputs)
{
    CN_TRY(cn__model_need_built(model));
    if (n < 0 || (n > 0 && (!x || !outputs)))
        return cn__fail(CN_EINVAL, "cn_predict_into: n is negative or a pointer is NULL");
    if (n == 0) return CN_OK;
    CN_TRY(cn__plan_prepare(model, n, 0));
    int64_t inputs = model->layers[0]->input_size, numbers = n * cn__model_last(model)->output_size;
    cn__data data = {.rows = n, .x = {.data = x, .stored = CN__STORED_F32, .rows = n, .columns = inputs, .scale = 1}};
    const void *output = cn__forward(model, &data, &(cn__choice){.n = n}, -1);
    for (int64_t i = 0; i < numbers; i++)
        outputs[i] = model->engine->bits == 64 ? (float)((const double *)output)[i] : ((const float *)output)[i];
    return CN_OK;
}
