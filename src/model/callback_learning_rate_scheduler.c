#include "model/callback_parts.h"

typedef struct scheduler {
    cn_callback callback;
    cn_learning_rate_scheduler_options options;
} scheduler;

static int on_epoch_begin(void *user, cn_model *model, int epoch)
{
    scheduler *s = user;
    double rate = s->options.schedule(epoch, cn_model_get_learning_rate(model), s->options.user);
    if (!(rate >= 0))
        return cn__fail(CN_EINVAL, "LearningRateScheduler: the schedule gave %g for epoch %d; it must give a number of "
                        "at least 0", rate, epoch);
    if (s->options.verbose)
        cn__callback_say(model, "\nEpoch %d: LearningRateScheduler setting learning rate to %.9g.\n", epoch + 1, rate);
    return cn_model_set_learning_rate(model, rate);
}

static int on_epoch_end(void *user, cn_model *model, int epoch, const cn_logs *logs)
{
    (void)user, (void)epoch, (void)logs;
    return cn__callback_log_rate(model);
}

cn_callback *cn_learning_rate_scheduler_create(const cn_learning_rate_scheduler_options *options)
{
    scheduler *s = NULL;
    if (!options || !options->schedule) cn__fail(CN_EINVAL, "LearningRateScheduler: the schedule is NULL");
    else s = cn__callback_create(sizeof *s, "LearningRateScheduler");
    if (!s) return cn__callback_refused();
    s->options = *options;
    s->callback.on_epoch_begin = on_epoch_begin;
    s->callback.on_epoch_end = on_epoch_end;
    return &s->callback;
}
