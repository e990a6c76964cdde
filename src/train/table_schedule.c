#include "train/schedule.h"

#include "base/error.h"
#include "base/suggest.h"

#include <math.h>
#include <string.h>

#define ENTRY(name) &cn__schedule_##name,
const cn__schedule_class *const cn__schedule_classes[CN__SCHEDULE_COUNT] = {CN__SCHEDULE_LIST(ENTRY)};
#undef ENTRY

const cn__schedule_class *cn__schedule_class_find(const char *name)
{
    const char *names[CN__SCHEDULE_COUNT];
    for (int i = 0; i < CN__SCHEDULE_COUNT; i++) {
        names[i] = cn__schedule_classes[i]->snake;
        if (!strcmp(name, names[i]) || !strcmp(name, cn__schedule_classes[i]->name)) return cn__schedule_classes[i];
    }
    cn__fail_unknown("learning-rate schedule", name, names, CN__SCHEDULE_COUNT);
    return NULL;
}

int cn__schedule_check(cn_schedule *schedule)
{
    if (!schedule->name) return cn__fail(CN_EINVAL, "a learning-rate schedule has no name");
    const cn__schedule_class *class_ = cn__schedule_class_find(schedule->name);
    if (!class_) return CN_ENAME;
    schedule->name = class_->snake;
    for (int i = 0; i < class_->n_fields; i++) {
        double value;
        if (class_->fields[i].type != CN__FIELD_REAL) continue;
        memcpy(&value, (const char *)schedule + class_->fields[i].offset, sizeof value);
        if (!(value >= 0 && value <= 1e30))
            return cn__fail(CN_EINVAL, "%s: %s must be a number from 0 upwards, got %g", class_->snake,
                            class_->fields[i].name, value);
    }
    return class_->check ? class_->check(schedule) : CN_OK;
}

int cn__schedule_check_steps(const cn_schedule *schedule)
{
    if (schedule->decay_steps > 0) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: the number of steps must be positive, got %lld", schedule->name,
                    (long long)schedule->decay_steps);
}

int cn__schedule_read(const char *text, cn_schedule *schedule)
{
    cn__spec spec;
    CN_TRY(cn__spec_parse(text, &spec));
    const cn__schedule_class *class_ = cn__schedule_class_find(spec.name);
    if (!class_) return CN_ENAME;
    *schedule = class_->defaults;
    schedule->name = class_->snake;
    CN_TRY(cn__fields_set(class_->fields, class_->n_fields, schedule, &spec));
    return cn__schedule_check(schedule);
}

double cn_schedule_value(const cn_schedule *schedule, int64_t step)
{
    if (!schedule) {
        cn__fail(CN_EINVAL, "cn_schedule_value: the schedule is NULL");
        return NAN;
    }
    cn_schedule checked = *schedule;
    if (cn__schedule_check(&checked) < 0) return NAN;
    return cn__schedule_class_find(checked.name)->value(&checked, step > 0 ? (double)step : 0);
}
