#include "train/confusion_counts.h"

const cn__metric_math CN_T(cn__metric_true_positives_math) = {cn__count_confusions};

#if CN_ONCE
/* the sum of weights of the true positives */
static double rate(const cn__curve_point *point)
{
    return point->tp;
}

const cn__metric_class cn__metric_true_positives = {
    .name = "true_positives",
    CN__RATE_AT_THRESHOLDS,
    .rate = rate,
};
#endif
