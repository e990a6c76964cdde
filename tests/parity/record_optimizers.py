#!/usr/bin/env python3
"""Records three steps of every Keras optimizer on one variable of three numbers (float32, TensorFlow backend).

    record_optimizers.py > optimizers.txt

README.md in this folder describes the file.
"""
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow

START = [1.0, -2.0, 0.5]
GRADIENTS = [[0.1, -0.2, 0.0], [0.3, 0.4, 1e-4], [-0.5, 0.05, 2.0]]
# The first column is the name in the file; the arguments are written out there too, so that the file says what it holds.
CASES = [
    ("sgd", "SGD", dict(learning_rate=0.1)),
    ("sgd_momentum", "SGD", dict(learning_rate=0.1, momentum=0.9)),
    ("sgd_nesterov", "SGD", dict(learning_rate=0.1, momentum=0.9, nesterov=True)),
    ("rmsprop", "RMSprop", dict(learning_rate=0.01)),
    ("rmsprop_momentum", "RMSprop", dict(learning_rate=0.01, momentum=0.9)),
    ("rmsprop_centered", "RMSprop", dict(learning_rate=0.01, centered=True)),
    ("rmsprop_centered_momentum", "RMSprop", dict(learning_rate=0.01, momentum=0.9, centered=True)),
    ("adam", "Adam", dict(learning_rate=0.01)),
    ("adam_amsgrad", "Adam", dict(learning_rate=0.01, amsgrad=True)),
    ("adamw", "AdamW", dict(learning_rate=0.01)),
    ("adagrad", "Adagrad", dict(learning_rate=0.01)),
    ("adadelta", "Adadelta", dict(learning_rate=1.0)),
    ("adamax", "Adamax", dict(learning_rate=0.01)),
    ("nadam", "Nadam", dict(learning_rate=0.01)),
    ("lion", "Lion", dict(learning_rate=0.01)),
    ("ftrl", "Ftrl", dict(learning_rate=0.01)),
    ("sgd_clipnorm", "SGD", dict(learning_rate=0.1, clipnorm=0.1)),
    ("sgd_clipvalue", "SGD", dict(learning_rate=0.1, clipvalue=0.1)),
    ("sgd_global_clipnorm", "SGD", dict(learning_rate=0.1, global_clipnorm=0.1)),
    ("sgd_weight_decay", "SGD", dict(learning_rate=0.1, weight_decay=0.1)),
    ("sgd_ema", "SGD", dict(learning_rate=0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2)),
    ("sgd_gradient_accumulation", "SGD", dict(learning_rate=0.1, gradient_accumulation_steps=2)),
]


def main():
    print(f"# keras {keras.__version__}, tensorflow {tensorflow.__version__}, numpy {np.__version__},"
          f" python {sys.version.split()[0]}")
    print("# w0 = " + " ".join(map(str, START)) + "; gradients of the three steps: "
          + "; ".join(" ".join(map(str, gradient)) for gradient in GRADIENTS))
    for name, class_name, arguments in CASES:
        optimizer = getattr(keras.optimizers, class_name)(**arguments)
        variable = keras.Variable(np.array(START, np.float32))
        print(f"# {class_name}(" + ", ".join(f"{key}={value}" for key, value in arguments.items()) + ")")
        for step, gradient in enumerate(GRADIENTS, start=1):
            optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [variable])
            values = keras.ops.convert_to_numpy(variable)
            print(f"{name}.step{step}: " + " ".join(f"{value:.9g}" for value in values))


if __name__ == "__main__":
    main()
