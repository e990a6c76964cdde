#include "train/loss_rows.h"

/* q = output / sum(output), clipped;  loss = sum_j alpha (1 - q_j)^gamma (-t_j log q_j).
 * Writes d(loss)/d(q_j) into `slopes` (which may be NULL); q moves only where it is not clipped. */
static real row_loss_of(const cn__scores *s, const real *t, const real *p, real sum, real *slopes)
{
    const real alpha = (real)s->options->alpha, gamma = (real)s->options->gamma;
    const real keep = (real)(1 - s->options->label_smoothing);
    const real share = (real)(s->options->label_smoothing / cn__smoothing_classes(s));
    real loss = 0;
    for (int64_t j = 0; j < s->columns; j++) {
        real target = FMA(t[j], keep, share), q = p[j] / sum, c = cn__clip(q, CN__EPSILON, 1 - CN__EPSILON);
        real rest = 1 - c, factor = alpha * cn__power(rest, gamma), log_c = cn__log(c);
        loss = FMA(factor, -target * log_c, loss);
        if (!slopes) continue;
        real moved = gamma * alpha * cn__power(rest, gamma - 1) * log_c - factor / c;
        slopes[j] = q >= CN__EPSILON && q <= 1 - CN__EPSILON ? target * moved : 0;
    }
    return loss;
}

static void measure(const cn__scores *s)
{
    int64_t n = s->columns;
    for (int64_t r = 0; r < s->rows; r++) {
        const real *p = cn__output_row(s, r);
        real *gradient = cn__gradient_row(s, r), sum = cn__row_sum(n, p);
        ((real *)s->row_loss)[r] = row_loss_of(s, cn__target_row(s, r), p, sum, gradient);
        if (!gradient) continue;
        real shared = cn__row_dot(n, gradient, p) / sum;
        for (int64_t j = 0; j < n; j++) gradient[j] = (gradient[j] - shared) / sum / (real)s->divisor;
    }
}

/* The same of p = softmax(z). */
static void measure_from_logits(const cn__scores *s)
{
    int64_t n = s->columns;
    for (int64_t r = 0; r < s->rows; r++) {
        real *p = (real *)s->probabilities + r * n, *gradient = cn__gradient_row(s, r);
        cn__row_softmax(n, cn__output_row(s, r), p);
        real sum = cn__row_sum(n, p);
        ((real *)s->row_loss)[r] = row_loss_of(s, cn__target_row(s, r), p, sum, gradient);
        if (!gradient) continue;
        real shared = cn__row_dot(n, gradient, p);
        for (int64_t j = 0; j < n; j++) gradient[j] = p[j] * (gradient[j] - shared) / (real)s->divisor;
    }
}

const cn__loss_math CN_T(cn__loss_categorical_focal_crossentropy_math) = {measure, measure_from_logits, NULL};

#if CN_ONCE
static const cn__field fields[] = {
    {"alpha", CN__FIELD_REAL, offsetof(cn__loss_options, alpha)},
    {"gamma", CN__FIELD_REAL, offsetof(cn__loss_options, gamma)},
    {"from_logits", CN__FIELD_INT, offsetof(cn__loss_options, from_logits)},
    {"label_smoothing", CN__FIELD_REAL, offsetof(cn__loss_options, label_smoothing)},
    CN__LOSS_FIELD_AXIS,
    CN__LOSS_FIELD_REDUCTION,
};

static int check(const cn__loss_options *options)
{
    return cn__loss_check_focal("categorical_focal_crossentropy", options);
}

const cn__loss_class cn__loss_categorical_focal_crossentropy = {
    .name = "categorical_focal_crossentropy",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION, .alpha = 0.25, .gamma = 2},
    .check = check,
};
#endif
