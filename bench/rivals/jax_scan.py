#!/usr/bin/env python3
"""Rival: JAX at its best: one compiled call an epoch, a lax.scan over its batches, no Keras in the loop."""
import os
import time

import contract

options = contract.options()
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["NPROC"] = str(options.threads)  # the size of XLA's thread pool
(x, labels), (x_test, labels_test) = contract.mnist(options.data)

import jax
import jax.numpy as jnp

compute_dtype = jnp.bfloat16 if options.precision == "bfloat16" else jnp.float32


def dense(a, kernel):
    return jnp.matmul(a.astype(compute_dtype), kernel.astype(compute_dtype)).astype(jnp.float32)


def logits(weights, rows):
    kernel1, bias1, kernel2, bias2 = weights
    return dense(jax.nn.relu(dense(rows, kernel1) + bias1), kernel2) + bias2


def loss(weights, rows, classes):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits(weights, rows)), classes[:, None], axis=1))


def step(state, indices):
    weights, slots = state
    gradients = jax.grad(loss)(weights, x_all[indices], y_all[indices])
    slots = [0.9 * v + 0.1 * g * g for v, g in zip(slots, gradients)]
    return ([w - 0.001 * g * jax.lax.rsqrt(v + 1e-7) for w, v, g in zip(weights, slots, gradients)], slots), None


def epoch(state, key):
    order = jax.random.permutation(key, len(x))
    whole = len(x) // options.batch_size * options.batch_size
    state, _ = jax.lax.scan(step, state, order[:whole].reshape(-1, options.batch_size))
    return step(state, order[whole:])[0] if whole < len(x) else state


def initial(key):
    keys = jax.random.split(key, 2)
    glorot = jax.nn.initializers.glorot_uniform()
    weights = [glorot(keys[0], (784, 512)), jnp.zeros(512), glorot(keys[1], (512, 10)), jnp.zeros(10)]
    return weights, [jnp.zeros_like(w) for w in weights]


x_all, y_all = jnp.asarray(x), jnp.asarray(labels)
key = jax.random.key(time.time_ns() % 2**31)
compiled = jax.jit(epoch, donate_argnums=0).lower(initial(key), key).compile()
if not options.no_warm_up:
    jax.block_until_ready(compiled(initial(key), key))
seconds = []
for _ in range(options.repeats):
    key, start = jax.random.split(key)
    state = jax.block_until_ready(initial(start))
    began = time.perf_counter()
    for _ in range(options.epochs):
        key, shuffle = jax.random.split(key)
        state = compiled(state, shuffle)
    jax.block_until_ready(state)
    seconds.append(time.perf_counter() - began)
accuracy = float((logits(state[0], jnp.asarray(x_test)).argmax(1) == jnp.asarray(labels_test)).mean())
contract.report(
    "jax_scan", f"jax {jax.__version__}", options.threads, fit_seconds=seconds, test_accuracy=accuracy,
    precision=options.precision,
)
