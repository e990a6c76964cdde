"""What the prediction rivals share: the options, MNIST's test images and the two timings.

Weights are random: the time does not depend on them. Images are float32 rows in memory; probabilities come back as an
array in memory.
"""
import statistics
import time

import contract


def options():
    return contract.options()


def images(folder):
    return contract.mnist(folder)[1][0]


def weights():
    import numpy

    rng = numpy.random.default_rng(1)
    shapes = ((784, 512), (512,), (512, 10), (10,))
    return [rng.uniform(-0.05, 0.05, shape).astype("float32") for shape in shapes]


def one_image_microseconds(predict, x, count):
    """Median over `count` single images, after a tenth as many to warm up."""
    samples = []
    for i in range(-count // 10, count):
        row = x[i % len(x)][None]
        began = time.perf_counter()
        predict(row)
        if i >= 0:
            samples.append((time.perf_counter() - began) * 1e6)
    return statistics.median(samples)


def all_images_seconds(predict, x, repeats):
    predict(x)
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        predict(x)
        seconds.append(time.perf_counter() - began)
    return seconds
