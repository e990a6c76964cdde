#include "train/confusion_counts.h"

const cn__metric_math CN_T(cn__metric_recall_math) = {cn__count_confusions};

#if CN_ONCE
/* tp / (tp + fn), 0 when nothing is positive */
const cn__metric_class cn__metric_recall = {
    .name = "recall",
    CN__RATE_OF_CHOICES,
    .rate = cn__curve_recall,
};
#endif
