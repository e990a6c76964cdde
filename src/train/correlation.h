/* Means, variances and covariance of a row of targets and its outputs, in double. */
#ifndef CN_TRAIN_CORRELATION_H
#define CN_TRAIN_CORRELATION_H

#include "train/metric_rows.h"

typedef struct cn__joint_moments {
    double of_truth, of_score, covariance; /* variances, divided by the number of columns */
    double apart;                          /* mean of the targets - mean of the outputs */
} cn__joint_moments;

static inline cn__joint_moments cn__joint_moments_of(const cn__scores *s, int64_t row)
{
    const real *t = cn__truth_row(s, row), *p = cn__score_row(s, row);
    double n = (double)s->columns, t_mean = 0, p_mean = 0;
    cn__joint_moments joint = {0, 0, 0, 0};
    for (int64_t j = 0; j < s->columns; j++) {
        t_mean += (double)t[j] / n;
        p_mean += (double)p[j] / n;
    }
    for (int64_t j = 0; j < s->columns; j++) {
        double dt = (double)t[j] - t_mean, dp = (double)p[j] - p_mean;
        joint.of_truth += dt * dt / n;
        joint.of_score += dp * dp / n;
        joint.covariance += dt * dp / n;
    }
    joint.apart = t_mean - p_mean;
    return joint;
}

#endif
