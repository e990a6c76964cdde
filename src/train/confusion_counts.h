/* Positives and negatives, right and wrong, at each of a metric's thresholds. */
#ifndef CN_TRAIN_CONFUSION_COUNTS_H
#define CN_TRAIN_CONFUSION_COUNTS_H

#include "train/metric_rows.h"
#include "train/threshold_curve.h"

/* Whether fewer than k numbers of the row come before number j: larger ones, and equal ones further left. */
static inline int cn__is_of_top_k(int64_t n, const real *row, int64_t j, int64_t k)
{
    int64_t before = 0;
    for (int64_t i = 0; i < n; i++) before += row[i] > row[j] || (row[i] == row[j] && i < j);
    return before < k;
}

/* An output is positive if it lies above the threshold, and with top_k only if it is one of the k largest. */
static inline void cn__count_confusions(const cn__metric *m, const cn__scores *s, double *state)
{
    const cn__metric_options *o = &m->options;
    int64_t first = o->class_id == CN__NOT_GIVEN ? 0 : o->class_id;
    int64_t end = o->class_id == CN__NOT_GIVEN ? s->columns : o->class_id + 1;
    for (int64_t r = 0; r < s->rows; r++) {
        const real *p = cn__score_row(s, r), *t = cn__truth_row(s, r);
        double weight = cn__row_weight(s, r);
        for (int64_t j = first; j < end; j++) {
            int may_be = o->top_k == CN__NOT_GIVEN || cn__is_of_top_k(s->columns, p, j, o->top_k), truth = t[j] != 0;
            for (int i = 0; i < m->n_thresholds; i++) {
                int said = may_be && p[j] > (real)m->thresholds[i];
                int which = said ? (truth ? CN__TRUE_POSITIVES : CN__FALSE_POSITIVES)
                                 : (truth ? CN__FALSE_NEGATIVES : CN__TRUE_NEGATIVES);
                state[which * m->n_thresholds + i] += weight;
            }
        }
    }
}

#endif
