#include "train/threshold_buckets.h"

const cn__metric_math CN_T(cn__metric_specificity_at_sensitivity_math) = {cn__fill_buckets};

#if CN_ONCE
static const cn__field fields[] = {CN__BEST_RATE_FIELDS("sensitivity")};

/* the largest specificity of all thresholds whose sensitivity is at least the one asked for */
const cn__metric_class cn__metric_specificity_at_sensitivity = {
    .name = "specificity_at_sensitivity",
    CN__METRIC_FIELDS(fields),
    CN__BEST_RATE,
    .held = cn__curve_recall,
    .rate = cn__curve_specificity,
};
#endif
