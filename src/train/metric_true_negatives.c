#include "train/confusion_counts.h"

static void update(const cn__metric *metric, const cn__scores *scores, double *state)
{
    cn__count_confusions(metric, scores, state);
}

const cn__metric_math CN_T(cn__metric_true_negatives_math) = {update};

#if CN_ONCE
static const cn__field fields[] = {
    CN__METRIC_FIELD(thresholds, TEXT),
    CN__METRIC_FIELD(name, TEXT),
};

/* the sum of weights of the true negatives */
static void result(const cn__metric *m, const double *state, double *values)
{
    for (int i = 0; i < m->n_thresholds; i++) values[i] = cn__count_at(m, state, CN__TRUE_NEGATIVES, i);
}

const cn__metric_class cn__metric_true_negatives = {
    .name = "true_negatives",
    CN__METRIC_FIELDS(fields),
    .defaults = {.top_k = CN__NOT_GIVEN, .class_id = CN__NOT_GIVEN},
    .thresholds = cn__confusion_thresholds,
    .state_size = cn__confusion_state_size,
    .n_results = cn__confusion_n_results,
    .result = result,
};
#endif
