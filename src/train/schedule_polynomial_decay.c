#include "train/schedule.h"

#include "base/exact.h"

#include <math.h>

static double value(const cn_schedule *o, double step)
{
    double steps = (double)o->decay_steps;
    if (o->cycle) steps *= step > 0 ? ceil(step / steps) : 1;
    else if (step > steps) step = steps;
    double left = cn__exact_real_power(1 - step / steps, o->power);
    return (o->initial_learning_rate - o->end_learning_rate) * left + o->end_learning_rate;
}

static const cn__field fields[] = {
    {"initial_learning_rate", CN__FIELD_REAL, offsetof(cn_schedule, initial_learning_rate)},
    {"decay_steps", CN__FIELD_INT64, offsetof(cn_schedule, decay_steps)},
    {"end_learning_rate", CN__FIELD_REAL, offsetof(cn_schedule, end_learning_rate)},
    {"power", CN__FIELD_REAL, offsetof(cn_schedule, power)},
    {"cycle", CN__FIELD_INT, offsetof(cn_schedule, cycle)},
};

const cn__schedule_class cn__schedule_polynomial_decay = {
    .name = "PolynomialDecay", .snake = "polynomial_decay", .fields = fields,
    .n_fields = sizeof fields / sizeof *fields, .defaults = {.end_learning_rate = 1e-4, .power = 1},
    .check = cn__schedule_check_steps, .value = value,
};
