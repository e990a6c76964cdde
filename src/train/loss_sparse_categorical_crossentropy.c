#include "kernels/row.h"
#include "train/loss.h"

#define EPSILON REAL(1e-7)

/* p = output / sum(output), clipped;  loss = -log p_label */
static void measure(const cn__scores *s)
{
    int64_t n = s->columns;
    for (int64_t r = 0; r < s->rows; r++) {
        const real *p = (const real *)s->output + r * n;
        real *row_loss = s->row_loss, sum = cn__row_sum(n, p), q = p[s->labels[r]] / sum;
        real clipped = q < EPSILON ? EPSILON : (q > 1 - EPSILON ? 1 - EPSILON : q);
        row_loss[r] = -cn__log(clipped);
        if (!s->gradient) continue;
        real *gradient = (real *)s->gradient + r * n;
        int moves = q >= EPSILON && q <= 1 - EPSILON;
        for (int64_t j = 0; j < n; j++) gradient[j] = moves ? 1 / sum / (real)s->divisor : 0;
        if (moves) gradient[s->labels[r]] = (1 - 1 / q) / sum / (real)s->divisor;
    }
}

/* loss = log sum e^z - z_label;  gradient = p - (1 at the label) */
static void measure_from_logits(const cn__scores *s)
{
    int64_t n = s->columns;
    const real share = 1 / (real)s->divisor;
    for (int64_t r = 0; r < s->rows; r++) {
        const real *z = (const real *)s->output + r * n;
        real *row_loss = s->row_loss, *p = (real *)s->probabilities + r * n;
        real log_sum = cn__row_softmax(n, z, p);
        row_loss[r] = log_sum - z[s->labels[r]];
        if (!s->gradient) continue;
        real *gradient = (real *)s->gradient + r * n;
        for (int64_t j = 0; j < n; j++) gradient[j] = p[j] * share;
        gradient[s->labels[r]] = (p[s->labels[r]] - 1) * share;
    }
}

const cn__loss_math CN_T(cn__loss_sparse_categorical_crossentropy_math) = {measure, measure_from_logits};

#if CN_ONCE
const cn__loss_class cn__loss_sparse_categorical_crossentropy = {
    .name = "sparse_categorical_crossentropy",
    .sparse = 1,
    .logits_after = "softmax",
};
#endif
