#include "train/loss_rows.h"

/* loss = max(max_j (1 - t_j) p_j - sum_j t_j p_j + 1, 0).  The largest share the gradient when several are equal, as in
 * TensorFlow. */
static void measure(const cn__scores *s)
{
    int64_t n = s->columns;
    for (int64_t r = 0; r < s->rows; r++) {
        const real *t = cn__target_row(s, r), *p = cn__output_row(s, r);
        real *gradient = cn__gradient_row(s, r), best = (1 - t[0]) * p[0];
        int64_t equals = 0;
        for (int64_t j = 1; j < n; j++) {
            real other = (1 - t[j]) * p[j];
            best = other <= best ? best : other;
        }
        for (int64_t j = 0; j < n; j++) equals += (1 - t[j]) * p[j] == best;
        real margin = best - cn__row_dot(n, t, p) + 1;
        ((real *)s->row_loss)[r] = margin < 0 ? 0 : margin;
        for (int64_t j = 0; gradient && j < n; j++) {
            real slope = (1 - t[j]) * p[j] == best ? (1 - t[j]) / (real)equals - t[j] : -t[j];
            gradient[j] = margin < 0 ? 0 : slope / (real)s->divisor;
        }
    }
}

const cn__loss_math CN_T(cn__loss_categorical_hinge_math) = {.measure = measure};

#if CN_ONCE
static const cn__field fields[] = {CN__LOSS_FIELD_REDUCTION};

const cn__loss_class cn__loss_categorical_hinge = {
    .name = "categorical_hinge",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION},
};
#endif
