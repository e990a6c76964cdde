#!/usr/bin/env python3
"""Records Keras's losses that look at more than a row: over other axes, of sequences, of pairs of rows; and crossentropy.

    record_losses_over_axes.py > losses_over_axes.txt

README.md in this folder describes the file. On the JAX backend, since the TensorFlow one refuses a sparse loss over another
axis than the last.
"""
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import jax
import jax.numpy as jnp
import keras
import numpy as np

rng = np.random.default_rng(11)
REALS = rng.normal(size=(4, 2, 3)).round(2).astype(np.float32)
VALUES = rng.normal(size=(4, 2, 3)).round(2).astype(np.float32)
SHARES = rng.random((4, 2, 3)).round(3).astype(np.float32)
SHARES[0, 0, 0], SHARES[1, 1, 2] = 0, 1  # clipped
BITS = (rng.random((4, 2, 3)) < .5).astype(np.float32)
SOFT = rng.dirichlet([1, 1], (4, 3)).transpose(0, 2, 1).round(3).astype(np.float32)  # adds up to 1 over axis 1
OF_AXIS_1 = rng.integers(0, 2, (4, 3)).astype(np.int32)
EMBEDDINGS = rng.normal(size=(6, 3))
EMBEDDINGS = (EMBEDDINGS / np.linalg.norm(EMBEDDINGS, axis=1, keepdims=True)).round(4).astype(np.float32)
KINDS = np.array([7, -2, 7, 7, -2, 40], np.int32)  # the last one has no other of its kind
STEPS = rng.normal(size=(3, 6, 4)).round(2).astype(np.float32)
SPELLED = np.array([[1, 2, 0, 0], [3, 3, 1, 0], [0, 0, 0, 0]], np.int32)
COLUMN = rng.random((4, 1)).round(3).astype(np.float32)
BIT = np.array([[1], [0], [0], [1]], np.float32)
ROWS = rng.dirichlet([1, 1, 1], 4).round(3).astype(np.float32)
LABELS = np.array([1, 2, 0, 1], np.int32)
ONE_HOT = np.eye(3, dtype=np.float32)[LABELS]
WEIGHTS = np.array([1., 3., 0., .5, 2., 1.5], np.float32)

INPUTS = dict(reals=REALS, values=VALUES, shares=SHARES, bits=BITS, soft=SOFT, of_axis_1=OF_AXIS_1, embeddings=EMBEDDINGS,
              kinds=KINDS, steps=STEPS, spelled=SPELLED, column=COLUMN, bit=BIT, rows=ROWS, labels=LABELS, one_hot=ONE_HOT,
              weights=WEIGHTS)

# Cornu's text, Keras's class, its arguments, targets, outputs
CASES = [
    ("cosine_similarity(axis=1)", "CosineSimilarity", dict(axis=1), "values", "reals"),
    ("cosine_similarity(axis=-2)", "CosineSimilarity", dict(axis=-2), "values", "reals"),
    ("cosine_similarity(axis=0)", "CosineSimilarity", dict(axis=0), "values", "reals"),
    ("cosine_similarity(axis=2)", "CosineSimilarity", dict(axis=2), "values", "reals"),
    ("categorical_crossentropy(axis=1)", "CategoricalCrossentropy", dict(axis=1), "soft", "shares"),
    ("categorical_crossentropy(axis=1, label_smoothing=0.2)", "CategoricalCrossentropy", dict(axis=1, label_smoothing=.2),
     "soft", "shares"),
    ("categorical_crossentropy(axis=1, from_logits=1, label_smoothing=0.1)", "CategoricalCrossentropy",
     dict(axis=1, from_logits=True, label_smoothing=.1), "soft", "reals"),
    ("categorical_focal_crossentropy(axis=1, label_smoothing=0.1)", "CategoricalFocalCrossentropy",
     dict(axis=1, label_smoothing=.1), "soft", "shares"),
    ("categorical_focal_crossentropy(axis=-2, from_logits=1)", "CategoricalFocalCrossentropy",
     dict(axis=-2, from_logits=True), "soft", "reals"),
    ("binary_crossentropy(axis=1)", "BinaryCrossentropy", dict(axis=1), "bits", "shares"),
    ("binary_crossentropy(axis=1, from_logits=1)", "BinaryCrossentropy", dict(axis=1, from_logits=True), "bits", "reals"),
    ("binary_focal_crossentropy(axis=1, gamma=3)", "BinaryFocalCrossentropy", dict(axis=1, gamma=3.), "bits", "shares"),
    ("dice(axis=-1)", "Dice", dict(axis=-1), "bits", "shares"),
    ("dice(axis=(1, 2))", "Dice", dict(axis=(1, 2)), "bits", "shares"),
    ("dice(axis=0)", "Dice", dict(axis=0), "bits", "shares"),
    ("tversky(axis=[1, 2], alpha=0.3, beta=0.7)", "Tversky", dict(axis=[1, 2], alpha=.3, beta=.7), "bits", "shares"),
    ("tversky(axis=1)", "Tversky", dict(axis=1), "bits", "shares"),
    ("circle", "Circle", {}, "kinds", "embeddings"),
    ("circle(gamma=4, margin=0.25)", "Circle", dict(gamma=4., margin=.25), "kinds", "embeddings"),
    ("circle(gamma=2, remove_diagonal=0)", "Circle", dict(gamma=2., remove_diagonal=False), "kinds", "embeddings"),
    ("ctc", "CTC", {}, "spelled", "steps"),
    ("crossentropy", "crossentropy", {}, "bit", "column"),
    ("ce", "ce", {}, "labels", "rows"),
    ("crossentropy", "crossentropy", {}, "one_hot", "rows"),
]
REDUCTIONS = ["sum_over_batch_size", "sum", "mean_with_sample_weight", "none"]


def text(values):
    return " ".join(f"{value:.9g}" for value in np.ravel(np.asarray(values, np.float64)))


def make(class_name, arguments, reduction, target, output):
    if class_name in ("ce", "crossentropy"):
        from keras.src.trainers.compile_utils import get_loss
        loss = get_loss(class_name, INPUTS[target], INPUTS[output])
        loss.reduction = reduction
        return loss
    return getattr(keras.losses, class_name)(**arguments, reduction=reduction)


def measure(loss, target, output, weights):
    def total(p):
        return jnp.sum(loss(target, p, sample_weight=weights))
    value = loss(target, jnp.array(output), sample_weight=weights)
    return np.asarray(value), np.asarray(jax.grad(total)(jnp.array(output)))


def three_steps(class_name, arguments, target, output, weights):
    """Dense on the last axis, starting as a matrix of ones and twos by a formula; sigmoid where outputs are shares."""
    p = INPUTS[output]
    k = p.shape[-1]
    model = keras.Sequential([keras.layers.Input(p.shape[1:]),
                              keras.layers.Dense(k, activation="sigmoid" if output in ("shares", "column", "rows") else None)])
    kernel = np.array([((3 * i + 5 * j) % 7 - 3) / 5 for i in range(k) for j in range(k)], np.float32).reshape(k, k)
    model.layers[0].set_weights([kernel, np.zeros(k, np.float32)])
    loss = class_name if class_name in ("ce", "crossentropy") else getattr(keras.losses, class_name)(**arguments)
    model.compile(keras.optimizers.SGD(0.05), loss)
    history = model.fit(p, INPUTS[target], sample_weight=weights, batch_size=len(p), epochs=3, shuffle=False, verbose=0)
    return history.history["loss"], model.get_weights()[0]


def main():
    print(f"# keras {keras.__version__}, jax {jax.__version__}, numpy {np.__version__}, python {sys.version.split()[0]}")
    for name, values in INPUTS.items():
        print(f"{name}.shape: {' '.join(map(str, values.shape))}\n{name}: {text(values)}")
    for number, (cornu, class_name, arguments, target, output) in enumerate(CASES):
        print(f"case{number}.text: {cornu}\ncase{number}.inputs: {target} {output}")
        for weighted in (0, 1):
            if weighted and arguments.get("axis") == 0:
                continue  # Keras has no weights for numbers that belong to no sample
            weights = WEIGHTS[:len(INPUTS[output])] if weighted else None
            shape = make(class_name, arguments, "none", target, output)(INPUTS[target], INPUTS[output]).shape
            if weighted and len(shape) == 2:  # a sample's weight is that of each of its numbers
                weights = np.repeat(weights[:, None], shape[1], 1)
            for reduction in REDUCTIONS:
                loss = make(class_name, arguments, reduction, target, output)
                value, gradient = measure(loss, INPUTS[target], INPUTS[output], weights)
                print(f"case{number}.{reduction}.{weighted}: {text(value)}")
                if reduction == "sum_over_batch_size" or (reduction == "mean_with_sample_weight" and weighted):
                    print(f"case{number}.{reduction}.{weighted}.gradient: {text(gradient)}")
            losses, kernel = three_steps(class_name, arguments, target, output, weights)
            print(f"case{number}.steps.{weighted}: {text(losses)}\ncase{number}.kernel.{weighted}: {text(kernel)}")


if __name__ == "__main__":
    main()
