#include "train/metric_rows.h"

/* mean_j ((output_j > threshold) == target_j) */
static double row_value(const cn__metric *m, const cn__scores *s, int64_t r)
{
    const real *p = cn__score_row(s, r), *t = cn__truth_row(s, r), threshold = (real)m->options.threshold;
    int64_t hits = 0;
    for (int64_t j = 0; j < s->columns; j++) hits += (p[j] > threshold ? 1 : 0) == t[j];
    return (double)hits / (double)s->columns;
}

static void update(const cn__metric *metric, const cn__scores *scores, double *state)
{
    cn__add_to_mean(metric, scores, state, row_value);
}

const cn__metric_math CN_T(cn__metric_binary_accuracy_math) = {update};

#if CN_ONCE
static const cn__field fields[] = {
    CN__METRIC_FIELD(name, TEXT),
    CN__METRIC_FIELD(threshold, REAL),
};

const cn__metric_class cn__metric_binary_accuracy = {
    .name = "binary_accuracy",
    CN__METRIC_FIELDS(fields),
    .defaults = {.threshold = 0.5},
    .is_accuracy = 1,
};
#endif
