#!/usr/bin/env python3
"""Records every Keras loss: numbers of the rows, each reduction with and without weights, gradients, three steps.

    record_losses.py > losses.txt

README.md in this folder describes the file.
"""
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

tf.get_logger().setLevel("ERROR")

N, K = 4, 3
PROBABILITIES = np.array([[.05, .9, .05], [.1, .8, .2], [.3, .3, .5], [.6, .25, .15]], np.float32)  # not all add up to 1
REALS = np.array([[-1.5, .2, 3.], [.4, -2.5, .1], [2., .7, -.3], [-.2, 1.1, .6]], np.float32)
ONE_HOT = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]], np.float32)
BITS = np.array([[0, 1, 1], [0, 0, 1], [1, 0, 0], [1, 1, 0]], np.float32)
SOFT = np.array([[.2, .5, .3], [.1, .1, .8], [.6, .3, .1], [0, 1, 0]], np.float32)
SIGNS = np.array([[-1, 1, 1], [-1, -1, 1], [1, -1, .5], [1, 1, -1]], np.float32)
VALUES = np.array([[.5, 1.5, 2.], [-.3, -2., .9], [3., .1, 0.], [1., 2., -.5]], np.float32)
LABELS = np.array([1, 2, 0, 1], np.int32)
WEIGHTS = np.array([1., 3., 0., .5], np.float32)

INPUTS = dict(probabilities=PROBABILITIES, reals=REALS, one_hot=ONE_HOT, bits=BITS, soft=SOFT, signs=SIGNS, values=VALUES,
              labels=LABELS, weights=WEIGHTS)

# Cornu's text, Keras's class, its arguments, targets, outputs
CASES = [
    ("categorical_crossentropy", "CategoricalCrossentropy", {}, "one_hot", "probabilities"),
    ("categorical_crossentropy", "CategoricalCrossentropy", {}, "soft", "probabilities"),
    ("categorical_crossentropy(label_smoothing=0.1)", "CategoricalCrossentropy", dict(label_smoothing=.1), "one_hot",
     "probabilities"),
    ("categorical_crossentropy(from_logits=1)", "CategoricalCrossentropy", dict(from_logits=True), "one_hot", "reals"),
    ("categorical_crossentropy(from_logits=1, label_smoothing=0.2)", "CategoricalCrossentropy",
     dict(from_logits=True, label_smoothing=.2), "one_hot", "reals"),
    ("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy", {}, "labels", "probabilities"),
    ("sparse_categorical_crossentropy(from_logits=1)", "SparseCategoricalCrossentropy", dict(from_logits=True), "labels",
     "reals"),
    ("sparse_categorical_crossentropy(ignore_class=2)", "SparseCategoricalCrossentropy", dict(ignore_class=2), "labels",
     "probabilities"),
    ("sparse_categorical_crossentropy(from_logits=1, ignore_class=1)", "SparseCategoricalCrossentropy",
     dict(from_logits=True, ignore_class=1), "labels", "reals"),
    ("binary_crossentropy", "BinaryCrossentropy", {}, "bits", "probabilities"),
    ("binary_crossentropy(label_smoothing=0.1)", "BinaryCrossentropy", dict(label_smoothing=.1), "bits", "probabilities"),
    ("binary_crossentropy(from_logits=1)", "BinaryCrossentropy", dict(from_logits=True), "bits", "reals"),
    ("binary_crossentropy(from_logits=1, label_smoothing=0.3)", "BinaryCrossentropy",
     dict(from_logits=True, label_smoothing=.3), "bits", "reals"),
    ("categorical_focal_crossentropy", "CategoricalFocalCrossentropy", {}, "one_hot", "probabilities"),
    ("categorical_focal_crossentropy(alpha=0.5, gamma=1.5, label_smoothing=0.1)", "CategoricalFocalCrossentropy",
     dict(alpha=.5, gamma=1.5, label_smoothing=.1), "one_hot", "probabilities"),
    ("categorical_focal_crossentropy(from_logits=1)", "CategoricalFocalCrossentropy", dict(from_logits=True), "one_hot",
     "reals"),
    ("binary_focal_crossentropy", "BinaryFocalCrossentropy", {}, "bits", "probabilities"),
    ("binary_focal_crossentropy(apply_class_balancing=1, alpha=0.3, gamma=3, label_smoothing=0.1)",
     "BinaryFocalCrossentropy", dict(apply_class_balancing=True, alpha=.3, gamma=3., label_smoothing=.1), "bits",
     "probabilities"),
    ("binary_focal_crossentropy(from_logits=1, gamma=2.5)", "BinaryFocalCrossentropy", dict(from_logits=True, gamma=2.5),
     "bits", "reals"),
    ("categorical_generalized_cross_entropy", "CategoricalGeneralizedCrossEntropy", {}, "labels", "probabilities"),
    ("categorical_generalized_cross_entropy(q=0.7)", "CategoricalGeneralizedCrossEntropy", dict(q=.7), "labels",
     "probabilities"),
    ("mean_squared_error", "MeanSquaredError", {}, "values", "reals"),
    ("mean_absolute_error", "MeanAbsoluteError", {}, "values", "reals"),
    ("mean_absolute_percentage_error", "MeanAbsolutePercentageError", {}, "signs", "reals"),
    ("mean_squared_logarithmic_error", "MeanSquaredLogarithmicError", {}, "values", "reals"),
    ("huber", "Huber", {}, "values", "reals"),
    ("huber(delta=0.5)", "Huber", dict(delta=.5), "values", "reals"),
    ("log_cosh", "LogCosh", {}, "values", "reals"),
    ("kl_divergence", "KLDivergence", {}, "soft", "probabilities"),
    ("poisson", "Poisson", {}, "bits", "probabilities"),
    ("cosine_similarity", "CosineSimilarity", {}, "values", "reals"),
    ("hinge", "Hinge", {}, "signs", "reals"),
    ("hinge", "Hinge", {}, "bits", "reals"),
    ("squared_hinge", "SquaredHinge", {}, "signs", "reals"),
    ("squared_hinge", "SquaredHinge", {}, "one_hot", "reals"),
    ("categorical_hinge", "CategoricalHinge", {}, "one_hot", "reals"),
    ("dice", "Dice", {}, "bits", "probabilities"),
    ("tversky", "Tversky", {}, "bits", "probabilities"),
    ("tversky(alpha=0.3, beta=0.7)", "Tversky", dict(alpha=.3, beta=.7), "bits", "probabilities"),
]
REDUCTIONS = ["sum_over_batch_size", "sum", "mean_with_sample_weight", "none"]


def text(values):
    return " ".join(f"{value:.9g}" for value in np.ravel(np.asarray(values, np.float64)))


def measure(loss, target, output, weights):
    output = tf.Variable(output)
    with tf.GradientTape() as tape:
        value = loss(target, output, sample_weight=weights)
    return value.numpy(), tf.convert_to_tensor(tape.gradient(value, output)).numpy()


def three_steps(class_name, arguments, target, output, weights):
    """A layer without activation (or with a softmax or sigmoid, for probabilities) trained by plain descent."""
    logits = arguments.get("from_logits", False)
    activation = None if logits or output == "reals" else "sigmoid" if target in ("bits",) else "softmax"
    model = keras.Sequential([keras.layers.Input((K,)), keras.layers.Dense(K, activation=activation)])
    kernel = np.array([[.3, -.2, .1], [.5, .4, -.6], [-.1, .2, .7]], np.float32)
    model.layers[0].set_weights([kernel, np.zeros(K, np.float32)])
    model.compile(keras.optimizers.SGD(0.1), getattr(keras.losses, class_name)(**arguments))
    x = REALS
    history = model.fit(x, INPUTS[target], sample_weight=weights, batch_size=N, epochs=3, shuffle=False, verbose=0)
    return history.history["loss"], model.get_weights()[0]


def main():
    print(f"# keras {keras.__version__}, tensorflow {tf.__version__}, numpy {np.__version__}, python {sys.version.split()[0]}")
    for name, values in INPUTS.items():
        print(f"{name}: {text(values)}")
    for number, (cornu, class_name, arguments, target, output) in enumerate(CASES):
        print(f"case{number}.text: {cornu}\ncase{number}.inputs: {target} {output}")
        for weighted in (0, 1):
            weights = WEIGHTS if weighted else None
            for reduction in REDUCTIONS:
                loss = getattr(keras.losses, class_name)(**arguments, reduction=reduction)
                value, gradient = measure(loss, INPUTS[target], INPUTS[output], weights)
                print(f"case{number}.{reduction}.{weighted}: {text(value)}")
                if reduction == "sum_over_batch_size" or (reduction == "mean_with_sample_weight" and weighted):
                    print(f"case{number}.{reduction}.{weighted}.gradient: {text(gradient)}")
            losses, kernel = three_steps(class_name, arguments, target, output, weights)
            print(f"case{number}.steps.{weighted}: {text(losses)}\ncase{number}.kernel.{weighted}: {text(kernel)}")


if __name__ == "__main__":
    main()
