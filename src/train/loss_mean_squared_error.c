#include "train/loss_rows.h"

/* loss = mean_j (p_j - t_j)^2 */
static void measure(const cn__scores *s)
{
    int64_t n = s->columns;
    for (int64_t r = 0; r < s->rows; r++) {
        const real *t = (const real *)s->target + r * n, *p = (const real *)s->output + r * n;
        real *row_loss = s->row_loss, lanes[CN__LANES] = {0};
        for (int64_t j = 0; j < n; j++) {
            real d = p[j] - t[j];
            lanes[j % CN__LANES] = FMA(d, d, lanes[j % CN__LANES]);
        }
        row_loss[r] = cn__add_lanes(lanes) / (real)n;
        if (!s->gradient) continue;
        real *gradient = (real *)s->gradient + r * n;
        for (int64_t j = 0; j < n; j++) gradient[j] = 2 * (p[j] - t[j]) / (real)n / (real)s->divisor;
    }
}

const cn__loss_math CN_T(cn__loss_mean_squared_error_math) = {.measure = measure};

#if CN_ONCE
static const cn__field fields[] = {CN__LOSS_FIELD_REDUCTION};

const cn__loss_class cn__loss_mean_squared_error = {
    .name = "mean_squared_error",
    .alias = "mse",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION},
};
#endif
