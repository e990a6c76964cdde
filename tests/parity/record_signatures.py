#!/usr/bin/env python3
"""Records what the classes of Keras take: one line a class, `Class(argument, argument=default, ...)`, in Keras's order.

    record_signatures.py tests/parity/signatures

writes GROUP.txt for each group below into that folder. README.md beside this script describes the files.
"""
import inspect
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras

# Layers that a Sequential model of pictures and rows uses; the other groups are recorded whole.
LAYERS = """Input Dense Activation Dropout Flatten Reshape Permute Rescaling ZeroPadding2D Conv2D MaxPooling2D
    AveragePooling2D GlobalMaxPooling2D GlobalAveragePooling2D BatchNormalization LayerNormalization RandomTranslation
    RandomRotation RandomZoom ReLU LeakyReLU PReLU ELU Softmax""".split()
GROUPS = {
    "layers": keras.layers,
    "losses": keras.losses,
    "metrics": keras.metrics,
    "optimizers": keras.optimizers,
    "schedules": keras.optimizers.schedules,
    "initializers": keras.initializers,
    "regularizers": keras.regularizers,
    "constraints": keras.constraints,
    "callbacks": keras.callbacks,
}
# What one derives from rather than uses.
BASES = "Loss Metric MeanMetricWrapper Optimizer LearningRateSchedule Initializer Regularizer Constraint Callback".split()


def classes(group, module):
    names = LAYERS if group == "layers" else sorted(dir(module))
    seen = set()
    for name in names:
        value = getattr(module, name)
        if group == "layers" and not inspect.isclass(value):  # Input is a function
            yield name, value
        elif inspect.isclass(value) and name not in BASES and value not in seen:
            seen.add(value)
            yield name, value.__init__


def signature(name, function):
    arguments = []
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.name == "self" or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        has_default = parameter.default is not parameter.empty
        arguments.append(parameter.name + (f"={parameter.default!r}" if has_default else ""))
    return f"{name}({', '.join(arguments)})"


def main():
    folder = pathlib.Path(sys.argv[1])
    for group, module in GROUPS.items():
        lines = [f"# keras {keras.__version__}, python {sys.version.split()[0]}"]
        lines += [signature(name, function) for name, function in classes(group, module)]
        (folder / f"{group}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
