#include "train/loss_rows.h"

/* loss = 1 - 2 sum t p / (sum t + sum p + epsilon), sums over the whole batch */
static void measure(const cn__scores *s)
{
    int64_t n = s->rows * s->columns;
    const real *t = s->target, *p = s->output;
    real both = cn__row_dot(n, t, p), all = cn__row_sum(n, t) + cn__row_sum(n, p) + CN__EPSILON;
    real share = 2 * both / all;
    for (int64_t r = 0; r < s->rows; r++) ((real *)s->row_loss)[r] = 1 - share;
    if (!s->gradient) return;
    real *gradient = s->gradient;
    /* every row holds the one loss, so the rows and the divisor leave rows / divisor of it */
    const real times = (real)s->rows / (real)s->divisor;
    for (int64_t i = 0; i < n; i++) gradient[i] = (share - 2 * t[i]) / all * times;
}

const cn__loss_math CN_T(cn__loss_dice_math) = {.measure = measure};

#if CN_ONCE
static const cn__field fields[] = {CN__LOSS_FIELD_REDUCTION};

const cn__loss_class cn__loss_dice = {
    .name = "dice",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION},
    .whole_batch = 1,
};
#endif
