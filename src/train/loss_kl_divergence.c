#include "train/loss_rows.h"

/* loss = sum_j t_j log(t_j / p_j), both clipped to epsilon ... 1 */
static void measure(const cn__scores *s)
{
    for (int64_t r = 0; r < s->rows; r++) {
        const real *targets = cn__target_row(s, r), *p = cn__output_row(s, r);
        real *gradient = cn__gradient_row(s, r), loss = 0;
        for (int64_t j = 0; j < s->columns; j++) {
            real t = cn__clip(targets[j], CN__EPSILON, 1), q = cn__clip(p[j], CN__EPSILON, 1);
            loss = FMA(t, cn__log(t / q), loss);
            if (gradient) gradient[j] = p[j] < CN__EPSILON || p[j] > 1 ? 0 : -t / q / (real)s->divisor;
        }
        ((real *)s->row_loss)[r] = loss;
    }
}

const cn__loss_math CN_T(cn__loss_kl_divergence_math) = {.measure = measure};

#if CN_ONCE
static const cn__field fields[] = {CN__LOSS_FIELD_REDUCTION};

const cn__loss_class cn__loss_kl_divergence = {
    .name = "kl_divergence",
    .alias = "kld",
    .alias_2 = "kullback_leibler_divergence",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION},
};
#endif
