#!/usr/bin/env python3
"""Records 200 steps of the main job: once in Keras on TensorFlow (float32), once in plain NumPy (float64).

    record_main_job.py MNIST_FOLDER > main_job.txt

README.md in this folder describes the run, the weights it starts from, and the file.
"""
import gzip
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ.pop("OPENBLAS_CORETYPE", None)

import numpy as np

STEPS, BATCH, INPUTS, HIDDEN, CLASSES = 200, 128, 784, 512, 10
KERNEL_STRIDE = 97
SALT = {"kernel1": 0x03700000, "kernel2": 0x03780000}  # chosen: see "Why these salts" in README.md
NAMES = ("kernel1", "bias1", "kernel2", "bias2")


def read_idx(folder, name, header_bytes):
    plain = pathlib.Path(folder) / name
    data = plain.read_bytes() if plain.exists() else gzip.decompress((plain.parent / f"{name}.gz").read_bytes())
    return np.frombuffer(data, np.uint8, offset=header_bytes)


def load_rows(folder):
    """The first STEPS * BATCH rows: x = pixel / 255 divided in float32, and one-hot labels."""
    rows = STEPS * BATCH
    pixels = read_idx(folder, "train-images-idx3-ubyte", 16)[: rows * INPUTS].reshape(rows, INPUTS)
    labels = read_idx(folder, "train-labels-idx1-ubyte", 8)[:rows]
    return pixels.astype(np.float32) / np.float32(255), np.eye(CLASSES, dtype=np.float32)[labels]


def murmur3_finalizer(h):
    h = h ^ (h >> np.uint32(16))
    h = h * np.uint32(0x85EBCA6B)
    h = h ^ (h >> np.uint32(13))
    h = h * np.uint32(0xC2B2AE35)
    return h ^ (h >> np.uint32(16))


def initial_kernel(name, inputs, units):
    n = np.arange(inputs * units, dtype=np.uint32) + np.uint32(SALT[name])
    u = (murmur3_finalizer(n) >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)
    limit = np.float32(np.sqrt(6.0 / (inputs + units)))
    return ((u * np.float32(2) - np.float32(1)) * limit).reshape(inputs, units)


def initial_weights():
    return [
        initial_kernel("kernel1", INPUTS, HIDDEN),
        np.zeros(HIDDEN, np.float32),
        initial_kernel("kernel2", HIDDEN, CLASSES),
        np.zeros(CLASSES, np.float32),
    ]


def run_keras(x, y, weights):
    import keras

    model = keras.Sequential(
        [
            keras.Input((INPUTS,)),
            keras.layers.Dense(HIDDEN, activation="relu"),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy")
    model.set_weights(weights)
    losses = []
    for step in range(STEPS):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        model.reset_metrics()  # otherwise train_on_batch answers with the mean over all steps so far
        losses.append(model.train_on_batch(x[rows], y[rows]))
    return [float(loss) for loss in losses], model.get_weights()


def run_float64(x, y, weights, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    """The same steps written out by hand; RMSprop with epsilon inside the root, as in Keras 3."""
    weights = [w.astype(np.float64) for w in weights]
    velocities = [np.zeros_like(w) for w in weights]
    losses = []
    closest_to_kink = np.inf
    for step in range(STEPS):
        xs = x[step * BATCH : (step + 1) * BATCH].astype(np.float64)
        ys = y[step * BATCH : (step + 1) * BATCH].astype(np.float64)
        kernel1, bias1, kernel2, bias2 = weights
        before = xs @ kernel1 + bias1
        closest_to_kink = min(closest_to_kink, np.abs(before).min())
        hidden = np.maximum(before, 0)
        logits = hidden @ kernel2 + bias2
        logits -= logits.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(logits).sum(axis=1, keepdims=True))
        losses.append(float(np.mean(np.sum(ys * (log_sum - logits), axis=1))))
        d_logits = (np.exp(logits - log_sum) - ys) / len(xs)
        d_before = (d_logits @ kernel2.T) * (before > 0)
        gradients = [xs.T @ d_before, d_before.sum(axis=0), hidden.T @ d_logits, d_logits.sum(axis=0)]
        for weight, velocity, gradient in zip(weights, velocities, gradients):
            velocity *= rho
            velocity += (1 - rho) * gradient**2
            weight -= learning_rate * gradient / np.sqrt(velocity + epsilon)
    return losses, weights, closest_to_kink


def write(name, index, keras_value, float64_value):
    print(f"{name} {index} {keras_value:.9g} {float64_value:.17g}")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: record_main_job.py MNIST_FOLDER > main_job.txt")
    x, y = load_rows(sys.argv[1])
    start = initial_weights()
    losses, weights = run_keras(x, y, start)
    losses64, weights64, closest_to_kink = run_float64(x, y, start)

    import keras
    import tensorflow

    print(f"# keras {keras.__version__}, tensorflow {tensorflow.__version__}, numpy {np.__version__},"
          f" python {sys.version.split()[0]}")
    print("# RMSprop as in Keras 3: v = 0.9 v + 0.1 g^2; w = w - 0.001 g / sqrt(v + 1e-7)")
    print("# name index keras_float32 numpy_float64")
    for name, values in zip(NAMES, start):
        if name in SALT:
            for index in (0, 1, values.size // 2, values.size - 1):
                write("initial_" + name, index, values.flat[index], values.flat[index])
    for step, (loss, loss64) in enumerate(zip(losses, losses64)):
        write("loss", step, loss, loss64)
    for name, values, values64 in zip(NAMES, weights, weights64):
        values = values.astype(np.float64)
        write(name + "_sum", 0, values.sum(), values64.sum())
        write(name + "_sum_abs", 0, np.abs(values).sum(), np.abs(values64).sum())
    for name, values, values64 in zip(NAMES, weights, weights64):
        for index in range(0, values.size, KERNEL_STRIDE if name == "kernel1" else 1):
            write(name, index, values.flat[index], values64.flat[index])

    relative = np.abs(np.array(losses) - losses64) / np.array(losses64)
    distance = max(np.abs(w - w64).max() for w, w64 in zip(weights, weights64))
    print(f"largest relative distance of the losses {relative.max():.3g},"
          f" largest distance of all weights {distance:.3g},"
          f" smallest input of a relu {closest_to_kink:.3g}", file=sys.stderr)


if __name__ == "__main__":
    main()
