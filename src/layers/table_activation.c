#include "layers/activation.h"

#include "base/error.h"
#include "base/suggest.h"

#include <math.h>
#include <string.h>

#define ENTRY(name) &cn__activation_##name,
const cn__activation_class *const cn__activation_classes[CN__ACTIVATION_COUNT] = {CN__ACTIVATION_LIST(ENTRY)};
#undef ENTRY

static double number(const cn__field *field, const cn__activation_options *options)
{
    double value;
    int small;
    if (field->type == CN__FIELD_REAL) {
        memcpy(&value, (const char *)options + field->offset, sizeof value);
        return value;
    }
    memcpy(&small, (const char *)options + field->offset, sizeof small);
    return small;
}

static int all_finite(const cn__activation_class *class_, const cn__activation_options *options)
{
    for (int i = 0; i < class_->n_fields; i++)
        if (!isfinite(number(&class_->fields[i], options)))
            return cn__fail(CN_EINVAL, "%s: %s must be a finite number, got %g", class_->name, class_->fields[i].name,
                            number(&class_->fields[i], options));
    return CN_OK;
}

const cn__field cn__activation_axis[1] = {{"axis", CN__FIELD_INT, offsetof(cn__activation_options, axis)}};

int cn__activation_check_axis(const char *owner, const cn__activation_options *options)
{
    if (options->axis) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: axis 0 is the batch; axes count from 1, and -1 is the last", owner);
}

int cn__activation_find(const char *owner, const char *text, int *index, cn__activation_options *options)
{
    const char *names[CN__ACTIVATION_COUNT];
    const cn__activation_class *found = NULL;
    cn__spec spec;
    if (cn__spec_parse(text ? text : "linear", &spec) < 0) return cn__fail_prefix("%s: ", owner);
    for (int i = 0; i < CN__ACTIVATION_COUNT; i++) {
        const cn__activation_class *class_ = cn__activation_classes[i];
        names[i] = class_->name;
        if (strcmp(class_->name, spec.name) && (!class_->alias || strcmp(class_->alias, spec.name))) continue;
        found = class_;
        *index = i;
    }
    if (!found) {
        cn__fail_unknown("activation", spec.name, names, CN__ACTIVATION_COUNT);
        return cn__fail_prefix("%s: ", owner);
    }
    *options = found->defaults;
    int status = cn__fields_set(found->fields, found->n_fields, options, &spec);
    if (status == CN_OK) status = found->check ? found->check(found->name, options) : all_finite(found, options);
    return status < 0 ? cn__fail_prefix("%s: ", owner) : CN_OK;
}

int cn__activation_is_plain(int index, const cn__activation_options *options)
{
    const cn__activation_class *class_ = cn__activation_classes[index];
    for (int i = 0; i < class_->n_fields; i++)
        if (number(&class_->fields[i], options) != number(&class_->fields[i], &class_->defaults)) return 0;
    return 1;
}

int cn__activation_needs_input(int index, const cn__activation_options *options)
{
    const cn__activation_class *class_ = cn__activation_classes[index];
    return class_->needs_input || (class_->arguments_need_input && !cn__activation_is_plain(index, options));
}
