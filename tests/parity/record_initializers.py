#!/usr/bin/env python3
"""Records how the numbers of Keras's initializers are distributed (float32, JAX backend).

    record_initializers.py > initializers.txt

README.md in this folder describes the file.
"""
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

QUANTILES = [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99]
# Cornu's text, Keras's initializer, shapes
I = keras.initializers
CASES = [
    ("glorot_uniform", I.GlorotUniform(1)),
    ("glorot_normal", I.GlorotNormal(2)),
    ("he_uniform", I.HeUniform(3)),
    ("he_normal", I.HeNormal(4)),
    ("lecun_uniform", I.LecunUniform(5)),
    ("lecun_normal", I.LecunNormal(6)),
    ("variance_scaling", I.VarianceScaling(seed=7)),
    ("variance_scaling(3, fan_out, uniform)", I.VarianceScaling(3.0, "fan_out", "uniform", seed=8)),
    ("variance_scaling(0.5, mode=fan_avg, distribution=untruncated_normal)",
     I.VarianceScaling(0.5, "fan_avg", "untruncated_normal", seed=9)),
    ("variance_scaling(distribution=normal)", I.VarianceScaling(distribution="normal", seed=18)),
    ("random_uniform", I.RandomUniform(seed=10)),
    ("random_uniform(1, 3)", I.RandomUniform(1.0, 3.0, seed=11)),
    ("random_normal", I.RandomNormal(seed=12)),
    ("random_normal(0.5, stddev=0.2)", I.RandomNormal(0.5, 0.2, seed=13)),
    ("truncated_normal", I.TruncatedNormal(seed=14)),
    ("truncated_normal(mean=-1, stddev=2)", I.TruncatedNormal(-1.0, 2.0, seed=15)),
    ("zeros", I.Zeros()),
    ("ones", I.Ones()),
    ("constant", I.Constant()),
    ("constant(-0.75)", I.Constant(-0.75)),
]
SHAPES = [(300, 100), (3, 3, 20, 150), (20000,)]
# Weights of two axes or more
WITH_AXES = [
    ("glorot_uniform(input_axes=[0], output_axes=[1, 2])", I.GlorotUniform(20, [0], [1, 2]), (20, 30, 50)),
    ("glorot_normal(input_axes=[0, 1], output_axes=[-1])", I.GlorotNormal(21, [0, 1], [-1]), (20, 30, 50)),
    ("he_uniform(1, [1], [0])", I.HeUniform(22, [1], [0]), (300, 100)),
    ("he_normal(input_axes=[2], output_axes=[0, 1])", I.HeNormal(23, [2], [0, 1]), (20, 30, 50)),
    ("lecun_uniform(input_axes=[0, 2], output_axes=[1])", I.LecunUniform(24, [0, 2], [1]), (20, 30, 50)),
    ("lecun_normal(input_axes=[0, 2])", I.LecunNormal(25, [0, 2]), (20, 30, 50)),  # needs both to change anything
    ("variance_scaling(2, fan_out, uniform, input_axes=[0], output_axes=[2])",
     I.VarianceScaling(2.0, "fan_out", "uniform", 26, [0], [2]), (20, 30, 50)),
]
IDENTITIES = [("identity", I.Identity(), (3, 4)), ("identity(gain=2.5)", I.Identity(2.5), (4, 2))]
ORTHOGONALS = [("orthogonal", I.Orthogonal(seed=16), (6, 4)), ("orthogonal(0.5)", I.Orthogonal(0.5, seed=17), (2, 2, 3, 20))]


def put(key, values):
    print(f"{key}: " + " ".join(f"{value:.9g}" for value in np.ravel(values)))


def record(number, text, shape, key, values):
    print(f"case{number}.text: {text}")
    put(f"case{number}.shape", shape)
    put(f"case{number}.{key}", values)


def main():
    print(f"# keras {keras.__version__}, numpy {np.__version__}, python {sys.version.split()[0]}")
    put("quantiles", QUANTILES)
    number = 0
    for text, initializer in CASES:
        for shape in SHAPES:
            values = np.asarray(initializer(shape))
            record(number, text, shape, "distribution", [values.min(), *np.quantile(values, QUANTILES), values.max()])
            number += 1
    for text, initializer, shape in WITH_AXES:
        values = np.asarray(initializer(shape))
        record(number, text, shape, "distribution", [values.min(), *np.quantile(values, QUANTILES), values.max()])
        number += 1
    for text, initializer, shape in IDENTITIES:
        record(number, text, shape, "values", np.asarray(initializer(shape)))
        number += 1
    for text, initializer, shape in ORTHOGONALS:
        matrix = np.asarray(initializer(shape)).reshape(-1, shape[-1]).astype(np.float64)
        product = matrix.T @ matrix if matrix.shape[0] > matrix.shape[1] else matrix @ matrix.T
        record(number, text, shape, "product", np.round(product, 5) + 0.0)
        number += 1


if __name__ == "__main__":
    main()
