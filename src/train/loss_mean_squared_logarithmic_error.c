#include "train/loss_rows.h"

/* loss = mean_j (log(max(p_j, epsilon) + 1) - log(max(t_j, epsilon) + 1))^2 */
static cn__point point(const cn__scores *s, real t, real p)
{
    real above = p < CN__EPSILON ? CN__EPSILON : p;
    real d = cn__log1p(above) - cn__log1p(t < CN__EPSILON ? CN__EPSILON : t);
    (void)s;
    return (cn__point){d * d, p < CN__EPSILON ? 0 : 2 * d / (above + 1)};
}

static void measure(const cn__scores *s)
{
    cn__mean_over_columns(s, point);
}

const cn__loss_math CN_T(cn__loss_mean_squared_logarithmic_error_math) = {.measure = measure};

#if CN_ONCE
static const cn__field fields[] = {CN__LOSS_FIELD_REDUCTION};

const cn__loss_class cn__loss_mean_squared_logarithmic_error = {
    .name = "mean_squared_logarithmic_error",
    .alias = "msle",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION},
};
#endif
