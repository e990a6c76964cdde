#include "train/loss_rows.h"

/* loss = mean_j log cosh(p_j - t_j) = |d| + log(1 + e^(-2|d|)) - log 2 */
static cn__point point(const cn__scores *s, real t, real p)
{
    real d = p - t, size = d < 0 ? -d : d;
    (void)s;
    return (cn__point){size + (cn__log1p(cn__exp(-2 * size)) - REAL(0.69314718055994531)), cn__tanh(d)};
}

static void measure(const cn__scores *s)
{
    cn__mean_over_columns(s, point);
}

const cn__loss_math CN_T(cn__loss_log_cosh_math) = {.measure = measure};

#if CN_ONCE
static const cn__field fields[] = {CN__LOSS_FIELD_REDUCTION};

const cn__loss_class cn__loss_log_cosh = {
    .name = "log_cosh",
    .alias = "log_cosh_error",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION},
};
#endif
