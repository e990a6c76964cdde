#!/usr/bin/env python3
"""Records how NumPy writes generated arrays of every dtype and many shapes.

    record_numpy_print.py [SEED [COUNT]] > numpy_print.txt
    record_numpy_print.py SEED COUNT others > numpy_print_others.txt

numpy_records.md in this folder describes the file.
"""
import sys

import numpy as np

DTYPES = ["uint8", "int32", "int64", "float32", "float64"]
OTHERS = ["bool", "int8", "int16", "uint16", "uint32", "uint64", "float16"]
SHAPES = [(), (1,), (0,), (3,), (7,), (30,), (60,), (0, 3), (2, 0), (1, 1), (2, 3), (5, 1), (3, 12), (2, 30),
          (2, 2, 2), (3, 1, 4), (1, 2, 0, 3), (2, 1, 2, 3), (1, 1, 2, 1, 3), (2, 1, 1, 1, 1, 1, 1, 2),
          (1001,), (7, 143), (6, 200), (2, 501), (10, 11, 10)]
LONG_TEXTS = [(2, 2, 2, 2, 2, 2, 2, 9), (1000,), (334, 3), (3, 7, 6, 8), (1, 8, 1, 7, 20)]  # once each
EDGES = [1e8, 99999999.0, 99999992.0, 1e-4, 0.99e-4, 0.00010001, 1000.0, 1000.1, 1.0, 0.999999999, 0.1, 1e16, 9.9e15,
         123456789.0, 5e-324, 1.7976931348623157e308, 3.4028234663852886e38, 1.401298464324817e-45, 2.0 ** -44,
         2.0 ** 89, 9.5367431640625e-07, 0.5, 2.5, 0.125, 1.00000005, 0.00000005, 123.456, 1e22, 1e23, 1 / 3]

# dtype, shape, scale, values. Found to be hard: digits before the point that the shortest text does without, a scaled
# scalar that is not a float32 before it is rounded, powers of two whose neighbours lie at unequal distances, and the
# limits from which on NumPy writes exponents.
HARD = [("float32", (3,), 1.0, [99999992.0]), ("float32", (2, 1), 1.0, [-80564576.0, 3e6]),
        ("uint8", (), 1 / 255, [100]), ("float32", (), 1.0, [99999992.0]),
        ("float64", (), 1.0, [2.0 ** -44]), ("float64", (4,), 1.0, [9007199254740992.0]),
        ("float32", (), 1.0, [2.0 ** 90]), ("float64", (), 1.0, [2.0 ** -1022]), ("float32", (), 1.0, [2.0 ** -96]),
        ("float64", (2,), 1.0, [1.0, 1000.0]), ("float32", (2,), 1.0, [-0.5, 500.0]),
        ("float64", (2,), 1.0, [1.0, 1000.0000000000001]), ("float32", (2,), 1.0, [0.1, 100.0]),
        ("float32", (1,), 1.0, [1e-4]), ("float64", (1,), 1.0, [1e-4]), ("float64", (1,), 1.0, [9.999999999999999e-05]),
        ("float32", (1,), 1.0, [1e8]), ("float64", (1,), 1.0, [1e8]), ("float64", (1,), 1.0, [99999999.99999999])]


def integers(random, dtype, n):
    if dtype is np.bool_:
        return random.random(n) < random.choice([0.5, 0.0, 1.0], p=[0.8, 0.1, 0.1])
    limits = np.iinfo(dtype)
    kind = random.integers(4)
    if kind == 0:
        return random.integers(0, 10, n).astype(dtype)
    if kind == 1:
        return random.integers(limits.min, limits.max, n, dtype=dtype, endpoint=True)
    if kind == 2:
        return random.integers(max(limits.min, -120), min(limits.max, 120), n, endpoint=True).astype(dtype)
    values = random.choice([limits.min, limits.max, 0, 1, 100], n)
    return values.astype(dtype)


def reals(random, dtype, n):
    kind = random.integers(11)
    if kind == 0:
        values = random.integers(-20, 21, n) * random.choice([1.0, 0.5, 0.1, 0.25])
    elif kind == 1:
        values = random.uniform(0, 1, n)
    elif kind == 2:
        values = random.normal(0, 1, n) * 10.0 ** random.integers(-12, 12)
    elif kind == 3:
        values = random.normal(0, 1, n) * 10.0 ** random.integers(-30, 30, n)
    elif kind == 4:
        values = 2.0 ** random.integers(-140, 120, n)
    elif kind == 5:
        values = random.choice(EDGES, n) * random.choice([1, 1, 1, -1], n)
    elif kind == 6:
        values = np.round(random.normal(0, 30, n), random.integers(0, 9))
    elif kind == 7:
        values = np.full(n, random.choice(EDGES))
    elif kind == 8:
        values = np.round(random.uniform(1, 1000, n), 3)
    elif kind == 9:
        values = random.integers(0, 2 ** 31, n) / random.choice([1, 2 ** 10, 10 ** 5])
    else:
        bits = random.bytes(8 * n)
        values = np.frombuffer(bits, dtype)[:n].astype("float64")
    if dtype is np.float16:
        values = np.where(np.abs(values) > 65504, np.sign(values) * (np.abs(values) % 60000), values)
    with np.errstate(all="ignore"):
        values = np.asarray(values).astype(dtype)
    for special in (0.0, -0.0, np.nan, np.inf, -np.inf):
        if random.random() < 0.12:
            values = np.where(random.random(n) < random.choice([0.2, 1.0], p=[0.9, 0.1]), dtype(special), values)
    return values


def number(value):
    return str(value) if isinstance(value, int) else value.hex()


def text(name, written):
    return f"{name} {written.count(chr(10)) + 1}\n{written}"


def record(dtype, shape, scale, values):
    size = int(np.prod(shape))
    array = np.resize(values, shape) if size else np.zeros(shape, dtype)
    if scale != 1:
        seen = str(dtype) if dtype.kind == "f" else "float32"
        with np.errstate(all="ignore"):
            array = np.asarray(array.astype("float64") * scale).astype(seen)
    print("array", dtype, scale.hex(), len(shape), *shape)
    print("values", len(values), *map(number, values.tolist()))
    print(text("repr", repr(array)))
    print(text("str", str(array)))


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 450
    random = np.random.default_rng(seed)
    np.set_printoptions(threshold=1000)
    if np.lib.NumpyVersion(np.__version__) >= "2.2.0":
        np.set_printoptions(legacy="2.1")
    print(f"# numpy {np.__version__} in the form of 2.1, seed {seed}")
    dtypes = OTHERS if sys.argv[3:] == ["others"] else DTYPES
    for name, shape, scale, values in HARD if dtypes is DTYPES else []:
        record(np.dtype(name), shape, scale, np.array(values, name))
    for case in range(count):
        dtype = np.dtype(dtypes[case % len(dtypes)])
        shape = SHAPES[random.integers(len(SHAPES))]
        if case < len(LONG_TEXTS) and dtypes is DTYPES:
            shape = LONG_TEXTS[case]
        size = int(np.prod(shape))
        period = max(1, min(size, int(random.choice([1, 2, 5, 13, 40, 60]))))
        make = integers if dtype.kind in "iub" else reals
        values = make(random, dtype.type, period)
        scale = float(random.choice([1.0, 1 / 255, 0.5, -2.0, 1e-10, 1e10], p=[0.8, 0.08, 0.03, 0.03, 0.03, 0.03]))
        record(dtype, shape, scale, values)


main()
