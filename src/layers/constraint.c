#include "layers/constraint.h"

#include "base/error.h"
#include "base/field.h"
#include "base/suggest.h"

#include <stdlib.h>
#include <string.h>

#define ENTRY(name) #name,
const char *const cn__constraint_names[CN__CONSTRAINT_COUNT] = {CN__CONSTRAINT_LIST(ENTRY)};
#undef ENTRY

/* Arguments in Keras's order. */
typedef struct arguments {
    double min_value, max_value, rate;
    const char *axis;
} arguments;

static const cn__field fields[] = {
    {"min_value", CN__FIELD_REAL, offsetof(arguments, min_value)},
    {"max_value", CN__FIELD_REAL, offsetof(arguments, max_value)},
    {"rate", CN__FIELD_REAL, offsetof(arguments, rate)},
    {"axis", CN__FIELD_TEXT, offsetof(arguments, axis)},
};
static const cn__field max_norm_fields[] = {
    {"max_value", CN__FIELD_REAL, offsetof(arguments, max_value)},
    {"axis", CN__FIELD_TEXT, offsetof(arguments, axis)},
};

static const struct {
    const cn__field *fields;
    int n_fields;
    double max_value;
} known[CN__CONSTRAINT_COUNT] = {{max_norm_fields, 2, 2}, {fields, 4, 1}, {fields + 3, 1, 0}, {NULL, 0, 0}};

/* "0", "-1", "[0, 1, 2]" */
static int read_axes(const char *name, const char *text, int ndim, uint32_t *axes)
{
    const char *at = text;
    *axes = 0;
    for (;;) {
        at += strspn(at, "[, ");
        if (!*at || *at == ']') break;
        char *end;
        long axis = strtol(at, &end, 10);
        int known_ndim = ndim ? ndim : 16;
        if (end == at || axis < -known_ndim || axis >= known_ndim)
            return cn__fail(CN_EINVAL,
                            "%s: axis must be an axis of the weight%s or several as in [0, 1], got \"%.40s\"", name,
                            ndim == 2 ? " (0 or 1)" : "", text);
        *axes |= 1u << (axis < 0 ? axis + known_ndim : axis);
        at = end;
    }
    return *axes ? CN_OK : cn__fail(CN_EINVAL, "%s: axis is empty", name);
}

static int check(const char *name, const arguments *a)
{
    if (!(a->max_value >= 0))
        return cn__fail(CN_EINVAL, "%s: max_value must not be negative, got %g", name, a->max_value);
    if (!(a->min_value >= 0 && a->min_value <= a->max_value))
        return cn__fail(CN_EINVAL, "%s: min_value must lie in 0 ... max_value, got %g", name, a->min_value);
    if (!(a->rate >= 0 && a->rate <= 1))
        return cn__fail(CN_EINVAL, "%s: rate must lie in 0 ... 1, got %g", name, a->rate);
    return CN_OK;
}

static int read(const char *text, int ndim, cn__constraint *c)
{
    cn__spec spec;
    CN_TRY(cn__spec_parse(text, &spec));
    int kind = 0;
    while (kind < CN__CONSTRAINT_COUNT && !cn__same_name(spec.name, cn__constraint_names[kind])) kind++;
    if (kind == CN__CONSTRAINT_COUNT)
        return cn__fail_unknown("constraint", spec.name, cn__constraint_names, CN__CONSTRAINT_COUNT);
    if (kind == CN__CONSTRAINT_non_neg) {
        c->kind = kind;
        return spec.n ? cn__fail(CN_EINVAL, "non_neg takes no arguments") : CN_OK;
    }
    arguments a = {.max_value = known[kind].max_value, .rate = 1};
    int status = cn__fields_set(known[kind].fields, known[kind].n_fields, &a, &spec);
    if (status == CN_OK) status = check(spec.name, &a);
    if (status == CN_OK) status = read_axes(spec.name, a.axis ? a.axis : "0", ndim, &c->axes);
    *c = (cn__constraint){.kind = kind, .min_value = a.min_value, .max_value = a.max_value, .rate = a.rate,
                          .axes = c->axes};
    cn__fields_free(known[kind].fields, known[kind].n_fields, &a);
    return status;
}

int cn__constraint_find(const char *owner, const char *role, const char *text, int ndim, cn__constraint *constraint)
{
    *constraint = (cn__constraint){.kind = CN__CONSTRAINT_COUNT};
    if (!text || read(text, ndim, constraint) == CN_OK) return CN_OK;
    return cn__fail_prefix("%s: %s: ", owner, role);
}
