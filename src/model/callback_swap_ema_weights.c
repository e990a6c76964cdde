#include "model/callback_parts.h"

typedef struct swap_ema {
    cn_callback callback;
    cn_swap_ema_weights_options options;
} swap_ema;

/* Puts the averages into the model, or the weights back. */
static int hold(cn_model *model, int averages)
{
    if (!model->optimizer || !cn__optimizer_shared(model->optimizer)->use_ema)
        return cn__fail(CN_EINVAL, "SwapEMAWeights: the optimizer keeps no averages; compile the model with one that "
                        "has use_ema, such as sgd(use_ema=1)");
    if (model->holds_averages != averages) cn__gradients_swap(model);
    return CN_OK;
}

static int on_train_begin(void *user, cn_model *model, int epochs, int64_t steps)
{
    (void)user, (void)epochs, (void)steps;
    return hold(model, 0);
}

static int on_epoch_begin(void *user, cn_model *model, int epoch)
{
    (void)user, (void)epoch;
    return hold(model, 0);
}

static int on_epoch_end(void *user, cn_model *model, int epoch, const cn_logs *logs)
{
    const swap_ema *s = user;
    (void)epoch, (void)logs;
    return s->options.swap_on_epoch ? hold(model, 1) : CN_OK;
}

static int on_begin(void *user, cn_model *model, int64_t steps)
{
    (void)user, (void)steps;
    return hold(model, 1);
}

static int on_test_end(void *user, cn_model *model, const cn_logs *logs)
{
    (void)user, (void)logs;
    return hold(model, 0);
}

static int on_predict_end(void *user, cn_model *model)
{
    (void)user;
    return hold(model, 0);
}

static void *state(void *user, cn_model *model, int part, size_t *bytes)
{
    (void)user;
    *bytes = sizeof model->holds_averages;
    return part == 0 ? &model->holds_averages : NULL;
}

static void destroy(void *user)
{
    cn__free(user);
}

cn_callback *cn_swap_ema_weights_create(const cn_swap_ema_weights_options *options)
{
    swap_ema *s = cn__callback_create(sizeof *s, "SwapEMAWeights");
    if (!s) return cn__callback_refused();
    if (options) s->options = *options;
    s->callback.on_train_begin = on_train_begin;
    s->callback.on_epoch_begin = on_epoch_begin;
    s->callback.on_epoch_end = on_epoch_end;
    s->callback.on_test_begin = s->callback.on_predict_begin = on_begin;
    s->callback.on_test_end = on_test_end;
    s->callback.on_predict_end = on_predict_end;
    s->callback.state = state;
    s->callback.destroy = destroy;
    return &s->callback;
}
