#include "kernels/real.h"
#include "train/metric.h"

/* mean_j (output_j - target_j)^2; labels count as one-hot rows */
static double sum(const cn__scores *s)
{
    double total = 0;
    for (int64_t r = 0; r < s->rows; r++) {
        double row = 0;
        for (int64_t j = 0; j < s->columns; j++) {
            real t = s->labels ? (real)(s->labels[r] == j) : ((const real *)s->target)[r * s->columns + j];
            double d = (double)((const real *)s->output)[r * s->columns + j] - (double)t;
            row += d * d;
        }
        total += row / (double)s->columns;
    }
    return total;
}

const cn__metric_math CN_T(cn__metric_mean_squared_error_math) = {sum};

#if CN_ONCE
const cn__metric_class cn__metric_mean_squared_error = {.name = "mean_squared_error", .alias = "mse"};
#endif
