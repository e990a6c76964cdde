#include "train/metric_rows.h"

extern const cn__loss_math CN_T(cn__loss_cosine_similarity_math);

/* sum_j t_j p_j / (|t| |p|): the loss of this name with the other sign */
static void update(const cn__metric *m, const cn__scores *s, double *state)
{
    cn__add_loss_to_mean(&CN_T(cn__loss_cosine_similarity_math), &m->loss.options, s, -1, state);
}

const cn__metric_math CN_T(cn__metric_cosine_similarity_math) = {update};

#if CN_ONCE
static const cn__field fields[] = {CN__METRIC_FIELD(name, TEXT), CN__METRIC_FIELD(axis, TEXT)};

const cn__metric_class cn__metric_cosine_similarity = {.name = "cosine_similarity", CN__METRIC_FIELDS(fields)};
#endif
