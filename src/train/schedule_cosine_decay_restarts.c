#include "train/schedule.h"

#include "base/error.h"
#include "base/exact.h"

#include <math.h>

/* Keras finds the period by logarithms; walking through the periods cannot miss a boundary by a rounding error. */
static double value(const cn_schedule *o, double step)
{
    double at = step / (double)o->decay_steps, length = 1, height = 1;
    if (o->t_mul == 1) {
        height = cn__exact_real_power(o->m_mul, floor(at));
        at -= floor(at);
    }
    for (; at >= length; length *= o->t_mul) {
        at -= length;
        height *= o->m_mul;
    }
    double cosine = cn__exact_cos_pi(at / length);
    return o->initial_learning_rate * ((1 - o->alpha) * 0.5 * height * (1 + cosine) + o->alpha);
}

static int check(const cn_schedule *o)
{
    if (!(o->t_mul >= 1))
        return cn__fail(CN_EINVAL, "cosine_decay_restarts: t_mul must be at least 1, got %g", o->t_mul);
    return cn__schedule_check_steps(o);
}

static const cn__field fields[] = {
    {"initial_learning_rate", CN__FIELD_REAL, offsetof(cn_schedule, initial_learning_rate)},
    {"first_decay_steps", CN__FIELD_INT64, offsetof(cn_schedule, decay_steps)},
    {"t_mul", CN__FIELD_REAL, offsetof(cn_schedule, t_mul)},
    {"m_mul", CN__FIELD_REAL, offsetof(cn_schedule, m_mul)},
    {"alpha", CN__FIELD_REAL, offsetof(cn_schedule, alpha)},
};

const cn__schedule_class cn__schedule_cosine_decay_restarts = {
    .name = "CosineDecayRestarts", .snake = "cosine_decay_restarts", .fields = fields,
    .n_fields = sizeof fields / sizeof *fields, .defaults = {.t_mul = 2, .m_mul = 1}, .check = check, .value = value,
};
