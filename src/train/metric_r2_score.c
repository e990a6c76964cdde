#include "train/metric_rows.h"

/* State: per column the weighted sums of t, t^2, (t - p)^2 and of the weights; then how many numbers were seen. */
enum { SUM, SQUARES, ERRORS, WEIGHTS, PARTS };

static void update(const cn__metric *m, const cn__scores *s, double *state)
{
    int64_t n = s->columns;
    for (int64_t r = 0; r < s->rows; r++) {
        const real *t = cn__truth_row(s, r), *p = cn__score_row(s, r);
        double weight = cn__row_weight(s, r);
        for (int64_t j = 0; j < n; j++) {
            double truth = (double)t[j], error = truth - (double)p[j];
            state[SUM * n + j] += weight * truth;
            state[SQUARES * n + j] += weight * truth * truth;
            state[ERRORS * n + j] += weight * error * error;
            state[WEIGHTS * n + j] += weight;
        }
    }
    state[PARTS * m->columns] += (double)(s->rows * n);
}

const cn__metric_math CN_T(cn__metric_r2_score_math) = {update};

#if CN_ONCE
#include "base/error.h"

#include <string.h>

static const cn__field fields[] = {
    CN__METRIC_FIELD(class_aggregation, TEXT),
    CN__METRIC_FIELD(num_regressors, INT64),
    CN__METRIC_FIELD(name, TEXT),
};

static int check(const cn__metric_class *class_, const cn__metric_options *o)
{
    const char *how = o->class_aggregation;
    if (strcmp(how, "uniform_average") && strcmp(how, "variance_weighted_average") && strcmp(how, "None"))
        return cn__fail(CN_EINVAL, "%s: class_aggregation must be uniform_average, variance_weighted_average or "
                        "None, got \"%.64s\"", class_->name, how);
    if (o->num_regressors >= 0) return CN_OK;
    return cn__fail(CN_EINVAL, "%s: num_regressors must not be negative, got %lld", class_->name,
                    (long long)o->num_regressors);
}

static int64_t state_size(const cn__metric *m)
{
    return PARTS * m->columns + 1;
}

static int64_t n_results(const cn__metric *m)
{
    return strcmp(m->options.class_aggregation, "None") ? 1 : m->columns;
}

/* Adjusted for regressors; left as it is when there are too few samples for that, as in Keras. */
static double adjusted(const cn__metric *m, const double *state, double score)
{
    double n = state[PARTS * m->columns], p = (double)m->options.num_regressors;
    return p == 0 || p >= n - 1 ? score : 1 - (1 - score) * (n - 1) / (n - p - 1);
}

/* 1 - sum of squared errors / sum of squared distances from the mean; 0 where the targets are all equal */
static void result(const cn__metric *m, const double *state, double *values)
{
    int64_t n = m->columns;
    double sum = 0, weighted = 0, totals = 0;
    for (int64_t j = 0; j < n; j++) {
        double mean = state[SUM * n + j] / state[WEIGHTS * n + j];
        double total = state[SQUARES * n + j] - state[SUM * n + j] * mean;
        double score = 1 - state[ERRORS * n + j] / total;
        score = isinf(score) ? 0 : score;
        if (n_results(m) > 1) values[j] = adjusted(m, state, score);
        sum += score;
        weighted += total * score;
        totals += total;
    }
    if (n_results(m) > 1) return;
    values[0] = adjusted(m, state, strcmp(m->options.class_aggregation, "variance_weighted_average")
                                       ? sum / (double)n : weighted / totals);
}

const cn__metric_class cn__metric_r2_score = {
    .name = "r2_score",
    CN__METRIC_FIELDS(fields),
    .defaults = {.class_aggregation = "uniform_average"},
    .check = check,
    .state_size = state_size,
    .n_results = n_results,
    .result = result,
};
#endif
