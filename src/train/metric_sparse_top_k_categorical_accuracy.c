#include "train/metric_rows.h"

/* whether the label is among the k largest outputs, where equal ones count as in; from_sorted_ids: among the first k
 * outputs, which are labels themselves */
static double row_value(const cn__metric *m, const cn__scores *s, int64_t r)
{
    const real *ids = cn__score_row(s, r);
    if (m->options.from_sorted_ids) {
        for (int64_t j = 0; j < s->columns && j < m->options.k; j++)
            if (ids[j] == (real)s->labels[r]) return 1;
        return 0;
    }
    return cn__in_top_k(s->columns, cn__score_row(s, r), s->labels[r], m->options.k);
}

static void update(const cn__metric *metric, const cn__scores *scores, double *state)
{
    cn__add_to_mean(metric, scores, state, row_value);
}

const cn__metric_math CN_T(cn__metric_sparse_top_k_categorical_accuracy_math) = {update};

#if CN_ONCE
static const cn__field fields[] = {
    CN__METRIC_FIELD(k, INT64),
    CN__METRIC_FIELD(name, TEXT),
    CN__METRIC_FIELD(from_sorted_ids, INT),
};

const cn__metric_class cn__metric_sparse_top_k_categorical_accuracy = {
    .name = "sparse_top_k_categorical_accuracy",
    CN__METRIC_FIELDS(fields),
    .defaults = {.k = 5},
    .is_accuracy = 1,
    .reads = CN__READS_LABELS,
    .check = cn__metric_check_k,
};
#endif
