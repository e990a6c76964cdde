#include "model/callback_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct early_stopping {
    cn_callback callback; /* first: cn__callback_create */
    cn_early_stopping_options options;
    cn__monitor monitor;
    struct {
        double best; /* NaN: none yet */
        uint64_t wait; /* a checkpoint may say anything, and the largest number is followed by 0 */
        int64_t best_epoch, stopped_epoch;
    } now;
    void *best_weights;
} early_stopping;

static int on_train_begin(void *user, cn_model *model, int epochs, int64_t steps)
{
    early_stopping *e = user;
    (void)epochs, (void)steps;
    CN_TRY(cn__monitor_begin(&e->monitor, model));
    memset(&e->now, 0, sizeof e->now);
    e->now.best = NAN;
    e->now.best_epoch = -1;
    if (!e->options.restore_best_weights) return CN_OK;
    cn__free(e->best_weights);
    e->best_weights = cn__alloc(1, cn__model_block_bytes(model), "the best weights");
    return e->best_weights ? CN_OK : CN_ENOMEM;
}

static int on_epoch_end(void *user, cn_model *model, int epoch, const cn_logs *logs)
{
    early_stopping *e = user;
    double value;
    char reason[96];
    if (epoch < e->options.start_from_epoch) return CN_OK;
    if (cn__monitor_read(&e->monitor, model, logs, &value) != CN_OK) return CN_OK;
    int is_better = cn__monitor_is_better(&e->monitor, value, e->now.best);
    if (e->best_weights && (is_better || e->now.best_epoch < 0)) {
        cn__model_copy_block(model, e->best_weights);
        e->now.best_epoch = epoch;
    }
    e->now.wait++;
    if (is_better) {
        e->now.best = value;
        e->now.best_epoch = epoch;
        if (cn__monitor_is_better(&e->monitor, value, e->options.baseline)) e->now.wait = 0;
        return CN_OK;
    }
    if (e->now.wait < (uint64_t)e->options.patience || epoch == 0) return CN_OK;
    e->now.stopped_epoch = epoch;
    snprintf(reason, sizeof reason, "Epoch %d: early stopping", epoch + 1);
    cn_model_stop_training_because(model, reason);
    return CN_OK;
}

static int on_train_end(void *user, cn_model *model, const cn_logs *logs)
{
    early_stopping *e = user;
    (void)logs;
    if (e->options.verbose && e->now.stopped_epoch > 0)
        cn__callback_say(model, "Epoch %d: early stopping\n", cn__epoch_from_one(e->now.stopped_epoch));
    if (!e->best_weights || e->now.best_epoch < 0) return CN_OK;
    if (e->options.verbose)
        cn__callback_say(model, "Restoring model weights from the end of the best epoch: %d.\n",
                         cn__epoch_from_one(e->now.best_epoch));
    cn__model_restore_block(model, e->best_weights);
    return CN_OK;
}

static void *state(void *user, cn_model *model, int part, size_t *bytes)
{
    early_stopping *e = user;
    *bytes = part == 0 ? sizeof e->now : cn__model_block_bytes(model);
    return part == 0 ? (void *)&e->now : part == 1 ? e->best_weights : NULL;
}

static void destroy(void *user)
{
    early_stopping *e = user;
    cn__monitor_close(&e->monitor);
    cn__free(e->best_weights);
    cn__free(e);
}

static int open(early_stopping *e, const cn_early_stopping_options *o)
{
    e->options = *o;
    e->callback.on_train_begin = on_train_begin;
    e->callback.on_train_end = on_train_end;
    e->callback.on_epoch_end = on_epoch_end;
    e->callback.state = state;
    e->callback.destroy = destroy;
    if (o->patience < 0)
        return cn__fail(CN_EINVAL, "EarlyStopping: patience must not be negative, got %d", o->patience);
    if (o->start_from_epoch < 0)
        return cn__fail(CN_EINVAL, "EarlyStopping: start_from_epoch must not be negative, got %d", o->start_from_epoch);
    return cn__monitor_open(&e->monitor, "EarlyStopping", o->monitor, o->mode, o->min_delta,
                            "training does not stop early");
}

cn_callback *cn_early_stopping_create(const cn_early_stopping_options *options)
{
    const cn_early_stopping_options defaults = {CN_EARLY_STOPPING_DEFAULTS};
    early_stopping *e = cn__callback_create(sizeof *e, "EarlyStopping");
    if (e && open(e, options ? options : &defaults) == CN_OK) return &e->callback;
    if (e) destroy(e);
    return cn__callback_refused();
}
