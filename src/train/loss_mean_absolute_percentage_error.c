#include "train/loss_rows.h"

/* loss = 100 mean_j |t_j - p_j| / max(|t_j|, epsilon) */
static cn__point point(const cn__scores *s, real t, real p)
{
    real d = p - t, size = t < 0 ? -t : t, base = size > CN__EPSILON ? size : CN__EPSILON;
    (void)s;
    return (cn__point){100 * ((d < 0 ? -d : d) / base), 100 * ((real)(d > 0) - (real)(d < 0) + 0 * d) / base};
}

static void measure(const cn__scores *s)
{
    cn__mean_over_columns(s, point);
}

const cn__loss_math CN_T(cn__loss_mean_absolute_percentage_error_math) = {.measure = measure};

#if CN_ONCE
static const cn__field fields[] = {CN__LOSS_FIELD_REDUCTION};

const cn__loss_class cn__loss_mean_absolute_percentage_error = {
    .name = "mean_absolute_percentage_error",
    .alias = "mape",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION},
};
#endif
