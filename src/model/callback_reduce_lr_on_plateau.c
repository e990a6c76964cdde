#include "model/callback_parts.h"

#include <math.h>
#include <string.h>

typedef struct reduce_lr {
    cn_callback callback;
    cn_reduce_lr_on_plateau_options options;
    cn__monitor monitor;
    struct {
        double best; /* NaN: none yet */
        uint64_t wait; /* as in callback_early_stopping.c */
        int64_t cooldown;
    } now;
} reduce_lr;

static int on_train_begin(void *user, cn_model *model, int epochs, int64_t steps)
{
    reduce_lr *r = user;
    (void)epochs, (void)steps;
    CN_TRY(cn__monitor_begin(&r->monitor, model));
    memset(&r->now, 0, sizeof r->now);
    r->now.best = NAN;
    return CN_OK;
}

static int reduce(reduce_lr *r, cn_model *model, int epoch)
{
    double rate = cn_model_get_learning_rate(model);
    if (!(rate > r->options.min_lr)) return CN_OK;
    rate = fmax(rate * r->options.factor, r->options.min_lr);
    CN_TRY(cn_model_set_learning_rate(model, rate));
    if (r->options.verbose)
        cn__callback_say(model, "\nEpoch %d: ReduceLROnPlateau reducing learning rate to %.9g.\n", epoch + 1, rate);
    r->now.cooldown = r->options.cooldown;
    r->now.wait = 0;
    return CN_OK;
}

static int on_epoch_end(void *user, cn_model *model, int epoch, const cn_logs *logs)
{
    reduce_lr *r = user;
    double value;
    CN_TRY(cn__callback_log_rate(model));
    if (cn__monitor_read(&r->monitor, model, logs, &value) != CN_OK) return CN_OK;
    if (r->now.cooldown > 0) {
        r->now.cooldown--;
        r->now.wait = 0;
    }
    if (cn__monitor_is_better(&r->monitor, value, r->now.best)) {
        r->now.best = value;
        r->now.wait = 0;
    } else if (r->now.cooldown == 0 && ++r->now.wait >= (uint64_t)r->options.patience) {
        return reduce(r, model, epoch);
    }
    return CN_OK;
}

static void *state(void *user, cn_model *model, int part, size_t *bytes)
{
    reduce_lr *r = user;
    (void)model;
    *bytes = sizeof r->now;
    return part == 0 ? &r->now : NULL;
}

static void destroy(void *user)
{
    reduce_lr *r = user;
    cn__monitor_close(&r->monitor);
    cn__free(r);
}

static int open(reduce_lr *r, const cn_reduce_lr_on_plateau_options *o)
{
    r->options = *o;
    r->callback.on_train_begin = on_train_begin;
    r->callback.on_epoch_end = on_epoch_end;
    r->callback.state = state;
    r->callback.destroy = destroy;
    if (!(o->factor >= 0 && o->factor < 1))
        return cn__fail(CN_EINVAL, "ReduceLROnPlateau: factor must be at least 0 and below 1, got %g", o->factor);
    if (o->patience < 0 || o->cooldown < 0)
        return cn__fail(CN_EINVAL, "ReduceLROnPlateau: patience and cooldown must not be negative, got %d and %d",
                        o->patience, o->cooldown);
    if (!(o->min_lr >= 0))
        return cn__fail(CN_EINVAL, "ReduceLROnPlateau: min_lr must be at least 0, got %g", o->min_lr);
    return cn__monitor_open(&r->monitor, "ReduceLROnPlateau", o->monitor, o->mode, o->min_delta,
                            "the learning rate stays");
}

cn_callback *cn_reduce_lr_on_plateau_create(const cn_reduce_lr_on_plateau_options *options)
{
    const cn_reduce_lr_on_plateau_options defaults = {CN_REDUCE_LR_ON_PLATEAU_DEFAULTS};
    reduce_lr *r = cn__callback_create(sizeof *r, "ReduceLROnPlateau");
    if (r && open(r, options ? options : &defaults) == CN_OK) return &r->callback;
    if (r) destroy(r);
    return cn__callback_refused();
}
