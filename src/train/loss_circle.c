#include "train/loss_rows.h"

/* What a pair of embeddings costs, as a power of e, and its derivative with respect to their distance. */
typedef struct pair {
    real value, slope;
} pair;

static real not_negative(real x)
{
    return x < 0 ? 0 : x; /* NaN stays */
}

static pair pair_of(const cn__scores *s, int alike, real distance)
{
    const real gamma = (real)s->options->gamma, margin = (real)s->options->margin;
    real from = alike ? margin + distance : 1 + margin - distance, weight = not_negative(from);
    real gap = (alike ? margin : 1 - margin) - distance, slope = from >= 0 ? gap : 0;
    if (alike) return (pair){-gamma * weight * gap, -gamma * (slope - weight)};
    return (pair){gamma * weight * gap, gamma * (-slope - weight)};
}

static int counts(const cn__scores *s, int64_t i, int64_t j)
{
    return i != j || !s->options->remove_diagonal || s->labels[i] != s->labels[j];
}

/* log of the sum of e^value over the pairs of row i that are alike, or that are not; -infinity without such a pair. */
static real log_sum(const cn__scores *s, int64_t i, int alike, const real *distances)
{
    real top = -(real)INFINITY, sum = 0;
    for (int64_t j = 0; j < s->rows; j++) {
        if ((s->labels[i] == s->labels[j]) != alike || !counts(s, i, j)) continue;
        real value = pair_of(s, alike, distances[j]).value;
        top = value <= top ? top : value;
    }
    if (top == -(real)INFINITY) return top;
    for (int64_t j = 0; j < s->rows; j++)
        if ((s->labels[i] == s->labels[j]) == alike && counts(s, i, j))
            sum += cn__exp(pair_of(s, alike, distances[j]).value - top);
    return top + cn__log(sum);
}

/* share is the derivative of the row's loss with respect to both sums. */
static void add_gradient(const cn__scores *s, int64_t i, real share, const real sums[2], const real *distances)
{
    const real *p = cn__output_row(s, i);
    for (int64_t j = 0; j < s->rows; j++) {
        int alike = s->labels[i] == s->labels[j];
        const real *q = cn__output_row(s, j);
        if (!counts(s, i, j) || !(cn__row_dot(s->columns, p, q) <= 1)) continue; /* a distance of 0 does not move */
        pair one = pair_of(s, alike, distances[j]);
        real slope = -share * one.slope * cn__exp(one.value - sums[alike]);
        real *of_p = cn__gradient_row(s, i), *of_q = cn__gradient_row(s, j);
        for (int64_t k = 0; k < s->columns; k++) of_p[k] = FMA(slope, q[k], of_p[k]);
        for (int64_t k = 0; k < s->columns; k++) of_q[k] = FMA(slope, p[k], of_q[k]);
    }
}

/* d_ij = max(1 - p_i p_j, 0) is the distance of embeddings i and j;
 * loss_i = log(1 + sum_alike e^(-gamma max(margin + d, 0) (margin - d))
 *              * sum_unlike e^(gamma max(1 + margin - d, 0) (1 - margin - d)))
 * The sums go in ascending order of j, so a row's distances are all the room that is needed: there are
 * rows x columns. */
static void measure(const cn__scores *s)
{
    int64_t n = s->rows;
    real *distances = s->probabilities, *gradient = s->gradient;
    for (int64_t i = 0; gradient && i < n * s->columns; i++) gradient[i] = 0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++)
            distances[j] = not_negative(1 - cn__row_dot(s->columns, cn__output_row(s, i), cn__output_row(s, j)));
        real sums[2] = {log_sum(s, i, 0, distances), log_sum(s, i, 1, distances)}, both = sums[0] + sums[1];
        real small = cn__exp(both < 0 ? both : -both);
        ((real *)s->row_loss)[i] = (both < 0 ? 0 : both) + cn__log1p(small);
        real weight = s->weights ? (real)s->weights[i] : 1;
        if (gradient && both > -(real)INFINITY)
            add_gradient(s, i, weight * cn__sigmoid(both) / (real)s->divisor, sums, distances);
    }
}

const cn__loss_math CN_T(cn__loss_circle_math) = {.measure = measure};

#if CN_ONCE
#include "base/error.h"

static const cn__field fields[] = {
    {"gamma", CN__FIELD_REAL, offsetof(cn__loss_options, gamma)},
    {"margin", CN__FIELD_REAL, offsetof(cn__loss_options, margin)},
    {"remove_diagonal", CN__FIELD_INT, offsetof(cn__loss_options, remove_diagonal)},
    CN__LOSS_FIELD_REDUCTION,
};

static int check(const cn__loss_options *o)
{
    if (!(o->gamma > 0 && o->gamma <= 1e30))
        return cn__fail(CN_EINVAL, "circle: gamma must be above 0, got %g", o->gamma);
    if (o->margin >= 0 && o->margin <= 1) return CN_OK;
    return cn__fail(CN_EINVAL, "circle: margin must lie in 0 ... 1, got %g", o->margin);
}

const cn__loss_class cn__loss_circle = {
    .name = "circle",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .defaults = {.reduction = CN__LOSS_REDUCTION, .gamma = 80, .margin = 0.4, .remove_diagonal = 1},
    .sparse = 1,
    .rows_together = 1,
    .labels_are_free = 1,
    .check = check,
};
#endif
