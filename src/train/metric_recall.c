#include "train/confusion_counts.h"

static void update(const cn__metric *metric, const cn__scores *scores, double *state)
{
    cn__count_confusions(metric, scores, state);
}

const cn__metric_math CN_T(cn__metric_recall_math) = {update};

#if CN_ONCE
static const cn__field fields[] = {
    CN__METRIC_FIELD(thresholds, TEXT),
    CN__METRIC_FIELD(top_k, INT64),
    CN__METRIC_FIELD(class_id, INT64),
    CN__METRIC_FIELD(name, TEXT),
};

/* tp / (tp + fn), 0 when nothing is positive */
static void result(const cn__metric *m, const double *state, double *values)
{
    for (int i = 0; i < m->n_thresholds; i++) {
        double hits = cn__count_at(m, state, CN__TRUE_POSITIVES, i);
        values[i] = cn__quotient(hits, hits + cn__count_at(m, state, CN__FALSE_NEGATIVES, i));
    }
}

static int check(const cn__metric_options *options)
{
    return cn__confusion_check("recall", options);
}

const cn__metric_class cn__metric_recall = {
    .name = "recall",
    CN__METRIC_FIELDS(fields),
    .defaults = {.top_k = CN__NOT_GIVEN, .class_id = CN__NOT_GIVEN},
    .check = check,
    .thresholds = cn__confusion_thresholds,
    .state_size = cn__confusion_state_size,
    .n_results = cn__confusion_n_results,
    .result = result,
};
#endif
