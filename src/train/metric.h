/* Inside of metrics: one file each, numbers first, description below `#if CN_ONCE`.
 * Source of the definitions: keras/src/metrics. */
#ifndef CN_TRAIN_METRIC_H
#define CN_TRAIN_METRIC_H

#include "train/loss.h"

/* All arguments that any metric has; each names its own in `fields`. */
typedef struct cn__metric_options {
    const char *name;             /* in logs; NULL: what stands before the brackets */
    const char *thresholds;       /* "0.5" or "[0.2, 0.8]"; NULL: the default */
    const char *target_class_ids; /* "[0, 1]" */
    const char *label_weights;    /* "[1, 0.5]" */
    const char *axis;
    const char *curve, *summation_method, *average, *class_aggregation;
    double threshold; /* NaN: none */
    double beta, at;  /* `at`: the value that another rate is held at */
    /* CN__NOT_GIVEN: none */
    int64_t k, top_k, class_id, num_thresholds, num_classes, num_labels, num_regressors, ignore_class;
    int from_logits, from_sorted_ids, multi_label, sparse_y_true, sparse_y_pred;
} cn__metric_options;
#define CN__NOT_GIVEN INT64_MIN

/* A metric with its arguments. What it has seen is in `state`, numbers that all start at 0. */
typedef struct cn__metric {
    int index;       /* in cn__metric_classes; CN__METRIC_BY_SHAPE before the shape is known */
    int by_shape;    /* "accuracy": the shapes choose which one */
    cn__metric_options options;
    cn__axis_list axes;
    cn__loss loss;   /* of a metric that is the mean of a loss */
    char *name;      /* in logs */
    int64_t columns; /* of the output */
    int n_thresholds;
    double *thresholds; /* ascending; NULL where a metric has none */
    int n_label_weights;
    double *label_weights; /* NULL: all 1 */
} cn__metric;
#define CN__METRIC_BY_SHAPE (-1)

typedef struct cn__metric_math {
    /* Adds rows to the state. row_loss and probabilities of the scores are room to write to. */
    void (*update)(const cn__metric *metric, const cn__scores *scores, double *state);
} cn__metric_math;

/* Which targets a metric can read. */
typedef enum cn__metric_reads {
    CN__READS_ROWS,   /* rows; labels are made one-hot for it */
    CN__READS_LABELS, /* labels only */
    CN__READS_EITHER, /* whatever there is */
    CN__READS_OUTPUT  /* no targets */
} cn__metric_reads;

/* Sums of weights at one threshold. */
typedef struct cn__curve_point {
    double tp, fp, tn, fn;
} cn__curve_point;

typedef struct cn__metric_class cn__metric_class;
struct cn__metric_class {
    const char *name, *alias;
    const cn__field *fields;
    int n_fields;
    cn__metric_options defaults;
    int is_accuracy;
    cn__metric_reads reads;
    /* Arguments alone; may be NULL. */
    int (*check)(const cn__metric_class *class_, const cn__metric_options *options);
    /* How many thresholds the arguments ask for and, where values is not NULL, which; NULL: none. Negative: failed. */
    int (*thresholds)(const cn__metric_options *options, double *values);
    /* Numbers of state; NULL: 2, a total and a count. */
    int64_t (*state_size)(const cn__metric *metric);
    /* How many numbers the result has; NULL: 1. */
    int64_t (*n_results)(const cn__metric *metric);
    /* NULL: total / count, 0 when nothing was seen. */
    void (*result)(const cn__metric *metric, const double *state, double *values);
    /* Of metrics with thresholds: the number at one, and the number that has to be at least `at` there. */
    double (*rate)(const cn__curve_point *point), (*held)(const cn__curve_point *point);
};

#define CN__METRIC_LIST(X)                                                                                          \
    X(binary_accuracy)                                                                                              \
    X(categorical_accuracy)                                                                                         \
    X(sparse_categorical_accuracy)                                                                                  \
    X(top_k_categorical_accuracy)                                                                                   \
    X(sparse_top_k_categorical_accuracy)                                                                            \
    X(precision)                                                                                                    \
    X(recall)                                                                                                       \
    X(true_positives)                                                                                               \
    X(false_positives)                                                                                              \
    X(true_negatives)                                                                                               \
    X(false_negatives)                                                                                              \
    X(auc)                                                                                                          \
    X(f1_score)                                                                                                     \
    X(fbeta_score)                                                                                                  \
    X(sensitivity_at_specificity)                                                                                   \
    X(specificity_at_sensitivity)                                                                                   \
    X(precision_at_recall)                                                                                          \
    X(recall_at_precision)                                                                                          \
    X(root_mean_squared_error)                                                                                      \
    X(cosine_similarity)                                                                                            \
    X(pearson_correlation)                                                                                          \
    X(concordance_correlation)                                                                                      \
    X(r2_score)                                                                                                     \
    X(iou)                                                                                                          \
    X(binary_iou)                                                                                                   \
    X(mean_iou)                                                                                                     \
    X(one_hot_iou)                                                                                                  \
    X(one_hot_mean_iou)                                                                                             \
    X(exact_accuracy)                                                                                               \
    X(mean)                                                                                                         \
    X(sum)                                                                                                          \
    X(mean_of_loss)

#define CN__METRIC_ID(name) CN__METRIC_##name,
enum { CN__METRIC_LIST(CN__METRIC_ID) CN__METRIC_COUNT };
#undef CN__METRIC_ID

#define CN__METRIC_DECLARE(name) extern const cn__metric_class cn__metric_##name;
CN__METRIC_LIST(CN__METRIC_DECLARE)
#undef CN__METRIC_DECLARE

extern const cn__metric_class *const cn__metric_classes[CN__METRIC_COUNT];

/* From text such as "precision(class_id=3)"; the name of a loss makes the mean of that loss. Errors: CN_ENAME,
 * CN_EINVAL, CN_ENOMEM; then there is nothing to close. */
int cn__metric_open(cn__metric *metric, const char *text);
/* Accepts one that is all zero. */
void cn__metric_close(cn__metric *metric);

/* Says what the targets are like: `sparse`, integer labels. "accuracy" becomes the binary, sparse or categorical one.
 * Errors: CN_EINVAL (an argument that these columns have no use for, a metric of labels without labels). */
int cn__metric_set_shape(cn__metric *metric, int64_t columns, int sparse);

/* The following need the shape. */
const cn__metric_class *cn__metric_class_of(const cn__metric *metric);
/* 1 if a row takes all axes unless some are named: a loss of whole batches. */
int cn__metric_is_whole(const cn__metric *metric);
cn__metric_reads cn__metric_reads_of(const cn__metric *metric);
int64_t cn__metric_state_size(const cn__metric *metric);
int64_t cn__metric_n_results(const cn__metric *metric);
void cn__metric_result(const cn__metric *metric, const double *state, double *values);

/* The i-th name a user may write, losses included; NULL past the end. */
const char *cn__metric_name(int i);

/* "0.5", "[0.2, 0.8]" or "None" as numbers within low ... high; returns how many, 0 for NULL and None. values may be
 * NULL.
 * Error: CN_EINVAL with `owner` and `argument`. */
int cn__metric_read_list(const char *owner, const char *argument, const char *text, double low, double high,
                         double *values);

/* k at least 1. */
int cn__metric_check_k(const cn__metric_class *class_, const cn__metric_options *options);

#define CN__METRIC_FIELD(name, type) {#name, CN__FIELD_##type, offsetof(cn__metric_options, name)}
#define CN__METRIC_FIELDS(list) .fields = list, .n_fields = sizeof list / sizeof *list

#endif
