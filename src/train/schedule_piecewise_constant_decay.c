#include "train/schedule.h"

#include "base/error.h"

static double value(const cn_schedule *o, double step)
{
    int i = 0;
    while (o->boundaries[i] > 0 && step > o->boundaries[i]) i++;
    return o->values[i];
}

static int check(const cn_schedule *o)
{
    int n = 0;
    for (; n < CN_MAX_BOUNDARIES && o->boundaries[n] != 0; n++)
        if (!(o->boundaries[n] > (n ? o->boundaries[n - 1] : 0)))
            return cn__fail(CN_EINVAL,
                            "piecewise_constant_decay: boundaries must be positive and ascend, got %g behind %g",
                            o->boundaries[n], n ? o->boundaries[n - 1] : 0.0);
    if (n == 0) return cn__fail(CN_EINVAL, "piecewise_constant_decay: boundaries are missing");
    if (o->boundaries[CN_MAX_BOUNDARIES] != 0)
        return cn__fail(CN_EINVAL, "piecewise_constant_decay: at most %d boundaries are possible", CN_MAX_BOUNDARIES);
    for (int i = 0; i <= CN_MAX_BOUNDARIES; i++) {
        if (!(o->values[i] >= 0 && o->values[i] <= 1e30))
            return cn__fail(CN_EINVAL, "piecewise_constant_decay: values must be numbers from 0 upwards, got %g",
                            o->values[i]);
        if (i > n && o->values[i] != 0)
            return cn__fail(CN_EINVAL, "piecewise_constant_decay: %d boundaries need %d values, got more", n, n + 1);
    }
    return CN_OK;
}

static const cn__field fields[] = {
    {"boundaries", CN__FIELD_LIST, offsetof(cn_schedule, boundaries)},
    {"values", CN__FIELD_LIST, offsetof(cn_schedule, values)},
};

const cn__schedule_class cn__schedule_piecewise_constant_decay = {
    .name = "PiecewiseConstantDecay", .snake = "piecewise_constant_decay", .fields = fields,
    .n_fields = sizeof fields / sizeof *fields, .check = check, .value = value,
};
