#include "train/threshold_buckets.h"

const cn__metric_math CN_T(cn__metric_sensitivity_at_specificity_math) = {cn__fill_buckets};

#if CN_ONCE
static const cn__field fields[] = {CN__BEST_RATE_FIELDS("specificity")};

/* the largest sensitivity of all thresholds whose specificity is at least the one asked for */
const cn__metric_class cn__metric_sensitivity_at_specificity = {
    .name = "sensitivity_at_specificity",
    CN__METRIC_FIELDS(fields),
    CN__BEST_RATE,
    .held = cn__curve_specificity,
    .rate = cn__curve_recall,
};
#endif
