#!/usr/bin/env python3
"""Rival for prediction: Keras's predict on TensorFlow; beside it the direct call of a compiled function."""
import os

import predict_contract as shared

options = shared.options()
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["OMP_NUM_THREADS"] = str(options.threads)
x = shared.images(options.data)

import keras
import tensorflow

tensorflow.config.threading.set_intra_op_parallelism_threads(options.threads)
tensorflow.config.threading.set_inter_op_parallelism_threads(options.threads)
model = keras.Sequential(
    [
        keras.Input((784,)),
        keras.layers.Dense(512, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.set_weights(shared.weights())
compiled = tensorflow.function(model, reduce_retracing=True)

shared.contract.report(
    "predict_keras", f"keras {keras.__version__}, tensorflow {tensorflow.__version__}", options.threads,
    one_image_microseconds=shared.one_image_microseconds(lambda rows: model.predict(rows, verbose=0), x, 200),
    one_image_function_microseconds=shared.one_image_microseconds(lambda rows: compiled(rows).numpy(), x, 2000),
    ten_thousand_images_seconds=shared.all_images_seconds(
        lambda rows: model.predict(rows, batch_size=1000, verbose=0), x, options.repeats
    ),
)
