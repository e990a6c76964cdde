#include "train/correlation.h"

/* 2 covariance(t, p) / (variance of t + variance of p + (mean of t - mean of p)^2 + epsilon), over the columns */
static double row_value(const cn__metric *m, const cn__scores *s, int64_t r)
{
    (void)m;
    cn__joint_moments joint = cn__joint_moments_of(s, r);
    return 2 * joint.covariance / (joint.of_truth + joint.of_score + joint.apart * joint.apart + 1e-7);
}

static void update(const cn__metric *metric, const cn__scores *scores, double *state)
{
    cn__add_to_mean(metric, scores, state, row_value);
}

const cn__metric_math CN_T(cn__metric_concordance_correlation_math) = {update};

#if CN_ONCE
static const cn__field fields[] = {CN__METRIC_FIELD(name, TEXT), CN__METRIC_FIELD(axis, TEXT)};

const cn__metric_class cn__metric_concordance_correlation = {.name = "concordance_correlation",
                                                             CN__METRIC_FIELDS(fields)};
#endif
