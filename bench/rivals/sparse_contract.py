"""What the very sparse rivals share: rows of 10,000 inputs of which 1 % are one, and labels of ten classes.

Two networks: --width 16 --depth 2 --batch-size 512, the hidden layers and batches with which the book reads film reviews,
and one layer of 512 in batches of 128, whose weights do not fit into a core's caches.
"""
import contract

INPUTS, CLASSES, ONES, ROWS = 10_000, 10, 100, 10_240


def options():
    return contract.options(width=512, depth=1)


def indices_and_labels():
    """ROWS x ONES positions of the ones, different within a row, and labels."""
    import numpy

    rng = numpy.random.default_rng(1)
    positions = numpy.stack([rng.choice(INPUTS, ONES, replace=False) for _ in range(ROWS)]).astype("int64")
    return positions, rng.integers(0, CLASSES, ROWS)


def dense_rows(positions):
    import numpy

    rows = numpy.zeros((ROWS, INPUTS), "float32")
    numpy.put_along_axis(rows, positions, 1, axis=1)
    return rows
