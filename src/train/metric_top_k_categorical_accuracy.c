#include "train/metric_rows.h"

/* whether the largest target is among the k largest outputs; equal outputs count as in */
static double row_value(const cn__metric *m, const cn__scores *s, int64_t r)
{
    return cn__in_top_k(s->columns, cn__score_row(s, r), cn__row_argmax(s->columns, cn__truth_row(s, r)), m->options.k);
}

static void update(const cn__metric *metric, const cn__scores *scores, double *state)
{
    cn__add_to_mean(metric, scores, state, row_value);
}

const cn__metric_math CN_T(cn__metric_top_k_categorical_accuracy_math) = {update};

#if CN_ONCE
static const cn__field fields[] = {
    CN__METRIC_FIELD(k, INT64),
    CN__METRIC_FIELD(name, TEXT),
};

const cn__metric_class cn__metric_top_k_categorical_accuracy = {
    .name = "top_k_categorical_accuracy",
    CN__METRIC_FIELDS(fields),
    .defaults = {.k = 5},
    .is_accuracy = 1,
    .check = cn__metric_check_k,
};
#endif
