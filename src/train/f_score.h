/* F-scores: per class the weights of true positives, false positives, false negatives and of the class itself. */
#ifndef CN_TRAIN_F_SCORE_H
#define CN_TRAIN_F_SCORE_H

#include "train/metric_rows.h"

enum { CN__F_TRUE_POSITIVES, CN__F_FALSE_POSITIVES, CN__F_FALSE_NEGATIVES, CN__F_CLASS, CN__F_PARTS };

static inline void cn__count_f_score(const cn__metric *m, const cn__scores *s, double *state)
{
    int64_t n = s->columns;
    for (int64_t r = 0; r < s->rows; r++) {
        const real *p = cn__score_row(s, r), *t = cn__truth_row(s, r);
        double weight = cn__row_weight(s, r), threshold = m->options.threshold;
        real top = p[cn__row_argmax(n, p)];
        for (int64_t j = 0; j < n; j++) {
            /* without a threshold the largest is positive, but a row of zeros has none */
            int said = threshold == threshold ? p[j] > (real)threshold
                                              : p[j] >= top && (p[j] > REAL(1e-9) || p[j] < -REAL(1e-9));
            double truth = (double)t[j];
            state[CN__F_TRUE_POSITIVES * n + j] += weight * said * truth;
            state[CN__F_FALSE_POSITIVES * n + j] += weight * said * (1 - truth);
            state[CN__F_FALSE_NEGATIVES * n + j] += weight * !said * truth;
            state[CN__F_CLASS * n + j] += weight * truth;
        }
    }
}

/* f_score.c, for the descriptions */
int cn__f_score_check(const cn__metric_class *class_, const cn__metric_options *options);
int64_t cn__f_score_state_size(const cn__metric *metric);
int64_t cn__f_score_n_results(const cn__metric *metric);
void cn__f_score_result(const cn__metric *metric, const double *state, double *values);

#endif
