/* One batch at a time, for training loops that a caller writes: Keras's train_on_batch and test_on_batch. */
#include "model/model.h"

#include "base/error.h"

/* Opens the batch, also for weights, without allocating anything from the second time on. */
static int open_batch(cn_model *model, const char *function, const cn_tensor *x, const cn_tensor *y,
                      const cn_step_options *options, cn__data *data)
{
    CN_TRY(cn__model_need_compiled(model));
    CN_TRY(cn__model_need_built(model));
    if (!y) return cn_error_status() < 0 ? cn_error_status() : cn__fail(CN_EINVAL, "%s: y is NULL", function);
    CN_TRY(cn__model_choose_loss(model, y));
    CN_TRY(cn__data_open_once(model, x, y, data));
    int status = cn__data_weigh_once(model, data, options->sample_weight, options->class_weight);
    if (status < 0) cn__data_close(data);
    return status;
}

int cn_model_train_step(cn_model *model, const cn_tensor *x, const cn_tensor *y, double *loss,
                        const cn_step_options *options)
{
    const cn_step_options none = {.result = NULL};
    if (!options) options = &none;
    cn__data data;
    CN_TRY(open_batch(model, "cn_train_step", x, y, options, &data));
    cn__sums sums = cn__sums_begin(model, 1);
    cn__train_batch(model, &data, &(cn__choice){.n = data.rows}, &sums);
    cn__lazy_settle(model);
    if (loss) *loss = sums.loss / (double)sums.rows;
    if (options->result) cn__result_fill(model, &sums, options->result);
    cn__data_close(&data);
    return cn__step_status(model);
}

int cn_model_finalize_weights(cn_model *model)
{
    CN_TRY(cn__model_need_compiled(model));
    CN_TRY(cn__model_need_built(model));
    cn__gradients_finish(model);
    return CN_OK;
}

int cn_test_step(cn_model *model, const cn_tensor *x, const cn_tensor *y, cn_result *result,
                 const cn_tensor *sample_weight)
{
    cn__data data;
    CN_TRY(open_batch(model, "cn_test_step", x, y, &(cn_step_options){.sample_weight = sample_weight}, &data));
    cn__sums sums = cn__sums_begin(model, 1);
    cn__test_batch(model, &data, &(cn__choice){.n = data.rows}, &sums);
    if (result) cn__result_fill(model, &sums, result);
    cn__data_close(&data);
    return cn__step_status(model);
}
