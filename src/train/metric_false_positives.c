#include "train/confusion_counts.h"

const cn__metric_math CN_T(cn__metric_false_positives_math) = {cn__count_confusions};

#if CN_ONCE
/* the sum of weights of the false positives */
static double rate(const cn__curve_point *point)
{
    return point->fp;
}

const cn__metric_class cn__metric_false_positives = {
    .name = "false_positives",
    CN__RATE_AT_THRESHOLDS,
    .rate = rate,
};
#endif
