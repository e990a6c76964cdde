#include "base/file.h"
#include "model/callback_parts.h"
#include "model/path_pattern.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_PATH 4096

typedef struct checkpoint {
    cn_callback callback;
    cn_model_checkpoint_options options;
    char *filepath;
    cn__monitor monitor;
    struct {
        double best; /* NaN: none yet */
        int64_t epoch;
        uint64_t batches; /* since the last save; as `wait` in callback_early_stopping.c */
    } now;
} checkpoint;

static int make_folder_of(const char *path)
{
    char folder[LONGEST_PATH];
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path) return CN_OK;
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    return cn__folder_exists(folder) ? CN_OK : cn__folder_make(folder);
}

/* Decides, and says why. */
static int wants_saving(checkpoint *c, cn_model *model, int epoch, const cn_logs *logs, const char *path)
{
    double value;
    char before[32] = "None";
    if (!c->options.save_best_only) {
        if (c->options.verbose) cn__callback_say(model, "\nEpoch %d: saving model to %s\n", epoch + 1, path);
        return 1;
    }
    int status = cn__monitor_read(&c->monitor, model, logs, &value);
    if (status != CN_OK) return status == CN__MONITOR_MISSING;
    if (!isnan(c->now.best)) snprintf(before, sizeof before, "%.5f", c->now.best);
    if (!cn__monitor_is_better(&c->monitor, value, c->now.best)) {
        if (c->options.verbose)
            cn__callback_say(model, "\nEpoch %d: %s did not improve from %s\n", epoch + 1, c->monitor.name, before);
        return 0;
    }
    if (c->options.verbose)
        cn__callback_say(model, "\nEpoch %d: %s improved from %s to %.5f, saving model to %s\n", epoch + 1,
                         c->monitor.name, before, value, path);
    c->now.best = value;
    return 1;
}

static int save(checkpoint *c, cn_model *model, int epoch, int64_t batch, const cn_logs *logs)
{
    char path[LONGEST_PATH];
    CN_TRY(cn__path_pattern_fill(c->filepath, epoch + 1, batch, logs, path, sizeof path));
    int wanted = wants_saving(c, model, epoch, logs, path);
    if (wanted <= 0) return wanted;
    CN_TRY(make_folder_of(path));
    cn__output_sweep(path); /* a run that was killed and resumed comes by here again */
    CN_TRY(cn_model_save(model, path, .include_optimizer = !c->options.save_weights_only));
    if (c->options.verbose) cn__callback_say(model, "\nEpoch %d: finished saving model to %s\n", epoch + 1, path);
    return CN_OK;
}

static int on_train_begin(void *user, cn_model *model, int epochs, int64_t steps)
{
    checkpoint *c = user;
    (void)epochs, (void)steps;
    return c->options.save_best_only ? cn__monitor_begin(&c->monitor, model) : CN_OK;
}

static int on_epoch_begin(void *user, cn_model *model, int epoch)
{
    (void)model;
    ((checkpoint *)user)->now.epoch = epoch;
    return CN_OK;
}

static int on_epoch_end(void *user, cn_model *model, int epoch, const cn_logs *logs)
{
    checkpoint *c = user;
    return c->options.save_freq ? CN_OK : save(c, model, epoch, 0, logs);
}

static int on_train_batch_end(void *user, cn_model *model, int64_t batch, const cn_logs *logs)
{
    checkpoint *c = user;
    if (!c->options.save_freq || ++c->now.batches < (uint64_t)c->options.save_freq) return CN_OK;
    c->now.batches = 0;
    return save(c, model, cn__epoch_from_one(c->now.epoch) - 1, batch + 1, logs);
}

static void *state(void *user, cn_model *model, int part, size_t *bytes)
{
    checkpoint *c = user;
    (void)model;
    *bytes = sizeof c->now;
    return part == 0 ? &c->now : NULL;
}

static void destroy(void *user)
{
    checkpoint *c = user;
    cn__monitor_close(&c->monitor);
    cn__free(c->filepath);
    cn__free(c);
}

static int open(checkpoint *c, const cn_model_checkpoint_options *o)
{
    char text[LONGEST_PATH];
    c->options = *o;
    c->now.best = o->initial_value_threshold;
    c->callback.on_train_begin = on_train_begin;
    c->callback.on_epoch_begin = on_epoch_begin;
    c->callback.on_epoch_end = on_epoch_end;
    c->callback.on_train_batch_end = on_train_batch_end;
    c->callback.state = state;
    c->callback.destroy = destroy;
    if (!o->filepath || !*o->filepath) return cn__fail(CN_EINVAL, "ModelCheckpoint: the filepath is empty");
    if (o->save_freq < 0)
        return cn__fail(CN_EINVAL,
                        "ModelCheckpoint: save_freq must be a number of batches, or 0 for every epoch, got %lld",
                        (long long)o->save_freq);
    if (cn__path_pattern_fill(o->filepath, 0, 0, NULL, text, sizeof text) < 0)
        return cn__fail_prefix("ModelCheckpoint: ");
    c->filepath = cn__strdup(o->filepath, "the name of a file");
    if (!c->filepath) return CN_ENOMEM;
    return cn__monitor_open(&c->monitor, "ModelCheckpoint", o->monitor, o->mode, 0,
                            "every model is saved");
}

cn_callback *cn_model_checkpoint_create(const cn_model_checkpoint_options *options)
{
    const cn_model_checkpoint_options defaults = {CN_MODEL_CHECKPOINT_DEFAULTS};
    checkpoint *c = cn__callback_create(sizeof *c, "ModelCheckpoint");
    if (c && open(c, options ? options : &defaults) == CN_OK) return &c->callback;
    if (c) destroy(c);
    return cn__callback_refused();
}
