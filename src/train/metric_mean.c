#include "train/metric_rows.h"

/* the mean of the columns of the output */
static double row_value(const cn__metric *m, const cn__scores *s, int64_t r)
{
    const real *p = cn__score_row(s, r);
    double sum = 0;
    (void)m;
    for (int64_t j = 0; j < s->columns; j++) sum += (double)p[j];
    return sum / (double)s->columns;
}

static void update(const cn__metric *metric, const cn__scores *scores, double *state)
{
    cn__add_to_mean(metric, scores, state, row_value);
}

const cn__metric_math CN_T(cn__metric_mean_math) = {update};

#if CN_ONCE
static const cn__field fields[] = {CN__METRIC_FIELD(name, TEXT)};

const cn__metric_class cn__metric_mean = {
    .name = "mean",
    CN__METRIC_FIELDS(fields),
    .reads = CN__READS_OUTPUT,
};
#endif
