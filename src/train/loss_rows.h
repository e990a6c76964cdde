/* What losses share: rows of a batch, losses that are a mean over the columns, and functions of one number. */
#ifndef CN_TRAIN_LOSS_ROWS_H
#define CN_TRAIN_LOSS_ROWS_H

#include "kernels/row.h"
#include "train/loss.h"

/* Keras's epsilon: probabilities are clipped to EPSILON ... 1 - EPSILON. */
#define CN__EPSILON REAL(1e-7)

static inline const real *cn__target_row(const cn__scores *s, int64_t r)
{
    return (const real *)s->target + r * s->columns;
}

static inline const real *cn__output_row(const cn__scores *s, int64_t r)
{
    return (const real *)s->output + r * s->columns;
}

/* NULL when no gradient is wanted. */
static inline real *cn__gradient_row(const cn__scores *s, int64_t r)
{
    return s->gradient ? (real *)s->gradient + r * s->columns : NULL;
}

/* What label_smoothing is divided by: Keras takes the last axis, whichever axis the classes are on. */
static inline double cn__smoothing_classes(const cn__scores *s)
{
    return (double)(s->classes ? s->classes : s->columns);
}

static inline real cn__clip(real x, real low, real high)
{
    return x < low ? low : (x > high ? high : x); /* NaN stays */
}

/* x^y for x >= 0. Whole exponents up to 4, which people use, are products. */
static inline real cn__power(real x, real y)
{
    if (y == 0) return 1;
    if (y == 1) return x;
    if (y == 2) return x * x;
    if (y == 3) return x * x * x;
    if (y == 4) return x * x * (x * x);
    return x > 0 ? cn__exp(y * cn__log(x)) : (x == 0 && y > 0 ? 0 : (y < 0 ? (real)INFINITY : x));
}

/* A loss of one number and its derivative with respect to the output. */
typedef struct cn__point {
    real value, slope;
} cn__point;

/* loss = mean_j f(t_j, p_j). The sum runs over sixteen lanes (kernels/row.h). */
static inline void cn__mean_over_columns(const cn__scores *s,
                                         cn__point (*f)(const cn__scores *s, real target, real output))
{
    int64_t n = s->columns;
    real *row_loss = s->row_loss;
    for (int64_t r = 0; r < s->rows; r++) {
        const real *t = cn__target_row(s, r), *p = cn__output_row(s, r);
        real *gradient = cn__gradient_row(s, r), lanes[CN__LANES] = {0};
        for (int64_t j = 0; j < n; j++) {
            cn__point point = f(s, t[j], p[j]);
            lanes[j % CN__LANES] += point.value;
            if (gradient) gradient[j] = point.slope / (real)n / (real)s->divisor;
        }
        row_loss[r] = cn__add_lanes(lanes) / (real)n;
    }
}

/* Hinge losses: targets that are all 0 or 1 mean -1 and 1. `look` of those losses. */
static inline int cn__targets_are_binary(const cn__scores *s)
{
    const real *t = s->target;
    for (int64_t i = 0; i < s->rows * s->columns; i++)
        if (!(t[i] == 0 || t[i] == 1)) return 0;
    return 1;
}

#endif
