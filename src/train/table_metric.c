#include "train/metric.h"

#include "base/error.h"
#include "base/suggest.h"

#include <string.h>

#define ENTRY(name) &cn__metric_##name,
const cn__metric_class *const cn__metric_classes[CN__METRIC_COUNT] = {CN__METRIC_LIST(ENTRY)};
#undef ENTRY

int cn__metric_find(const char *name, int64_t columns, int sparse, int *index)
{
    const char *names[CN__METRIC_COUNT + 1];
    if (!strcmp(name, "accuracy") || !strcmp(name, "acc")) {
        *index = columns == 1 ? CN__METRIC_binary_accuracy
                 : sparse     ? CN__METRIC_sparse_categorical_accuracy
                              : CN__METRIC_categorical_accuracy;
        return CN_OK;
    }
    for (int i = 0; i < CN__METRIC_COUNT; i++) {
        names[i] = cn__metric_classes[i]->name;
        if (!cn__same_keras_name(name, names[i]) && !cn__same_keras_name(name, cn__metric_classes[i]->alias)) continue;
        *index = i;
        return CN_OK;
    }
    names[CN__METRIC_COUNT] = "accuracy";
    return cn__fail_unknown("metric", name, names, CN__METRIC_COUNT + 1);
}
