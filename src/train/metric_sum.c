#include "train/metric_rows.h"

/* the sum of weight x output over all numbers seen */
static void update(const cn__metric *m, const cn__scores *s, double *state)
{
    (void)m;
    for (int64_t r = 0; r < s->rows; r++) {
        const real *p = cn__score_row(s, r);
        double sum = 0;
        for (int64_t j = 0; j < s->columns; j++) sum += (double)p[j];
        state[CN__TOTAL] += cn__row_weight(s, r) * sum;
    }
}

const cn__metric_math CN_T(cn__metric_sum_math) = {update};

#if CN_ONCE
static const cn__field fields[] = {CN__METRIC_FIELD(name, TEXT)};

static void result(const cn__metric *m, const double *state, double *values)
{
    (void)m;
    values[0] = state[CN__TOTAL];
}

const cn__metric_class cn__metric_sum = {
    .name = "sum",
    CN__METRIC_FIELDS(fields),
    .reads = CN__READS_OUTPUT,
    .result = result,
};
#endif
