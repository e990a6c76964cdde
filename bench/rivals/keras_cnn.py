#!/usr/bin/env python3
"""Rival with convolutions: job_cnn's network through Keras's own fit; --backend tensorflow or jax."""
import os
import time

import contract

options = contract.options(backend="tensorflow", jit_compile=-1, steps_per_execution=0, rows=60000)
os.environ["KERAS_BACKEND"] = options.backend
os.environ["OMP_NUM_THREADS"] = os.environ["NPROC"] = str(options.threads)
(x, labels), (x_test, labels_test) = contract.mnist(options.data)
x, labels = x[: options.rows].reshape(-1, 28, 28, 1), labels[: options.rows]

import keras
from keras import layers

version = f"keras {keras.__version__}"
if options.backend == "tensorflow":
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(options.threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(options.threads)
    version += f", tensorflow {tensorflow.__version__}"
if options.precision == "bfloat16":
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
# XLA's own convolutions on CPUs are slower than oneDNN's, so TensorFlow goes without it unless asked.
jit_compile = options.backend == "jax" if options.jit_compile < 0 else bool(options.jit_compile)
steps = options.steps_per_execution or 32


def fresh():
    model = keras.Sequential([
        keras.Input((28, 28, 1)), layers.Conv2D(32, 3, activation="relu"), layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(), layers.Dropout(0.25), layers.Flatten(), layers.Dense(128, activation="relu"),
        layers.Dropout(0.5), layers.Dense(10, activation="softmax", dtype="float32")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=jit_compile,
                  steps_per_execution=steps)
    return model


model = fresh()
if not options.no_warm_up:  # compiles for full batches and for the last, partial one
    model.fit(x[: steps * options.batch_size], labels[: steps * options.batch_size], batch_size=options.batch_size, verbose=0)
start = model.get_weights()
seconds = []
for _ in range(options.repeats):
    model.set_weights(start)
    began = time.perf_counter()
    model.fit(x, labels, epochs=options.epochs, batch_size=options.batch_size, verbose=0)
    seconds.append(time.perf_counter() - began)
accuracy = model.evaluate(x_test.reshape(-1, 28, 28, 1), labels_test, batch_size=1000, verbose=0)[1]
contract.report(
    f"keras_cnn_{options.backend}", version, options.threads, fit_seconds=seconds, epochs=options.epochs,
    test_accuracy=accuracy, precision=options.precision, jit_compile=jit_compile, steps_per_execution=steps,
)
