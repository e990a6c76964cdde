#include "train/loss_rows.h"

/* Smoothing: t becomes t (1 - s) + s / columns. With s = 0 that is t, bit for bit. */
typedef struct smoothing {
    real keep, share;
} smoothing;

static smoothing smoothing_of(const cn__scores *s)
{
    double amount = s->options->label_smoothing;
    return (smoothing){(real)(1 - amount), (real)(amount / cn__smoothing_classes(s))};
}

/* p = output / sum(output), clipped;  loss = -sum_j t_j log p_j */
static void measure(const cn__scores *s)
{
    int64_t n = s->columns;
    const smoothing smooth = smoothing_of(s);
    for (int64_t r = 0; r < s->rows; r++) {
        const real *targets = cn__target_row(s, r), *p = cn__output_row(s, r);
        real *row_loss = s->row_loss, *gradient = cn__gradient_row(s, r);
        real sum = cn__row_sum(n, p), loss = 0, shared = 0;
        for (int64_t j = 0; j < n; j++) {
            real t = FMA(targets[j], smooth.keep, smooth.share);
            real q = p[j] / sum, clipped = cn__clip(q, CN__EPSILON, 1 - CN__EPSILON);
            loss = FMA(-t, cn__log(clipped), loss);
            /* a clipped probability does not move */
            real slope = q >= CN__EPSILON && q <= 1 - CN__EPSILON ? -t / q : 0;
            if (gradient) gradient[j] = slope;
            shared = FMA(slope, q, shared);
        }
        for (int64_t j = 0; gradient && j < n; j++) gradient[j] = (gradient[j] - shared) / sum / (real)s->divisor;
        row_loss[r] = loss;
    }
}

/* loss = log sum e^z * sum t - sum t z;  gradient = p sum t - t  (sum t is 1 for one-hot rows) */
static void measure_row(const cn__scores *s, int64_t r)
{
    int64_t n = s->columns;
    const real share = 1 / (real)s->divisor;
    const smoothing smooth = smoothing_of(s);
    const real *t = cn__target_row(s, r), *z = cn__output_row(s, r);
    real *row_loss = s->row_loss, *p = (real *)s->probabilities + r * n, loss = 0;
    real log_sum = cn__row_softmax(n, z, p), whole = FMA(cn__row_sum(n, t), smooth.keep, smooth.share * (real)n);
    for (int64_t j = 0; j < n; j++) loss = FMA(FMA(t[j], smooth.keep, smooth.share), log_sum - z[j], loss);
    row_loss[r] = loss;
    real *gradient = cn__gradient_row(s, r);
    for (int64_t j = 0; gradient && j < n; j++)
        gradient[j] = FMA(p[j], whole, -FMA(t[j], smooth.keep, smooth.share)) * share;
}

/* The same for CN__LANES rows of at most CN__LANES numbers. */
static void measure_lanes(const cn__scores *s, int64_t first)
{
    _Alignas(64) real t[CN__LANES][CN__LANES], z[CN__LANES][CN__LANES], p[CN__LANES][CN__LANES];
    _Alignas(64) real whole[CN__LANES], log_sum[CN__LANES], loss[CN__LANES] = {0};
    int64_t n = s->columns;
    const real share = 1 / (real)s->divisor;
    const smoothing smooth = smoothing_of(s);
    cn__rows_to_columns(n, cn__target_row(s, first), t);
    cn__rows_to_columns(n, cn__output_row(s, first), z);
    cn__lanes_softmax(n, z, p, log_sum);
    cn__columns_to_rows(n, p, (real *)s->probabilities + first * n);
    cn__lanes_sum(n, t, whole);
    for (int r = 0; r < CN__LANES; r++) whole[r] = FMA(whole[r], smooth.keep, smooth.share * (real)n);
    for (int64_t j = 0; j < n; j++)
        for (int r = 0; r < CN__LANES; r++) {
            real smoothed = FMA(t[j][r], smooth.keep, smooth.share);
            loss[r] = FMA(smoothed, log_sum[r] - z[j][r], loss[r]);
            p[j][r] = FMA(p[j][r], whole[r], -smoothed) * share;
        }
    for (int r = 0; r < CN__LANES; r++) ((real *)s->row_loss)[first + r] = loss[r];
    if (s->gradient) cn__columns_to_rows(n, p, cn__gradient_row(s, first));
}

static void measure_from_logits(const cn__scores *s)
{
    int64_t r = 0;
    for (; s->columns <= CN__LANES && r + CN__LANES <= s->rows; r += CN__LANES) measure_lanes(s, r);
    for (; r < s->rows; r++) measure_row(s, r);
}

const cn__loss_math CN_T(cn__loss_categorical_crossentropy_math) = {measure, measure_from_logits, NULL};

#if CN_ONCE
static const cn__field fields[] = {
    {"from_logits", CN__FIELD_INT, offsetof(cn__loss_options, from_logits)},
    {"label_smoothing", CN__FIELD_REAL, offsetof(cn__loss_options, label_smoothing)},
    CN__LOSS_FIELD_AXIS,
    CN__LOSS_FIELD_REDUCTION,
};

static int check(const cn__loss_options *options)
{
    return cn__loss_check_smoothing("categorical_crossentropy", options);
}

const cn__loss_class cn__loss_categorical_crossentropy = {
    .name = "categorical_crossentropy",
    .alias = "cce",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION},
    .logits_after = "softmax",
    .check = check,
};
#endif
