#!/usr/bin/env python3
"""Records small whole fits (4 -> 5 relu -> 3 softmax, ten samples) in Keras on TensorFlow.

    record_golden.py > golden.txt

README.md in this folder describes the data, the runs and the file.
"""
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow

SAMPLES, INPUTS, HIDDEN, CLASSES = 10, 4, 5, 3


def rule_kernel(inputs, units):
    a, b = np.indices((inputs, units))
    return (((3 * a + 5 * b) % 7 - 3) / 10).astype(np.float32)


def data():
    i, j = np.indices((SAMPLES, INPUTS))
    return ((7 * i + 3 * j) % 11 / 10).astype(np.float32), 5 * np.arange(SAMPLES) % CLASSES


def line(key, values):
    print(f"{key}: " + " ".join(f"{value:.9g}" for value in np.ravel(values)))


def record(name, optimizer, sparse=False, **fit_options):
    x, labels = data()
    y = labels if sparse else np.eye(CLASSES, dtype=np.float32)[labels]
    model = keras.Sequential(
        [
            keras.Input((INPUTS,)),
            keras.layers.Dense(HIDDEN, activation="relu"),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    loss = "sparse_categorical_crossentropy" if sparse else "categorical_crossentropy"
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    model.set_weights(
        [rule_kernel(INPUTS, HIDDEN), np.zeros(HIDDEN), rule_kernel(HIDDEN, CLASSES), np.zeros(CLASSES)]
    )
    line(f"{name}.evaluate_before", model.evaluate(x, y, batch_size=4, verbose=0))
    history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0, **fit_options).history
    for key in history:
        line(f"{name}.history_{key}", history[key])
    line(f"{name}.evaluate_after", model.evaluate(x, y, batch_size=4, verbose=0))
    for weight_name, weight in zip(("kernel1", "bias1", "kernel2", "bias2"), model.get_weights()):
        line(f"{name}.{weight_name}", weight)
    line(f"{name}.sum_abs", sum(np.abs(weight.astype(np.float64)).sum() for weight in model.get_weights()))
    line(f"{name}.predict", model.predict(x, verbose=0))


def main():
    optimizers = keras.optimizers
    print(f"# keras {keras.__version__}, tensorflow {tensorflow.__version__}, numpy {np.__version__},"
          f" python {sys.version.split()[0]}")
    record("rmsprop", optimizers.RMSprop(0.01))
    record("rmsprop_momentum", optimizers.RMSprop(0.01, momentum=0.9))
    record("sgd", optimizers.SGD(0.1))
    record("sgd_nesterov", optimizers.SGD(0.1, momentum=0.9, nesterov=True))
    record("adam", optimizers.Adam(0.01))
    record("rmsprop_sparse", optimizers.RMSprop(0.01), sparse=True)
    record("sgd_class_weight", optimizers.SGD(0.1), class_weight={0: 2.0, 1: 0.5})
    record("sgd_validation_split", optimizers.SGD(0.1), validation_split=0.25)


if __name__ == "__main__":
    main()
