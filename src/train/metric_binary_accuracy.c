#include "kernels/real.h"
#include "train/metric.h"

/* mean_j ((output_j > 0.5) == target_j) */
static double sum(const cn__scores *s)
{
    double total = 0;
    for (int64_t r = 0; r < s->rows; r++) {
        const real *p = (const real *)s->output + r * s->columns;
        int64_t hits = 0;
        for (int64_t j = 0; j < s->columns; j++) {
            real t = s->labels ? (real)s->labels[r] : ((const real *)s->target)[r * s->columns + j];
            hits += (p[j] > REAL(0.5) ? 1 : 0) == t;
        }
        total += (double)hits / (double)s->columns;
    }
    return total;
}

const cn__metric_math CN_T(cn__metric_binary_accuracy_math) = {sum};

#if CN_ONCE
const cn__metric_class cn__metric_binary_accuracy = {.name = "binary_accuracy", .is_accuracy = 1};
#endif
