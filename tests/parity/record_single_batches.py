#!/usr/bin/env python3
"""Records train_on_batch and test_on_batch with weights of samples and classes (float32, TensorFlow backend).

    record_single_batches.py > single_batches.txt

README.md in this folder describes the file. Data and network are those of record_golden.py.
"""
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow

SAMPLES, INPUTS, HIDDEN, CLASSES = 10, 4, 5, 3
SAMPLE_WEIGHT = np.array([0, 1, 2, 0.5, 1, 3, 0, 1, 0.25, 1.5], np.float32)
CLASS_WEIGHT = {0: 2.0, 1: 0.5}  # class 2 counts 1
# Name, loss, arguments of train_on_batch, arguments of test_on_batch.
CASES = [
    ("plain", "categorical_crossentropy", {}, {}),
    ("sample_weight", "categorical_crossentropy", dict(sample_weight=SAMPLE_WEIGHT), dict(sample_weight=SAMPLE_WEIGHT)),
    ("class_weight", "categorical_crossentropy", dict(class_weight=CLASS_WEIGHT), {}),
    ("sparse_sample_weight", "sparse_categorical_crossentropy", dict(sample_weight=SAMPLE_WEIGHT), {}),
    ("sparse_class_weight", "sparse_categorical_crossentropy", dict(class_weight=CLASS_WEIGHT),
     dict(sample_weight=SAMPLE_WEIGHT)),
]


def rule_kernel(inputs, units):
    a, b = np.indices((inputs, units))
    return (((3 * a + 5 * b) % 7 - 3) / 10).astype(np.float32)


def line(key, values):
    print(f"{key}: " + " ".join(f"{float(value):.9g}" for value in np.ravel(values)))


def values(logs):
    return [logs[key] for key in ("loss", "accuracy", "weighted_accuracy")]


def record(name, loss, train, test):
    i, j = np.indices((SAMPLES, INPUTS))
    x = ((7 * i + 3 * j) % 11 / 10).astype(np.float32)
    labels = 5 * np.arange(SAMPLES) % CLASSES
    y = labels if loss.startswith("sparse") else np.eye(CLASSES, dtype=np.float32)[labels]
    layers = [keras.layers.Dense(HIDDEN, activation="relu"), keras.layers.Dense(CLASSES, activation="softmax")]
    model = keras.Sequential([keras.Input((INPUTS,)), *layers])
    model.compile(optimizer=keras.optimizers.RMSprop(0.01), loss=loss, metrics=["accuracy"],
                  weighted_metrics=["accuracy"], run_eagerly=True)
    for layer in layers:
        layer.set_weights([rule_kernel(*layer.kernel.shape), np.zeros(layer.bias.shape)])
    print(f"{name}.loss: {loss}")
    for step in range(3):
        model.reset_metrics()
        line(f"{name}.train{step}", values(model.train_on_batch(x, y, return_dict=True, **train)))
    model.reset_metrics()
    line(f"{name}.test", values(model.test_on_batch(x, y, return_dict=True, **test)))
    line(f"{name}.kernel1", keras.ops.convert_to_numpy(layers[0].kernel))
    line(f"{name}.bias2", keras.ops.convert_to_numpy(layers[1].bias))


def main():
    print(f"# keras {keras.__version__}, tensorflow {tensorflow.__version__}, numpy {np.__version__},"
          f" python {sys.version.split()[0]}")
    for case in CASES:
        record(*case)


if __name__ == "__main__":
    main()
