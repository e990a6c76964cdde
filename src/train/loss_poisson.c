#include "train/loss_rows.h"

/* loss = mean_j p_j - t_j log(p_j + epsilon) */
static cn__point point(const cn__scores *s, real t, real p)
{
    real q = p + CN__EPSILON;
    (void)s;
    return (cn__point){FMA(-t, cn__log(q), p), 1 - t / q};
}

static void measure(const cn__scores *s)
{
    cn__mean_over_columns(s, point);
}

const cn__loss_math CN_T(cn__loss_poisson_math) = {.measure = measure};

#if CN_ONCE
static const cn__field fields[] = {CN__LOSS_FIELD_REDUCTION};

const cn__loss_class cn__loss_poisson = {
    .name = "poisson",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION},
};
#endif
