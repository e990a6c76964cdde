/* Curves over many thresholds: each output falls into the bucket of the last threshold that it lies above, so that a
 * row costs the same however many thresholds there are. Source: keras/src/metrics/metrics_utils.py. */
#ifndef CN_TRAIN_THRESHOLD_BUCKETS_H
#define CN_TRAIN_THRESHOLD_BUCKETS_H

#include "kernels/functions.h"
#include "train/metric_rows.h"
#include "train/threshold_curve.h"

/* 0: above none. Evenly spaced thresholds are found by Keras's product, whose rounding decides at the border. */
static inline int cn__bucket_of(const cn__metric *m, real p)
{
    int n = m->n_thresholds, low = 0, high = n;
    if (!m->options.thresholds && n > 1) {
        real place = (p > 1 ? 1 : p > 0 ? p : 0) * (real)(n - 1), bucket = (real)(int)place; /* NaN is no int */
        if (!(p == p)) return 0;
        bucket += bucket < place;
        /* thresholds that begin below 0 leave nothing out */
        return bucket < 1 ? m->thresholds[0] < 0 : (int)bucket;
    }
    while (low < high) {
        int middle = (low + high) / 2;
        if (p > (real)m->thresholds[middle]) low = middle + 1;
        else high = middle;
    }
    return low;
}

static inline void cn__fill_buckets(const cn__metric *m, const cn__scores *s, double *state)
{
    const cn__metric_options *o = &m->options;
    int64_t first = o->class_id == CN__NOT_GIVEN ? 0 : o->class_id;
    int64_t end = o->class_id == CN__NOT_GIVEN ? s->columns : o->class_id + 1;
    for (int64_t r = 0; r < s->rows; r++) {
        const real *p = cn__score_row(s, r), *t = cn__truth_row(s, r);
        for (int64_t j = first; j < end; j++) {
            int bucket = cn__bucket_of(m, o->from_logits ? cn__sigmoid(p[j]) : p[j]);
            double weight = cn__row_weight(s, r);
            if (m->label_weights && !o->multi_label) weight *= m->label_weights[j];
            state[cn__bucket_place(m, o->multi_label ? j : 0, t[j] != 0) + bucket] += weight;
        }
    }
}

#endif
