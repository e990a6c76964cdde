/* Descriptions and results of metrics with thresholds. Two kinds of state: counts at each of a few thresholds
 * (confusion_counts.h), and buckets between many (threshold_buckets.h). */
#ifndef CN_TRAIN_THRESHOLD_CURVE_H
#define CN_TRAIN_THRESHOLD_CURVE_H

#include "train/metric.h"

static inline double cn__quotient(double a, double b)
{
    return b == 0 ? 0 : a / b;
}

/* --- a few thresholds: four blocks of n_thresholds sums of weights --- */

enum { CN__TRUE_POSITIVES, CN__FALSE_POSITIVES, CN__TRUE_NEGATIVES, CN__FALSE_NEGATIVES };

static inline double cn__count_at(const cn__metric *m, const double *state, int which, int threshold)
{
    return state[which * m->n_thresholds + threshold];
}

/* The argument thresholds; 0.5 where it is not given, and with top_k minus infinity. */
int cn__confusion_thresholds(const cn__metric_options *options, double *values);
int64_t cn__confusion_state_size(const cn__metric *metric);
int64_t cn__confusion_n_results(const cn__metric *metric);
/* top_k at least 1. */
int cn__confusion_check(const char *owner, const cn__metric_options *options);

/* --- many thresholds: for each label the weights of its true and of its false numbers, each n_thresholds + 1 buckets;
 * bucket 0 holds what lies above no threshold --- */

static inline int64_t cn__bucket_place(const cn__metric *m, int64_t label, int truth)
{
    return (2 * label + !truth) * (m->n_thresholds + 1);
}

int64_t cn__bucket_state_size(const cn__metric *metric);
/* 0, 1/(n-1), ..., 1; 0.5 alone for one. */
int cn__even_thresholds(const cn__metric_options *options, double *values);
/* num_thresholds at least 1; `at`, called `argument`, given and in 0 ... 1. */
int cn__curve_check(const char *owner, const char *argument, const cn__metric_options *options);

typedef struct cn__curve_point {
    double tp, fp, tn, fn;
} cn__curve_point;

/* The counts at each threshold, from the highest to the lowest. */
void cn__curve_walk(const cn__metric *metric, const double *state, int64_t label,
                    void (*visit)(void *context, const cn__curve_point *point), void *context);
/* The largest `wanted` of all thresholds at which `held` is at least `at`; 0 if there is none. */
double cn__curve_best(const cn__metric *metric, const double *state, double (*held)(const cn__curve_point *point),
                      double (*wanted)(const cn__curve_point *point));
double cn__curve_recall(const cn__curve_point *point); /* also called sensitivity */
double cn__curve_precision(const cn__curve_point *point);
double cn__curve_specificity(const cn__curve_point *point);

#endif
