#include "kernels/weight_rules.h"

#include "kernels/real.h"
#include "kernels/sink_row.h"

#define LANES 16

/* keras.backend.epsilon(), which constraints add to the norm they divide by. */
#define TINY_NORM 1e-7

static cn__norm_sums sums(int64_t n, const void *x_)
{
    const real *x = x_;
    double absolute[LANES] = {0}, squares[LANES] = {0};
    cn__norm_sums s = {0, 0};
    for (int64_t i = 0; i < n; i += LANES)
        for (int64_t l = 0; l < (n - i < LANES ? n - i : LANES); l++) {
            absolute[l] += fabs((double)x[i + l]);
            squares[l] += (double)x[i + l] * (double)x[i + l];
        }
    for (int l = 0; l < LANES; l++) {
        s.absolute += absolute[l];
        s.squares += squares[l];
    }
    return s;
}

static void add_penalty(int64_t n, const void *x_, double l1, double l2, void *gradient)
{
    const real *restrict x = x_, a = (real)l1, b = (real)(2 * l2);
    real *restrict g = gradient;
    for (int64_t i = 0; i < n; i++) g[i] += FMA(b, x[i], x[i] > 0 ? a : x[i] < 0 ? -a : 0);
}

static void add(int64_t n, const void *x_, void *sum_)
{
    const real *restrict x = x_;
    real *restrict sum = sum_;
    for (int64_t i = 0; i < n; i++) sum[i] += x[i];
}

static void scale(int64_t n, double factor, void *x_)
{
    real *x = x_, f = (real)factor;
    for (int64_t i = 0; i < n; i++) x[i] *= f;
}

/* NaN stays NaN. */
static void clip(int64_t n, double limit, void *x_)
{
    real *x = x_, high = (real)limit;
    for (int64_t i = 0; i < n; i++) {
        real bounded = x[i] > high ? high : x[i];
        x[i] = bounded < -high ? -high : bounded;
    }
}

static void average(int64_t n, const void *x_, double momentum, void *average_)
{
    const real *restrict x = x_, keep = (real)momentum, rest = (real)(1 - momentum);
    real *restrict a = average_;
    /* A momentum of 0 takes x as it is: an infinite or undefined average must not survive it. */
    for (int64_t i = 0; i < n; i++) a[i] = keep != 0 ? FMA(rest, x[i], keep * a[i]) : x[i];
}

static void not_negative(int64_t n, void *x_)
{
    real *x = x_;
    for (int64_t i = 0; i < n; i++) x[i] = x[i] < 0 ? 0 : x[i];
}

/* What a group of that sum of squares is multiplied by. */
static double factor(const cn__bounded *b, double squares)
{
    double norm = sqrt(squares);
    if (b->unit) return 1 / (norm + TINY_NORM);
    double inside = norm < b->low ? b->low : norm > b->high ? b->high : norm;
    return (b->rate * inside + (1 - b->rate) * norm) / (norm + TINY_NORM);
}

/* Each norm is added up in double, in ascending order of rows, and of columns within a row. */
static void bound(const cn__bounded *b, const int64_t *groups, int64_t first, int64_t end)
{
    real *w = b->weight;
    if (b->across_columns) {
        for (int64_t g = 0; g < b->n_groups; g++) b->norms[g] = 0;
        for (int64_t r = 0; r < b->rows; r++) b->norms[groups[r]] += sums(b->columns, w + r * b->stride).squares;
        for (int64_t g = 0; g < b->n_groups; g++) b->norms[g] = factor(b, b->norms[g]);
        for (int64_t r = 0; r < b->rows; r++) scale(b->columns, b->norms[groups[r]], w + r * b->stride);
        return;
    }
    for (int64_t g = 0; g < b->n_groups; g++)
        for (int64_t c = first; c < end; c++) b->norms[g * b->columns + c] = 0;
    for (int64_t r = 0; r < b->rows; r++) {
        double *squares = b->norms + groups[r] * b->columns;
        for (int64_t c = first; c < end; c++)
            squares[c] += (double)w[r * b->stride + c] * (double)w[r * b->stride + c];
    }
    for (int64_t g = 0; g < b->n_groups; g++)
        for (int64_t c = first; c < end; c++) b->norms[g * b->columns + c] = factor(b, b->norms[g * b->columns + c]);
    for (int64_t r = 0; r < b->rows; r++)
        for (int64_t c = first; c < end; c++)
            w[r * b->stride + c] *= (real)b->norms[groups[r] * b->columns + c];
}

static void decay(int64_t n, double part, void *x)
{
    cn__sink_decay(part, n, x);
}

static void hand(const cn__sink *sink, int64_t row, int64_t n, const void *gradient)
{
    cn__sink_row(sink, row, 0, n, gradient);
}

extern const cn__weight_rules CN_T(cn__weight_rules);
const cn__weight_rules CN_T(cn__weight_rules) = {sums, add_penalty, add, scale, clip, average, not_negative, bound,
                                                 decay, hand};
