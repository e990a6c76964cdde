/* Inside of losses and metrics: one file each, numbers first, description below `#if CN_ONCE`.
 * Source of the formulas: keras/src/losses/losses.py, keras/src/metrics/accuracy_metrics.py. */
#ifndef CN_TRAIN_LOSS_H
#define CN_TRAIN_LOSS_H

#include <stdint.h>

/* One batch of outputs and what they should have been. Pointers are to `real` of the engine, row-major. */
typedef struct cn__scores {
    int64_t rows, columns;
    const void *target;    /* (rows, columns); NULL for sparse losses */
    const int32_t *labels; /* (rows); NULL for others. They lie in 0 ... columns-1 */
    const void *output;    /* (rows, columns): what the model gave, or its logits */
    void *probabilities;   /* (rows, columns): written when output holds logits */
    void *row_loss;        /* (rows): written */
    void *gradient;        /* (rows, columns): d(mean over rows of the loss)/d(output), NULL: not wanted */
    int64_t divisor;       /* the gradient is divided by this: the rows of the whole batch */
} cn__scores;

typedef struct cn__loss_math {
    void (*measure)(const cn__scores *scores);             /* output holds what the model gave */
    void (*measure_from_logits)(const cn__scores *scores); /* output holds logits; NULL: not offered */
} cn__loss_math;

typedef struct cn__loss_class {
    const char *name, *alias;
    int sparse;               /* targets are integer labels */
    const char *logits_after; /* activation whose input can be used instead of its output; NULL: none */
} cn__loss_class;

#define CN__LOSS_LIST(X)                                                                                            \
    X(categorical_crossentropy)                                                                                     \
    X(sparse_categorical_crossentropy)                                                                              \
    X(mean_squared_error)

#define CN__LOSS_ID(name) CN__LOSS_##name,
enum { CN__LOSS_LIST(CN__LOSS_ID) CN__LOSS_COUNT };
#undef CN__LOSS_ID

#define CN__LOSS_DECLARE(name) extern const cn__loss_class cn__loss_##name;
CN__LOSS_LIST(CN__LOSS_DECLARE)
#undef CN__LOSS_DECLARE

extern const cn__loss_class *const cn__loss_classes[CN__LOSS_COUNT];

int cn__loss_find(const char *name, int *index);

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
