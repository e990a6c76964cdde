#include "train/metric_rows.h"

#define DECLARE(name) extern const cn__loss_math CN_T(cn__loss_##name##_math);
CN__LOSS_LIST(DECLARE)
#undef DECLARE

#define ENTRY(name) &CN_T(cn__loss_##name##_math),
static const cn__loss_math *const maths[CN__LOSS_COUNT] = {CN__LOSS_LIST(ENTRY)};
#undef ENTRY

/* The mean of a loss over the rows: every loss is a metric, too. */
static void update(const cn__metric *m, const cn__scores *s, double *state)
{
    cn__add_loss_to_mean(maths[m->loss.index], &m->loss.options, s, 1, state);
}

const cn__metric_math CN_T(cn__metric_mean_of_loss_math) = {update};

#if CN_ONCE
static const cn__field fields[] = {CN__METRIC_FIELD(name, TEXT)};

const cn__metric_class cn__metric_mean_of_loss = {.name = "mean_of_loss", CN__METRIC_FIELDS(fields)};
#endif
