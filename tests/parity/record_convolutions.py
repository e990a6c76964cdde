#!/usr/bin/env python3
"""Records Conv2D and the pooling layers of Keras: outputs, gradients, and three training steps (float32, TensorFlow).

    record_convolutions.py > convolutions.txt

README.md in this folder describes the file.
"""
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

BATCH = 2
# name, class, arguments, input shape, kind of input
CASES = [
    ("plain", "Conv2D", dict(filters=3, kernel_size=3), (5, 6, 2)),
    ("flat_kernel", "Conv2D", dict(filters=2, kernel_size=(2, 4), activation="relu"), (4, 6, 3)),
    ("same", "Conv2D", dict(filters=3, kernel_size=3, padding="same"), (5, 4, 2)),
    ("same_even", "Conv2D", dict(filters=2, kernel_size=(2, 4), padding="same", use_bias=False), (5, 6, 1)),
    ("strides", "Conv2D", dict(filters=3, kernel_size=3, strides=(2, 3)), (7, 8, 2)),
    ("same_strides", "Conv2D", dict(filters=2, kernel_size=(3, 2), strides=(2, 2), padding="same"), (6, 7, 2)),
    ("wide_strides", "Conv2D", dict(filters=2, kernel_size=2, strides=3, padding="same"), (7, 8, 1)),
    ("dilation", "Conv2D", dict(filters=2, kernel_size=3, dilation_rate=(2, 1)), (7, 5, 2)),
    ("same_dilation", "Conv2D", dict(filters=2, kernel_size=(2, 3), dilation_rate=2, padding="same"), (5, 6, 2)),
    ("groups", "Conv2D", dict(filters=4, kernel_size=2, groups=2), (4, 5, 6)),
    ("tanh", "Conv2D", dict(filters=3, kernel_size=1, activation="tanh"), (3, 3, 4)),
    ("softmax", "Conv2D", dict(filters=3, kernel_size=2, activation="softmax"), (3, 4, 2)),
    ("max", "MaxPooling2D", dict(), (5, 6, 2)),
    ("max_flat", "MaxPooling2D", dict(pool_size=(3, 1)), (6, 4, 2)),
    ("max_overlap", "MaxPooling2D", dict(pool_size=3, strides=(1, 2)), (5, 6, 2)),
    ("max_same", "MaxPooling2D", dict(pool_size=3, strides=2, padding="same"), (5, 6, 3)),
    ("max_ties", "MaxPooling2D", dict(pool_size=2), (4, 4, 2)),
    ("average", "AveragePooling2D", dict(pool_size=2), (5, 6, 2)),
    ("average_overlap", "AveragePooling2D", dict(pool_size=(3, 2), strides=1), (5, 4, 2)),
    ("average_same", "AveragePooling2D", dict(pool_size=3, strides=2, padding="same"), (6, 5, 2)),
    ("global_max", "GlobalMaxPooling2D", dict(), (3, 4, 2)),
    ("global_max_ties", "GlobalMaxPooling2D", dict(keepdims=True), (3, 3, 2)),
    ("global_average", "GlobalAveragePooling2D", dict(), (3, 4, 2)),
    ("global_average_keepdims", "GlobalAveragePooling2D", dict(keepdims=True), (3, 4, 2)),
]


def numbers(count, factor, modulus, ties=False):
    """The numbers that the test makes by the same rule."""
    values = (np.arange(count) * factor + 3) % modulus
    return ((values % 3 if ties else values - modulus // 2) / 10).astype(np.float32)


def show(key, values):
    print(f"{key}: " + " ".join(f"{value:.9g}" for value in np.asarray(values).ravel()))


def fill_weights(layer):
    for variable, (factor, modulus) in zip(layer.variables, ((5, 17), (2, 5))):
        variable.assign(numbers(int(np.prod(variable.shape)), factor, modulus).reshape(variable.shape))


def record(name, class_name, arguments, shape):
    layer = getattr(keras.layers, class_name)(**arguments)
    layer.build((None, *shape))
    fill_weights(layer)
    x = tf.constant(numbers(BATCH * int(np.prod(shape)), 7, 23, "ties" in name).reshape(BATCH, *shape))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        direction = numbers(int(np.prod(y.shape)), 3, 13).reshape(y.shape)
        loss = tf.reduce_sum(y * direction)
    variables = [v.value for v in layer.trainable_variables]
    gradients = tape.gradient(loss, [x, *variables])
    print(f"# {class_name}(" + ", ".join(f"{k}={v!r}" for k, v in arguments.items()) + f"), input {shape}")
    show(f"{name}.y", y)
    for part, gradient in zip(("dx", "kernel", "bias"), gradients):
        show(f"{name}.{part}", gradient)


def record_training():
    model = keras.Sequential([
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(3, 3, activation="relu", padding="same", name="conv2d"), keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(4, 2, activation="relu", name="conv2d_1"), keras.layers.AveragePooling2D(3, strides=1, padding="same"),
        keras.layers.GlobalMaxPooling2D(), keras.layers.Dense(3, activation="softmax")])
    for layer in model.layers:
        if layer.variables:
            fill_weights(layer)
    model.compile(keras.optimizers.RMSprop(0.01), "sparse_categorical_crossentropy")
    x = numbers(6 * 64, 7, 23).reshape(6, 8, 8, 1)
    y = np.arange(6) * 5 % 3
    print("# Conv2D(3, 3, relu, same), MaxPooling2D, Conv2D(4, 2, relu), AveragePooling2D(3, strides 1, same),")
    print("# GlobalMaxPooling2D, Dense(3, softmax) on 6 pictures 8x8; RMSprop(0.01); three steps on all of them")
    show("training.predict_before", model.predict(x, verbose=0))
    show("training.loss", model.fit(x, y, batch_size=6, epochs=3, shuffle=False, verbose=0).history["loss"])
    for weight in model.weights:
        show("training." + weight.path.split("/", 1)[1].replace("/", "."), weight)
    show("training.predict_after", model.predict(x, verbose=0))


def main():
    print(f"# keras {keras.__version__}, tensorflow {tf.__version__}, numpy {np.__version__},"
          f" python {sys.version.split()[0]}")
    for case in CASES:
        record(*case)
    record_training()


if __name__ == "__main__":
    main()
