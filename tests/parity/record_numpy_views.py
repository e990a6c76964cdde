#!/usr/bin/env python3
"""Records what chains of NumPy's views make of 0, 1, 2, ... in a shape.

    record_numpy_views.py [SEED [COUNT]] > numpy_views.txt

numpy_records.md in this folder describes the file.
"""
import sys

import numpy as np


def shape_of(random, largest_ndim):
    while True:
        shape = tuple(int(n) for n in random.choice([0, 1, 2, 3, 4, 5, 7, 9], random.integers(0, largest_ndim + 1),
                                                    p=[0.03, 0.12, 0.2, 0.2, 0.15, 0.15, 0.1, 0.05]))
        if np.prod(shape) <= 150:
            return shape


def slice_(random, array):
    ranges = []
    for axis in range(random.integers(0, array.ndim + 1)):
        n = array.shape[axis]
        start = int(random.integers(-n - 3, n + 4))
        stop = None if random.random() < 0.3 else int(random.integers(-n - 3, n + 4))
        step = int(random.choice([1, 1, 1, 2, 3, -1, -1, -2, 11, -(2 ** 63) + 1]))
        ranges.append((start, stop, step))
    words = " ".join(f"{a} {'end' if b is None else b} {c}" for a, b, c in ranges)
    return f"slice {len(ranges)} {words}".rstrip(), array[tuple(slice(*r) for r in ranges)]


def index(random, array):
    positions = []
    for axis in range(random.integers(0, array.ndim + 1)):
        n = array.shape[axis]
        if n == 0:
            break
        positions.append(int(random.integers(-n, n)))
    return " ".join(map(str, ["index", len(positions), *positions])), array[(*positions, ...)]


def transpose(random, array):
    if random.random() < 0.3:
        return "transpose reversed", array.T
    axes = [int(a) - (array.ndim if random.random() < 0.2 else 0) for a in random.permutation(array.ndim)]
    return " ".join(map(str, ["transpose", "axes", *axes])), array.transpose(axes)


def reshape(random, array):
    shape, left = [], array.size
    while left > 1 and len(shape) < 6:
        factor = int(random.choice([f for f in range(1, left + 1) if left % f == 0]))
        shape.append(factor)
        left //= factor
    shape.append(left)
    if array.size and random.random() < 0.5:
        shape[random.integers(len(shape))] = -1
    # NumPy sometimes finds strides for arrays with gaps; a copy is always allowed, and is what Cornu makes.
    return " ".join(map(str, ["reshape", len(shape), *shape])), np.ascontiguousarray(array).reshape(shape)


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 400
    random = np.random.default_rng(seed)
    print(f"# numpy {np.__version__}, seed {seed}")
    for case in range(count):
        dtype = ["uint8", "int32", "int64", "float32", "float64"][case % 5]
        shape = shape_of(random, 5)
        array = np.arange(np.prod(shape, dtype=int)).astype(dtype).reshape(shape)
        print("base", dtype, len(shape), *shape)
        for _ in range(random.integers(1, 5)):
            operation = [slice_, index, transpose, reshape][random.choice(4, p=[0.4, 0.15, 0.25, 0.2])]
            words, array = operation(random, array)
            print(words)
        print("gives", int(array.flags.c_contiguous), array.ndim, *array.shape)
        print("values", array.size, *(int(v) for v in array.ravel()))


main()
