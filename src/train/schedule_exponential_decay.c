#include "train/schedule.h"

#include "base/exact.h"

#include <math.h>

static double value(const cn_schedule *o, double step)
{
    double periods = step / (double)o->decay_steps;
    return o->initial_learning_rate * cn__exact_real_power(o->decay_rate, o->staircase ? floor(periods) : periods);
}

static const cn__field fields[] = {
    {"initial_learning_rate", CN__FIELD_REAL, offsetof(cn_schedule, initial_learning_rate)},
    {"decay_steps", CN__FIELD_INT64, offsetof(cn_schedule, decay_steps)},
    {"decay_rate", CN__FIELD_REAL, offsetof(cn_schedule, decay_rate)},
    {"staircase", CN__FIELD_INT, offsetof(cn_schedule, staircase)},
};

const cn__schedule_class cn__schedule_exponential_decay = {
    .name = "ExponentialDecay", .snake = "exponential_decay", .fields = fields,
    .n_fields = sizeof fields / sizeof *fields, .check = cn__schedule_check_steps, .value = value,
};
