/* Metrics: numbers that people read. Definitions and defaults are Keras 3's (keras/src/metrics).
 *
 * A metric is written as text, its arguments in brackets: "accuracy", "precision(class_id=3)",
 * "auc(num_thresholds=500, curve=PR)". Case and underscores do not matter, so Keras's class names will do: "F1Score".
 * cn_compile takes them as .metrics and .weighted_metrics; in logs each has the name that stands before the brackets,
 * or that of its argument name=. cn_names(CN_NAMES_METRIC, i) lists all.
 *
 * t target, p output, K columns: the last axis of the output. Each row of that axis counts 1, or its weight. A metric
 * of sparse losses' labels is spelled sparse_...; the others see labels as one-hot rows. 0/0 is 0.
 *
 *   accuracy (acc)                     binary_, sparse_categorical_ or categorical_accuracy, as the shapes want
 *   binary_accuracy                    (threshold=0.5)    mean over the columns of (p > threshold) == t
 *   categorical_accuracy, sparse_categorical_accuracy     argmax p == argmax t, or the label
 *   top_k_categorical_accuracy, sparse_top_k_categorical_accuracy    (k=5)
 *       fewer than k outputs are larger; the sparse one with from_sorted_ids=1: the label is among the
 *       first k outputs, which are labels themselves
 *   exact_accuracy                     mean over the columns of t == p: Keras's class Accuracy
 *   precision, recall                  (thresholds=0.5, top_k=None, class_id=None)
 *       tp / (tp + fp), tp / (tp + fn). p is positive above the threshold; with top_k if it is also one of the k
 *       largest of its row (and then the threshold is none). class_id: of that column alone.
 *   true_positives, false_positives, true_negatives, false_negatives    (thresholds=0.5)
 *   auc                                (num_thresholds=200, curve=ROC, summation_method=interpolation, thresholds=None,
 *                                       multi_label=0, num_labels=None, label_weights=None, from_logits=0)
 *       curve is ROC, PR or PRGAIN; summation_method interpolation, minoring or majoring. multi_label: the mean over
 *       the columns of the area of each; else all numbers are one problem. label_weights: a weight for each column, of
 *       its area or of its numbers. num_labels only checks the number of columns.
 *   f1_score, fbeta_score              (average=None, beta=1, threshold=None)
 *       average is micro, macro, weighted, or None for a number per class. Without a threshold the largest is positive.
 *   sensitivity_at_specificity, specificity_at_sensitivity, precision_at_recall, recall_at_precision
 *                                      (VALUE, num_thresholds=200, class_id=None)
 *       the best of all thresholds at which the other is at least VALUE, which carries the other's name
 *   root_mean_squared_error (rmse), cosine_similarity (axis=-1; 1 for equal directions: the loss has the other sign)
 *   pearson_correlation, concordance_correlation    (axis=-1)
 *       over the columns of a row: covariance / (deviations), NaN where a row does not vary;
 *       2 covariance / (variances + (difference of the means)^2 + 1e-7)
 *   r2_score                           (class_aggregation=uniform_average, num_regressors=0)
 *       class_aggregation is uniform_average, variance_weighted_average, or None for a number per column
 *   iou, mean_iou                      (num_classes, target_class_ids=None, ignore_class=None, sparse_y_true=1,
 *                                       sparse_y_pred=1, axis=-1)
 *   one_hot_iou, one_hot_mean_iou      (num_classes, target_class_ids=None, ignore_class=None, sparse_y_pred=0,
 *                                       axis=-1)
 *   binary_iou                         (target_class_ids=[0, 1], threshold=0.5)
 *       tp / (tp + fp + fn), the mean over the classes asked for (mean_...: all) that were met. sparse_: class numbers,
 *       not rows along the axis; of rows the largest is meant. Where outputs are class numbers and targets rows,
 *       targets have that axis more than the outputs. Unlike Keras, weights are not cut to whole numbers.
 *   mean, sum                          of the outputs themselves, or of any numbers: y_true may be NULL
 *   every loss of loss.h               the mean over all rows, with the loss's arguments but reduction. axis as there.
 *
 * With axis=0 numbers belong to no sample and have no weights. */
#ifndef CORNU_METRIC_H
#define CORNU_METRIC_H

#include <cornu/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A metric on its own, for numbers that you have. */
typedef struct cn_metric cn_metric;

/* From text as above. You destroy it. NULL on CN_ENAME (with the nearest known name), CN_EINVAL, CN_ENOMEM. */
CN_API cn_metric *cn_metric_from_text(const char *text);

/* Destroys *metric. Accepts NULL and a pointer to NULL; sets it to NULL. */
CN_API void cn_metric_destroy(cn_metric **metric);

/* What it is called in logs. Borrowed. */
CN_API const char *cn_metric_name(const cn_metric *metric);

/* Adds a batch to what it has seen. y_pred: (n, ..., K), or (n,) for K = 1. y_true: the same shape, or without the last
 * axis, where it holds labels; an axis of 1 may be missing or too many at the end. sample_weight: (n,), or one for each
 * row of the last axis; NULL: all 1. Computed in float64 if y_pred is, else in float32; sums are float64.
 * Errors: CN_ESHAPE (also when K differs from that of earlier batches), CN_EINVAL (labels that are no class, arguments
 * that do not fit K), CN_ENOMEM. Thread rule: one metric at a time in one thread. */
CN_API int cn_metric_update_state(cn_metric *metric, const cn_tensor *y_true, const cn_tensor *y_pred,
                                  const cn_tensor *sample_weight);

/* What it amounts to: float64, (numbers,), mostly one. You destroy the tensor. NULL on CN_ESTATE (nothing was seen yet,
 * so that the number of columns is unknown), CN_ENOMEM. */
CN_API cn_tensor *cn_metric_result(const cn_metric *metric);

/* Forgets all it has seen. */
CN_API void cn_metric_reset_state(cn_metric *metric);

/* How often class i was taken for class j: int64 (n, n), rows are true classes, columns the predicted ones.
 * labels and predictions: (rows,) or (rows, 1) of class numbers, or (rows, K) whose largest entry is meant, as
 * cn_predict gives. n 0: the largest class that occurs + 1. You destroy the tensor.
 * NULL on CN_ESHAPE (different lengths), CN_EINVAL (a class outside 0 ... n-1, named with its row), CN_ENOMEM.
 * Source: sklearn.metrics.confusion_matrix, tf.math.confusion_matrix. */
CN_API cn_tensor *cn_confusion_matrix(const cn_tensor *labels, const cn_tensor *predictions, int64_t n);

#ifdef __cplusplus
}
#endif
#endif
