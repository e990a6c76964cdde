#!/usr/bin/env python3
"""Records three steps of every Keras optimizer on one variable of three numbers (float32, TensorFlow backend), and of the
RMSprop of PyTorch, TensorFlow 1 and Keras 2.

    record_optimizers.py > optimizers.txt

README.md in this folder describes the file.
"""
import os
import subprocess
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow
import tf_keras
import torch

START = [1.0, -2.0, 0.5]
GRADIENTS = [[0.1, -0.2, 0.0], [0.3, 0.4, 1e-4], [-0.5, 0.05, 2.0]]
CASES = [
    ("sgd", "SGD", dict(learning_rate=0.1)),
    ("sgd_momentum", "SGD", dict(learning_rate=0.1, momentum=0.9)),
    ("sgd_nesterov", "SGD", dict(learning_rate=0.1, momentum=0.9, nesterov=True)),
    ("rmsprop", "RMSprop", dict(learning_rate=0.01)),
    ("rmsprop_rho", "RMSprop", dict(learning_rate=0.01, rho=0.5, epsilon=1e-3)),
    ("rmsprop_momentum", "RMSprop", dict(learning_rate=0.01, momentum=0.9)),
    ("rmsprop_centered", "RMSprop", dict(learning_rate=0.01, centered=True)),
    ("rmsprop_centered_momentum", "RMSprop", dict(learning_rate=0.01, momentum=0.9, centered=True)),
    ("adam", "Adam", dict(learning_rate=0.01)),
    ("adam_betas", "Adam", dict(learning_rate=0.01, beta_1=0.5, beta_2=0.8, epsilon=1e-3)),
    ("adam_amsgrad", "Adam", dict(learning_rate=0.01, amsgrad=True)),
    ("adam_amsgrad_betas", "Adam", dict(learning_rate=0.01, beta_1=0.5, beta_2=0.5, amsgrad=True)),
    ("adamw", "AdamW", dict(learning_rate=0.01)),
    ("adamw_weight_decay", "AdamW", dict(learning_rate=0.01, weight_decay=0.5, amsgrad=True)),
    ("adagrad", "Adagrad", dict(learning_rate=0.01)),
    ("adagrad_arguments", "Adagrad", dict(learning_rate=0.01, initial_accumulator_value=0.5, epsilon=0.01)),
    ("adadelta", "Adadelta", dict(learning_rate=1.0)),
    ("adadelta_arguments", "Adadelta", dict(learning_rate=1.0, rho=0.5, epsilon=1e-3)),
    ("adamax", "Adamax", dict(learning_rate=0.01)),
    ("adamax_arguments", "Adamax", dict(learning_rate=0.01, beta_1=0.5, beta_2=0.5, epsilon=1e-3)),
    ("nadam", "Nadam", dict(learning_rate=0.01)),
    ("nadam_arguments", "Nadam", dict(learning_rate=0.01, beta_1=0.5, beta_2=0.8, epsilon=1e-3)),
    ("lion", "Lion", dict(learning_rate=0.01)),
    ("lion_arguments", "Lion", dict(learning_rate=0.01, beta_1=0.3, beta_2=0.5)),
    ("ftrl", "Ftrl", dict(learning_rate=0.01)),
    ("ftrl_power", "Ftrl", dict(learning_rate=0.01, learning_rate_power=-0.3, initial_accumulator_value=0.2)),
    ("ftrl_l1_l2", "Ftrl", dict(learning_rate=0.01, l1_regularization_strength=0.1, l2_regularization_strength=0.2)),
    ("ftrl_shrinkage", "Ftrl", dict(learning_rate=0.01, l2_shrinkage_regularization_strength=0.1, beta=0.3)),
    ("sgd_clipnorm", "SGD", dict(learning_rate=0.1, clipnorm=0.1)),
    ("sgd_clipvalue", "SGD", dict(learning_rate=0.1, clipvalue=0.1)),
    ("sgd_global_clipnorm", "SGD", dict(learning_rate=0.1, global_clipnorm=0.1)),
    ("sgd_weight_decay", "SGD", dict(learning_rate=0.1, weight_decay=0.1)),
    ("sgd_ema", "SGD", dict(learning_rate=0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2)),
    ("sgd_gradient_accumulation", "SGD", dict(learning_rate=0.1, gradient_accumulation_steps=2)),
    ("adam_everything", "Adam", dict(learning_rate=0.01, clipnorm=0.1, weight_decay=0.5, use_ema=True, ema_momentum=0.9,
                                     ema_overwrite_frequency=1, gradient_accumulation_steps=2)),
    ("sgd_loss_scale_factor", "SGD", dict(learning_rate=0.1, loss_scale_factor=3.0)),
    ("adam_loss_scale_factor", "Adam", dict(learning_rate=0.01, loss_scale_factor=0.25, clipnorm=0.1)),
    ("nadam_gradient_accumulation", "Nadam", dict(learning_rate=0.01, gradient_accumulation_steps=2)),
]
# Name, inner optimizer, its arguments, arguments of the LossScaleOptimizer around it; gradients of one step times the scale
# of that step, or infinite.
SCALED = [
    ("loss_scale_sgd", "SGD", dict(learning_rate=0.1, momentum=0.9), dict(initial_scale=8.0)),
    ("loss_scale_adam", "Adam", dict(learning_rate=0.01), dict(initial_scale=4.0, dynamic_growth_steps=2)),
]
SCALED_GRADIENTS = [[1.0, -2.0, 0.5], [3.0, 4.0, 1e-3], [float("inf"), 1.0, 1.0], [-5.0, 0.5, 2.0], [1.0, float("nan"), 0.0],
                    [0.5, 0.25, -1.0]]
# On the JAX backend: on TensorFlow's, Keras reads the momentum of before the step only after it has changed.
ON_JAX = [
    ("schedule_free_adamw", "ScheduleFreeAdamW", dict(learning_rate=0.01)),
    ("schedule_free_adamw_arguments", "ScheduleFreeAdamW", dict(learning_rate=0.01, beta_1=0.5, beta_2=0.8, epsilon=1e-3,
                                                                warmup_steps=2, weight_decay=0.1)),
]
# Name, arguments as Cornu takes them; rho, momentum and epsilon are always given, since defaults differ. keras2_new is
# recorded as the dialect keras3, and so is what Keras 2 did with momentum before: the fused kernel of TensorFlow, whose
# epsilon stands inside the root.
DIALECTS = [
    ("pytorch", dict(learning_rate=0.01, rho=0.99, momentum=0.0, epsilon=1e-8)),
    ("pytorch_momentum", dict(learning_rate=0.01, rho=0.99, momentum=0.9, epsilon=1e-8)),
    ("pytorch_centered", dict(learning_rate=0.01, rho=0.9, momentum=0.0, epsilon=1e-7, centered=True)),
    ("pytorch_centered_momentum", dict(learning_rate=0.01, rho=0.9, momentum=0.9, epsilon=1e-7, centered=True)),
    ("tensorflow1", dict(learning_rate=0.01, rho=0.9, momentum=0.0, epsilon=1e-10)),
    ("tensorflow1_momentum", dict(learning_rate=0.01, rho=0.9, momentum=0.9, epsilon=1e-10)),
    ("tensorflow1_centered", dict(learning_rate=0.01, rho=0.9, momentum=0.9, epsilon=1e-7, centered=True)),
    ("keras2", dict(learning_rate=0.01, rho=0.9, momentum=0.0, epsilon=1e-7)),
    ("keras2_centered", dict(learning_rate=0.01, rho=0.9, momentum=0.0, epsilon=1e-7, centered=True)),
    ("keras2_arguments", dict(learning_rate=0.05, rho=0.5, momentum=0.0, epsilon=1e-3)),
    ("keras2_momentum", dict(learning_rate=0.01, rho=0.9, momentum=0.9, epsilon=1e-7)),
    ("keras2_centered_momentum", dict(learning_rate=0.01, rho=0.9, momentum=0.9, epsilon=1e-7, centered=True)),
    ("keras2_new", dict(learning_rate=0.01, rho=0.9, momentum=0.0, epsilon=1e-7)),
    ("keras2_new_centered_momentum", dict(learning_rate=0.01, rho=0.9, momentum=0.9, epsilon=1e-7, centered=True)),
]


def text(name, arguments):
    return name + "(" + ", ".join(f"{key}={str(value).lower()}" for key, value in arguments.items()) + ")"


def write(name, step, values):
    print(f"{name}.step{step}: " + " ".join(f"{value:.9g}" for value in values))


def pytorch(lr, rho, momentum, epsilon, centered):
    weight = torch.nn.Parameter(torch.tensor(START))
    optimizer = torch.optim.RMSprop([weight], lr=lr, alpha=rho, eps=epsilon, momentum=momentum, centered=centered)
    for gradient in GRADIENTS:
        weight.grad = torch.tensor(gradient)
        optimizer.step()
        yield weight.detach().numpy()


def tensorflow1(lr, rho, momentum, epsilon, centered):
    weight = tensorflow.Variable(START)
    optimizer = tensorflow.compat.v1.train.RMSPropOptimizer(lr, rho, momentum, epsilon, centered=centered)
    for gradient in GRADIENTS:
        optimizer.apply_gradients([(tensorflow.constant(gradient), weight)])
        yield weight.numpy()


def keras2(lr, rho, momentum, epsilon, centered):
    """tf_keras is Keras 2 for this TensorFlow; its legacy optimizers are those of tf.keras before 2.11."""
    weight = tensorflow.Variable(START)
    optimizer = tf_keras.optimizers.legacy.RMSprop(lr, rho=rho, momentum=momentum, epsilon=epsilon, centered=centered)
    for gradient in GRADIENTS:
        optimizer.apply_gradients([(tensorflow.constant(gradient), weight)])
        yield weight.numpy()


def keras2_new(lr, rho, momentum, epsilon, centered):
    """tf.keras from 2.11 on, which has Keras 3's formula."""
    weight = tensorflow.Variable(START)
    optimizer = tf_keras.optimizers.RMSprop(lr, rho=rho, momentum=momentum, epsilon=epsilon, centered=centered)
    for gradient in GRADIENTS:
        optimizer.apply_gradients([(tensorflow.constant(gradient), weight)])
        yield weight.numpy()


def record_scaled():
    for name, class_name, arguments, outer in SCALED:
        optimizer = keras.optimizers.LossScaleOptimizer(getattr(keras.optimizers, class_name)(**arguments), **outer)
        variable = keras.Variable(np.array(START, np.float32))
        inner = text(class_name.lower(), arguments)
        print(f"{name}.scaled: loss_scale_optimizer({inner}, {', '.join(f'{k}={v}' for k, v in outer.items())})")
        for step, gradient in enumerate(SCALED_GRADIENTS, start=1):
            scale = optimizer.scale_loss(1.0)
            optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [variable])
            print(f"{name}.gradient{step}: " + " ".join(f"{value:.9g}" for value in gradient))
            print(f"{name}.scale{step}: {float(scale):.9g}")
            write(name, step, keras.ops.convert_to_numpy(variable))


def record(cases):
    for name, class_name, arguments in cases:
        optimizer = getattr(keras.optimizers, class_name)(**arguments)
        variable = keras.Variable(np.array(START, np.float32))
        # In fit the loss is scaled, too, and nothing changes.
        key = "applied" if "loss_scale_factor" in arguments else "text"
        print(f"{name}.{key}: {text(class_name.lower(), arguments)}")
        for step, gradient in enumerate(GRADIENTS, start=1):
            optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [variable])
            write(name, step, keras.ops.convert_to_numpy(variable))


def main():
    if keras.backend.backend() == "jax":
        record(ON_JAX)
        return
    print(f"# keras {keras.__version__}, tensorflow {tensorflow.__version__}, torch {torch.__version__},"
          f" tf_keras {tf_keras.__version__}, numpy {np.__version__}, python {sys.version.split()[0]}")
    print("# w0 = " + " ".join(map(str, START)) + "; gradients of the three steps: "
          + "; ".join(" ".join(map(str, gradient)) for gradient in GRADIENTS))
    record(CASES)
    record_scaled()
    for name, arguments in DIALECTS:
        as_keras3 = name.startswith("keras2") and ("new" in name or "momentum" in name)
        dialect = "keras2_new" if "new" in name else name.split("_")[0]
        given = dict(centered=False) | arguments
        steps = globals()[dialect](given["learning_rate"], given["rho"], given["momentum"], given["epsilon"],
                                   given["centered"])
        print(f"rmsprop_{name}.text: {text('rmsprop', arguments | dict(dialect='keras3' if as_keras3 else dialect))}")
        for step, values in enumerate(steps, start=1):
            write(f"rmsprop_{name}", step, values)
    sys.stdout.flush()
    subprocess.run([sys.executable, __file__], check=True, env=os.environ | {"KERAS_BACKEND": "jax"})


if __name__ == "__main__":
    main()
