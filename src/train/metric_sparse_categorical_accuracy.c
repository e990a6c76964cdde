#include "kernels/argmax.h"
#include "train/metric.h"

/* label == argmax(output) */
static double sum(const cn__scores *s)
{
    int64_t hits = 0;
    for (int64_t r = 0; r < s->rows; r++)
        hits += s->labels[r] == cn__row_argmax(s->columns, (const real *)s->output + r * s->columns);
    return (double)hits;
}

const cn__metric_math CN_T(cn__metric_sparse_categorical_accuracy_math) = {sum};

#if CN_ONCE
const cn__metric_class cn__metric_sparse_categorical_accuracy = {
    .name = "sparse_categorical_accuracy",
    .is_accuracy = 1,
};
#endif
