#!/usr/bin/env python3
"""Rival on very sparse inputs: Keras on TensorFlow given dense rows, RMSprop."""
import os
import time

import sparse_contract as shared

options = shared.options()
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["OMP_NUM_THREADS"] = str(options.threads)

import keras
import tensorflow

tensorflow.config.threading.set_intra_op_parallelism_threads(options.threads)
tensorflow.config.threading.set_inter_op_parallelism_threads(options.threads)
positions, labels = shared.indices_and_labels()
x = shared.dense_rows(positions)
model = keras.Sequential(
    [
        keras.Input((shared.INPUTS,)),
        *[keras.layers.Dense(options.width, activation="relu") for _ in range(options.depth)],
        keras.layers.Dense(shared.CLASSES, activation="softmax"),
    ]
)
steps = shared.ROWS // options.batch_size
model.compile(
    optimizer="rmsprop", loss="sparse_categorical_crossentropy", jit_compile=True, steps_per_execution=steps
)
model.fit(x, labels, batch_size=options.batch_size, epochs=2, verbose=0)
seconds = []
for _ in range(options.repeats):
    began = time.perf_counter()
    model.fit(x, labels, batch_size=options.batch_size, epochs=options.epochs, verbose=0)
    seconds.append((time.perf_counter() - began) / options.epochs)
shared.contract.report(
    "sparse_keras", f"keras {keras.__version__}, tensorflow {tensorflow.__version__}", options.threads,
    steps=-(-shared.ROWS // options.batch_size), dense_rows_seconds=seconds,
)
