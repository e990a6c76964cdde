#include "model/model.h"

#include "base/error.h"
#include "model/hooks.h"
#include "model/progress.h"

#include <math.h>

void cn__evaluate_rows(cn_model *model, const cn__data *data, const cn__choice *rows, int64_t batch_size,
                       cn__sums *sums)
{
    int64_t n = rows->n;
    if (n > batch_size) cn__digits_make(model, data);
    for (int64_t at = 0; at < n; at += batch_size) {
        cn__choice batch = {.picks = rows->picks ? rows->picks + at : NULL, .first = rows->first + at,
                            .n = n - at < batch_size ? n - at : batch_size};
        cn__test_batch(model, data, &batch, sums);
    }
    cn__digits_forget(model);
}

void cn__result_fill(const cn_model *model, const cn__sums *sums, cn_result *result)
{
    double values[CN_MAX_METRICS + 1];
    *result = (cn_result){.samples = sums->rows, .accuracy = NAN, .accuracy_standard_error = NAN};
    cn__logs_fill(model, sums, values);
    for (int i = 0; i < model->n_logs; i++) {
        int metric = model->log_sources[i];
        if (metric < 0) {
            result->loss = values[i];
            continue;
        }
        result->names[metric] = model->metrics[metric].name;
        result->values[metric] = values[i];
    }
    result->n_metrics = model->n_metrics;
    for (int i = model->n_metrics - 1; i >= 0; i--)
        if (cn__metric_class_of(&model->metrics[i])->is_accuracy) result->accuracy = result->values[i];
    result->accuracy_standard_error = sqrt(result->accuracy * (1 - result->accuracy) / (double)result->samples);
}

static int run(cn_model *model, const cn__data *data, const cn_evaluate_options *options, cn__sums *sums)
{
    int64_t batch = options->batch_size, steps = (data->rows + batch - 1) / batch;
    double values[CN_MAX_METRICS + 1];
    cn_logs logs = {model->n_logs, model->log_names, values};
    cn__progress progress;
    int watched = options->verbose || options->callbacks[0];
    int64_t quiet = cn__model_needs_batches(model) ? batch : CN__QUIET_BATCH;
    CN_TRY(cn__plan_prepare(model, watched ? batch : quiet, 0));
    if (!watched) {
        cn__evaluate_rows(model, data, &(cn__choice){.n = data->rows}, quiet, sums);
        return cn__step_status(model);
    }
    cn__progress_open(&progress, options->verbose, options->output);
    cn__progress_begin(&progress, steps, 0, 0);
    CN_HOOK(options->callbacks, on_test_begin, model, steps);
    for (int64_t step = 0; step < steps; step++) {
        int64_t rows = data->rows - step * batch < batch ? data->rows - step * batch : batch;
        CN_HOOK(options->callbacks, on_test_batch_begin, model, step);
        cn__evaluate_rows(model, data, &(cn__choice){.first = step * batch, .n = rows}, batch, sums);
        CN_TRY(cn__step_status(model));
        cn__logs_fill(model, sums, values);
        CN_HOOK(options->callbacks, on_test_batch_end, model, step, &logs);
        if (cn__progress_wants(&progress, step + 1)) cn__progress_draw(&progress, step + 1, &logs);
    }
    cn__progress_end(&progress, &logs);
    CN_HOOK(options->callbacks, on_test_end, model, &logs);
    return CN_OK;
}

static int evaluate(cn_model *model, const cn_tensor *x, const cn_tensor *y, cn_result *result,
                    const cn_evaluate_options *options)
{
    CN_TRY(cn__model_need_compiled(model));
    CN_TRY(cn__model_need_built(model));
    if (!y) return cn_error_status() < 0 ? cn_error_status() : cn__fail(CN_EINVAL, "cn_evaluate: y is NULL");
    if (options->batch_size < 1)
        return cn__fail(CN_EINVAL, "batch_size must be at least 1, got %lld", (long long)options->batch_size);
    cn__data data;
    CN_TRY(cn__model_choose_loss(model, y));
    cn__sums sums = cn__sums_begin(model, 1);
    CN_TRY(cn__model_start_threads(model));
    CN_TRY(cn__data_open(model, x, y, &data));
    int status = cn__data_weigh(model, &data, options->sample_weight, NULL);
    if (status == CN_OK && data.x.codes) status = cn__frequent_choose(model, &data);
    if (status == CN_OK) status = run(model, &data, options, &sums);
    cn__data_close(&data);
    if (status == CN_OK && result) cn__result_fill(model, &sums, result);
    return status;
}

int cn_model_evaluate(cn_model *model, const cn_tensor *x, const cn_tensor *y, cn_result *result,
                      const cn_evaluate_options *options)
{
    const cn_evaluate_options defaults = {CN_EVALUATE_DEFAULTS};
    if (!options) options = &defaults;
    int status = evaluate(model, x, y, result, options);
    cn__hooks_release(options->callbacks);
    return status;
}
