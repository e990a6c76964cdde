#include "layers/initializer.h"

#include "base/error.h"
#include "base/suggest.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define ENTRY(name) &cn__initializer_##name,
const cn__initializer_class *const cn__initializer_classes[CN__INITIALIZER_COUNT] = {CN__INITIALIZER_LIST(ENTRY)};
#undef ENTRY

const cn__field cn__initializer_scaling[3] = {
    {"seed", CN__FIELD_INT64, offsetof(cn__initializer_options, seed)},
    {"input_axes", CN__FIELD_TEXT, offsetof(cn__initializer_options, input_axes)},
    {"output_axes", CN__FIELD_TEXT, offsetof(cn__initializer_options, output_axes)},
};

static int take_number(const char *name, const cn__field *field, const cn__initializer_options *from,
                       cn__initializer_options *to)
{
    double number;
    memcpy(&number, (const char *)from + field->offset, sizeof number);
    if (!isfinite(number))
        return cn__fail(CN_EINVAL, "%s: %s must be a finite number, got %g", name, field->name, number);
    memcpy((char *)to + field->offset, &number, sizeof number);
    return CN_OK;
}

/* Options with their texts still in `spec`, which must outlive them: nothing is allocated. */
static int parse(const char *owner, const char *text, cn__spec *spec, const cn__initializer_class **class_,
                 cn__initializer_options *options)
{
    const char *names[CN__INITIALIZER_COUNT];
    if (cn__spec_parse(text, spec) < 0) return cn__fail_prefix("%s: ", owner);
    *class_ = NULL;
    for (int i = 0; i < CN__INITIALIZER_COUNT; i++) {
        const cn__initializer_class *c = cn__initializer_classes[i];
        names[i] = c->name;
        if (cn__same_name(spec->name, c->name) || (c->alias && cn__same_name(spec->name, c->alias))) *class_ = c;
    }
    if (!*class_) {
        cn__fail_unknown("initializer", spec->name, names, CN__INITIALIZER_COUNT);
        return cn__fail_prefix("%s: ", owner);
    }
    *options = (*class_)->defaults;
    cn__initializer_options copy;
    memset(&copy, 0, sizeof copy);
    if (cn__fields_copy((*class_)->fields, (*class_)->n_fields, options, &copy) < 0) return CN_ENOMEM;
    int status = cn__fields_set((*class_)->fields, (*class_)->n_fields, &copy, spec);
    if (status == CN_OK) {
        /* Numbers are taken from the copy; texts are looked up in the spec again. */
        for (int i = 0; i < (*class_)->n_fields && status == CN_OK; i++) {
            const cn__field *field = &(*class_)->fields[i];
            if (field->type == CN__FIELD_REAL) status = take_number(spec->name, field, &copy, options);
            if (field->type == CN__FIELD_INT64)
                memcpy((char *)options + field->offset, (char *)&copy + field->offset, sizeof(int64_t));
            for (int j = 0; field->type == CN__FIELD_TEXT && j < spec->n; j++)
                if (spec->keys[j] ? !strcmp(spec->keys[j], field->name) : i == j)
                    memcpy((char *)options + field->offset, (const void *)&spec->values[j], sizeof spec->values[j]);
        }
    }
    cn__fields_free((*class_)->fields, (*class_)->n_fields, &copy);
    if (status == CN_OK) status = cn__fans_check(spec->name, options);
    return status < 0 ? cn__fail_prefix("%s: ", owner) : CN_OK;
}

int cn__initializer_check(const char *owner, const char *text)
{
    cn__spec spec;
    const cn__initializer_class *class_;
    cn__initializer_options options;
    return parse(owner, text, &spec, &class_, &options);
}

int cn__initializer_fill(const char *owner, const char *text, cn__random *random, int ndim, const int64_t *shape,
                         double *values)
{
    cn__spec spec;
    const cn__initializer_class *class_;
    cn__initializer_options options;
    CN_TRY(parse(owner, text, &spec, &class_, &options));
    if (options.seed >= 0) cn__random_begin(random, (uint64_t)options.seed, CN__FOR_INITIALIZER, 0);
    if (class_->fill(&options, random, ndim, shape, values) < 0) return cn__fail_prefix("%s: ", owner);
    return CN_OK;
}
