#!/usr/bin/env python3
"""Records fits with steps_per_epoch and validation_steps in Keras on TensorFlow.

    record_steps.py > steps.txt

README.md in this folder describes the data and the file.
"""
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow

SAMPLES, INPUTS, HIDDEN, CLASSES = 10, 4, 5, 3
# Ten samples are 3 batches of 4, the last one short. 0 stands for None.
CASES = [
    ("plain", dict(batch_size=4, epochs=2)),
    ("two_steps", dict(batch_size=4, epochs=5, steps_per_epoch=2)),
    ("one_step", dict(batch_size=4, epochs=4, steps_per_epoch=1)),
    ("all_steps", dict(batch_size=4, epochs=2, steps_per_epoch=3)),
    ("too_many_steps", dict(batch_size=4, epochs=2, steps_per_epoch=9)),
    ("later_epochs", dict(batch_size=4, epochs=4, initial_epoch=1, steps_per_epoch=2)),
    ("batch_size_from_steps", dict(batch_size=0, epochs=2, steps_per_epoch=4)),
    ("batch_size_rounded", dict(batch_size=0, epochs=2, steps_per_epoch=6)),
    ("split", dict(batch_size=4, epochs=3, steps_per_epoch=1, validation_split=0.25)),
    ("validation", dict(batch_size=4, epochs=3, steps_per_epoch=2, validation_data=1, validation_steps=1)),
    ("validation_large_batches", dict(batch_size=4, epochs=2, validation_data=1, validation_steps=1,
                                      validation_batch_size=7)),
    ("validation_small_batches", dict(batch_size=4, epochs=2, validation_data=1, validation_steps=2,
                                      validation_batch_size=3)),
    ("validation_too_many", dict(batch_size=4, epochs=2, validation_data=1, validation_steps=9)),
    ("validation_from_steps", dict(batch_size=0, epochs=2, steps_per_epoch=3, validation_data=1, validation_steps=2)),
    ("validation_whole", dict(batch_size=0, epochs=2, steps_per_epoch=5, validation_data=1)),
]


class CountBatches(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.train, self.test = [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.train.append(0)

    def on_train_batch_end(self, batch, logs=None):
        self.train[-1] += 1

    def on_test_begin(self, logs=None):
        self.test.append(0)

    def on_test_batch_end(self, batch, logs=None):
        self.test[-1] += 1


def rule_kernel(inputs, units):
    a, b = np.indices((inputs, units))
    return (((3 * a + 5 * b) % 7 - 3) / 10).astype(np.float32)


def line(key, values):
    print(f"{key}: " + " ".join(f"{value:.9g}" for value in np.ravel(values)))


def record(name, options):
    i, j = np.indices((SAMPLES, INPUTS))
    x = ((7 * i + 3 * j) % 11 / 10).astype(np.float32)
    y = 5 * np.arange(SAMPLES) % CLASSES
    model = keras.Sequential([keras.Input((INPUTS,)), keras.layers.Dense(HIDDEN, activation="relu"),
                              keras.layers.Dense(CLASSES, activation="softmax")])
    model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.5), loss="sparse_categorical_crossentropy")
    model.set_weights([rule_kernel(INPUTS, HIDDEN), np.zeros(HIDDEN), rule_kernel(HIDDEN, CLASSES), np.zeros(CLASSES)])
    keys = ["batch_size", "epochs", "initial_epoch", "steps_per_epoch", "validation_split", "validation_data",
            "validation_steps", "validation_batch_size"]
    line(f"{name}.options", [options.get(key, 0) for key in keys])
    given = dict(options, batch_size=options["batch_size"] or None)
    if "validation_data" in given:
        # Other rows than those that train, so that it matters which are taken.
        given["validation_data"] = (x[::-1] / 2, y)
    count = CountBatches()
    history = model.fit(x, y, shuffle=False, verbose=0, callbacks=[count], **given).history
    line(f"{name}.batches", count.train)
    line(f"{name}.loss", history["loss"])
    if "val_loss" in history:
        line(f"{name}.validation_batches", count.test)
        line(f"{name}.val_loss", history["val_loss"])
    line(f"{name}.kernel", model.get_weights()[0])


def main():
    print(f"# keras {keras.__version__}, tensorflow {tensorflow.__version__}, numpy {np.__version__},"
          f" python {sys.version.split()[0]}")
    for case in CASES:
        record(*case)


if __name__ == "__main__":
    main()
