#include "train/loss_rows.h"

/* loss = mean_j max(1 - t_j p_j, 0)^2, where targets that are all 0 or 1 mean -1 and 1 */
static cn__point point(const cn__scores *s, real t, real p)
{
    real side = s->seen ? 2 * t - 1 : t, margin = FMA(-side, p, 1);
    return (cn__point){margin < 0 ? 0 : margin * margin, margin < 0 ? 0 : -2 * side * margin};
}

static void measure(const cn__scores *s)
{
    cn__mean_over_columns(s, point);
}

const cn__loss_math CN_T(cn__loss_squared_hinge_math) = {.measure = measure, .look = cn__targets_are_binary};

#if CN_ONCE
static const cn__field fields[] = {CN__LOSS_FIELD_REDUCTION};

const cn__loss_class cn__loss_squared_hinge = {
    .name = "squared_hinge",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION},
    .look_first = 1,
};
#endif
