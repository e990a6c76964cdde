/* Inside of metrics: one file each, numbers first, description below `#if CN_ONCE`.
 * Source of the definitions: keras/src/metrics. */
#ifndef CN_TRAIN_METRIC_H
#define CN_TRAIN_METRIC_H

#include "train/loss.h"

/* A metric is the mean over samples of a value per row. */
typedef struct cn__metric_math {
    double (*sum)(const cn__scores *scores); /* over the rows; reads target or labels and output as probabilities */
} cn__metric_math;

typedef struct cn__metric_class {
    const char *name, *alias;
    int is_accuracy;
} cn__metric_class;

#define CN__METRIC_LIST(X)                                                                                          \
    X(binary_accuracy)                                                                                              \
    X(categorical_accuracy)                                                                                         \
    X(sparse_categorical_accuracy)                                                                                  \
    X(mean_squared_error)

#define CN__METRIC_ID(name) CN__METRIC_##name,
enum { CN__METRIC_LIST(CN__METRIC_ID) CN__METRIC_COUNT };
#undef CN__METRIC_ID

#define CN__METRIC_DECLARE(name) extern const cn__metric_class cn__metric_##name;
CN__METRIC_LIST(CN__METRIC_DECLARE)
#undef CN__METRIC_DECLARE

extern const cn__metric_class *const cn__metric_classes[CN__METRIC_COUNT];

/* The metric that `name` means for this number of output columns and kind of target: "accuracy" and "acc" become the
 * binary, sparse or categorical one. */
int cn__metric_find(const char *name, int64_t columns, int sparse, int *index);

#endif
