#include "train/metric_rows.h"

/* argmax(target) == argmax(output) */
static double row_value(const cn__metric *m, const cn__scores *s, int64_t r)
{
    (void)m;
    return cn__row_argmax(s->columns, cn__truth_row(s, r)) == cn__row_argmax(s->columns, cn__score_row(s, r));
}

static void update(const cn__metric *metric, const cn__scores *scores, double *state)
{
    cn__add_to_mean(metric, scores, state, row_value);
}

const cn__metric_math CN_T(cn__metric_categorical_accuracy_math) = {update};

#if CN_ONCE
static const cn__field fields[] = {
    CN__METRIC_FIELD(name, TEXT),
};

const cn__metric_class cn__metric_categorical_accuracy = {
    .name = "categorical_accuracy",
    CN__METRIC_FIELDS(fields),
    .is_accuracy = 1,
};
#endif
