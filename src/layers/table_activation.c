#include "layers/activation.h"

#include "base/error.h"
#include "base/suggest.h"

#include <string.h>

#define ENTRY(name) &cn__activation_##name,
const cn__activation_class *const cn__activation_classes[CN__ACTIVATION_COUNT] = {CN__ACTIVATION_LIST(ENTRY)};
#undef ENTRY

int cn__activation_find(const char *owner, const char *name, int *index)
{
    const char *names[CN__ACTIVATION_COUNT];
    if (!name) name = "linear";
    for (int i = 0; i < CN__ACTIVATION_COUNT; i++) {
        names[i] = cn__activation_classes[i]->name;
        if (strcmp(names[i], name)) continue;
        *index = i;
        return CN_OK;
    }
    cn__fail_unknown("activation", name, names, CN__ACTIVATION_COUNT);
    return cn__fail_prefix("%s: ", owner);
}
