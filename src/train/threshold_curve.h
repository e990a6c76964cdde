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
/* The class's rate at each threshold. */
void cn__confusion_result(const cn__metric *metric, const double *state, double *values);
/* top_k at least 1. */
int cn__confusion_check(const cn__metric_class *class_, const cn__metric_options *options);
extern const cn__field cn__confusion_fields[2], cn__confusion_choice_fields[4];

/* What a class of such metrics has in common: a list of thresholds, and maybe a choice of outputs by top_k and
 * class_id. */
#define CN__RATE_OF(list)                                                                                           \
    .fields = list, .n_fields = sizeof list / sizeof *list,                                                         \
    .defaults = {.top_k = CN__NOT_GIVEN, .class_id = CN__NOT_GIVEN}, .check = cn__confusion_check,                  \
    .thresholds = cn__confusion_thresholds, .state_size = cn__confusion_state_size,                                 \
    .n_results = cn__confusion_n_results, .result = cn__confusion_result
#define CN__RATE_AT_THRESHOLDS CN__RATE_OF(cn__confusion_fields)
#define CN__RATE_OF_CHOICES CN__RATE_OF(cn__confusion_choice_fields)

/* --- many thresholds: for each label the weights of its true and of its false numbers, each n_thresholds + 1 buckets;
 * bucket 0 holds what lies above no threshold --- */

static inline int64_t cn__bucket_place(const cn__metric *m, int64_t label, int truth)
{
    return (2 * label + !truth) * (m->n_thresholds + 1);
}

int64_t cn__bucket_state_size(const cn__metric *metric);
/* 0, 1/(n-1), ..., 1; 0.5 alone for one. */
int cn__even_thresholds(const cn__metric_options *options, double *values);
/* num_thresholds at least 1; `at`, the class's first field, given and in 0 ... 1. */
int cn__curve_check(const cn__metric_class *class_, const cn__metric_options *options);

/* The counts at each threshold, from the highest to the lowest. */
void cn__curve_walk(const cn__metric *metric, const double *state, int64_t label,
                    void (*visit)(void *context, const cn__curve_point *point), void *context);
/* The largest rate of all thresholds at which `held` is at least `at`; 0 if there is none. */
void cn__curve_best(const cn__metric *metric, const double *state, double *values);

/* What a class of such metrics has in common; `held` is the name of the rate that is held. */
#define CN__BEST_RATE_FIELDS(held)                                                                                  \
    {held, CN__FIELD_REAL, offsetof(cn__metric_options, at)}, CN__METRIC_FIELD(num_thresholds, INT64),              \
        CN__METRIC_FIELD(class_id, INT64), CN__METRIC_FIELD(name, TEXT)
#define CN__BEST_RATE                                                                                               \
    .defaults = {.at = NAN, .num_thresholds = 200, .class_id = CN__NOT_GIVEN}, .check = cn__curve_check,            \
    .thresholds = cn__even_thresholds, .state_size = cn__bucket_state_size, .result = cn__curve_best

double cn__curve_recall(const cn__curve_point *point); /* also called sensitivity */
double cn__curve_precision(const cn__curve_point *point);
double cn__curve_specificity(const cn__curve_point *point);

#endif
