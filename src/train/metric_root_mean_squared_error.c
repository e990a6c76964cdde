#include "train/metric_rows.h"

extern const cn__loss_math CN_T(cn__loss_mean_squared_error_math);

/* sqrt(mean over all numbers of (output - target)^2) */
static void update(const cn__metric *m, const cn__scores *s, double *state)
{
    cn__add_loss_to_mean(&CN_T(cn__loss_mean_squared_error_math), &m->loss.options, s, 1, state);
}

const cn__metric_math CN_T(cn__metric_root_mean_squared_error_math) = {update};

#if CN_ONCE
static const cn__field fields[] = {CN__METRIC_FIELD(name, TEXT)};

static void result(const cn__metric *m, const double *state, double *values)
{
    (void)m;
    values[0] = state[CN__COUNT] == 0 ? 0 : sqrt(state[CN__TOTAL] / state[CN__COUNT]);
}

const cn__metric_class cn__metric_root_mean_squared_error = {
    .name = "root_mean_squared_error",
    .alias = "rmse",
    CN__METRIC_FIELDS(fields),
    .result = result,
};
#endif
