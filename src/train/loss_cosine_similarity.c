#include "train/loss_rows.h"

/* x / |x|, and |x| of rows shorter than epsilon counts as epsilon. Returns the factor 1 / |x|. */
static real inverse_length(int64_t n, const real *x)
{
    real factor = 1 / SQRT(cn__row_dot(n, x, x));
    return factor > 1 / CN__EPSILON ? 1 / CN__EPSILON : factor;
}

/* loss = -sum_j t_j / |t| p_j / |p|.  A row of zeros has no direction: its loss and its gradient are 0. */
static void measure(const cn__scores *s)
{
    int64_t n = s->columns;
    for (int64_t r = 0; r < s->rows; r++) {
        const real *t = cn__target_row(s, r), *p = cn__output_row(s, r);
        real *gradient = cn__gradient_row(s, r);
        real of_t = inverse_length(n, t), of_p = inverse_length(n, p);
        real cosine = cn__row_dot(n, t, p) * of_t * of_p;
        ((real *)s->row_loss)[r] = -cosine;
        int moves = !(of_p >= 1 / CN__EPSILON); /* NaN moves on */
        for (int64_t j = 0; gradient && j < n; j++)
            gradient[j] = moves ? of_p * FMA(cosine, p[j] * of_p, -t[j] * of_t) / (real)s->divisor : 0;
    }
}

const cn__loss_math CN_T(cn__loss_cosine_similarity_math) = {.measure = measure};

#if CN_ONCE
static const cn__field fields[] = {CN__LOSS_FIELD_AXIS, CN__LOSS_FIELD_REDUCTION};

const cn__loss_class cn__loss_cosine_similarity = {
    .name = "cosine_similarity",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION},
};
#endif
