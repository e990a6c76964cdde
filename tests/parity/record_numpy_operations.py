#!/usr/bin/env python3
"""Records what NumPy's operations give for thousands of generated operands.

    record_numpy_operations.py [SEED [COUNT]] > numpy_operations.txt

COUNT is how many cases each operation gets (default 14; rarer forms get fewer). numpy_records.md in this folder
describes the file.
"""
import sys
import warnings

import numpy as np

DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32",
          "float64"]
REALS = DTYPES[9:]
EXTREMES = np.array([0.0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 0.5, -2.5, 3.5, 65504, -0.25, 2.0 ** -14, 1024])


def scatter(i, seed):
    """32 bits from a counter: Murmur3's finalizer."""
    h = (i.astype(np.uint64) * np.uint64(2654435761) + np.uint64(seed) * np.uint64(0x9E3779B9)) & np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        h = ((h ^ (h >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return h


def numbers(dtype, count, seed, kind):
    i = np.arange(count)
    h = scatter(i, seed).astype(np.int64)
    real = dtype.startswith("float")
    if kind[0] in "mw":  # positions on an axis
        n = int(kind[1:])
        return (h % n if kind[0] == "m" else h % (2 * n) - n).astype(dtype)
    if dtype == "bool":
        return h % 2 == 1
    if kind == "e" and real:
        return EXTREMES[h % len(EXTREMES)].astype(dtype)
    if kind == "e":
        return (h.astype(np.uint64) | scatter(i, seed + 77777) << np.uint64(32)).astype(np.int64).astype(dtype)
    if real:
        return {"n": (h % 1025 - 512) / 64, "p": (1 + h % 512) / 64, "u": (h % 127 - 63) / 64,
                "s": (h % 33 - 16) / 8}[kind].astype(dtype)
    lowest = 0 if dtype[0] == "u" else -20
    return {"n": h % 41 + lowest, "p": 1 + h % 20, "u": h % 2, "s": h % 5}[kind].astype(dtype)


def operand(word):
    if word[0] == "I":
        return int(word[1:])
    if word[0] == "F":
        return float.fromhex(word[1:])
    dtype, shape, seed, kind, view = word.split(":")
    shape = () if shape == "-" else tuple(int(n) for n in shape.split("x"))
    whole = {"p": shape, "t": shape[::-1], "r": shape, "h": (*shape[:-1], 2 * shape[-1]) if shape else shape}[view]
    array = numbers(dtype, int(np.prod(whole, dtype=np.int64)), int(seed), kind).reshape(whole)
    if view == "t":
        return array.T
    if view == "r":
        return np.asarray(np.flip(array))
    if view == "h" and shape:
        return array[..., ::2]
    return array


def digest(result):
    result = np.asarray(result)
    shape = "x".join(map(str, result.shape)) or "-"
    flat = result.ravel()
    odd = np.arange(flat.size, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    if result.dtype.kind != "f":
        total = np.sum(flat.astype(np.uint64) * odd * np.uint64(0x9E3779B97F4A7C15), dtype=np.uint64)
        return f"{result.dtype} {shape} {int(total):x}"
    wide = flat.astype(np.float64)
    codes = np.where(np.isnan(wide), 1, np.where(wide == np.inf, 2, np.where(wide == -np.inf, 3, 0))).astype(np.uint64)
    pattern = int(np.sum(codes * odd * np.uint64(0x9E3779B97F4A7C15), dtype=np.uint64))
    weights = (scatter(np.arange(flat.size), 99).astype(np.int64) % 2001 - 1000) / 1000
    terms = np.where(np.isfinite(wide), wide, 0) * weights
    return f"{result.dtype} {shape} {pattern:x} {float(np.sum(terms)):.12g} {float(np.sum(np.abs(terms))):.6g}"


def axes_of(word):
    return None if word == "a*" else tuple(int(n) for n in word[1:].split(",") if n)


def axis_of(word):
    return None if word == "a*" else int(word[1:])


def parts(x, n, axis):
    return np.concatenate([p.ravel() for p in np.split(x, n, axis)])


def relu(x):
    return np.maximum(x, 0)


def softmax(x, axis):
    e = np.exp(x - np.max(x, axis, keepdims=True))
    return e / np.sum(e, axis, keepdims=True)


def sigmoid(x):
    return (1 / (1 + np.exp(-np.asarray(x).astype(np.float64)))).astype(x.dtype)


def assigned(x, values):
    copy = x.copy()
    copy[...] = values
    return copy


def where_assigned(x, mask, values):
    copy = x.copy()
    np.copyto(copy, values, where=mask.astype(bool), casting="unsafe")
    return copy


def in_place(ufunc):
    def apply(x, y):
        copy = x.copy()
        return ufunc(copy, y, out=copy)
    return apply


OPERATIONS = {name: getattr(np, name) for name in (
    "add subtract multiply divide floor_divide remainder power maximum minimum arctan2 hypot equal not_equal less "
    "less_equal greater greater_equal logical_and logical_or logical_xor negative absolute sign square reciprocal "
    "floor "
    "ceil trunc rint sqrt exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh "
    "fmod fmax fmin copysign logaddexp cbrt degrees radians signbit bitwise_and bitwise_or bitwise_xor invert left_shift "
    "right_shift arccosh arctanh logical_not isnan isinf isfinite where clip matmul dot outer").split()}
OPERATIONS |= {f"{name}_inplace": in_place(getattr(np, name)) for name in
               "add subtract multiply divide floor_divide remainder power".split()}
OPERATIONS |= {"relu": relu, "sigmoid": sigmoid, "assign": assigned, "assign_where": where_assigned,
               "unique": np.unique, "nonzero": lambda x: np.array(np.nonzero(x)),
               "boolean_mask": lambda x, m: x[m]}
AXES = {name: getattr(np, name) for name in "sum prod max min any all mean".split()}
LINE = {"cumsum": np.cumsum, "cumprod": np.cumprod, "sort": np.sort,
        "argsort": lambda x, axis: np.argsort(x, axis, kind="stable")}


def compute(words):
    name, *rest = words
    if name in AXES:
        return AXES[name](operand(rest[0]), axis=axes_of(rest[1]), keepdims=rest[2] == "n1")
    if name in ("var", "std"):
        return getattr(np, name)(operand(rest[0]), axis=axes_of(rest[1]), keepdims=rest[2] == "n1",
                                 ddof=int(rest[3][1:]))
    if name in ("argmax", "argmin"):
        return getattr(np, name)(operand(rest[0]), axis=axis_of(rest[1]), keepdims=rest[2] == "n1")
    if name in LINE:
        return LINE[name](operand(rest[0]), axis_of(rest[1]))
    if name == "softmax":
        return softmax(operand(rest[0]), axis_of(rest[1]))
    if name in ("take", "take_along_axis"):
        return getattr(np, name)(operand(rest[0]), operand(rest[1]), axis_of(rest[2]))
    if name in ("concatenate", "stack"):
        return getattr(np, name)([operand(w) for w in rest[:-1]], axis_of(rest[-1]))
    if name == "tensordot":
        axes = (axes_of(rest[2]), axes_of(rest[3])) if len(rest) == 4 else int(rest[2][1:])
        return np.tensordot(operand(rest[0]), operand(rest[1]), axes)
    if name == "einsum":
        return np.einsum(rest[0], *[operand(w) for w in rest[1:]])
    if name in ("expand_dims", "squeeze", "flip"):
        return getattr(np, name)(operand(rest[0]), axis_of(rest[1]) if name == "expand_dims" else axes_of(rest[1]))
    if name == "broadcast_to":
        return np.broadcast_to(operand(rest[0]), axes_of(rest[1]))
    if name == "diagonal":
        return np.diagonal(operand(rest[0]), int(rest[1][1:]), -2, -1)
    if name == "split":
        return parts(operand(rest[0]), int(rest[1][1:]), axis_of(rest[2]))
    if name == "tile":
        return np.tile(operand(rest[0]), axes_of(rest[1]))
    if name in ("repeat", "roll"):
        return getattr(np, name)(operand(rest[0]), int(rest[1][1:]), axis_of(rest[2]))
    if name == "pad":
        widths = axes_of(rest[1])
        return np.pad(operand(rest[0]), list(zip(widths[::2], widths[1::2])), constant_values=int(rest[2][1:]))
    if name == "pad_mode":
        widths = axes_of(rest[2])
        return np.pad(operand(rest[1]), list(zip(widths[::2], widths[1::2])), rest[0])
    if name == "round":
        return np.round(operand(rest[0]), int(rest[1][1:]))
    if name == "bincount":
        return np.bincount(operand(rest[0]), minlength=int(rest[1][1:]))
    return OPERATIONS[name](*[operand(w) for w in rest])


class Writer:
    def __init__(self, seed, count):
        self.random = np.random.default_rng(seed)
        self.count = count
        self.seed = 0

    def pick(self, choices, p=None):
        return choices[self.random.choice(len(choices), p=p)]

    def shape(self, ndim=None):
        ndim = self.pick(range(6), [0.08, 0.26, 0.28, 0.22, 0.1, 0.06]) if ndim is None else ndim
        return [int(self.pick([0, 1, 2, 3, 4, 5, 7, 17], [0.03, 0.15, 0.22, 0.22, 0.16, 0.11, 0.07, 0.04]))
                for _ in range(ndim)]

    def stretched(self, shape):
        """A shape that broadcasts with the given one, now and then one that does not."""
        other = [1 if self.random.random() < 0.25 else n for n in shape]
        if other and self.random.random() < 0.04:
            other[-1] += 1
        return other[self.random.integers(0, len(other) + 1):] if self.random.random() < 0.3 else other

    def word(self, dtype, shape, kind="n"):
        self.seed += 1
        text = "x".join(map(str, shape)) or "-"
        return f"{dtype}:{text}:{self.seed}:{kind}:{self.pick('ptrh', [0.55, 0.15, 0.15, 0.15])}"

    def dtype(self, among=DTYPES):
        return self.pick(among)

    def axes(self, ndim):
        if self.random.random() < 0.2:
            return "a*"
        n = self.random.integers(0, ndim + 1)
        chosen = [int(a) - (ndim if self.random.random() < 0.3 else 0) for a in self.random.permutation(ndim)[:n]]
        if self.random.random() < 0.03:
            chosen.append(ndim)
        return "a" + ",".join(map(str, chosen))

    def axis(self, ndim, none=0.15):
        if ndim == 0 or (none and self.random.random() < none):  # NumPy lets scalars pass as having an axis 0
            return "a*"
        return f"a{int(self.random.integers(-ndim, ndim)) if ndim and self.random.random() > 0.03 else ndim}"

    def case(self, *words):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                result = digest(compute(words))
            except (TypeError, ValueError, OverflowError, IndexError):
                result = "error"
        print(*words, "=", result)

    def several(self, name, share, make):
        for _ in range(max(2, int(self.count * share))):
            self.case(name, *make())

    # --- families ---

    def binary(self, name, kinds="nnne", second=None, among=DTYPES):
        for _ in range(self.count):
            shape = self.shape()
            kind = self.pick(kinds)
            a = self.word(self.dtype(among), shape, kind)
            b = self.word(self.dtype(among), self.stretched(shape), second or kind)
            chance = self.random.random()
            if chance < 0.12:
                b = f"I{int(self.pick([0, 1, 2, 3, 7, 200, 300, 70000]))}" if second else \
                    f"I{int(self.pick([0, 1, -1, 2, 3, 7, 200, 300, -5, 70000]))}"
            elif chance < 0.22:
                b = "F" + float(self.pick([0.5, 2.0, -1.25, 0.1])).hex()
            if 0.03 < chance < 0.12 and not second:
                a, b = b, a
            self.case(name, a, b)

    def unary(self, name, kinds, among=DTYPES):
        for _ in range(self.count):
            self.case(name, self.word(self.dtype(among), self.shape(), self.pick(kinds)))

    def write(self):
        self.elementwise()
        self.reductions()
        self.products()
        self.shapes()
        self.choosing()

    def elementwise(self):
        for name in ("add subtract multiply floor_divide remainder maximum minimum equal not_equal less less_equal "
                     "greater "
                     "greater_equal logical_and logical_or logical_xor").split():
            self.binary(name)
        for name in ("divide", "hypot", "arctan2", "fmod", "fmax", "fmin", "copysign"):
            self.binary(name)
        self.binary("power", "ns", "s")
        self.binary("logaddexp", "nnse")
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
            self.binary(name, "nne", among=DTYPES[:9] * 3 + DTYPES[9:])
        for name in ("left_shift", "right_shift"):
            self.binary(name, "nne", "s", among=DTYPES[:9] * 3 + DTYPES[9:])
        self.unary("invert", "ne", DTYPES[:9] * 3 + DTYPES[9:])
        for name in ("cbrt", "degrees", "radians", "signbit"):
            self.unary(name, "nue")
        for name in "add subtract multiply divide floor_divide remainder power".split():
            for _ in range(self.count // 2):
                shape = self.shape()
                a, b = self.word(self.dtype(), shape), self.word(self.dtype(), self.stretched(shape), "s")
                self.case(f"{name}_inplace", a, b if self.random.random() < 0.7 else f"I{int(self.pick([1, 2, 3]))}")
        for name in "negative absolute sign square floor ceil trunc rint logical_not isnan isinf isfinite relu".split():
            self.unary(name, "nnne")
        self.unary("reciprocal", "p")
        for name in "exp exp2 expm1 sin cos tan arctan sinh cosh tanh arcsinh".split():
            self.unary(name, "nus" if name != "tanh" else "nuse")
        for name in "sqrt log log2 log10 log1p arccosh".split():
            self.unary(name, "ppe")
        for name in "arcsin arccos arctanh".split():
            self.unary(name, "u")
        self.unary("sigmoid", "nue", REALS)
        self.several("softmax", 1, lambda: (self.word(self.dtype(REALS), [2, 3, 4][:self.random.integers(1, 4)]),
                                            "a-1"))
        self.several("round", 1, lambda: (self.word(self.dtype(DTYPES[1:]), self.shape()),
                                          f"n{self.random.integers(-2, 3)}"))
        for _ in range(self.count):
            shape = self.shape()
            self.case("where", self.word(self.pick(["bool", "int32", "float32"]), self.stretched(shape), "u"),
                      self.word(self.dtype(), shape), self.pick([self.word(self.dtype(), self.stretched(shape)), "I3",
                                                                 "F0x1p-1"]))
            self.case("clip", self.word(self.dtype(DTYPES[1:]), shape), "I2", self.pick(["I9", "F0x1.8p2"]))
            self.case("assign", self.word(self.dtype(), shape), self.word(self.dtype(), self.stretched(shape), "p"))
            self.case("assign_where", self.word(self.dtype(), shape), self.word("bool", self.stretched(shape)),
                      self.word(self.dtype(), self.stretched(shape), "p"))

    def reductions(self):
        for name in AXES:
            for _ in range(2 * self.count):
                shape = self.shape()
                kind = "u" if name == "prod" else "nu" if name in ("any", "all") else "nne"
                self.case(name, self.word(self.dtype(), shape, self.pick(kind)), self.axes(len(shape)),
                          f"n{self.random.integers(0, 2)}")
        for name in ("sum", "mean", "max"):  # longer than a block
            for shape, axes in (([1030], "a*"), ([3, 700], "a1"), ([700, 3], "a0"), ([600, 20], "a0"),
                                ([9, 270, 3], "a0"),
                                ([4, 300, 10], "a1"), ([4, 300, 10], "a0,1")):
                self.case(name, self.word(self.pick(["float32", "float64", "int32", "uint8"]), shape), axes, "n0")
        for name in ("var", "std"):
            for _ in range(self.count):
                shape = self.shape()
                self.case(name, self.word(self.dtype(), shape), self.axes(len(shape)), f"n{self.random.integers(0, 2)}",
                          f"n{self.random.integers(0, 2)}")
        for name in ("argmax", "argmin"):
            for _ in range(2 * self.count):
                shape = self.shape()
                self.case(name, self.word(self.dtype(), shape, self.pick("nne")), self.axis(len(shape)),
                          f"n{self.random.integers(0, 2)}")
        for name in LINE:
            for _ in range(2 * self.count):
                shape = self.shape(self.random.integers(1, 4))
                kind = "u" if name.startswith("cum") else self.pick("nne")
                self.case(name, self.word(self.dtype(), shape, kind), self.axis(len(shape)))

        for dtype in DTYPES:  # lines long enough for the ways of long lines
            for shape, axis in (([900], "a0"), ([3, 500], "a1"), ([450, 4], "a0"), ([5, 7, 40], "a1"), ([70, 90], "a*")):
                for name in ("sort", "argsort"):
                    self.case(name, self.word(dtype, shape, self.pick("ne")), axis)
                for name in ("argmax", "argmin"):
                    self.case(name, self.word(dtype, shape, self.pick("nne")), axis, "n0")

    def products(self):
        among = ["bool", "int8", "int32", "int64", "uint8", "uint64", "float16", "float32", "float64", "float32",
                 "float64"]
        for _ in range(4 * self.count):
            m, n, k = (int(self.pick([1, 2, 3, 5, 17, 0], [0.15, 0.25, 0.25, 0.25, 0.08, 0.02])) for _ in range(3))
            batch = self.shape(self.random.integers(0, 3))
            a, b = [*batch, m, k], [*self.stretched(batch), k, n]
            a, b = (a, b) if self.random.random() < 0.7 else (a[-1:], b) if self.random.random() < 0.5 else (a, [k])
            if self.random.random() < 0.05:
                a[-1] += 1
            self.case("matmul", self.word(self.dtype(among), a), self.word(self.dtype(among), b))
            self.case("dot", self.word(self.dtype(among), [*batch[:1], m, k]),
                      self.word(self.dtype(among), self.pick([[k], [k, n], [2, k, n], []])))
        for shape in ([64, 70, 50], [130, 120, 110], [1, 900, 1200]):
            for dtype in ("float32", "float64", "float16"):
                m, k, n = shape
                self.case("matmul", self.word(dtype, [m, k], "u"), self.word(dtype, [k, n], "u"))
        for _ in range(self.count):
            self.case("tensordot", self.word(self.dtype(among), [2, 3, 4]), self.word(self.dtype(among), [4, 5, 3]),
                      *self.pick([("a1,2", "a2,0"), ("a2", "a0"), ("a-1", "a0"), ("a", "a"), ("a1", "a1")]))
            self.case("tensordot", self.word(self.dtype(among), [2, 3, 4]),
                      self.word(self.dtype(among), self.pick([[3, 4, 2], [4, 3], [2, 3, 4], [4, 2], [5]])),
                      f"n{self.random.integers(0, 4)}")
            self.case("outer", self.word(self.dtype(), self.shape(1)), self.word(self.dtype(), self.shape(1)))
        two = {"ij,jk->ik": ([3, 4], [4, 5]), "ij,jk": ([3, 4], [4, 5]), "ij,kj->ik": ([3, 4], [5, 4]),
               "bij,bjk->bik": ([2, 3, 4], [2, 4, 5]), "i,j->ij": ([3], [4]), "i,i->": ([5], [5]),
               "ij,ij->": ([3, 4], [3, 4]),
               "ij,ij->i": ([3, 4], [3, 4]), "abc,cd->abd": ([2, 3, 4], [4, 5]), "bi,bj->bij": ([2, 3], [2, 4]),
               "ii,i->i": ([3, 3], [3]), "ij,j->": ([3, 4], [4]), "ijk,jl->lk": ([2, 3, 4], [3, 5]),
               "ij,jk->": ([3, 4], [4, 2]),
               "b,a->ab": ([3], [4]), "ij,jk->ki": ([3, 4], [5, 6]),
               "...ij,...jk->...ik": ([2, 3, 4], [5, 1, 4, 2]), "...i,...i->...": ([2, 1, 4], [3, 4]),
               "...i,i": ([2, 3], [3]), "i...,i...": ([3, 2], [3, 2]), "a...b,b...": ([2, 3, 4], [4, 1, 3]),
               "...,...": ([2, 3], [3]), "...i,j...->j...i": ([4, 3], [2, 4]), "ij...,jk...->ik...": ([2, 3, 1], [3, 4, 5]),
               "...ii,...i->...i": ([2, 3, 3], [3]), "ij,jk->i...k": ([2, 3], [3, 2]), "ij,jk->ik...": ([2, 1], [3, 4]),
               "i,i->": ([5], [1]), "ij,ij->ij": ([1, 4], [3, 1]), "i,": ([3], []), ",->": ([], []),
               "i...,j...->ij": ([3, 2], [3, 2]), "...ij,jk": ([2], [3, 4]), "ij,...jk->...ki": ([2, 3], [2, 3, 2])}
        one = {"ii": [4, 4], "ii->i": [4, 4], "ij->ji": [3, 4], "ij->": [3, 4], "ijk->ik": [2, 3, 4], "ba": [3, 4],
               "iij->j": [3, 3, 2], "...": [2, 3], "...->...": [], "->": [], "i...->...i": [2, 3, 4], "...ii": [2, 3, 3],
               "...ii->...i": [2, 3, 3], "a...a->a...": [3, 2, 3], "b...a": [2, 3, 4], "ij...": [2, 3], "i->...": [4],
               "i...->...": [3, 2], "i...->i": [3, 2], "iii->i": [3, 3, 3], "iijj->ij": [2, 2, 3, 3], "ijij->ji": [2, 3, 2, 3],
               "ii->i ": [1, 3], "...ij->...ji": [2, 2, 1, 3, 2], "ab...->...": [2, 3, 4], "i..": [3], "ij->ij->": [3, 3]}
        for text, (a, b) in two.items():
            for _ in range(max(1, self.count // 5)):
                dtype = self.dtype(among[:6] + among[7:])  # NumPy rounds float16 after each addition
                self.case("einsum", text, self.word(dtype, a), self.word(self.pick([dtype, "float32"]), b))
        for text, a in one.items():
            for _ in range(max(1, self.count // 5)):
                self.case("einsum", text.strip(), self.word(self.dtype(among[1:6] + among[7:]), a))

    def shapes(self):
        for _ in range(self.count):
            shape = self.shape()
            ndim = len(shape)
            wide = self.shape(self.random.integers(1, 4))
            x = self.word(self.dtype(), shape)
            self.case("expand_dims", x, f"a{self.random.integers(-ndim - 1, ndim + 1)}")
            ones = [1 if self.random.random() < 0.5 else n for n in shape]
            self.case("squeeze", self.word(self.dtype(), ones), self.axes(ndim))
            self.case("flip", x, self.axes(ndim))
            self.case("broadcast_to", self.word(self.dtype(), self.stretched(shape)), "a" + ",".join(map(str, shape)))
            self.case("diagonal", self.word(self.dtype(), self.shape(self.random.integers(1, 4))),
                      f"n{self.random.integers(-3, 4)}")
            times = [str(self.random.integers(0, 4)) for _ in range(self.random.integers(1, 4))]
            self.case("tile", x, "a" + ",".join(times))
            self.case("repeat", x, f"n{self.random.integers(0, 4)}", self.axis(ndim))
            self.case("roll", x, f"n{self.random.integers(-9, 10)}", self.axis(ndim))
            self.case("split", self.word(self.dtype(), [4, 6]), f"n{self.pick([1, 2, 3, 4])}", self.axis(2, 0))
            self.case("pad", self.word(self.dtype(), wide), "a" + ",".join(
                str(self.random.integers(0, 3)) for _ in range(2 * len(wide))), f"n{self.random.integers(0, 2)}")
            for mode in "edge reflect symmetric wrap maximum minimum mean linear_ramp constant".split():
                if self.random.random() < 0.6:
                    self.case("pad_mode", mode, self.word(self.dtype(), [n + (n == 0) for n in wide], "n"), "a" + ",".join(
                        str(self.random.integers(0, 5)) for _ in range(2 * len(wide))))
            axis = int(self.random.integers(0, len(wide)))
            several = [self.word(self.dtype(), [*wide[:axis], int(self.random.integers(0, 4)), *wide[axis + 1:]])
                       for _ in range(self.random.integers(1, 4))]
            self.case("concatenate", *several, f"a{axis if self.random.random() < 0.8 else axis - len(wide)}")
            self.case("stack", *[self.word(self.dtype(), wide) for _ in range(self.random.integers(1, 4))],
                      f"a{self.random.integers(-len(wide) - 1, len(wide) + 1)}")

    def choosing(self):
        for _ in range(2 * self.count):
            shape = [max(1, n) for n in self.shape(self.random.integers(1, 4))]
            ndim = len(shape)
            axis = int(self.random.integers(0, ndim))
            integers = self.pick(["int32", "int64", "uint8"])
            n = shape[axis] + (self.random.random() < 0.05)
            kind = f"{'m' if integers == 'uint8' else self.pick('mw')}{n}"
            self.case("take", self.word(self.dtype(), shape),
                      self.word(integers, self.shape(self.random.integers(0, 3)), kind),
                      f"a{self.pick([axis, axis - ndim])}" if self.random.random() < 0.85 else "a*")
            same = list(shape)
            same[axis] = int(self.random.integers(0, 5))
            self.case("take_along_axis", self.word(self.dtype(), shape), self.word("int64", same, kind), f"a{axis}")
            self.case("boolean_mask", self.word(self.dtype(), shape),
                      self.word("bool", shape[:self.random.integers(1, ndim + 1)]))
            self.case("nonzero", self.word(self.dtype(), shape, self.pick("nu")))
            self.case("unique", self.word(self.dtype(), shape, self.pick("nes")))
            self.case("bincount", self.word(self.dtype(DTYPES[1:]), shape[:1], "s"), f"n{self.random.integers(0, 9)}")


seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
count = int(sys.argv[2]) if len(sys.argv) > 2 else 14
print(f"# numpy {np.__version__}, seed {seed}")
Writer(seed, count).write()
