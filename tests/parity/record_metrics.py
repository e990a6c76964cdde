#!/usr/bin/env python3
"""Records every Keras metric: after one batch, after two, and with weights.

    record_metrics.py > metrics.txt

README.md in this folder describes the file.
"""
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

N, K = 24, 4
rng = np.random.default_rng(4)
LABELS = rng.integers(0, K, N)
ONE_HOT = np.eye(K, dtype=np.float32)[LABELS]
REALS = (rng.normal(size=(N, K)) + 1.2 * ONE_HOT).round(3).astype(np.float32)
PROBABILITIES = (np.exp(REALS) / np.exp(REALS).sum(1, keepdims=True)).round(3).astype(np.float32)
PROBABILITIES[2] = PROBABILITIES[3] = [.5, .5, 0, 0]  # ties and thresholds hit
PROBABILITIES[4] = [1, 0, 0, 0]
BITS = (rng.random((N, K)) < .4).astype(np.float32)
SCORES = (.35 * BITS + .65 * rng.random((N, K))).round(3).astype(np.float32)
SCORES[5] = [0, 1, .5, .25]
BIT = BITS[:, :1].copy()
SCORE = SCORES[:, :1].copy()
VALUES = (rng.normal(size=(N, K)) * [1, 2, 3, 4]).round(2).astype(np.float32)
GUESSES = (VALUES + rng.normal(size=(N, K))).round(2).astype(np.float32)
SAID = rng.integers(0, K, (N, 1)).astype(np.float32)
COLUMN = LABELS.reshape(N, 1).astype(np.float32)
WEIGHTS = np.round(rng.random(N) * 2, 2).astype(np.float32)
WEIGHTS[:3] = [0, 1, 3]
WHOLE = rng.integers(0, 4, N).astype(np.float32)

ANSWERS = (SCORES > .5).astype(np.float32)
ORDER = np.argsort(-REALS, 1).astype(np.float32)

# Two classes along axis 1, two places along axis 2
MAPS = rng.random((N, 2, 2)).round(3).astype(np.float32)
PLACES = rng.integers(0, 2, (N, 2)).astype(np.float32)
ONE_HOT_MAPS = np.stack([1 - PLACES, PLACES], 1)

INPUTS = dict(answers=ANSWERS, order=ORDER, labels=LABELS.astype(np.float32), one_hot=ONE_HOT, reals=REALS, probabilities=PROBABILITIES, bits=BITS,
              scores=SCORES, bit=BIT, score=SCORE, values=VALUES, guesses=GUESSES, said=SAID, column=COLUMN,
              weights=WEIGHTS, whole=WHOLE, maps=MAPS, places=PLACES, one_hot_maps=ONE_HOT_MAPS)

# Cornu's text, Keras's class, its arguments, targets, outputs
CASES = [
    ("binary_accuracy", "BinaryAccuracy", {}, "bits", "scores"),
    ("binary_accuracy(threshold=0.3)", "BinaryAccuracy", dict(threshold=.3), "bits", "scores"),
    ("accuracy", "BinaryAccuracy", {}, "bit", "score"),
    ("categorical_accuracy", "CategoricalAccuracy", {}, "one_hot", "probabilities"),
    ("accuracy", "CategoricalAccuracy", {}, "one_hot", "probabilities"),
    ("sparse_categorical_accuracy", "SparseCategoricalAccuracy", {}, "labels", "probabilities"),
    ("accuracy", "SparseCategoricalAccuracy", {}, "labels", "probabilities"),
    ("top_k_categorical_accuracy", "TopKCategoricalAccuracy", {}, "one_hot", "probabilities"),
    ("top_k_categorical_accuracy(k=2)", "TopKCategoricalAccuracy", dict(k=2), "one_hot", "probabilities"),
    ("sparse_top_k_categorical_accuracy(k=1)", "SparseTopKCategoricalAccuracy", dict(k=1), "labels", "probabilities"),
    ("sparse_top_k_categorical_accuracy(k=3)", "SparseTopKCategoricalAccuracy", dict(k=3), "labels", "probabilities"),
    ("precision", "Precision", {}, "bits", "scores"),
    ("precision(thresholds=[0.7, 0.2])", "Precision", dict(thresholds=[.7, .2]), "bits", "scores"),
    ("precision(top_k=2)", "Precision", dict(top_k=2), "one_hot", "probabilities"),
    ("precision(class_id=1)", "Precision", dict(class_id=1), "bits", "scores"),
    ("precision(top_k=2, class_id=0, thresholds=0.3)", "Precision", dict(top_k=2, class_id=0, thresholds=.3), "one_hot",
     "probabilities"),
    ("recall", "Recall", {}, "bits", "scores"),
    ("recall(thresholds=0.6)", "Recall", dict(thresholds=.6), "bit", "score"),
    ("recall(top_k=1)", "Recall", dict(top_k=1), "one_hot", "probabilities"),
    ("recall(class_id=2, thresholds=[0.25, 0.5, 0.75])", "Recall", dict(class_id=2, thresholds=[.25, .5, .75]), "bits",
     "scores"),
    ("true_positives", "TruePositives", {}, "bits", "scores"),
    ("true_positives(thresholds=[0.2, 0.5])", "TruePositives", dict(thresholds=[.2, .5]), "bits", "scores"),
    ("false_positives", "FalsePositives", {}, "bits", "scores"),
    ("true_negatives", "TrueNegatives", {}, "bits", "scores"),
    ("false_negatives(thresholds=0.4)", "FalseNegatives", dict(thresholds=.4), "bits", "scores"),
    ("auc", "AUC", {}, "bits", "scores"),
    ("auc(num_thresholds=11)", "AUC", dict(num_thresholds=11), "bits", "scores"),
    ("auc(curve=PR)", "AUC", dict(curve="PR"), "bits", "scores"),
    ("auc(curve=PR, summation_method=minoring)", "AUC", dict(curve="PR", summation_method="minoring"), "bits", "scores"),
    ("auc(curve=PRGAIN)", "AUC", dict(curve="PRGAIN"), "bits", "scores"),
    ("auc(summation_method=majoring, num_thresholds=20)", "AUC", dict(summation_method="majoring", num_thresholds=20),
     "bits", "scores"),
    ("auc(thresholds=[0.9, 0.1, 0.35])", "AUC", dict(thresholds=[.9, .1, .35]), "bits", "scores"),
    ("auc(multi_label=1)", "AUC", dict(multi_label=True), "bits", "scores"),
    ("auc(multi_label=1, curve=PR, num_thresholds=50)", "AUC", dict(multi_label=True, curve="PR", num_thresholds=50), "bits",
     "scores"),
    ("auc(from_logits=1)", "AUC", dict(from_logits=True), "bits", "reals"),
    ("auc(label_weights=[1, 0.5, 2, 0])", "AUC", dict(label_weights=[1., .5, 2., 0.]), "bits", "scores"),
    ("auc(multi_label=1, num_labels=4, label_weights=[1, 0.5, 2, 0.25])", "AUC",
     dict(multi_label=True, num_labels=4, label_weights=[1., .5, 2., .25]), "bits", "scores"),
    ("f1_score", "F1Score", {}, "one_hot", "probabilities"),
    ("f1_score(average=macro)", "F1Score", dict(average="macro"), "one_hot", "probabilities"),
    ("f1_score(average=micro, threshold=0.4)", "F1Score", dict(average="micro", threshold=.4), "bits", "scores"),
    ("fbeta_score(average=weighted, beta=2)", "FBetaScore", dict(average="weighted", beta=2.), "one_hot", "probabilities"),
    ("fbeta_score(beta=0.5, threshold=0.5)", "FBetaScore", dict(beta=.5, threshold=.5), "bits", "scores"),
    ("sensitivity_at_specificity(0.8)", "SensitivityAtSpecificity", dict(specificity=.8), "bits", "scores"),
    ("sensitivity_at_specificity(specificity=0.6, num_thresholds=7, class_id=1)", "SensitivityAtSpecificity",
     dict(specificity=.6, num_thresholds=7, class_id=1), "bits", "scores"),
    ("sensitivity_at_specificity(0.5, num_thresholds=1)", "SensitivityAtSpecificity", dict(specificity=.5, num_thresholds=1),
     "bits", "scores"),
    ("specificity_at_sensitivity(0.75)", "SpecificityAtSensitivity", dict(sensitivity=.75), "bits", "scores"),
    ("precision_at_recall(0.6)", "PrecisionAtRecall", dict(recall=.6), "bits", "scores"),
    ("recall_at_precision(0.7)", "RecallAtPrecision", dict(precision=.7), "bits", "scores"),
    ("recall_at_precision(1, num_thresholds=3)", "RecallAtPrecision", dict(precision=1, num_thresholds=3), "bits", "scores"),
    ("root_mean_squared_error", "RootMeanSquaredError", {}, "values", "guesses"),
    ("cosine_similarity", "CosineSimilarity", {}, "values", "guesses"),
    ("cosine_similarity(axis=0)", "CosineSimilarity", dict(axis=0), "values", "guesses"),
    ("pearson_correlation", "PearsonCorrelation", {}, "values", "guesses"),
    ("pearson_correlation(axis=0)", "PearsonCorrelation", dict(axis=0), "values", "guesses"),
    ("concordance_correlation", "ConcordanceCorrelation", {}, "values", "guesses"),
    ("concordance_correlation(axis=0)", "ConcordanceCorrelation", dict(axis=0), "values", "guesses"),
    ("categorical_crossentropy(axis=0)", "CategoricalCrossentropy", dict(axis=0), "one_hot", "probabilities"),
    ("exact_accuracy", "Accuracy", {}, "column", "said"),
    ("exact_accuracy", "Accuracy", {}, "bits", "answers"),
    ("sparse_top_k_categorical_accuracy(k=2, from_sorted_ids=1)", "SparseTopKCategoricalAccuracy",
     dict(k=2, from_sorted_ids=True), "labels", "order"),
    ("mean", "Mean", {}, "values", "guesses"),
    ("sum", "Sum", {}, "values", "guesses"),
    ("mean", "Mean", {}, "bit", "score"),
    ("r2_score", "R2Score", {}, "values", "guesses"),
    ("r2_score(class_aggregation=variance_weighted_average)", "R2Score",
     dict(class_aggregation="variance_weighted_average"), "values", "guesses"),
    ("r2_score(class_aggregation=None)", "R2Score", dict(class_aggregation=None), "values", "guesses"),
    ("r2_score(num_regressors=3)", "R2Score", dict(num_regressors=3), "values", "guesses"),
    ("iou(4, target_class_ids=[0, 2])", "IoU", dict(num_classes=4, target_class_ids=[0, 2]), "column", "said"),
    ("iou(num_classes=4, target_class_ids=[1], sparse_y_pred=0)", "IoU",
     dict(num_classes=4, target_class_ids=[1], sparse_y_pred=False), "labels", "probabilities"),
    ("mean_iou(num_classes=4)", "MeanIoU", dict(num_classes=4), "column", "said"),
    ("mean_iou(num_classes=5, ignore_class=1)", "MeanIoU", dict(num_classes=5, ignore_class=1), "column", "said"),
    ("mean_iou(num_classes=4, sparse_y_true=0, sparse_y_pred=0)", "MeanIoU",
     dict(num_classes=4, sparse_y_true=False, sparse_y_pred=False), "one_hot", "probabilities"),
    ("one_hot_iou(num_classes=4, target_class_ids=[0, 3])", "OneHotIoU", dict(num_classes=4, target_class_ids=[0, 3]),
     "one_hot", "probabilities"),
    ("one_hot_mean_iou(num_classes=4)", "OneHotMeanIoU", dict(num_classes=4), "one_hot", "probabilities"),
    ("iou(2, target_class_ids=[1], sparse_y_pred=0, axis=1)", "IoU",
     dict(num_classes=2, target_class_ids=[1], sparse_y_pred=False, axis=1), "places", "maps"),
    ("mean_iou(2, sparse_y_true=0, sparse_y_pred=0, axis=1)", "MeanIoU",
     dict(num_classes=2, sparse_y_true=False, sparse_y_pred=False, axis=1), "one_hot_maps", "maps"),
    ("one_hot_iou(2, target_class_ids=[0], axis=1)", "OneHotIoU", dict(num_classes=2, target_class_ids=[0], axis=1),
     "one_hot_maps", "maps"),
    ("one_hot_mean_iou(2, axis=-2)", "OneHotMeanIoU", dict(num_classes=2, axis=-2), "one_hot_maps", "maps"),
    ("one_hot_iou(num_classes=4, target_class_ids=[1, 3], sparse_y_pred=1)", "OneHotIoU",
     dict(num_classes=4, target_class_ids=[1, 3], sparse_y_pred=True), "one_hot", "said"),
    ("one_hot_mean_iou(2, sparse_y_pred=1, axis=1)", "OneHotMeanIoU", dict(num_classes=2, sparse_y_pred=True, axis=1),
     "one_hot_maps", "places"),
    ("binary_iou", "BinaryIoU", {}, "bits", "scores"),
    ("binary_iou(target_class_ids=[1], threshold=0.3)", "BinaryIoU", dict(target_class_ids=[1], threshold=.3), "bits",
     "scores"),
    ("mean_squared_error", "MeanSquaredError", {}, "values", "guesses"),
    ("mae", "MeanAbsoluteError", {}, "values", "guesses"),
    ("mape", "MeanAbsolutePercentageError", {}, "values", "guesses"),
    ("msle", "MeanSquaredLogarithmicError", {}, "values", "guesses"),
    ("log_cosh_error", "LogCoshError", {}, "values", "guesses"),
    ("kl_divergence", "KLDivergence", {}, "one_hot", "probabilities"),
    ("poisson", "Poisson", {}, "bits", "scores"),
    ("hinge", "Hinge", {}, "bits", "reals"),
    ("squared_hinge", "SquaredHinge", {}, "bits", "reals"),
    ("categorical_hinge", "CategoricalHinge", {}, "one_hot", "reals"),
    ("binary_crossentropy(label_smoothing=0.2)", "BinaryCrossentropy", dict(label_smoothing=.2), "bits", "scores"),
    ("categorical_crossentropy(from_logits=1)", "CategoricalCrossentropy", dict(from_logits=True), "one_hot", "reals"),
    ("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy", {}, "labels", "probabilities"),
]


def text(values):
    return " ".join(f"{value:.9g}" for value in np.ravel(np.asarray(values, np.float64)))


def main():
    print(f"# keras {keras.__version__}, tensorflow {tf.__version__}, numpy {np.__version__}, python {sys.version.split()[0]}")
    for name, values in INPUTS.items():
        print(f"{name}: {text(values)}")
    for number, (cornu, class_name, arguments, target, output) in enumerate(CASES):
        print(f"case{number}.text: {cornu}\ncase{number}.inputs: {target} {output}")
        t, p = INPUTS[target], INPUTS[output]
        if target == "labels":
            t = t.astype(np.int32)
        metric = getattr(keras.metrics, class_name)(**arguments)
        alone = class_name in ("Mean", "Sum")  # of values, whatever the targets are

        def result():
            if "iou" in cornu:
                metric.axis = -1  # Keras 3.15.1 uses the axis of the targets once more, on its list of classes
            return metric.result()

        def update(first, end, **given):
            if "iou" in cornu:
                metric.axis = arguments.get("axis", -1)
            metric.update_state(*([p[first:end]] if alone else [t[first:end], p[first:end]]), **given)

        update(0, 10)
        print(f"case{number}.first: {text(result())}")
        update(10, N)
        print(f"case{number}.both: {text(result())}")
        if arguments.get("axis") == 0:
            continue  # numbers that belong to no sample have no weights
        # these cut weights to whole numbers
        w = WHOLE if "iou" in cornu else WEIGHTS
        if "IoU" in class_name and p.shape[1] > 1 and ("binary" in cornu):
            w = np.repeat(w[:, None], p.shape[1], 1)
        if p is MAPS or p is PLACES:
            w = np.repeat(w[:, None], 2, 1)
        metric.reset_state()
        update(0, N, sample_weight=w)
        print(f"case{number}.weighted: {text(result())}")


if __name__ == "__main__":
    main()
