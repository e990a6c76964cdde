/* What metrics share: weights of rows, and means of a number for each row. */
#ifndef CN_TRAIN_METRIC_ROWS_H
#define CN_TRAIN_METRIC_ROWS_H

#include "kernels/argmax.h"
#include "kernels/real.h"
#include "train/metric.h"

enum { CN__TOTAL, CN__COUNT };

static inline double cn__row_weight(const cn__scores *s, int64_t r)
{
    return s->weights ? s->weights[r] : 1;
}

static inline const real *cn__score_row(const cn__scores *s, int64_t r)
{
    return (const real *)s->output + r * s->columns;
}

static inline const real *cn__truth_row(const cn__scores *s, int64_t r)
{
    return (const real *)s->target + r * s->columns;
}

/* Adds f of each row to a mean. */
static inline void cn__add_to_mean(const cn__metric *m, const cn__scores *s, double *state,
                                   double (*f)(const cn__metric *metric, const cn__scores *scores, int64_t row))
{
    for (int64_t r = 0; r < s->rows; r++) {
        double weight = cn__row_weight(s, r);
        state[CN__TOTAL] += weight * f(m, s, r);
        state[CN__COUNT] += weight;
    }
}

/* Adds sign x the loss of each row to a mean. */
static inline void cn__add_loss_to_mean(const cn__loss_math *loss, const cn__loss_options *options,
                                        const cn__scores *scores, double sign, double *state)
{
    cn__scores s = *scores;
    s.options = options;
    s.gradient = NULL;
    s.divisor = 1;
    s.seen = loss->look ? loss->look(&s) : 0;
    if (options->from_logits) loss->measure_from_logits(&s);
    else loss->measure(&s);
    for (int64_t r = 0; r < s.rows; r++) {
        double weight = cn__row_weight(&s, r);
        state[CN__TOTAL] += weight * sign * (double)((const real *)s.row_loss)[r];
        state[CN__COUNT] += weight;
    }
}

/* Whether fewer than k numbers of the row are larger than that at `label`. Source: TensorFlow's in_top_k. */
static inline int cn__in_top_k(int64_t n, const real *row, int64_t label, int64_t k)
{
    int64_t larger = 0;
    if (label < 0 || label >= n || !(row[label] - row[label] == 0)) return 0;
    for (int64_t j = 0; j < n; j++) larger += !(row[j] <= row[label]);
    return larger < k;
}

#endif
