#!/usr/bin/env python3
"""Records layers of pictures with data_format="channels_first": outputs, gradients, and three training steps (float32,
JAX, since TensorFlow refuses such convolutions on a CPU).

    record_channels_first.py > channels_first.txt

The file and the numbers that go in are made as in record_convolutions.py.
"""
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import jax
import jax.numpy as jnp
import keras
import numpy as np

BATCH = 2
# name, class, arguments, input shape
CASES = [
    ("conv2d", "Conv2D", dict(filters=3, kernel_size=(3, 2)), (2, 5, 6)),
    ("conv2d_same", "Conv2D", dict(filters=2, kernel_size=3, strides=(2, 1), padding="same", activation="tanh"), (3, 4, 5)),
    ("conv2d_dilation", "Conv2D", dict(filters=2, kernel_size=(2, 3), dilation_rate=2, padding="same", use_bias=False),
     (2, 5, 6)),
    ("conv2d_groups", "Conv2D", dict(filters=4, kernel_size=2, groups=2, activation="gelu"), (4, 4, 3)),
    ("max", "MaxPooling2D", dict(pool_size=(2, 3), strides=2, padding="same"), (2, 5, 6)),
    ("average", "AveragePooling2D", dict(pool_size=(3, 2), strides=1), (3, 5, 4)),
    ("global_max", "GlobalMaxPooling2D", dict(), (2, 3, 4)),
    ("global_max_keepdims", "GlobalMaxPooling2D", dict(keepdims=True), (2, 3, 4)),
    ("global_average", "GlobalAveragePooling2D", dict(), (2, 3, 4)),
    ("global_average_keepdims", "GlobalAveragePooling2D", dict(keepdims=True), (2, 3, 4)),
    ("zero_padding", "ZeroPadding2D", dict(padding=((1, 0), (2, 3))), (2, 2, 3)),
    ("flatten", "Flatten", dict(), (2, 3, 4)),
    ("flatten_rows", "Flatten", dict(), (3, 4)),
]


def numbers(count, factor, modulus):
    """The numbers that the test makes by the same rule."""
    return (((np.arange(count) * factor + 3) % modulus - modulus // 2) / 10).astype(np.float32)


def show(key, values):
    print(f"{key}: " + " ".join(f"{value:.9g}" for value in np.asarray(values).ravel()))


def fill_weights(layer):
    for variable, (factor, modulus) in zip(layer.variables, ((5, 17), (2, 5))):
        variable.assign(numbers(int(np.prod(variable.shape)), factor, modulus).reshape(variable.shape))


def record(name, class_name, arguments, shape):
    layer = getattr(keras.layers, class_name)(data_format="channels_first", **arguments)
    layer.build((None, *shape))
    fill_weights(layer)
    x = jnp.asarray(numbers(BATCH * int(np.prod(shape)), 7, 23).reshape(BATCH, *shape))
    weights = [v.value for v in layer.trainable_variables]
    y = layer(x)
    direction = numbers(int(np.prod(y.shape)), 3, 13).reshape(y.shape)

    def loss(x, weights):
        return jnp.sum(layer.stateless_call(weights, [v.value for v in layer.non_trainable_variables], x)[0] * direction)

    dx, gradients = jax.grad(loss, argnums=(0, 1))(x, weights)
    print(f"# {class_name}(" + ", ".join(f"{k}={v!r}" for k, v in arguments.items()) + f"), input {shape}")
    show(f"{name}.y", y)
    for part, gradient in zip(("dx", "kernel", "bias"), [dx, *gradients]):
        show(f"{name}.{part}", gradient)


def record_training():
    L, first = keras.layers, dict(data_format="channels_first")
    model = keras.Sequential([
        keras.Input((2, 8, 8)),
        L.ZeroPadding2D((1, 0), **first), L.Conv2D(3, 3, activation="relu", name="conv2d", **first), L.MaxPooling2D(**first),
        L.Conv2D(4, 2, activation="relu", name="conv2d_1", **first), L.AveragePooling2D(2, strides=1, **first),
        L.Flatten(**first), L.Dense(3, activation="softmax")])
    for layer in model.layers:
        if layer.variables:
            fill_weights(layer)
    model.compile(keras.optimizers.RMSprop(0.01), "sparse_categorical_crossentropy")
    x = numbers(6 * 128, 7, 23).reshape(6, 2, 8, 8)
    y = np.arange(6) * 5 % 3
    print("# ZeroPadding2D((1, 0)), Conv2D(3, 3, relu), MaxPooling2D, Conv2D(4, 2, relu), AveragePooling2D(2, strides 1),")
    print("# Flatten, Dense(3, softmax) on 6 pictures of 2 channels 8x8; RMSprop(0.01); three steps on all of them")
    show("training.predict_before", model.predict(x, verbose=0))
    show("training.loss", model.fit(x, y, batch_size=6, epochs=3, shuffle=False, verbose=0).history["loss"])
    for weight in model.weights:
        show("training." + weight.path.split("/", 1)[1].replace("/", "."), weight)
    show("training.predict_after", model.predict(x, verbose=0))


def main():
    print(f"# keras {keras.__version__}, jax {jax.__version__}, numpy {np.__version__}, python {sys.version.split()[0]}")
    for case in CASES:
        record(*case)
    record_training()


if __name__ == "__main__":
    main()
