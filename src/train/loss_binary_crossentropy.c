#include "train/loss_rows.h"

static real smoothed(const cn__scores *s, real t)
{
    real amount = (real)s->options->label_smoothing;
    return FMA(t, 1 - amount, amount / 2);
}

/* loss = mean_j -(t log p + (1 - t) log(1 - p)), p clipped */
static cn__point point(const cn__scores *s, real target, real p)
{
    real t = smoothed(s, target), q = cn__clip(p, CN__EPSILON, 1 - CN__EPSILON);
    /* a clipped probability does not move */
    int moves = p >= CN__EPSILON && p <= 1 - CN__EPSILON;
    return (cn__point){-FMA(t, cn__log(q), (1 - t) * cn__log(1 - q)), moves ? (1 - t) / (1 - q) - t / q : 0};
}

/* loss = mean_j max(z, 0) - t z + log(1 + e^-|z|);  gradient = sigmoid(z) - t */
static cn__point point_from_logit(const cn__scores *s, real target, real z)
{
    real t = smoothed(s, target), size = z < 0 ? -z : z;
    return (cn__point){FMA(-t, z, z > 0 ? z : 0) + cn__log1p(cn__exp(-size)), cn__sigmoid(z) - t};
}

static void measure(const cn__scores *s)
{
    cn__mean_over_columns(s, point);
}

static void measure_from_logits(const cn__scores *s)
{
    cn__mean_over_columns(s, point_from_logit);
    const real *z = s->output;
    real *p = s->probabilities;
    for (int64_t i = 0; i < s->rows * s->columns; i++) p[i] = cn__sigmoid(z[i]);
}

const cn__loss_math CN_T(cn__loss_binary_crossentropy_math) = {measure, measure_from_logits, NULL};

#if CN_ONCE
static const cn__field fields[] = {
    {"from_logits", CN__FIELD_INT, offsetof(cn__loss_options, from_logits)},
    {"label_smoothing", CN__FIELD_REAL, offsetof(cn__loss_options, label_smoothing)},
    CN__LOSS_FIELD_AXIS,
    CN__LOSS_FIELD_REDUCTION,
};

static int check(const cn__loss_options *options)
{
    return cn__loss_check_smoothing("binary_crossentropy", options);
}

const cn__loss_class cn__loss_binary_crossentropy = {
    .name = "binary_crossentropy",
    .alias = "bce",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION},
    .logits_after = "sigmoid",
    .check = check,
};
#endif
