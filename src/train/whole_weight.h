/* Optimizers whose rule needs norms, means or products of a whole weight: what they share. */
#ifndef CN_TRAIN_WHOLE_WEIGHT_H
#define CN_TRAIN_WHOLE_WEIGHT_H

#include "base/pool.h"
#include "kernels/real.h"
#include "kernels/weight_rules.h"
#include "train/optimizer.h"

extern const cn__weight_rules CN_T(cn__weight_rules);

/* One weight while its rule runs. Arrays are laid out alike: row r at r * whole->stride. */
typedef struct cn__moving {
    const cn__whole *whole;
    const cn__step *step;
    real *weight, *gradient; /* the gradient may be overwritten */
    void *const *slots;
} cn__moving;

static inline real *cn__whole_row(const cn__moving *k, void *array, int64_t row)
{
    return (real *)array + row * k->whole->stride;
}

static inline void cn__square_rows(const cn__moving *k, real *array, int64_t begin, int64_t end)
{
    for (int64_t r = begin; r < end; r++)
        k->whole->row_sums[r] = CN_T(cn__weight_rules).sums(k->whole->columns, cn__whole_row(k, array, r)).squares;
}

static inline void cn__square_weight(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__moving *k = context;
    (void)thread;
    cn__square_rows(k, k->weight, begin, end);
}

static inline void cn__square_gradient(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__moving *k = context;
    (void)thread;
    cn__square_rows(k, k->gradient, begin, end);
}

/* Sum of the squares of all numbers, in double: each row in sixteen lanes, the rows in ascending order. */
static inline double cn__whole_squares(cn__moving *k, cn__loop_body of)
{
    double sum = 0;
    cn__parallel(k->whole->pool, k->whole->rows, of, k);
    for (int64_t r = 0; r < k->whole->rows; r++) sum += k->whole->row_sums[r];
    return sum;
}

/* weight -= whole->factor * gradient */
static inline void cn__take_steps(void *context, int thread, int64_t begin, int64_t end)
{
    const cn__moving *k = context;
    const real rate = (real)k->whole->factor;
    (void)thread;
    for (int64_t r = begin; r < end; r++) {
        const real *restrict g = cn__whole_row(k, k->gradient, r);
        real *restrict w = cn__whole_row(k, k->weight, r);
        for (int64_t i = 0; i < k->whole->columns; i++) w[i] = FMA(-rate, g[i], w[i]);
    }
}

#endif
