/* What is done to weights and gradients besides an optimizer's rule: penalties, clipping, averages, bounds on norms.
 *
 * Sums are added in double: sixteen lanes (number i of a row into lane i mod 16), then the lanes in order. */
#ifndef CN_KERNELS_WEIGHT_RULES_H
#define CN_KERNELS_WEIGHT_RULES_H

#include "kernels/sink.h"

/* Sums over numbers: of absolute values and of squares. */
typedef struct cn__norm_sums {
    double absolute, squares;
} cn__norm_sums;

/* A weight for `bound`: `rows` rows of `columns` numbers, row r at r * stride. Rows with the same groups[r] share a
 * norm; groups are numbered from 0 to n_groups - 1. */
typedef struct cn__bounded {
    void *weight;
    int64_t rows, columns, stride;
    int64_t n_groups;
    int across_columns;  /* 1: the norm is also taken over the columns of a row */
    double low, high;    /* bounds of the norm */
    double rate;         /* 1: the norm goes all the way into the bounds */
    int unit;            /* 1: divided by its norm, bounds are not used */
    double *norms;       /* memory for n_groups * columns numbers */
} cn__bounded;

/* Pointers are to `real` of the engine; n numbers without gaps. */
typedef struct cn__weight_rules {
    cn__norm_sums (*sums)(int64_t n, const void *x);
    /* gradient += l1 * sign(x) + 2 * l2 * x, the gradient of l1 * sum |x| + l2 * sum x^2 */
    void (*add_penalty)(int64_t n, const void *x, double l1, double l2, void *gradient);
    void (*add)(int64_t n, const void *x, void *sum);
    void (*scale)(int64_t n, double factor, void *x);
    void (*clip)(int64_t n, double limit, void *x);
    /* average = momentum * average + (1 - momentum) * x */
    void (*average)(int64_t n, const void *x, double momentum, void *average);
    void (*not_negative)(int64_t n, void *x);
    /* Columns first ... end-1 of a weight; across_columns needs all of them. groups has one entry a row. */
    void (*bound)(const cn__bounded *b, const int64_t *groups, int64_t first, int64_t end);
    /* x -= part * x */
    void (*decay)(int64_t n, double part, void *x);
    /* Hands row `row` of a gradient to a sink, as the kernels that compute gradients do. */
    void (*hand)(const cn__sink *sink, int64_t row, int64_t n, const void *gradient);
} cn__weight_rules;

#endif
