#include "train/metric_rows.h"

/* the share of columns with t == p */
static double row_value(const cn__metric *m, const cn__scores *s, int64_t r)
{
    const real *t = cn__truth_row(s, r), *p = cn__score_row(s, r);
    int64_t equal = 0;
    (void)m;
    for (int64_t j = 0; j < s->columns; j++) equal += t[j] == p[j];
    return (double)equal / (double)s->columns;
}

static void update(const cn__metric *metric, const cn__scores *scores, double *state)
{
    cn__add_to_mean(metric, scores, state, row_value);
}

const cn__metric_math CN_T(cn__metric_exact_accuracy_math) = {update};

#if CN_ONCE
static const cn__field fields[] = {CN__METRIC_FIELD(name, TEXT)};

const cn__metric_class cn__metric_exact_accuracy = {
    .name = "exact_accuracy",
    CN__METRIC_FIELDS(fields),
    .is_accuracy = 1,
};
#endif
