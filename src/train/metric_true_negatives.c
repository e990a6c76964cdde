#include "train/confusion_counts.h"

const cn__metric_math CN_T(cn__metric_true_negatives_math) = {cn__count_confusions};

#if CN_ONCE
/* the sum of weights of the true negatives */
static double rate(const cn__curve_point *point)
{
    return point->tn;
}

const cn__metric_class cn__metric_true_negatives = {
    .name = "true_negatives",
    CN__RATE_AT_THRESHOLDS,
    .rate = rate,
};
#endif
