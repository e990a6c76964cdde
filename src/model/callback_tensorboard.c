#include "base/clock.h"
#include "formats/format_events.h"
#include "model/callback_parts.h"
#include "tensor/tensor.h"

#include <stdio.h>
#include <string.h>

typedef struct tensorboard {
    cn_callback callback;
    cn_tensorboard_options options;
    char *log_dir;
    cn__events *train, *validation; /* NULL until needed */
    struct {
        uint64_t batches; /* of this fit; as `wait` in callback_early_stopping.c */
    } now;
    double epoch_began, batch_began;
    int64_t epoch_iterations; /* -1: the epoch began in a process that is gone */
} tensorboard;

static int need_writer(tensorboard *t, cn__events **writer, const char *part)
{
    if (*writer) return CN_OK;
    size_t room = strlen(t->log_dir) + 16;
    char *folder = cn__alloc_raw(room, 1, "the name of a folder");
    if (!folder) return CN_ENOMEM;
    snprintf(folder, room, "%s/%s", t->log_dir, part);
    int status = cn__events_open(folder, cn__wall_clock(), writer);
    cn__free(folder);
    return status;
}

static void add(cn__events *writer, int64_t step, const char *before, const char *name, const char *behind,
                double value)
{
    char tag[256];
    snprintf(tag, sizeof tag, "%s%.150s%s", before, name, behind);
    cn__events_add_scalar(writer, cn__wall_clock(), step, tag, value);
}

static int on_train_begin(void *user, cn_model *model, int epochs, int64_t steps)
{
    tensorboard *t = user;
    (void)epochs, (void)steps;
    t->now.batches = 0;
    t->epoch_iterations = -1;
    CN_TRY(need_writer(t, &t->train, "train"));
    return model->running->validation_rows ? need_writer(t, &t->validation, "validation") : CN_OK;
}

static int on_epoch_begin(void *user, cn_model *model, int epoch)
{
    tensorboard *t = user;
    (void)epoch;
    t->epoch_began = cn__clock();
    t->epoch_iterations = cn_model_iterations(model);
    return CN_OK;
}

static int on_train_batch_begin(void *user, cn_model *model, int64_t batch)
{
    (void)model, (void)batch;
    ((tensorboard *)user)->batch_began = cn__clock();
    return CN_OK;
}

static int on_train_batch_end(void *user, cn_model *model, int64_t batch, const cn_logs *logs)
{
    tensorboard *t = user;
    (void)model, (void)batch;
    t->now.batches++;
    if (!t->options.update_freq || t->now.batches % (uint64_t)t->options.update_freq) return CN_OK;
    CN_TRY(need_writer(t, &t->train, "train"));
    if (t->options.write_steps_per_second)
        add(t->train, (int64_t)t->now.batches, "batch_steps_per_second", "", "", 1 / (cn__clock() - t->batch_began));
    for (int i = 0; i < logs->count; i++)
        add(t->train, (int64_t)t->now.batches, "batch_", logs->names[i], "", logs->values[i]);
    return cn__events_flush(t->train);
}

static int on_test_end(void *user, cn_model *model, const cn_logs *logs)
{
    tensorboard *t = user;
    CN_TRY(need_writer(t, &t->validation, "validation"));
    for (int i = 0; i < logs->count; i++)
        add(t->validation, cn_model_iterations(model), "evaluation_", logs->names[i], "_vs_iterations",
            logs->values[i]);
    return cn__events_flush(t->validation);
}

static int add_histograms(tensorboard *t, const cn_model *model, int epoch)
{
    for (int i = 0; i < model->n_weights; i++) {
        char tag[160];
        cn__histogram histogram;
        cn_tensor *weight = cn__model_copy_weight(model, i, model->block);
        int64_t n = weight ? cn_size(weight) : 0;
        double *numbers = weight ? cn__alloc_raw((size_t)n, sizeof *numbers, "a histogram") : NULL;
        for (int64_t k = 0; numbers && k < n; k++)
            numbers[k] = model->engine->bits == 64 ? ((const double *)cn_data(weight))[k]
                                                   : (double)((const float *)cn_data(weight))[k];
        if (numbers) {
            cn__histogram_count(&histogram, n, numbers);
            snprintf(tag, sizeof tag, "%s/histogram", model->weights[i].name);
            cn__events_add_histogram(t->train, cn__wall_clock(), epoch, tag, &histogram);
        }
        int failed = !numbers;
        cn__free(numbers);
        cn_tensor_destroy(&weight);
        if (failed) return CN_ENOMEM;
    }
    return CN_OK;
}

static int on_epoch_end(void *user, cn_model *model, int epoch, const cn_logs *logs)
{
    tensorboard *t = user;
    int has_validation = 0, has_rate = 0;
    CN_TRY(need_writer(t, &t->train, "train"));
    for (int i = 0; i < logs->count; i++) {
        int is_validation = !strncmp(logs->names[i], "val_", 4);
        if (is_validation) CN_TRY(need_writer(t, &t->validation, "validation"));
        add(is_validation ? t->validation : t->train, epoch, "epoch_", logs->names[i] + (is_validation ? 4 : 0), "",
            logs->values[i]);
        has_validation |= is_validation;
        has_rate |= !strcmp(logs->names[i], "learning_rate");
    }
    if (!has_rate) add(t->train, epoch, "epoch_learning_rate", "", "", cn_model_get_learning_rate(model));
    if (t->options.write_steps_per_second && t->epoch_iterations >= 0)
        add(t->train, epoch, "epoch_steps_per_second", "", "",
            (double)(cn_model_iterations(model) - t->epoch_iterations) / (cn__clock() - t->epoch_began));
    if (t->options.histogram_freq && epoch % t->options.histogram_freq == 0) CN_TRY(add_histograms(t, model, epoch));
    if (has_validation) CN_TRY(cn__events_flush(t->validation));
    return cn__events_flush(t->train);
}

static int on_train_end(void *user, cn_model *model, const cn_logs *logs)
{
    tensorboard *t = user;
    (void)model, (void)logs;
    cn__events_close(&t->train);
    cn__events_close(&t->validation);
    return CN_OK;
}

static void *state(void *user, cn_model *model, int part, size_t *bytes)
{
    tensorboard *t = user;
    (void)model;
    *bytes = sizeof t->now;
    return part == 0 ? &t->now : NULL;
}

static void destroy(void *user)
{
    tensorboard *t = user;
    cn__events_close(&t->train);
    cn__events_close(&t->validation);
    cn__free(t->log_dir);
    cn__free(t);
}

static int open(tensorboard *t, const cn_tensorboard_options *o)
{
    t->options = *o;
    t->callback.on_train_begin = on_train_begin;
    t->callback.on_train_end = on_train_end;
    t->callback.on_epoch_begin = on_epoch_begin;
    t->callback.on_epoch_end = on_epoch_end;
    t->callback.on_train_batch_begin = on_train_batch_begin;
    t->callback.on_train_batch_end = on_train_batch_end;
    t->callback.on_test_end = on_test_end;
    t->callback.state = state;
    t->callback.destroy = destroy;
    if (!o->log_dir || !*o->log_dir) return cn__fail(CN_EINVAL, "TensorBoard: log_dir is empty");
    if (o->histogram_freq < 0)
        return cn__fail(CN_EINVAL, "TensorBoard: histogram_freq must be a number of epochs, or 0 for none, got %d",
                        o->histogram_freq);
    if (o->update_freq < 0)
        return cn__fail(CN_EINVAL,
                        "TensorBoard: update_freq must be a number of batches, or 0 for every epoch, got %lld",
                        (long long)o->update_freq);
    t->log_dir = cn__strdup(o->log_dir, "the name of a folder");
    return t->log_dir ? CN_OK : CN_ENOMEM;
}

cn_callback *cn_tensorboard_create(const cn_tensorboard_options *options)
{
    const cn_tensorboard_options defaults = {CN_TENSORBOARD_DEFAULTS};
    tensorboard *t = cn__callback_create(sizeof *t, "TensorBoard");
    if (t && open(t, options ? options : &defaults) == CN_OK) return &t->callback;
    if (t) destroy(t);
    return cn__callback_refused();
}
