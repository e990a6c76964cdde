#include "train/loss_rows.h"

/* share = both / (both + alpha fp + beta fn + epsilon);  loss = 1 - share, sums over so many rows, where (as Keras
 * has it) both = sum t p, fp = sum t (1 - p), fn = sum (1 - t) p */
static void measure_rows(const cn__scores *s, int64_t first, int64_t rows)
{
    int64_t n = rows * s->columns;
    const real *t = cn__target_row(s, first), *p = cn__output_row(s, first);
    const real alpha = (real)s->options->alpha, beta = (real)s->options->beta;
    real both = cn__row_dot(n, t, p), fp = cn__row_sum(n, t) - both, fn = cn__row_sum(n, p) - both;
    real all = both + fp * alpha + fn * beta + CN__EPSILON, share = both / all;
    for (int64_t r = first; r < first + rows; r++) ((real *)s->row_loss)[r] = 1 - share;
    real *gradient = cn__gradient_row(s, first);
    /* every row holds the one loss, so the rows and the divisor leave rows / divisor of it */
    const real times = (real)rows / (real)s->divisor;
    for (int64_t i = 0; gradient && i < n; i++) {
        real all_slope = FMA(t[i], 1 - alpha, beta * (1 - t[i]));
        gradient[i] = FMA(share, all_slope, -t[i]) / all * times;
    }
}

static void measure(const cn__scores *s)
{
    if (!s->moved) measure_rows(s, 0, s->rows);
    for (int64_t r = 0; s->moved && r < s->rows; r++) measure_rows(s, r, 1);
}

const cn__loss_math CN_T(cn__loss_tversky_math) = {.measure = measure};

#if CN_ONCE
static const cn__field fields[] = {
    {"alpha", CN__FIELD_REAL, offsetof(cn__loss_options, alpha)},
    {"beta", CN__FIELD_REAL, offsetof(cn__loss_options, beta)},
    CN__LOSS_FIELD_REDUCTION,
    CN__LOSS_FIELD_AXIS,
};

const cn__loss_class cn__loss_tversky = {
    .name = "tversky",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION, .alpha = 0.5, .beta = 0.5},
    .whole_batch = 1,
};
#endif
