#include "kernels/row.h"
#include "train/loss.h"

/* Keras's epsilon: probabilities are clipped to EPSILON ... 1 - EPSILON. */
#define EPSILON REAL(1e-7)

/* p = output / sum(output), clipped;  loss = -sum_j t_j log p_j */
static void measure(const cn__scores *s)
{
    int64_t n = s->columns;
    for (int64_t r = 0; r < s->rows; r++) {
        const real *t = (const real *)s->target + r * n, *p = (const real *)s->output + r * n;
        real *row_loss = s->row_loss, *gradient = s->gradient ? (real *)s->gradient + r * n : NULL;
        real sum = cn__row_sum(n, p), loss = 0, shared = 0;
        for (int64_t j = 0; j < n; j++) {
            real q = p[j] / sum, clipped = q < EPSILON ? EPSILON : (q > 1 - EPSILON ? 1 - EPSILON : q);
            loss = FMA(-t[j], cn__log(clipped), loss);
            /* a clipped probability does not move */
            real slope = q >= EPSILON && q <= 1 - EPSILON ? -t[j] / q : 0;
            if (gradient) gradient[j] = slope;
            shared = FMA(slope, q, shared);
        }
        for (int64_t j = 0; gradient && j < n; j++) gradient[j] = (gradient[j] - shared) / sum / (real)s->divisor;
        row_loss[r] = loss;
    }
}

/* loss = log sum e^z * sum t - sum t z;  gradient = p sum t - t  (sum t is 1 for one-hot rows) */
static void measure_from_logits(const cn__scores *s)
{
    int64_t n = s->columns;
    const real share = 1 / (real)s->divisor;
    for (int64_t r = 0; r < s->rows; r++) {
        const real *t = (const real *)s->target + r * n, *z = (const real *)s->output + r * n;
        real *row_loss = s->row_loss, *p = (real *)s->probabilities + r * n, loss = 0;
        real log_sum = cn__row_softmax(n, z, p), whole = cn__row_sum(n, t);
        for (int64_t j = 0; j < n; j++) loss = FMA(t[j], log_sum - z[j], loss);
        row_loss[r] = loss;
        if (!s->gradient) continue;
        real *gradient = (real *)s->gradient + r * n;
        for (int64_t j = 0; j < n; j++) gradient[j] = FMA(p[j], whole, -t[j]) * share;
    }
}

const cn__loss_math CN_T(cn__loss_categorical_crossentropy_math) = {measure, measure_from_logits};

#if CN_ONCE
const cn__loss_class cn__loss_categorical_crossentropy = {
    .name = "categorical_crossentropy",
    .logits_after = "softmax",
};
#endif
