#include "train/optimizer.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/suggest.h"

#include <ctype.h>
#include <string.h>

#define ENTRY(name) &cn__optimizer_##name,
const cn__optimizer_class *const cn__optimizer_classes[CN__OPTIMIZER_COUNT] = {CN__OPTIMIZER_LIST(ENTRY)};
#undef ENTRY

int cn__optimizer_index(const cn_optimizer *optimizer)
{
    int i = 0;
    while (cn__optimizer_classes[i] != optimizer->class_) i++;
    return i;
}

double cn__optimizer_learning_rate(const cn_optimizer *optimizer)
{
    const cn__optimizer_class *class_ = optimizer->class_;
    double rate;
    memcpy(&rate, (const char *)optimizer->options +
                      cn__field_find(class_->fields, class_->n_fields, "learning_rate")->offset, sizeof rate);
    return rate;
}

static int check(const cn_optimizer *optimizer)
{
    double rate = cn__optimizer_learning_rate(optimizer);
    if (!(rate >= 0 && rate <= 1e30))
        return cn__fail(CN_EINVAL, "%s: learning_rate must be a number from 0 upwards, got %g", optimizer->class_->name,
                        rate);
    return optimizer->class_->check ? optimizer->class_->check(optimizer->options) : CN_OK;
}

cn_optimizer *cn__optimizer_create(const cn__optimizer_class *class_, const void *options)
{
    cn_optimizer *optimizer = cn__alloc(1, sizeof *optimizer, "an optimizer");
    if (!optimizer) return NULL;
    optimizer->class_ = class_;
    optimizer->options = cn__alloc(1, class_->options_size, "an optimizer's options");
    if (!optimizer->options ||
        cn__fields_copy(class_->fields, class_->n_fields, options ? options : class_->defaults, optimizer->options) < 0 ||
        check(optimizer) < 0)
        cn_optimizer_destroy(&optimizer);
    return optimizer;
}

void cn_optimizer_destroy(cn_optimizer **optimizer)
{
    if (!optimizer || !*optimizer) return;
    cn__free((*optimizer)->options);
    cn__free(*optimizer);
    *optimizer = NULL;
}

/* Names are compared without case: Keras accepts "RMSprop" and "rmsprop". */
static int same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) return 0;
    return *a == *b;
}

cn_optimizer *cn_optimizer_from_text(const char *text)
{
    const char *names[CN__OPTIMIZER_COUNT];
    cn__spec spec;
    if (cn__spec_parse(text, &spec) < 0) return NULL;
    for (int i = 0; i < CN__OPTIMIZER_COUNT; i++) {
        const cn__optimizer_class *class_ = cn__optimizer_classes[i];
        names[i] = class_->snake;
        if (!same_name(spec.name, class_->snake)) continue;
        cn_optimizer *optimizer = cn__optimizer_create(class_, NULL);
        if (optimizer && (cn__fields_set(class_->fields, class_->n_fields, optimizer->options, &spec) < 0 ||
                          check(optimizer) < 0))
            cn_optimizer_destroy(&optimizer);
        return optimizer;
    }
    cn__fail_unknown("optimizer", spec.name, names, CN__OPTIMIZER_COUNT);
    return NULL;
}
