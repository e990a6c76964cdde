#!/usr/bin/env python3
"""Records what Keras's activations and layers compute (float32, TensorFlow backend).

    record_layers.py activations > activations.txt
    record_layers.py layers      > layers.txt

README.md in this folder describes the files. Layers that draw random numbers get Cornu's: `Stream` below is Philox4x32-10
written again from the paper, with the counters that docs/determinism.md promises.
"""
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

MASK = 0xFFFFFFFF
DROPOUT, AUGMENTATION = 3, 4


def philox(seed, purpose, stream, index):
    c = [index & MASK, index >> 32, stream, purpose]
    k = [seed & MASK, seed >> 32]
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


class Stream:
    """Uniform numbers of one layer in one step: number e is word e % 4 at index e / 4."""

    def __init__(self, seed, purpose, layer):
        self.seed, self.purpose, self.step = seed, purpose + 256 * layer, 0

    def uniform(self, count):
        words = [philox(self.seed, self.purpose, self.step, e // 4)[e % 4] for e in range(count)]
        return np.array([(word >> 8) * 2.0**-24 for word in words])


def numbers(values):
    return " ".join(f"{value:.9g}" for value in np.asarray(values, np.float32).ravel())


def put(name, key, values):
    print(f"{name}.{key}: {numbers(values)}")


# --- activations -------------------------------------------------------------------------------------------------------

POINTS = [-20, -9, -7.5, -5.5, -3.5, -2.6, -1.9, -1.3, -0.9, -0.6, -0.45, -0.2,
          -0.04, 0.03, 0.15, 0.35, 0.55, 0.8, 1.2, 1.7, 2.6, 3.4, 6.5, 12]
ACTIVATIONS = ["linear", "relu", "relu(0.1, max_value=3.0, threshold=1.0)", "relu(max_value=6.0)", "sigmoid", "tanh",
               "softmax", "elu", "elu(0.3)", "selu", "celu", "celu(alpha=0.4)", "gelu", "gelu(approximate=True)", "silu",
               "swish", "softplus", "softsign", "exponential", "hard_sigmoid", "hard_silu", "hard_swish", "relu6",
               "leaky_relu", "leaky_relu(negative_slope=0.4)", "mish", "log_softmax", "log_sigmoid", "squareplus",
               "squareplus(b=0.5)", "hard_tanh", "tanh_shrink", "soft_shrink", "soft_shrink(0.3)", "hard_shrink",
               "hard_shrink(threshold=0.7)", "threshold(0.1, -0.5)", "sparse_plus", "sparse_sigmoid", "sparsemax", "glu"]


def sparsemax(x):
    """As Martins and Astudillo define it. Keras 3.15.1 adds up all partial sums of the support instead of taking the last
    one, so that its rows do not sum to 1 once two numbers survive."""
    ordered = tf.sort(x, direction="DESCENDING", axis=-1)
    sums = tf.cumsum(ordered, axis=-1)
    count = tf.range(1, x.shape[-1] + 1, dtype=x.dtype)
    k = tf.reduce_sum(tf.cast(ordered - (sums - 1) / count > 0, tf.int32), axis=-1, keepdims=True)
    tau = (tf.gather(sums, k - 1, axis=-1, batch_dims=1) - 1) / tf.cast(k, x.dtype)
    return tf.maximum(x - tau, 0.0)


def record_activations():
    rng = np.random.default_rng(1)
    x = rng.permutation(np.array(POINTS, np.float32)).reshape(4, 6)
    r = rng.uniform(-1, 1, (4, 6)).astype(np.float32)
    put("all", "x", x)
    put("all", "r", r)
    for text in ACTIVATIONS:
        name, _, rest = text.partition("(")
        arguments = f"(x, {rest}" if rest else "(x)"
        v = tf.Variable(x)
        with tf.GradientTape() as tape:
            function = sparsemax if name == "sparsemax" else getattr(keras.activations, name)
            y = eval(f"function{arguments}", {"function": function, "x": tf.convert_to_tensor(v)})
            loss = tf.reduce_sum(y * r[:, :y.shape[1]])
        print(f"# {text}")
        put(text, "y", y)
        put(text, "dx", tape.gradient(loss, v))


# --- layers ------------------------------------------------------------------------------------------------------------

L, A = keras.layers, keras.activations
L1, L2, L1L2 = keras.regularizers.L1, keras.regularizers.L2, keras.regularizers.L1L2
SEED = 7  # of the model, and Cornu's layer is number 0 in it


def sparsemax_1(x):
    rows = tf.transpose(x, (0, 2, 1))
    return tf.transpose(tf.reshape(sparsemax(tf.reshape(rows, (-1, rows.shape[-1]))), tf.shape(rows)), (0, 2, 1))


class Dropout(L.Dropout):
    """Keras's layer with Cornu's numbers in place of tf.random's."""

    def __init__(self, rate, noise_shape=None, seed=SEED, **kwargs):
        super().__init__(rate, noise_shape=noise_shape, seed=seed, **kwargs)
        self.cornu = Stream(seed, DROPOUT, 0)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return tf.zeros_like(inputs)
        shape = [n or m for n, m in zip(self.noise_shape or inputs.shape, inputs.shape)]
        stays = self.cornu.uniform(int(np.prod(shape))).reshape(shape) >= self.rate
        return tf.where(stays, inputs * np.float32(1 / (1 - self.rate)), 0.0)


class Augmentation:
    """Keras's layers with Cornu's numbers: sample b takes the first two words at index b."""

    def draw(self, batch):
        if not hasattr(self, "cornu"):
            self.cornu = Stream(SEED if self.seed is None else self.seed, AUGMENTATION, 0)
        return self.cornu.uniform(4 * batch).reshape(batch, 4)[:, :2]

    @staticmethod
    def between(lower, upper, drawn):
        return (lower + drawn * (upper - lower)).astype(np.float32)[:, None]


class RandomTranslation(Augmentation, L.RandomTranslation):
    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        batch, height, width, _ = data.shape
        drawn = self.draw(batch)
        down = self.between(self.height_lower, self.height_upper, drawn[:, 0]) * np.float32(height)
        right = self.between(self.width_lower, self.width_upper, drawn[:, 1]) * np.float32(width)
        return {"translations": tf.constant(np.concatenate([right, down], axis=1)), "input_shape": data.shape}


class RandomRotation(Augmentation, L.RandomRotation):
    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        batch, height, width, _ = data.shape
        angle = tf.constant(self.between(360 * self.factor[0], 360 * self.factor[1], self.draw(batch)[:, 0])[:, 0])
        zero, one = tf.zeros([batch]), tf.ones([batch])
        matrix = self._compute_affine_matrix(center_x=0.5, center_y=0.5, angle=angle, translate_x=zero, translate_y=zero,
                                             scale=one, shear_x=zero, shear_y=zero, height=height, width=width)
        return {"angle": angle, "rotation_matrix": matrix, "image_height": height, "image_width": width,
                "batch_size": batch}


class RandomZoom(Augmentation, L.RandomZoom):
    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        drawn = self.draw(data.shape[0])
        height = self.between(1 + self.height_lower, 1 + self.height_upper, drawn[:, 0])
        width = height
        if self.width_factor is not None:
            width = self.between(1 + self.width_lower, 1 + self.width_upper, drawn[:, 1])
        return {"height_zoom": tf.constant(height), "width_zoom": tf.constant(width), "input_shape": data.shape}


def transposed(layer, x, r):
    """The gradient of sum(r * layer(x)) for a layer that is linear but for a constant: TensorFlow's own gradient of an
    image transform is only near to it."""
    rest = layer(tf.zeros_like(x), training=True)
    columns = []
    for i in range(x[0].size):
        basis = np.zeros_like(x).reshape(len(x), -1)
        basis[:, i] = 1
        moved = layer(tf.constant(basis.reshape(x.shape)), training=True) - rest
        columns.append(np.sum(moved * r, axis=(1, 2, 3)))
    return np.stack(columns, axis=1).reshape(x.shape)


# text in Cornu, Keras's layer, shape of one sample
LAYERS = [
    ("rescaling(0.3, offset=-0.7)", lambda: L.Rescaling(0.3, offset=-0.7), (6,)),
    ("reshape((3, -1))", lambda: L.Reshape((3, -1)), (6,)),
    ("reshape(2x3)", lambda: L.Reshape((2, 3)), (3, 2)),
    ("permute((2, 1))", lambda: L.Permute((2, 1)), (2, 3)),
    ("permute((3, 1, 2))", lambda: L.Permute((3, 1, 2)), (2, 3, 4)),
    ("zero_padding2d", lambda: L.ZeroPadding2D(), (2, 3, 2)),
    ("zero_padding2d(2)", lambda: L.ZeroPadding2D(2), (2, 2, 1)),
    ("zero_padding2d(1x2)", lambda: L.ZeroPadding2D((1, 2)), (2, 2, 1)),
    ("zero_padding2d(((1, 0), (2, 3)))", lambda: L.ZeroPadding2D(((1, 0), (2, 3))), (2, 2, 2)),
    ("batch_normalization", lambda: L.BatchNormalization(), (5,)),
    ("batch_normalization(momentum=0.9, epsilon=0.1)", lambda: L.BatchNormalization(momentum=0.9, epsilon=0.1), (3, 2, 4)),
    ("batch_normalization(1, momentum=0.6)", lambda: L.BatchNormalization(axis=1, momentum=0.6), (3, 2, 2)),
    ("batch_normalization(2, center=false)", lambda: L.BatchNormalization(axis=2, center=False), (3, 2, 2)),
    ("batch_normalization(-1, scale=false)", lambda: L.BatchNormalization(scale=False), (3, 2)),
    ("batch_normalization(center=false, scale=false)", lambda: L.BatchNormalization(center=False, scale=False), (4,)),
    ("layer_normalization", lambda: L.LayerNormalization(), (5,)),
    ("layer_normalization(epsilon=0.1)", lambda: L.LayerNormalization(epsilon=0.1), (3, 4)),
    ("layer_normalization(1)", lambda: L.LayerNormalization(axis=1), (3, 4)),
    ("layer_normalization((2, 1))", lambda: L.LayerNormalization(axis=(2, 1)), (3, 4)),
    ("layer_normalization((1, 3))", lambda: L.LayerNormalization(axis=[1, 3]), (2, 3, 2)),
    ("layer_normalization((-1, -2), center=false)", lambda: L.LayerNormalization(axis=(-1, -2), center=False), (2, 3, 2)),
    ("layer_normalization(scale=false)", lambda: L.LayerNormalization(scale=False), (2, 3)),
    ("layer_normalization(center=false, scale=false)", lambda: L.LayerNormalization(center=False, scale=False), (4,)),
    ("random_translation(0.3, 0.4)", lambda: RandomTranslation(0.3, 0.4), (4, 5, 2)),
    ("random_translation((-0.9, 0.2), (0.1, 0.8), fill_mode=constant, fill_value=0.5)",
     lambda: RandomTranslation((-0.9, 0.2), (0.1, 0.8), fill_mode="constant", fill_value=0.5), (4, 5, 1)),
    ("random_translation(1, 1, fill_mode=wrap, seed=5)", lambda: RandomTranslation(1.0, 1.0, fill_mode="wrap", seed=5),
     (4, 3, 1)),
    ("random_translation(0.6, 0, fill_mode=nearest)", lambda: RandomTranslation(0.6, 0.0, fill_mode="nearest"), (4, 3, 1)),
    ("random_translation(0.6, 0.6, interpolation=nearest)",
     lambda: RandomTranslation(0.6, 0.6, interpolation="nearest"), (4, 3, 2)),
    ("random_rotation(0.2)", lambda: RandomRotation(0.2), (5, 5, 1)),
    ("random_rotation((0.1, 0.7), fill_mode=constant)", lambda: RandomRotation((0.1, 0.7), fill_mode="constant"), (4, 6, 2)),
    ("random_rotation(1, fill_mode=wrap)", lambda: RandomRotation(1.0, fill_mode="wrap"), (4, 5, 1)),
    ("random_rotation(1, fill_mode=nearest, interpolation=nearest)",
     lambda: RandomRotation(1.0, fill_mode="nearest", interpolation="nearest"), (4, 5, 1)),
    ("random_zoom(0.5)", lambda: RandomZoom(0.5), (5, 4, 1)),
    ("random_zoom((-0.6, 0), (0, 0.9), fill_mode=constant, fill_value=-1)",
     lambda: RandomZoom((-0.6, 0.0), (0.0, 0.9), fill_mode="constant", fill_value=-1.0), (5, 4, 1)),
    ("random_zoom(0.9, interpolation=nearest, fill_mode=wrap)",
     lambda: RandomZoom(0.9, interpolation="nearest", fill_mode="wrap"), (5, 4, 1)),
    ("random_zoom(0.9, 0.2, fill_mode=nearest, seed=12)",
     lambda: RandomZoom(0.9, 0.2, fill_mode="nearest", seed=12), (5, 4, 2)),
    ("batch_normalization(momentum=0.5, trainable=false)",
     lambda: L.BatchNormalization(momentum=0.5, trainable=False), (3,)),
    ("relu", lambda: L.ReLU(), (7,)),
    ("re_lu(1.2, negative_slope=0.2, threshold=0.4)", lambda: L.ReLU(1.2, negative_slope=0.2, threshold=0.4), (7,)),
    ("leaky_re_lu", lambda: L.LeakyReLU(), (7,)),
    ("leakyrelu(negative_slope=0.05)", lambda: L.LeakyReLU(negative_slope=0.05), (7,)),
    ("p_re_lu", lambda: L.PReLU(), (3, 4)),
    ("p_re_lu(shared_axes=1)", lambda: L.PReLU(shared_axes=[1]), (3, 4)),
    ("prelu(shared_axes=(1, 2))", lambda: L.PReLU(shared_axes=(1, 2)), (3, 2, 2)),
    ("elu", lambda: L.ELU(), (7,)),
    ("elu(0.4)", lambda: L.ELU(0.4), (7,)),
    ("softmax", lambda: L.Softmax(), (3, 4)),
    ("softmax(1)", lambda: L.Softmax(axis=1), (3, 4)),
    ("softmax(-2)", lambda: L.Softmax(axis=-2), (2, 5, 3)),
    ("dropout(0.4)", lambda: Dropout(0.4), (9,)),
    ("dropout(0.25, seed=99)", lambda: Dropout(0.25, seed=99), (5, 4)),
    ("dropout(0.5, noise_shape=3x1)", lambda: Dropout(0.5, noise_shape=(None, 3, 1)), (3, 4)),
    ("dropout(0)", lambda: Dropout(0.0), (6,)),
    ("dropout(1)", lambda: Dropout(1.0), (6,)),
    ("activation(tanh, activity_regularizer=l2(0.3))", lambda: L.Activation("tanh", activity_regularizer=L2(0.3)), (5,)),
    ("batch_normalization(activity_regularizer=l1_l2(0.1, 0.2))",
     lambda: L.BatchNormalization(activity_regularizer=L1L2(0.1, 0.2)), (3, 2)),
    ("layer_normalization(activity_regularizer=l1(0.2))", lambda: L.LayerNormalization(activity_regularizer=L1(0.2)), (4,)),
    ("re_lu(activity_regularizer=l1(0.5))", lambda: L.ReLU(activity_regularizer=L1(0.5)), (6,)),
    ("leaky_re_lu(activity_regularizer=L2(0.5))", lambda: L.LeakyReLU(activity_regularizer=L2(0.5)), (6,)),
    ("p_re_lu(activity_regularizer=l2(0.2), alpha_regularizer=l1(0.1))",
     lambda: L.PReLU(activity_regularizer=L2(0.2), alpha_regularizer=L1(0.1)), (6,)),
    ("p_re_lu(alpha_constraint=max_norm(0.5))", lambda: L.PReLU(alpha_constraint=keras.constraints.MaxNorm(0.5)), (6,)),
    ("elu(0.7, activity_regularizer=l2(0.4))", lambda: L.ELU(0.7, activity_regularizer=L2(0.4)), (6,)),
    ("softmax(activity_regularizer=l2(2))", lambda: L.Softmax(activity_regularizer=L2(2.0)), (5,)),
    ("softmax(1, activity_regularizer=l1(2))", lambda: L.Softmax(axis=1, activity_regularizer=L1(2.0)), (3, 2)),
    ("flatten", lambda: L.Flatten(), (2, 3)),
    ("activation(sigmoid)", lambda: L.Activation("sigmoid"), (2, 3)),
    ("dense(4)", lambda: L.Dense(4), (5,)),
    ("dense(4, use_bias=false)", lambda: L.Dense(4, use_bias=False), (5,)),
    ("dense(3, activation=tanh)", lambda: L.Dense(3, activation="tanh"), (2, 3, 4)),
    ("dense(3, activation=softmax)", lambda: L.Dense(3, activation="softmax"), (2, 4)),
    ("dense(3, kernel_regularizer=l2(0.1), bias_regularizer=l1(0.2), activity_regularizer=l2(0.3))",
     lambda: L.Dense(3, kernel_regularizer=L2(0.1), bias_regularizer=L1(0.2), activity_regularizer=L2(0.3)), (4,)),
    ("dense(3, kernel_constraint=non_neg, bias_constraint=unit_norm)",
     lambda: L.Dense(3, kernel_constraint="non_neg", bias_constraint="unit_norm"), (4,)),
    ("dense(3, trainable=false)", lambda: L.Dense(3, trainable=False), (4,)),
    ("conv2d(4, 3x2, (1, 2), same, groups=2, use_bias=false)",
     lambda: L.Conv2D(4, (3, 2), (1, 2), "same", groups=2, use_bias=False), (4, 5, 2)),
    ("conv2d(2, 2, dilation_rate=2x1, activation=sigmoid)",
     lambda: L.Conv2D(2, 2, dilation_rate=(2, 1), activation="sigmoid"), (4, 4, 2)),
    ("conv2d(2, 2, strides=2)", lambda: L.Conv2D(2, 2, strides=2), (5, 4, 3)),
    ("max_pooling2d(2, 1, same)", lambda: L.MaxPooling2D(2, 1, "same"), (3, 4, 2)),
    ("max_pooling2d", lambda: L.MaxPooling2D(), (5, 4, 2)),
    ("average_pooling2d(2, 1, same)", lambda: L.AveragePooling2D(2, 1, "same"), (3, 4, 2)),
    ("average_pooling2d(2x3)", lambda: L.AveragePooling2D((2, 3)), (4, 7, 1)),
    ("global_max_pooling2d", lambda: L.GlobalMaxPooling2D(), (3, 2, 4)),
    ("global_max_pooling2d(keepdims=true)", lambda: L.GlobalMaxPooling2D(keepdims=True), (3, 2, 2)),
    ("global_average_pooling2d", lambda: L.GlobalAveragePooling2D(), (3, 2, 4)),
    ("global_average_pooling2d(keepdims=true)", lambda: L.GlobalAveragePooling2D(keepdims=True), (3, 2, 2)),
    ("rescaling([0.3, -2, 0.5], offset=[1, 0, -0.25])", lambda: L.Rescaling([0.3, -2.0, 0.5], offset=[1.0, 0.0, -0.25]),
     (2, 3)),
    ("rescaling(0.5, (0.1, 0.2))", lambda: L.Rescaling(0.5, offset=(0.1, 0.2)), (3, 2)),
    ("rescaling([0.25, 4])", lambda: L.Rescaling([0.25, 4.0]), (2, 1, 2)),
    ("rescaling([0.75], [0.5])", lambda: L.Rescaling([0.75], offset=[0.5]), (3,)),
    ("softmax((1, 2))", lambda: L.Softmax(axis=(1, 2)), (3, 4)),
    ("softmax([1, 3])", lambda: L.Softmax(axis=[1, 3]), (2, 3, 2)),
    ("softmax([-2])", lambda: L.Softmax(axis=[-2]), (3, 2)),
    ("activation(softmax(axis=1))", lambda: L.Activation(lambda x: A.softmax(x, axis=1)), (3, 2)),
    ("activation(softmax(-2))", lambda: L.Activation(lambda x: A.softmax(x, axis=-2)), (2, 3, 2)),
    ("activation(softmax(2))", lambda: L.Activation(lambda x: A.softmax(x, axis=2)), (2, 3)),
    ("activation(log_softmax(axis=1))", lambda: L.Activation(lambda x: A.log_softmax(x, axis=1)), (3, 2)),
    ("activation(sparsemax(1))", lambda: L.Activation(sparsemax_1), (3, 2)),
    ("activation(glu(axis=1))", lambda: L.Lambda(lambda x: A.glu(x, axis=1)), (4, 3)),
    ("activation(glu(2))", lambda: L.Lambda(lambda x: A.glu(x, axis=2)), (2, 2, 3)),
    ("dense(3, activation=softmax(axis=1))", lambda: L.Dense(3, activation=lambda x: A.softmax(x, axis=1)), (4, 2)),
    ("dense(1, activation=log_softmax(axis=1))", lambda: L.Dense(1, activation=lambda x: A.log_softmax(x, axis=1)), (3, 2)),
    ("conv2d(2, 2, activation=softmax(axis=-2))", lambda: L.Conv2D(2, 2, activation=lambda x: A.softmax(x, axis=-2)),
     (3, 4, 2)),
    ("batch_normalization(renorm=true)", lambda: L.BatchNormalization(renorm=True), (4,)),
    ("batch_normalization(momentum=0.9, renorm=true, renorm_clipping=dict(rmax=1.5, rmin=0.8, dmax=0.5), "
     "renorm_momentum=0.7)", lambda: L.BatchNormalization(
         momentum=0.9, renorm=True, renorm_clipping=dict(rmax=1.5, rmin=0.8, dmax=0.5), renorm_momentum=0.7), (2, 5)),
    ("batch_normalization(1, center=false, renorm=true, renorm_clipping=dict(dmax=0))",
     lambda: L.BatchNormalization(axis=1, center=False, renorm=True, renorm_clipping=dict(dmax=0)), (3, 2)),
    ("batch_normalization(scale=false, renorm=true, renorm_clipping=dict(rmin=0.9), synchronized=true)",
     lambda: L.BatchNormalization(scale=False, renorm=True, renorm_clipping=dict(rmin=0.9), synchronized=True), (3,)),
    ("batch_normalization(renorm=true, trainable=false)", lambda: L.BatchNormalization(renorm=True, trainable=False), (3,)),
    ("flatten(activity_regularizer=l2(0.3))", lambda: L.Flatten(activity_regularizer=L2(0.3)), (2, 3)),
    ("flatten(channels_first, activity_regularizer=l1(0.2))",
     lambda: L.Flatten("channels_first", activity_regularizer=L1(0.2)), (2, 3)),
    ("reshape(2x3, activity_regularizer=l1(0.4))", lambda: L.Reshape((2, 3), activity_regularizer=L1(0.4)), (6,)),
    ("permute(2x1, activity_regularizer=l2(0.4))", lambda: L.Permute((2, 1), activity_regularizer=L2(0.4)), (2, 3)),
    ("rescaling(0.5, activity_regularizer=l2(0.6))", lambda: L.Rescaling(0.5, activity_regularizer=L2(0.6)), (5,)),
    ("zero_padding2d(activity_regularizer=l2(0.2))", lambda: L.ZeroPadding2D(activity_regularizer=L2(0.2)), (2, 1, 2)),
    ("dropout(0.4, activity_regularizer=l1_l2(0.1, 0.2))",
     lambda: Dropout(0.4, activity_regularizer=L1L2(0.1, 0.2)), (6,)),
    ("max_pooling2d(2, activity_regularizer=l2(0.3))", lambda: L.MaxPooling2D(2, activity_regularizer=L2(0.3)), (4, 2, 2)),
    ("average_pooling2d(2, activity_regularizer=l2(0.3))",
     lambda: L.AveragePooling2D(2, activity_regularizer=L2(0.3)), (4, 2, 2)),
    ("global_max_pooling2d(activity_regularizer=l1(0.3))",
     lambda: L.GlobalMaxPooling2D(activity_regularizer=L1(0.3)), (2, 2, 2)),
    ("global_average_pooling2d(activity_regularizer=l1(0.3))",
     lambda: L.GlobalAveragePooling2D(activity_regularizer=L1(0.3)), (2, 2, 2)),
    ("random_translation(0.3, 0.2, activity_regularizer=l2(0.1))",
     lambda: RandomTranslation(0.3, 0.2, activity_regularizer=L2(0.1)), (3, 3, 1)),
    ("random_rotation(0.2, activity_regularizer=l2(0.1))",
     lambda: RandomRotation(0.2, activity_regularizer=L2(0.1)), (3, 3, 1)),
    ("random_zoom(0.2, activity_regularizer=l2(0.1))", lambda: RandomZoom(0.2, activity_regularizer=L2(0.1)), (3, 3, 1)),
]


def record_layer(index, text, make, shape, batch=4):
    rng = np.random.default_rng(100 + index)
    name = f"case{index}"
    x = rng.uniform(-2, 2, (batch,) + shape).astype(np.float32)
    print(f"{name}.text: {text}")
    print(f"{name}.shape: " + " ".join(map(str, (batch,) + shape)))
    layer = make()
    layer.build((None,) + shape)
    start = [rng.uniform(0.5, 1.5, w.shape).astype(np.float32) for w in layer.weights]
    layer.set_weights(start)
    put(name, "x", x)
    for k, w in enumerate(start):
        put(name, f"w{k}", w)
    put(name, "predict", layer(x, training=False) if takes_training(layer) else layer(x))
    v = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = layer(tf.convert_to_tensor(v), training=True) if takes_training(layer) else layer(tf.convert_to_tensor(v))
        r = rng.uniform(-1, 1, y.shape).astype(np.float32)
        loss = tf.reduce_sum(y * r)
    trainable = [w.value for w in layer.trainable_weights]
    gradients = tape.gradient(loss, [v] + trainable, unconnected_gradients="zero")
    put(name, "r", r)
    put(name, "y", y)
    put(name, "dx", transposed(layer, x, r) if isinstance(layer, Augmentation) else gradients[0])
    for k, w in enumerate(layer.weights):
        for t, g in zip(layer.trainable_weights, gradients[1:]):
            if t is w:
                put(name, f"dw{k}", g)
    for k, w in enumerate(layer.weights):
        put(name, f"state{k}", w)
    # three steps of SGD, the layer and Dense(2) behind it
    layer = make()
    model = keras.Sequential([keras.Input(shape), layer, L.Flatten(), L.Dense(2)])
    size = int(np.prod(layer.compute_output_shape((None,) + shape)[1:]))
    kernel = rng.uniform(-0.5, 0.5, (size, 2)).astype(np.float32)
    target = rng.uniform(-1, 1, (batch, 2)).astype(np.float32)
    model.set_weights(start + [kernel, np.zeros(2, np.float32)])
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse", run_eagerly=True)
    put(name, "kernel", kernel)
    put(name, "target", target)
    losses = []
    for step in range(3):
        if hasattr(layer, "cornu"):
            layer.cornu.step = step
        losses.append(float(model.train_on_batch(x, target)))
    put(name, "loss", losses)
    for k, w in enumerate(model.get_weights()):
        put(name, f"after{k}", w)


def takes_training(layer):
    return layer._call_has_training_arg


def record_layers():
    for index, (text, make, shape) in enumerate(LAYERS):
        record_layer(index, text, make, shape)


if __name__ == "__main__":
    print(f"# keras {keras.__version__}, tensorflow {tf.__version__}, numpy {np.__version__},"
          f" python {sys.version.split()[0]}")
    {"activations": record_activations, "layers": record_layers}[sys.argv[1]]()
