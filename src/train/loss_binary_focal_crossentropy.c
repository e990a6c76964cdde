#include "train/loss_rows.h"

/* p_t = t p + (1 - t)(1 - p);  loss = mean_j w (1 - p_t)^gamma bce(t, p), where bce clips p, and w is 1 or, when
 * classes are balanced, t alpha + (1 - t)(1 - alpha). */
static cn__point point(const cn__scores *s, real target, real p)
{
    const cn__loss_options *o = s->options;
    const real smoothing = (real)o->label_smoothing, alpha = (real)o->alpha, gamma = (real)o->gamma;
    real t = FMA(target, 1 - smoothing, smoothing / 2), q = cn__clip(p, CN__EPSILON, 1 - CN__EPSILON);
    int moves = p >= CN__EPSILON && p <= 1 - CN__EPSILON;
    real bce = -FMA(t, cn__log(q), (1 - t) * cn__log(1 - q)), bce_slope = moves ? (1 - t) / (1 - q) - t / q : 0;
    real rest = 1 - FMA(t, p, (1 - t) * (1 - p)), factor = cn__power(rest, gamma);
    real factor_slope = gamma == 0 ? 0 : gamma * cn__power(rest, gamma - 1) * (1 - 2 * t);
    real weight = o->apply_class_balancing ? FMA(t, alpha, (1 - t) * (1 - alpha)) : 1;
    return (cn__point){weight * factor * bce, weight * FMA(factor_slope, bce, factor * bce_slope)};
}

static cn__point point_from_logit(const cn__scores *s, real target, real z)
{
    real p = cn__sigmoid(z);
    cn__point at_p = point(s, target, p);
    return (cn__point){at_p.value, at_p.slope * p * (1 - p)};
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

const cn__loss_math CN_T(cn__loss_binary_focal_crossentropy_math) = {measure, measure_from_logits, NULL};

#if CN_ONCE
static const cn__field fields[] = {
    {"apply_class_balancing", CN__FIELD_INT, offsetof(cn__loss_options, apply_class_balancing)},
    {"alpha", CN__FIELD_REAL, offsetof(cn__loss_options, alpha)},
    {"gamma", CN__FIELD_REAL, offsetof(cn__loss_options, gamma)},
    {"from_logits", CN__FIELD_INT, offsetof(cn__loss_options, from_logits)},
    {"label_smoothing", CN__FIELD_REAL, offsetof(cn__loss_options, label_smoothing)},
    CN__LOSS_FIELD_AXIS,
    CN__LOSS_FIELD_REDUCTION,
};

static int check(const cn__loss_options *options)
{
    return cn__loss_check_focal("binary_focal_crossentropy", options);
}

const cn__loss_class cn__loss_binary_focal_crossentropy = {
    .name = "binary_focal_crossentropy",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION, .alpha = 0.25, .gamma = 2},
    .check = check,
};
#endif
