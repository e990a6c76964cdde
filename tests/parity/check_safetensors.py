"""Reads and writes safetensors files with the library from PyPI: the second opinion on Cornu's reader and writer.

    python check_safetensors.py show FILE    names, dtypes, shapes and sums of any file
    python check_safetensors.py check FILE   is FILE the sample that `test_safetensors --write FILE` writes?
    python check_safetensors.py write FILE   the sample written by the other side, plus two 16-bit arrays;
                                             tests/format/golden/pypi.safetensors was recorded this way

Needs: pip install safetensors numpy ml_dtypes (recorded with safetensors 0.8.0).
"""
import sys

import ml_dtypes
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

SAMPLE = {
    "dense/kernel": np.arange(12, dtype=np.float32).reshape(3, 4) * np.float32(0.5) - 1,
    "pixels": np.array([[0, 50, 100], [150, 200, 250]], dtype=np.uint8),
    "exact": np.array([3.141592653589793, -2.718281828459045]),
    "steps": np.array(9380, dtype=np.int64),
    "labels": np.array([-1, 0, 7, 2147483647], dtype=np.int32),
    "empty": np.zeros((0, 3), dtype=np.float32),
}
METADATA = {"format": "cornu", "config": '{"class_name": "Sequential", "name": "gr\u00fc\u00df \\"dich\\""}'}
# 65504 is the largest binary16, 2^-24 its smallest subnormal
HALVES = {
    "half": np.array([1, -2, 65504, 2.0**-24, np.inf], dtype=np.float16),
    "brain": np.array([1, -2.5, 3.38e38], dtype=ml_dtypes.bfloat16),
}


def show(path):
    with safe_open(path, framework="numpy") as file:
        for key, value in (file.metadata() or {}).items():
            print(f"metadata {key}: {value}")
        for name in file.keys():
            array = file.get_tensor(name)
            print(f"{name}: {array.dtype} {array.shape} sum {array.astype(np.float64).sum():.17g}")


def check(path):
    wrong = []
    with safe_open(path, framework="numpy") as file:
        if file.metadata() != METADATA:
            wrong.append(f"metadata is {file.metadata()}, expected {METADATA}")
        if set(file.keys()) != set(SAMPLE):
            wrong.append(f"names are {sorted(file.keys())}, expected {sorted(SAMPLE)}")
        for name in set(file.keys()) & set(SAMPLE):
            got, expected = file.get_tensor(name), SAMPLE[name]
            if got.dtype != expected.dtype or got.shape != expected.shape or not np.array_equal(got, expected):
                wrong.append(f"{name} is {got!r}, expected {expected!r}")
    print("\n".join(wrong) if wrong else f"{path}: all {len(SAMPLE)} arrays and the metadata are as expected")
    return 1 if wrong else 0


def write(path):
    save_file(SAMPLE | HALVES, path, METADATA)


if __name__ == "__main__":
    commands = {"show": show, "check": check, "write": write}
    if len(sys.argv) != 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    sys.exit(commands[sys.argv[1]](sys.argv[2]))
