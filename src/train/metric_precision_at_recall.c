#include "train/threshold_buckets.h"

const cn__metric_math CN_T(cn__metric_precision_at_recall_math) = {cn__fill_buckets};

#if CN_ONCE
static const cn__field fields[] = {CN__BEST_RATE_FIELDS("recall")};

/* the largest precision of all thresholds whose recall is at least the one asked for */
const cn__metric_class cn__metric_precision_at_recall = {
    .name = "precision_at_recall",
    CN__METRIC_FIELDS(fields),
    CN__BEST_RATE,
    .held = cn__curve_recall,
    .rate = cn__curve_precision,
};
#endif
