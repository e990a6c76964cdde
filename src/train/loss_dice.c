#include "train/loss_rows.h"

/* loss = 1 - 2 sum t p / (sum t + sum p + epsilon), sums over so many numbers from row `first` on */
static void measure_rows(const cn__scores *s, int64_t first, int64_t rows)
{
    int64_t n = rows * s->columns;
    const real *t = cn__target_row(s, first), *p = cn__output_row(s, first);
    real both = cn__row_dot(n, t, p), all = cn__row_sum(n, t) + cn__row_sum(n, p) + CN__EPSILON;
    real share = 2 * both / all;
    for (int64_t r = first; r < first + rows; r++) ((real *)s->row_loss)[r] = 1 - share;
    real *gradient = cn__gradient_row(s, first);
    /* every row holds the one loss, so the rows and the divisor leave rows / divisor of it */
    const real times = (real)rows / (real)s->divisor;
    for (int64_t i = 0; gradient && i < n; i++) gradient[i] = (share - 2 * t[i]) / all * times;
}

static void measure(const cn__scores *s)
{
    if (!s->moved) measure_rows(s, 0, s->rows);
    for (int64_t r = 0; s->moved && r < s->rows; r++) measure_rows(s, r, 1);
}

const cn__loss_math CN_T(cn__loss_dice_math) = {.measure = measure};

#if CN_ONCE
static const cn__field fields[] = {CN__LOSS_FIELD_REDUCTION, CN__LOSS_FIELD_AXIS};

const cn__loss_class cn__loss_dice = {
    .name = "dice",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION},
    .whole_batch = 1,
};
#endif
