"""What the very sparse rivals share: rows of 10,000 inputs of which 1 % are one, and labels of ten classes."""
import contract

INPUTS, HIDDEN, CLASSES, ONES, ROWS = 10_000, 512, 10, 100, 2560


def options():
    return contract.options()


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
