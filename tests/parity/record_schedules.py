#!/usr/bin/env python3
"""Records Keras's learning-rate schedules at some steps (float32, TensorFlow backend).

    record_schedules.py > schedules.txt

README.md in this folder describes the file.
"""
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow
from keras.optimizers import schedules

STEPS = [0, 1, 4, 5, 6, 9, 10, 11, 14, 20, 25, 100, 1000]
# Name, class, arguments, and the arguments as Cornu's text has them.
CASES = [
    ("exponential", "ExponentialDecay", (0.1, 10, 0.5), {}),
    ("exponential_staircase", "ExponentialDecay", (0.1, 10, 0.5), dict(staircase=True)),
    ("exponential_slow", "ExponentialDecay", (0.1, 1000, 0.96), {}),
    ("piecewise", "PiecewiseConstantDecay", ([5, 10], [1.0, 0.5, 0.1]), {}),
    ("piecewise_two", "PiecewiseConstantDecay", ([9], [0.25, 0.0]), {}),
    ("polynomial", "PolynomialDecay", (0.1, 10), {}),
    ("polynomial_power", "PolynomialDecay", (0.1, 10), dict(end_learning_rate=0.01, power=2.0)),
    ("polynomial_root", "PolynomialDecay", (0.1, 30), dict(end_learning_rate=0.01, power=0.5)),
    ("polynomial_cycle", "PolynomialDecay", (0.1, 10), dict(end_learning_rate=0.01, cycle=True)),
    ("inverse_time", "InverseTimeDecay", (0.1, 10, 0.5), {}),
    ("inverse_time_staircase", "InverseTimeDecay", (0.1, 10, 0.5), dict(staircase=True)),
    ("cosine", "CosineDecay", (0.1, 10), {}),
    ("cosine_alpha", "CosineDecay", (0.1, 10), dict(alpha=0.1)),
    ("cosine_warmup", "CosineDecay", (0.0, 10), dict(warmup_target=0.1, warmup_steps=4)),
    ("cosine_warmup_alpha", "CosineDecay", (0.02, 100), dict(alpha=0.2, warmup_target=0.1, warmup_steps=10)),
    ("restarts", "CosineDecayRestarts", (0.1, 4), {}),
    ("restarts_m_mul", "CosineDecayRestarts", (0.1, 4), dict(m_mul=0.5)),
    ("restarts_t_mul", "CosineDecayRestarts", (0.1, 3), dict(t_mul=1.5, m_mul=0.9, alpha=0.1)),
    ("restarts_same_length", "CosineDecayRestarts", (0.1, 7), dict(t_mul=1.0, m_mul=0.8)),
]


def text(class_name, positional, named):
    name = keras.src.utils.naming.to_snake_case(class_name)
    arguments = [str(value) for value in positional] + [f"{key}={str(value).lower()}" for key, value in named.items()]
    return f"{name}({', '.join(arguments)})"


def main():
    print(f"# keras {keras.__version__}, tensorflow {tensorflow.__version__}, numpy {np.__version__},"
          f" python {sys.version.split()[0]}")
    print("steps: " + " ".join(map(str, STEPS)))
    for name, class_name, positional, named in CASES:
        schedule = getattr(schedules, class_name)(*positional, **named)
        print(f"{name}.text: {text(class_name, positional, named)}")
        print(f"{name}.values: " + " ".join(f"{float(schedule(step)):.9g}" for step in STEPS))


if __name__ == "__main__":
    main()
