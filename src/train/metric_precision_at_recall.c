#include "train/threshold_buckets.h"

static void update(const cn__metric *metric, const cn__scores *scores, double *state)
{
    cn__fill_buckets(metric, scores, state);
}

const cn__metric_math CN_T(cn__metric_precision_at_recall_math) = {update};

#if CN_ONCE
static const cn__field fields[] = {
    {"recall", CN__FIELD_REAL, offsetof(cn__metric_options, at)},
    CN__METRIC_FIELD(num_thresholds, INT64),
    CN__METRIC_FIELD(class_id, INT64),
    CN__METRIC_FIELD(name, TEXT),
};

static int check(const cn__metric_options *options)
{
    return cn__curve_check("precision_at_recall", "recall", options);
}

/* the largest precision of all thresholds whose recall is at least the one asked for */
static void result(const cn__metric *m, const double *state, double *values)
{
    values[0] = cn__curve_best(m, state, cn__curve_recall, cn__curve_precision);
}

const cn__metric_class cn__metric_precision_at_recall = {
    .name = "precision_at_recall",
    CN__METRIC_FIELDS(fields),
    .defaults = {.at = NAN, .num_thresholds = 200, .class_id = CN__NOT_GIVEN},
    .check = check,
    .thresholds = cn__even_thresholds,
    .state_size = cn__bucket_state_size,
    .result = result,
};
#endif
