#include "train/loss_rows.h"

/* loss = mean_j |p_j - t_j| */
static cn__point point(const cn__scores *s, real t, real p)
{
    real d = p - t;
    (void)s;
    return (cn__point){d < 0 ? -d : d, (real)(d > 0) - (real)(d < 0) + 0 * d};
}

static void measure(const cn__scores *s)
{
    cn__mean_over_columns(s, point);
}

const cn__loss_math CN_T(cn__loss_mean_absolute_error_math) = {.measure = measure};

#if CN_ONCE
static const cn__field fields[] = {CN__LOSS_FIELD_REDUCTION};

const cn__loss_class cn__loss_mean_absolute_error = {
    .name = "mean_absolute_error",
    .alias = "mae",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION},
};
#endif
