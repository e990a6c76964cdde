#include "train/confusion_counts.h"

const cn__metric_math CN_T(cn__metric_precision_math) = {cn__count_confusions};

#if CN_ONCE
/* tp / (tp + fp), 0 when nothing was called positive */
const cn__metric_class cn__metric_precision = {
    .name = "precision",
    CN__RATE_OF_CHOICES,
    .rate = cn__curve_precision,
};
#endif
