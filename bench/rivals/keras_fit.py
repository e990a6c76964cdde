"""The main job through Keras's own fit, for keras_tensorflow.py and keras_jax.py (which choose the backend)."""
import os
import time

import contract

# Measured, seconds an epoch, least of four or five, two threads of a loaded two-core Sapphire Rapids machine:
# TensorFlow without XLA, 1, 32 or 117 steps an execution: 3.7, 2.4, 2.6; with XLA, 1, 32, 117, 469: 3.2, 2.0, 1.6, 2.1.
# JAX, 1, 32, 117, 469 steps an execution: 1.8, 1.4, 1.6, 1.5.
BEST_JIT = {"tensorflow": True, "jax": True}
BEST_STEPS = {"tensorflow": 117, "jax": 32}


def main(backend):
    options = contract.options(jit_compile=-1, steps_per_execution=0)
    os.environ["KERAS_BACKEND"] = backend
    os.environ["OMP_NUM_THREADS"] = os.environ["NPROC"] = str(options.threads)  # NPROC: the pool that XLA makes for JAX
    (x, labels), (x_test, labels_test) = contract.mnist(options.data)

    import keras
    import numpy as np

    if backend == "tensorflow":
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(options.threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(options.threads)
        version = f"keras {keras.__version__}, tensorflow {tensorflow.__version__}"
    else:
        import jax

        version = f"keras {keras.__version__}, jax {jax.__version__}"
    if options.precision == "bfloat16":
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    jit_compile = BEST_JIT[backend] if options.jit_compile < 0 else bool(options.jit_compile)
    steps = options.steps_per_execution or BEST_STEPS[backend]
    y, y_test = keras.utils.to_categorical(labels, 10), keras.utils.to_categorical(labels_test, 10)

    model = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dense(10, activation="softmax", dtype="float32"),
        ]
    )
    model.compile(
        optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"],
        jit_compile=jit_compile, steps_per_execution=steps,
    )
    start = model.get_weights()
    # One whole epoch compiles the step for full batches and for the last, partial one.
    if not options.no_warm_up:
        model.fit(x, y, epochs=1, batch_size=options.batch_size, verbose=0)
    seconds = []
    for _ in range(options.repeats):
        rng = np.random.default_rng()
        model.set_weights([rng.permutation(w.ravel()).reshape(w.shape) for w in start])
        for variable in model.optimizer.variables[2:]:  # all but the iteration and the learning rate: the slots
            variable.assign(np.zeros(variable.shape))
        began = time.perf_counter()
        model.fit(x, y, epochs=options.epochs, batch_size=options.batch_size, verbose=0)
        seconds.append(time.perf_counter() - began)
    accuracy = model.evaluate(x_test, y_test, batch_size=1000, verbose=0)[1]
    contract.report(
        f"keras_{backend}", version, options.threads, fit_seconds=seconds, test_accuracy=accuracy,
        precision=options.precision, jit_compile=jit_compile, steps_per_execution=steps,
    )
