#include "train/schedule.h"

#include "base/error.h"
#include "base/exact.h"

static double value(const cn_schedule *o, double step)
{
    double from = o->initial_learning_rate, steps = (double)o->decay_steps, warmup = (double)o->warmup_steps;
    if (warmup > 0 && step < warmup) return from + (o->warmup_target - from) * step / warmup;
    if (o->warmup_target > 0) from = o->warmup_target;
    step -= warmup;
    double cosine = cn__exact_cos_pi(step < steps ? step / steps : 1);
    return from * ((1 - o->alpha) * 0.5 * (1 + cosine) + o->alpha);
}

static int check(const cn_schedule *o)
{
    if (o->warmup_steps < 0)
        return cn__fail(CN_EINVAL, "cosine_decay: warmup_steps must not be negative, got %lld",
                        (long long)o->warmup_steps);
    if (o->warmup_steps > 0 && !(o->warmup_target > 0))
        return cn__fail(CN_EINVAL, "cosine_decay: warmup_steps needs a warmup_target above 0, got %g",
                        o->warmup_target);
    return cn__schedule_check_steps(o);
}

static const cn__field fields[] = {
    {"initial_learning_rate", CN__FIELD_REAL, offsetof(cn_schedule, initial_learning_rate)},
    {"decay_steps", CN__FIELD_INT64, offsetof(cn_schedule, decay_steps)},
    {"alpha", CN__FIELD_REAL, offsetof(cn_schedule, alpha)},
    {"warmup_target", CN__FIELD_REAL, offsetof(cn_schedule, warmup_target)},
    {"warmup_steps", CN__FIELD_INT64, offsetof(cn_schedule, warmup_steps)},
};

const cn__schedule_class cn__schedule_cosine_decay = {
    .name = "CosineDecay", .snake = "cosine_decay", .fields = fields, .n_fields = sizeof fields / sizeof *fields,
    .check = check, .value = value,
};
