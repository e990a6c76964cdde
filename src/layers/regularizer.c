#include "layers/regularizer.h"

#include "base/error.h"
#include "base/field.h"
#include "base/suggest.h"

#include <string.h>

static const cn__field fields[] = {
    {"l1", CN__FIELD_REAL, offsetof(cn__regularizer, l1)},
    {"l2", CN__FIELD_REAL, offsetof(cn__regularizer, l2)},
};

/* The fields of each name stand next to each other in the table above. */
static const struct {
    int first_field, n_fields;
    cn__regularizer defaults;
} known[CN__REGULARIZER_COUNT] = {{0, 1, {.l1 = 0.01}}, {1, 1, {.l2 = 0.01}}, {0, 2, {0, 0}}};

const char *const cn__regularizer_names[CN__REGULARIZER_COUNT] = {"l1", "l2", "l1_l2"};

static int read(const char *text, cn__regularizer *regularizer)
{
    cn__spec spec;
    CN_TRY(cn__spec_parse(text, &spec));
    int which = 0;
    while (which < CN__REGULARIZER_COUNT && !cn__same_name(spec.name, cn__regularizer_names[which])) which++;
    if (which == CN__REGULARIZER_COUNT)
        return cn__fail_unknown("regularizer", spec.name, cn__regularizer_names, CN__REGULARIZER_COUNT);
    *regularizer = known[which].defaults;
    CN_TRY(cn__fields_set(fields + known[which].first_field, known[which].n_fields, regularizer, &spec));
    const double factors[] = {regularizer->l1, regularizer->l2};
    for (int i = 0; i < 2; i++)
        if (!(factors[i] >= 0 && factors[i] <= 1e30))
            return cn__fail(CN_EINVAL, "%s: %s must be a number from 0 upwards, got %g", spec.name, fields[i].name,
                            factors[i]);
    return CN_OK;
}

int cn__regularizer_find(const char *owner, const char *role, const char *text, cn__regularizer *regularizer)
{
    *regularizer = (cn__regularizer){0, 0};
    if (!text || read(text, regularizer) == CN_OK) return CN_OK;
    return cn__fail_prefix("%s: %s: ", owner, role);
}
