#include "train/loss_rows.h"

/* loss = mean_j d^2 / 2 where |d| <= delta, else delta |d| - delta^2 / 2, with d = p_j - t_j */
static cn__point point(const cn__scores *s, real t, real p)
{
    const real delta = (real)s->options->delta;
    real d = p - t, size = d < 0 ? -d : d;
    if (size > delta) return (cn__point){FMA(delta, size, -delta * delta / 2), d < 0 ? -delta : delta};
    return (cn__point){d * d / 2, d};
}

static void measure(const cn__scores *s)
{
    cn__mean_over_columns(s, point);
}

const cn__loss_math CN_T(cn__loss_huber_math) = {.measure = measure};

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"delta", CN__FIELD_REAL, offsetof(cn__loss_options, delta)},
    CN__LOSS_FIELD_REDUCTION,
};

static int check(const cn__loss_options *options)
{
    if (options->delta > 0) return CN_OK;
    return cn__fail(CN_EINVAL, "huber: delta must be above 0, got %g", options->delta);
}

const cn__loss_class cn__loss_huber = {
    .name = "huber",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION, .delta = 1},
    .check = check,
};
#endif
