#include "model/model.h"

#include "base/error.h"
#include "base/memory.h"
#include "layers/activation.h"

#include <stdio.h>
#include <string.h>

static cn_optimizer none;
cn_optimizer *const cn_optimizer_by_name = &none;

/* 1 if the last layer ends in the activation whose input the loss can use instead. */
static int can_use_logits(const cn_model *model)
{
    const char *wanted = cn__loss_class_of(&model->loss)->logits_after;
    const cn_layer *last = cn__model_last(model);
    if (model->loss.axes.n) return 0; /* a softmax runs over the last axis */
    if (last->activity.l1 != 0 || last->activity.l2 != 0) return 0; /* the penalty needs the output itself */
    if (!wanted || last->activation < 0) return 0;
    const cn__activation_class *class_ = cn__activation_classes[last->activation];
    /* the shape may not be known yet, so only what is the last axis by its name */
    if (class_->by_row && (last->activation_options.axis != -1 || last->channels_first)) return 0;
    return !strcmp(class_->name, wanted);
}

static int is_taken(const cn_model *model, const char *name)
{
    for (int i = 0; i < model->n_metrics; i++)
        if (!strcmp(model->metrics[i].name, name)) return 1;
    return !strcmp(name, "loss");
}

/* Keras's names: a second "auc" is "auc_1"; one that is weighted and stands among the others too is "weighted_auc". */
static int give_name(const cn_model *model, cn__metric *metric, int is_weighted)
{
    char name[128];
    snprintf(name, sizeof name, "%.100s", metric->name);
    if (is_weighted && is_taken(model, name)) snprintf(name, sizeof name, "weighted_%.100s", metric->name);
    for (int i = 1; is_taken(model, name); i++)
        snprintf(name, sizeof name, "%s%.90s_%d", is_weighted ? "weighted_" : "", metric->name, i);
    if (!strcmp(name, metric->name)) return CN_OK;
    cn__free(metric->name);
    metric->name = cn__strdup(name, "the name of a metric");
    return metric->name ? CN_OK : CN_ENOMEM;
}

static int keep_metric(cn_model *model, const char *text, int is_weighted)
{
    int i = model->n_metrics;
    if (i == CN_MAX_METRICS)
        return cn__fail(CN_EINVAL, "\"%.64s\" is one metric too many; there may be %d", text, CN_MAX_METRICS);
    for (int j = is_weighted ? model->n_plain_metrics : 0; j < i; j++)
        if (!strcmp(model->metric_texts[j], text)) return cn__fail(CN_EINVAL, "the metric \"%s\" is given twice", text);
    CN_TRY(cn__metric_open(&model->metrics[i], text));
    model->metric_texts[i] = cn__strdup(text, "the name of a metric");
    if (!model->metric_texts[i] || give_name(model, &model->metrics[i], is_weighted) < 0) {
        cn__metric_close(&model->metrics[i]);
        cn__free(model->metric_texts[i]);
        return CN_ENOMEM;
    }
    model->n_metrics++;
    return CN_OK;
}

static int keep_metrics(cn_model *model, const cn_compile_options *options)
{
    for (int i = 0; i < CN_MAX_METRICS && options->metrics[i]; i++) CN_TRY(keep_metric(model, options->metrics[i], 0));
    model->n_plain_metrics = model->n_metrics;
    for (int i = 0; i < CN_MAX_METRICS && options->weighted_metrics[i]; i++)
        CN_TRY(keep_metric(model, options->weighted_metrics[i], 1));
    return CN_OK;
}

/* Which axes loss and metrics run over. */
static int shape_axes(cn_model *model)
{
    const cn_layer *last = cn__model_last(model);
    const cn__loss_class *loss = cn__loss_class_of(&model->loss);
    int64_t shape[CN__MOST_AXES] = {0};
    int ndim = last->output_ndim + 1;
    for (int a = 1; a < ndim && a < CN__MOST_AXES; a++) shape[a] = last->output_shape[a - 1];
    CN_TRY(cn__axes_resolve(&model->loss_axes, loss->name, &model->loss.axes, loss->whole_batch, ndim, shape));
    for (int i = 0; i < model->n_metrics; i++) {
        cn__axes *axes = &model->metric_axes[i];
        CN_TRY(cn__axes_resolve(axes, model->metrics[i].name, &model->metrics[i].axes,
                                cn__metric_is_whole(&model->metrics[i]), ndim, shape));
        if (loss->sparse && memcmp(axes, &model->loss_axes, sizeof *axes) != 0)
            return cn__fail(CN_EINVAL, "the metric %s and the loss %s read the same labels, so they need the same axis",
                            model->metrics[i].name, loss->name);
    }
    return CN_OK;
}

/* What depends on the number of outputs: this runs again when they become known only with the data. */
static int shape_metrics(cn_model *model)
{
    const cn_layer *last = cn__model_last(model);
    int64_t columns = last->output_shape[last->output_ndim - 1];
    const cn__loss_class *loss = cn__loss_class_of(&model->loss);
    model->metric_state_size = 0;
    CN_TRY(shape_axes(model));
    for (int i = 0; i < model->n_metrics; i++) {
        cn__metric *metric = &model->metrics[i];
        CN_TRY(cn__metric_set_shape(metric, columns, loss->sparse));
        if (loss->sequence != (metric->index == CN__METRIC_mean_of_loss && cn__loss_class_of(&metric->loss)->sequence))
            return cn__fail(CN_EINVAL, "the metric %s does not go with the loss %s: %s", metric->name, loss->name,
                            loss->sequence ? "its labels are sequences, which only the metric ctc reads"
                                           : "its labels are no sequences");
        if (cn__metric_n_results(metric) != 1)
            return cn__fail(CN_EINVAL, "the metric %s gives %lld numbers, but a log has room for one; give it one "
                            "threshold, or an average such as average=macro", metric->name,
                            (long long)cn__metric_n_results(metric));
        model->metric_places[i] = model->metric_state_size;
        model->metric_state_size += cn__metric_state_size(metric);
    }
    cn__free(model->metric_states[0]);
    model->metric_states[0] = cn__alloc(2 * (size_t)model->metric_state_size + 1, sizeof(double),
                                        "the state of metrics");
    model->metric_states[1] = model->metric_states[0] ? model->metric_states[0] + model->metric_state_size : NULL;
    return model->metric_states[0] ? CN_OK : CN_ENOMEM;
}

/* Keras 3 sorts the names: accuracy, loss, val_accuracy, val_loss. */
static int name_logs(cn_model *model)
{
    int n = model->n_metrics + 1;
    for (int i = 0; i < n; i++) {
        const char *name = i == 0 ? "loss" : model->metrics[i - 1].name;
        int at = i;
        for (; at > 0 && strcmp(model->log_names[at - 1], name) > 0; at--) {
            model->log_names[at] = model->log_names[at - 1];
            model->log_sources[at] = model->log_sources[at - 1];
        }
        model->log_names[at] = name;
        model->log_sources[at] = i - 1;
    }
    for (int i = 0; i < n; i++) {
        size_t bytes = strlen(model->log_names[i]) + 5;
        model->validation_names[i] = cn__alloc_raw(bytes, 1, "the name of a metric");
        if (!model->validation_names[i]) return CN_ENOMEM;
        model->n_logs = i + 1;
        snprintf(model->validation_names[i], bytes, "val_%s", model->log_names[i]);
        model->log_names[n + i] = model->validation_names[i];
    }
    return CN_OK;
}

void cn__model_forget_compile(cn_model *model)
{
    for (int i = 0; i < model->n_metrics; i++) {
        cn__metric_close(&model->metrics[i]);
        cn__free(model->metric_texts[i]);
    }
    cn__free(model->metric_states[0]);
    model->metric_states[0] = model->metric_states[1] = NULL;
    model->metric_state_size = model->n_plain_metrics = 0;
    cn__plan_destroy(&model->plan); /* metrics have room in it */
    for (int i = 0; i < model->n_logs; i++) cn__free(model->validation_names[i]);
    model->n_metrics = model->n_logs = 0;
    cn__panels_close(model);
    for (int k = 0; k < CN__MAX_STATE; k++) {
        cn__free(model->slots[k]);
        model->slots[k] = NULL;
    }
    cn__gradients_close(model);
    cn__lazy_close(model);
    cn_optimizer_destroy(&model->optimizer);
    cn__loss_close(&model->loss);
    cn__free(model->loss_text);
    model->loss_text = NULL;
    model->is_compiled = 0;
}

void cn__optimizer_state(const cn_optimizer *optimizer, const char *names[CN__MAX_STATE], double start[CN__MAX_STATE])
{
    const cn__shared_options *shared = cn__optimizer_shared(optimizer);
    for (int k = 0; k < CN__MAX_STATE; k++) {
        names[k] = NULL;
        start[k] = 0;
    }
    int n = optimizer->class_->slots(optimizer->options, names);
    for (int k = n; k < CN__MAX_SLOTS; k++) names[k] = NULL;
    if (optimizer->class_->start) optimizer->class_->start(optimizer->options, start);
    if (shared->use_ema) names[CN__AVERAGE] = "average";
    if (shared->gradient_accumulation_steps) names[CN__ACCUMULATOR] = "gradient_accumulator";
}

void cn__state_names(const cn_model *model, const char *names[CN__MAX_STATE])
{
    double start[CN__MAX_STATE];
    for (int k = 0; k < CN__MAX_STATE; k++) names[k] = NULL;
    if (model->optimizer) cn__optimizer_state(model->optimizer, names, start);
}

static int make_slots(cn_model *model)
{
    const char *names[CN__MAX_STATE];
    double start[CN__MAX_STATE];
    cn__optimizer_state(model->optimizer, names, start);
    for (int k = 0; k < CN__MAX_STATE; k++) {
        if (!names[k] || !model->block_size) continue;
        model->slots[k] = cn__alloc((size_t)model->block_size, cn__engine_bytes(model->engine),
                                    "the optimizer's state");
        if (!model->slots[k]) return CN_ENOMEM;
        if (start[k] != 0) cn__fill_reals(model->engine, model->slots[k], model->block_size, start[k]);
    }
    return CN_OK;
}

int cn__model_choose_loss(cn_model *model, const cn_tensor *y)
{
    const cn_layer *last = cn__model_last(model);
    if (!y || !model->loss.by_shape) return CN_OK; /* whoever reads the targets says what is wrong */
    int given = cn_ndim(y) - 1, wanted = last->output_ndim;
    int64_t columns = last->output_shape[wanted - 1];
    /* Keras: fewer axes than the outputs have, or an axis of 1 at the end */
    int labels = given < wanted || (given == wanted && cn_shape(y)[given] == 1 && columns > 1);
    if (!cn__loss_set_shape(&model->loss, columns, labels)) return CN_OK;
    model->from_logits = can_use_logits(model);
    cn__plan_destroy(&model->plan);
    return shape_metrics(model);
}

int cn__model_finish_compile(cn_model *model)
{
    const cn_layer *last = cn__model_last(model);
    const cn__loss_class *loss = cn__loss_class_of(&model->loss);
    if (!model->is_built) return CN_OK;
    if (cn__loss_set_shape(&model->loss, last->output_shape[last->output_ndim - 1], 0))
        model->from_logits = can_use_logits(model);
    CN_TRY(shape_metrics(model));
    if (loss->labels_are_free && last->output_ndim != 1)
        return cn__fail(CN_EINVAL, "%s: %s needs one row of numbers for each sample, this layer gives more axes",
                        last->name, loss->name);
    if (loss->sequence && last->output_ndim != 2)
        return cn__fail(CN_EINVAL, "%s: %s needs outputs of shape (n, steps, classes), this layer's have %d axes",
                        last->name, loss->name, last->output_ndim + 1);
    if (loss->sparse && !loss->labels_are_free && last->output_shape[last->output_ndim - 1] == 1)
        return cn__fail(CN_EINVAL, "%s: %s needs one unit per class, this layer has one in all", last->name,
                        loss->name);
    CN_TRY(make_slots(model));
    CN_TRY(cn__gradients_open(model));
    return cn__lazy_open(model);
}

static int compile(cn_model *model, const cn_compile_options *options)
{
    if (model->status < 0) return cn__fail(model->status, "%s", model->sentence);
    if (!cn__model_first(model))
        return cn__fail(CN_ESTATE, "model %s has no layers; add some with cn_add before cn_compile", model->name);
    if (!options->loss)
        return cn__fail(CN_EINVAL, "no loss is given; pass .loss, e.g. \"categorical_crossentropy\", to cn_compile");
    CN_TRY(cn__loss_open(&model->loss, options->loss));
    if (model->loss.reduction == CN__REDUCTION_NONE)
        return cn__fail(CN_EINVAL, "%s: with reduction=none there is one loss for each sample and nothing to train on; "
                        "use sum_over_batch_size, sum or mean_with_sample_weight, or cn_loss_compute for the numbers",
                        cn__loss_class_of(&model->loss)->name);
    model->loss_text = cn__strdup(options->loss, "the name of the loss");
    if (!model->loss_text) return CN_ENOMEM;
    model->from_logits = can_use_logits(model);
    CN_TRY(keep_metrics(model, options));
    CN_TRY(name_logs(model));
    model->learning_rate = cn__optimizer_learning_rate(model->optimizer, 0);
    model->iterations = 0;
    model->loss_scale = (cn__loss_scale){0, 0};
    model->holds_averages = 0;
    CN_TRY(cn__model_finish_compile(model));
    model->is_compiled = 1;
    return CN_OK;
}

int cn_model_compile(cn_model *model, const cn_compile_options *options)
{
    const cn_compile_options defaults = {CN_COMPILE_DEFAULTS};
    if (!options) options = &defaults;
    cn_optimizer *optimizer = options->optimizer;
    if (!model) {
        if (optimizer != cn_optimizer_by_name) cn_optimizer_destroy(&optimizer);
        return cn__fail(CN_EINVAL, "cn_compile: the model is NULL");
    }
    if (optimizer == cn_optimizer_by_name)
        optimizer = cn_optimizer_from_text(options->optimizer_name ? options->optimizer_name : "rmsprop");
    if (!optimizer) return cn_error_status() < 0 ? cn_error_status() : cn__fail(CN_EINVAL, "the optimizer is NULL");
    cn__model_forget_compile(model);
    model->optimizer = optimizer;
    int status = compile(model, options);
    if (status < 0) cn__model_forget_compile(model);
    return status;
}
