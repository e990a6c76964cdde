#include "train/scaled_loss.h"

#include "base/error.h"

#define OWNER "LossScaleOptimizer"

int cn__loss_scale_moves(const cn_optimizer *optimizer)
{
    return optimizer->initial_scale > 0;
}

int cn__loss_is_scaled(const cn_optimizer *optimizer)
{
    return cn__loss_scale_moves(optimizer) || cn__optimizer_shared(optimizer)->loss_scale_factor > 0;
}

double cn__loss_scale_now(const cn_optimizer *optimizer, const cn__loss_scale *state)
{
    double factor = cn__optimizer_shared(optimizer)->loss_scale_factor;
    if (cn__loss_scale_moves(optimizer)) return state->scale > 0 ? state->scale : optimizer->initial_scale;
    return factor > 0 ? factor : 1;
}

void cn__loss_scale_note(const cn_optimizer *optimizer, cn__loss_scale *state, int finite)
{
    state->scale = cn__loss_scale_now(optimizer, state);
    if (!finite || state->finite == optimizer->dynamic_growth_steps - 1) {
        state->scale *= finite ? 2 : 0.5;
        state->finite = 0;
    } else {
        state->finite++;
    }
}

static int check(const cn_optimizer *inner, const cn_loss_scale_options *o)
{
    if (cn__loss_scale_moves(inner))
        return cn__fail(CN_EINVAL, OWNER ": inner_optimizer is a " OWNER " itself; give it the one inside");
    if (!(o->initial_scale > 0 && o->initial_scale <= 1e300))
        return cn__fail(CN_EINVAL, OWNER ": initial_scale must be a positive number, got %g", o->initial_scale);
    if (o->dynamic_growth_steps < 1)
        return cn__fail(CN_EINVAL, OWNER ": dynamic_growth_steps must be at least 1, got %lld",
                        (long long)o->dynamic_growth_steps);
    return CN_OK;
}

cn_optimizer *cn_loss_scale_optimizer_create(cn_optimizer *inner_optimizer, const cn_loss_scale_options *options)
{
    static const cn_loss_scale_options defaults = {CN_LOSS_SCALE_DEFAULTS};
    if (!inner_optimizer) return NULL; /* its constructor has said why */
    if (!options) options = &defaults;
    if (check(inner_optimizer, options) < 0) {
        cn_optimizer_destroy(&inner_optimizer);
        return NULL;
    }
    inner_optimizer->initial_scale = options->initial_scale;
    inner_optimizer->dynamic_growth_steps = options->dynamic_growth_steps;
    ((cn__shared_options *)inner_optimizer->options)->loss_scale_factor = 0; /* as Keras: never two scales at once */
    return inner_optimizer;
}

static const cn__field fields[] = {
    {"inner_optimizer", CN__FIELD_TEXT, offsetof(cn__loss_scale_text, inner_optimizer)},
    {"initial_scale", CN__FIELD_REAL, offsetof(cn__loss_scale_text, numbers.initial_scale)},
    {"dynamic_growth_steps", CN__FIELD_INT64, offsetof(cn__loss_scale_text, numbers.dynamic_growth_steps)},
};

const cn__loss_scale_class cn__loss_scale_optimizer = {
    .name = OWNER, .fields = fields, .n_fields = 3, .defaults = {NULL, {CN_LOSS_SCALE_DEFAULTS}}};
