#include "train/threshold_buckets.h"

const cn__metric_math CN_T(cn__metric_recall_at_precision_math) = {cn__fill_buckets};

#if CN_ONCE
static const cn__field fields[] = {CN__BEST_RATE_FIELDS("precision")};

/* the largest recall of all thresholds whose precision is at least the one asked for */
const cn__metric_class cn__metric_recall_at_precision = {
    .name = "recall_at_precision",
    CN__METRIC_FIELDS(fields),
    CN__BEST_RATE,
    .held = cn__curve_precision,
    .rate = cn__curve_recall,
};
#endif
