#include "train/correlation.h"

/* covariance(t, p) / (deviation of t x deviation of p), over the columns; NaN where one of them does not vary */
static double row_value(const cn__metric *m, const cn__scores *s, int64_t r)
{
    (void)m;
    cn__joint_moments joint = cn__joint_moments_of(s, r);
    return joint.covariance / (sqrt(joint.of_truth) * sqrt(joint.of_score));
}

static void update(const cn__metric *metric, const cn__scores *scores, double *state)
{
    cn__add_to_mean(metric, scores, state, row_value);
}

const cn__metric_math CN_T(cn__metric_pearson_correlation_math) = {update};

#if CN_ONCE
static const cn__field fields[] = {CN__METRIC_FIELD(name, TEXT), CN__METRIC_FIELD(axis, TEXT)};

const cn__metric_class cn__metric_pearson_correlation = {.name = "pearson_correlation", CN__METRIC_FIELDS(fields)};
#endif
