#include "train/loss_rows.h"

/* A label that the loss ignores costs nothing and moves nothing. */
static int is_ignored(const cn__scores *s, int32_t label)
{
    return label == s->options->ignore_class || label < 0 || label >= s->columns;
}

static void ignore(const cn__scores *s, int64_t r)
{
    real *gradient = cn__gradient_row(s, r);
    ((real *)s->row_loss)[r] = 0;
    for (int64_t j = 0; gradient && j < s->columns; j++) gradient[j] = 0;
}

/* p = output / sum(output), clipped;  loss = -log p_label */
static void measure(const cn__scores *s)
{
    int64_t n = s->columns;
    for (int64_t r = 0; r < s->rows; r++) {
        if (is_ignored(s, s->labels[r])) {
            ignore(s, r);
            continue;
        }
        const real *p = cn__output_row(s, r);
        real *row_loss = s->row_loss, sum = cn__row_sum(n, p), q = p[s->labels[r]] / sum;
        row_loss[r] = -cn__log(cn__clip(q, CN__EPSILON, 1 - CN__EPSILON));
        real *gradient = cn__gradient_row(s, r);
        if (!gradient) continue;
        int moves = q >= CN__EPSILON && q <= 1 - CN__EPSILON;
        for (int64_t j = 0; j < n; j++) gradient[j] = moves ? 1 / sum / (real)s->divisor : 0;
        if (moves) gradient[s->labels[r]] = (1 - 1 / q) / sum / (real)s->divisor;
    }
}

/* loss = log sum e^z - z_label;  gradient = p - (1 at the label).  Some rows at a time. */
static void measure_from_logits(const cn__scores *s)
{
    int64_t n = s->columns;
    const real share = 1 / (real)s->divisor;
    for (int64_t first = 0, rows; first < s->rows; first += rows) {
        rows = s->rows - first < CN__LANES ? s->rows - first : CN__LANES;
        const real *z = cn__output_row(s, first);
        real *restrict gradient = cn__gradient_row(s, first), *restrict p = (real *)s->probabilities + first * n;
        real *log_sum = (real *)s->row_loss + first;
        cn__rows_softmax(rows, n, z, p, log_sum);
        for (int64_t i = 0; gradient && i < rows * n; i++) gradient[i] = p[i] * share;
        for (int64_t r = 0; r < rows; r++) {
            int32_t label = s->labels[first + r];
            if (is_ignored(s, label)) {
                ignore(s, first + r);
                continue;
            }
            log_sum[r] -= z[r * n + label];
            if (gradient) gradient[r * n + label] = (p[r * n + label] - 1) * share;
        }
    }
}

const cn__loss_math CN_T(cn__loss_sparse_categorical_crossentropy_math) = {measure, measure_from_logits, NULL};

#if CN_ONCE
static const cn__field fields[] = {
    {"from_logits", CN__FIELD_INT, offsetof(cn__loss_options, from_logits)},
    {"ignore_class", CN__FIELD_INT64, offsetof(cn__loss_options, ignore_class)},
    CN__LOSS_FIELD_REDUCTION,
    CN__LOSS_FIELD_AXIS,
};

const cn__loss_class cn__loss_sparse_categorical_crossentropy = {
    .name = "sparse_categorical_crossentropy",
    .alias = "scce",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION, .ignore_class = CN__NO_CLASS},
    .sparse = 1,
    .logits_after = "softmax",
};
#endif
