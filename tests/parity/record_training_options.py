#!/usr/bin/env python3
"""Records small fits with regularizers, constraints, frozen layers and options of optimizers (float32, TensorFlow backend).

    record_training_options.py > training_options.txt

README.md in this folder describes the file. Data and network are those of record_golden.py.
"""
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow
from keras import constraints, regularizers

SAMPLES, INPUTS, HIDDEN, CLASSES = 10, 4, 5, 3
L1, L2, L1L2 = regularizers.L1, regularizers.L2, regularizers.L1L2
MaxNorm, MinMaxNorm, UnitNorm, NonNeg = (constraints.MaxNorm, constraints.MinMaxNorm, constraints.UnitNorm,
                                         constraints.NonNeg)
SGD = ("SGD", dict(learning_rate=0.1))
# Name, optimizer, what the first dense layer gets, what the second gets; then the same two as Cornu's text.
CASES = [
    ("plain", SGD, {}, {}, "", ""),
    ("kernel_l1", SGD, dict(kernel_regularizer=L1(0.02)), {}, "kernel_regularizer=l1(0.02)", ""),
    ("kernel_l2", SGD, dict(kernel_regularizer=L2(0.02)), {}, "kernel_regularizer=l2(0.02)", ""),
    ("kernel_l1_l2", SGD, dict(kernel_regularizer=L1L2(0.01, 0.03)), dict(kernel_regularizer=L2()),
     "kernel_regularizer=l1_l2(l1=0.01, l2=0.03)", "kernel_regularizer=l2"),
    ("bias", SGD, dict(bias_regularizer=L2(0.5)), dict(bias_regularizer=L1()), "bias_regularizer=l2(0.5)",
     "bias_regularizer=l1"),
    ("activity_relu", SGD, dict(activity_regularizer=L2(0.05)), {}, "activity_regularizer=l2(0.05)", ""),
    ("activity_softmax", SGD, dict(activity_regularizer=L1(0.05)), dict(activity_regularizer=L2(0.1)),
     "activity_regularizer=l1(0.05)", "activity_regularizer=l2(0.1)"),
    ("regularized_adam", ("Adam", dict(learning_rate=0.01)), dict(kernel_regularizer=L2(0.1)),
     dict(kernel_regularizer=L1(0.1), bias_regularizer=L2(0.1)), "kernel_regularizer=l2(0.1)",
     "kernel_regularizer=l1(0.1), bias_regularizer=l2(0.1)"),
    ("max_norm", SGD, dict(kernel_constraint=MaxNorm(0.4)), dict(kernel_constraint=MaxNorm(0.5, axis=1)),
     "kernel_constraint=max_norm(0.4)", "kernel_constraint=max_norm(0.5, axis=1)"),
    ("max_norm_both_axes", SGD, dict(kernel_constraint=MaxNorm(0.8, axis=[0, 1])),
     dict(kernel_constraint=MaxNorm(0.5, axis=-1)), "kernel_constraint=max_norm(0.8, axis=[0, 1])",
     "kernel_constraint=max_norm(0.5, axis=-1)"),
    ("unit_norm", SGD, dict(kernel_constraint=UnitNorm()), dict(kernel_constraint=UnitNorm(axis=1)),
     "kernel_constraint=unit_norm", "kernel_constraint=unit_norm(axis=1)"),
    ("min_max_norm", SGD, dict(kernel_constraint=MinMaxNorm(0.3, 0.45, rate=0.5)),
     dict(kernel_constraint=MinMaxNorm(min_value=0.6)), "kernel_constraint=min_max_norm(0.3, 0.45, rate=0.5)",
     "kernel_constraint=min_max_norm(min_value=0.6)"),
    ("non_neg", SGD, dict(kernel_constraint=NonNeg()), dict(bias_constraint=NonNeg()), "kernel_constraint=non_neg",
     "bias_constraint=non_neg"),
    ("bias_max_norm", SGD, dict(bias_constraint=MaxNorm(0.01)), dict(bias_constraint=UnitNorm()),
     "bias_constraint=max_norm(0.01)", "bias_constraint=unit_norm"),
    ("first_frozen", SGD, dict(trainable=False, kernel_regularizer=L2(0.1)), {},
     "trainable=false, kernel_regularizer=l2(0.1)", ""),
    ("second_frozen", SGD, dict(activity_regularizer=L2(0.1)), dict(trainable=False, kernel_constraint=NonNeg()),
     "activity_regularizer=l2(0.1)", "trainable=false, kernel_constraint=non_neg"),
    ("clipnorm", ("SGD", dict(learning_rate=0.1, clipnorm=0.05)), {}, {}, "", ""),
    ("clipvalue", ("SGD", dict(learning_rate=0.1, clipvalue=0.02)), {}, {}, "", ""),
    ("global_clipnorm", ("SGD", dict(learning_rate=0.1, global_clipnorm=0.1)), {}, {}, "", ""),
    ("weight_decay", ("SGD", dict(learning_rate=0.1, momentum=0.5, weight_decay=0.1)), {}, {}, "", ""),
    ("ema", ("SGD", dict(learning_rate=0.1, use_ema=True, ema_momentum=0.7)), {}, {}, "", ""),
    ("ema_overwrite", ("SGD", dict(learning_rate=0.1, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=4)), {}, {},
     "", ""),
    ("accumulation", ("RMSprop", dict(learning_rate=0.01, gradient_accumulation_steps=4)), {}, {}, "", ""),
    ("all_at_once", ("AdamW", dict(learning_rate=0.01, weight_decay=0.05, global_clipnorm=0.2, use_ema=True,
                                   ema_momentum=0.8, gradient_accumulation_steps=2)),
     dict(kernel_regularizer=L1L2(0.01, 0.02), kernel_constraint=MaxNorm(0.6)),
     dict(activity_regularizer=L2(0.1), bias_constraint=NonNeg()),
     "kernel_regularizer=l1_l2(0.01, 0.02), kernel_constraint=max_norm(0.6)",
     "activity_regularizer=l2(0.1), bias_constraint=non_neg"),
    ("loss_scale_factor", ("RMSprop", dict(learning_rate=0.01, loss_scale_factor=1000.0)),
     dict(kernel_regularizer=L2(0.1), activity_regularizer=L2(0.1)), {},
     "kernel_regularizer=l2(0.1), activity_regularizer=l2(0.1)", ""),
    ("loss_scale", ("LossScaleOptimizer", dict(inner_optimizer=("Adam", dict(learning_rate=0.01)), dynamic_growth_steps=3)),
     dict(kernel_regularizer=L1(0.1), activity_regularizer=L1(0.1)), {},
     "kernel_regularizer=l1(0.1), activity_regularizer=l1(0.1)", ""),
    # Gradients overflow until the scale has been halved a few times.
    ("loss_scale_overflows", ("LossScaleOptimizer", dict(inner_optimizer=("SGD", dict(learning_rate=0.1)),
                                                        initial_scale=2.0**127)),
     dict(activity_regularizer=L1(8.0)), {}, "activity_regularizer=l1(8)", ""),
    ("lamb", ("Lamb", dict(learning_rate=0.02)), {}, {}, "", ""),
    ("lamb_arguments", ("Lamb", dict(learning_rate=0.02, beta_1=0.5, beta_2=0.8, epsilon=1e-3, weight_decay=0.1,
                                     gradient_accumulation_steps=2)), {}, {}, "", ""),
    ("adafactor", ("Adafactor", dict(learning_rate=0.02)), {}, {}, "", ""),
    ("adafactor_arguments", ("Adafactor", dict(learning_rate=0.9, beta_2_decay=-0.5, epsilon_1=1e-4, epsilon_2=0.05,
                                               clip_threshold=0.7, relative_step=False, clipnorm=0.1)), {}, {}, "", ""),
    ("muon", ("Muon", dict(learning_rate=0.02)), {}, {}, "", ""),
    ("muon_arguments", ("Muon", dict(learning_rate=0.02, adam_beta_1=0.5, adam_beta_2=0.8, adam_weight_decay=0.2,
                                     epsilon=1e-3, weight_decay=0.1, muon_a=3.0, muon_b=-4.0, muon_c=1.8,
                                     adam_lr_ratio=0.5, momentum=0.8, ns_steps=3, nesterov=False, rms_rate=0.4)), {}, {},
     "", ""),
    ("muon_without_a_layer", ("Muon", dict(learning_rate=0.02, exclude_layers=["dense_1"])), dict(name="dense"),
     dict(name="dense_1"), "name=dense", "name=dense_1"),
    ("schedule", ("SGD", dict(learning_rate=keras.optimizers.schedules.ExponentialDecay(0.2, 3, 0.5))), {}, {}, "", ""),
]

# A second network, with images: name, optimizer, options of Conv2D, BatchNormalization and LayerNormalization; then the
# same as Cornu's text.
IMAGE_CASES = [
    ("image_plain", SGD, {}, {}, {}, "", "", ""),
    ("image_regularized", SGD,
     dict(kernel_regularizer=L2(0.05), bias_regularizer=L1(0.1), activity_regularizer=L1(0.02)),
     dict(gamma_regularizer=L2(0.1), beta_regularizer=L1(0.1)), dict(gamma_regularizer=L1(0.1), beta_regularizer=L2(0.1)),
     "kernel_regularizer=l2(0.05), bias_regularizer=l1(0.1), activity_regularizer=l1(0.02)",
     "gamma_regularizer=l2(0.1), beta_regularizer=l1(0.1)", "gamma_regularizer=l1(0.1), beta_regularizer=l2(0.1)"),
    ("image_constrained", SGD, dict(kernel_constraint=MaxNorm(0.5, axis=[0, 1, 2]), bias_constraint=NonNeg()),
     dict(gamma_constraint=UnitNorm(), beta_constraint=NonNeg()),
     dict(gamma_constraint=MaxNorm(2.0), beta_constraint=MinMaxNorm(0.1, 0.2)),
     "kernel_constraint=max_norm(0.5, axis=[0, 1, 2]), bias_constraint=non_neg",
     "gamma_constraint=unit_norm, beta_constraint=non_neg", "gamma_constraint=max_norm(2), beta_constraint=min_max_norm(0.1, 0.2)"),
    ("image_constrained_axis", SGD, dict(kernel_constraint=UnitNorm(axis=[1, 2])), {}, {},
     "kernel_constraint=unit_norm(axis=[1, 2])", "", ""),
    ("image_constrained_last_axis", SGD, dict(kernel_constraint=UnitNorm(axis=[0, 3])), {}, {},
     "kernel_constraint=unit_norm(axis=[0, 3])", "", ""),
    ("image_convolution_frozen", SGD, dict(trainable=False), {}, {}, "trainable=false", "", ""),
    ("image_normalization_frozen", SGD, {}, dict(trainable=False), dict(trainable=False), "", "trainable=false",
     "trainable=false"),
    ("image_stored", ("RMSprop", dict(learning_rate=0.01, global_clipnorm=0.5, weight_decay=0.1, use_ema=True,
                                      ema_momentum=0.5)), {}, {}, {}, "", "", ""),
    ("image_lamb", ("Lamb", dict(learning_rate=0.02)), {}, {}, {}, "", "", ""),
    ("image_adafactor", ("Adafactor", dict(learning_rate=0.02)), {}, {}, {}, "", "", ""),
    ("image_muon", ("Muon", dict(learning_rate=0.02)), {}, {}, {}, "", "", ""),
]


def record_image(name, optimizer, convolution, batch_normalization, layer_normalization, *texts):
    def rule(shape):
        return (((3 * np.arange(np.prod(shape)) + 2) % 7 - 3) / 10).astype(np.float32).reshape(shape)

    x = ((7 * np.arange(SAMPLES * 4 * 4 * 2) + 3) % 11 / 10).astype(np.float32).reshape(SAMPLES, 4, 4, 2)
    y = (5 * np.arange(SAMPLES * 2) % 7 / 10).astype(np.float32).reshape(SAMPLES, 2)
    model = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            keras.layers.Conv2D(3, 2, activation="relu", **convolution),
            keras.layers.BatchNormalization(momentum=0.9, **batch_normalization),
            keras.layers.Flatten(),
            keras.layers.LayerNormalization(**layer_normalization),
            keras.layers.Dense(2),
        ]
    )
    model.compile(optimizer=getattr(keras.optimizers, optimizer[0])(**optimizer[1]), loss="mse", run_eagerly=True)
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            # With a bias of 0 many inputs of the relu would be 0 up to rounding.
            layer.set_weights([rule(layer.kernel.shape), np.full(layer.bias.shape, 0.033)])
    print(f"{name}.image_optimizer: {optimizer_text(*optimizer)}")
    heads = ["conv2d(3, 2, activation=relu", "batch_normalization(momentum=0.9", "layer_normalization("]
    for key, head, text in zip(["convolution", "batch", "layer"], heads, texts):
        print(f"{name}.{key}: {head}{', ' if text and not head.endswith('(') else ''}{text})")
    line(f"{name}.before", [model.evaluate(x, y, batch_size=4, verbose=0)])
    line(f"{name}.loss", model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"])
    line(f"{name}.after", [model.evaluate(x, y, batch_size=4, verbose=0)])
    number = 0
    for layer in model.layers:
        for weight in layer.weights:
            line(f"{name}.w{number}", keras.ops.convert_to_numpy(weight))
            number += 1


def rule_kernel(inputs, units):
    a, b = np.indices((inputs, units))
    return (((3 * a + 5 * b) % 7 - 3) / 10).astype(np.float32)


def line(key, values):
    print(f"{key}: " + " ".join(f"{value:.9g}" for value in np.ravel(values)))


def optimizer_text(class_name, arguments):
    def value_text(value):
        if isinstance(value, keras.optimizers.schedules.ExponentialDecay):
            return f"exponential_decay({value.initial_learning_rate}, {value.decay_steps}, {value.decay_rate})"
        if isinstance(value, tuple):  # an optimizer within another
            return optimizer_text(*value)
        return " ".join(value) if isinstance(value, list) else str(value).lower()

    return class_name.lower() + "(" + ", ".join(f"{key}={value_text(value)}" for key, value in arguments.items()) + ")"


def make_optimizer(class_name, arguments):
    made = {key: make_optimizer(*value) if isinstance(value, tuple) else value for key, value in arguments.items()}
    return getattr(keras.optimizers, class_name)(**made)


def layer_text(units, activation, options):
    return f"dense({units}, activation={activation}{', ' if options else ''}{options})"


def record(name, optimizer, first, second, first_text, second_text):
    i, j = np.indices((SAMPLES, INPUTS))
    x = ((7 * i + 3 * j) % 11 / 10).astype(np.float32)
    y = np.eye(CLASSES, dtype=np.float32)[5 * np.arange(SAMPLES) % CLASSES]
    model = keras.Sequential(
        [
            keras.Input((INPUTS,)),
            keras.layers.Dense(HIDDEN, activation="relu", **first),
            keras.layers.Dense(CLASSES, activation="softmax", **second),
        ]
    )
    model.compile(optimizer=make_optimizer(*optimizer), loss="categorical_crossentropy", run_eagerly=True)
    for layer in model.layers:
        layer.set_weights([rule_kernel(*layer.kernel.shape), np.zeros(layer.bias.shape)])
    print(f"{name}.optimizer: {optimizer_text(*optimizer)}")
    print(f"{name}.first: {layer_text(HIDDEN, 'relu', first_text)}")
    print(f"{name}.second: {layer_text(CLASSES, 'softmax', second_text)}")
    line(f"{name}.before", [model.evaluate(x, y, batch_size=4, verbose=0)])
    line(f"{name}.loss", model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"])
    line(f"{name}.after", [model.evaluate(x, y, batch_size=4, verbose=0)])
    for number, layer in enumerate(model.layers, start=1):
        line(f"{name}.kernel{number}", keras.ops.convert_to_numpy(layer.kernel))
        line(f"{name}.bias{number}", keras.ops.convert_to_numpy(layer.bias))


# Keras's callback SwapEMAWeights: what validation sees is recorded, and the weights at the end.
SWAPS = [("swap_ema", False, None), ("swap_ema_on_epoch", True, None), ("swap_ema_overwrite", True, 4)]


def record_swap(name, swap_on_epoch, overwrite):
    arguments = dict(learning_rate=0.1, use_ema=True, ema_momentum=0.7)
    if overwrite:
        arguments["ema_overwrite_frequency"] = overwrite
    i, j = np.indices((SAMPLES, INPUTS))
    x = ((7 * i + 3 * j) % 11 / 10).astype(np.float32)
    y = np.eye(CLASSES, dtype=np.float32)[5 * np.arange(SAMPLES) % CLASSES]
    model = keras.Sequential([keras.Input((INPUTS,)), keras.layers.Dense(HIDDEN, activation="relu"),
                              keras.layers.Dense(CLASSES, activation="softmax")])
    model.compile(optimizer=keras.optimizers.SGD(**arguments), loss="categorical_crossentropy", run_eagerly=True)
    for layer in model.layers:
        layer.set_weights([rule_kernel(*layer.kernel.shape), np.zeros(layer.bias.shape)])
    history = model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0, validation_data=(x, y),
                        callbacks=[keras.callbacks.SwapEMAWeights(swap_on_epoch)]).history
    print(f"{name}.swap_on_epoch: {int(swap_on_epoch)}\n{name}.swapped: {optimizer_text('SGD', arguments)}")
    line(f"{name}.loss", history["loss"])
    line(f"{name}.val_loss", history["val_loss"])
    for number, layer in enumerate(model.layers, start=1):
        line(f"{name}.kernel{number}", keras.ops.convert_to_numpy(layer.kernel))


def main():
    print(f"# keras {keras.__version__}, tensorflow {tensorflow.__version__}, numpy {np.__version__},"
          f" python {sys.version.split()[0]}")
    for case in CASES:
        record(*case)
    for case in IMAGE_CASES:
        record_image(*case)
    for case in SWAPS:
        record_swap(*case)


if __name__ == "__main__":
    main()
