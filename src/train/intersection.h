/* Intersection over union: a confusion matrix of num_classes x num_classes weights, rows are what is true. */
#ifndef CN_TRAIN_INTERSECTION_H
#define CN_TRAIN_INTERSECTION_H

#include "train/metric_rows.h"

/* Adds one answer; classes outside the matrix and the ignored class are left out. */
static inline void cn__add_answer(const cn__metric *m, double *state, double truth, double said, double weight)
{
    double n = (double)m->options.num_classes;
    int counts = truth >= 0 && truth < n && said >= 0 && said < n;
    if (!counts || (int64_t)truth == m->options.ignore_class) return;
    state[(int64_t)truth * m->options.num_classes + (int64_t)said] += weight;
}

/* sparse_y_pred: each output is the number of a class, else a row's largest is meant; sparse_y_true likewise. Rows that
 * stand beside class numbers were made numbers before (cn__intersection_wants_labels). */
static inline void cn__count_answers(const cn__metric *m, const cn__scores *s, double *state)
{
    int64_t n = s->columns, each = m->options.sparse_y_pred ? n : 1;
    for (int64_t r = 0; r < s->rows; r++) {
        const real *p = cn__score_row(s, r), *t = s->labels ? NULL : cn__truth_row(s, r);
        for (int64_t j = 0; j < each; j++) {
            double said = m->options.sparse_y_pred ? (double)p[j] : (double)cn__row_argmax(n, p);
            int is_number = m->options.sparse_y_true || m->options.sparse_y_pred;
            double truth = s->labels ? s->labels[r] : is_number ? (double)t[j] : (double)cn__row_argmax(n, t);
            cn__add_answer(m, state, truth, said, cn__row_weight(s, r));
        }
    }
}

/* intersection.c, for the descriptions */
int cn__intersection_check(const cn__metric_class *class_, const cn__metric_options *options);
/* target_class_ids stand where other metrics have thresholds. */
int cn__intersection_classes(const cn__metric_options *options, double *values);
/* 1 if outputs are class numbers and targets are rows, of which the largest along `axis` is meant. */
int cn__intersection_wants_labels(const cn__metric *metric);
/* Once it is known whether targets are labels. Error: CN_EINVAL. */
int cn__intersection_set_shape(const cn__metric *metric, int64_t columns, int labels);
int64_t cn__intersection_state_size(const cn__metric *metric);
/* The mean over target_class_ids, or all classes, of tp / (tp + fp + fn + epsilon); classes never met are left out. */
void cn__intersection_result(const cn__metric *metric, const double *state, double *values);

#endif
