"""What every Python rival shares: its command line, MNIST in memory, and the one JSON line that it prints.

A rival reads the options, builds its model, and calls report(). `fit_seconds` has one number a repeat: `epochs` epochs
of training from fresh weights, shuffling included; loading, compilation, warm-up and the final evaluation are outside.
`total_seconds` is the whole process. With `--repeats 1 --no-warm-up` that is the main job as a user would write it.
"""
import argparse
import gzip
import json
import os
import pathlib
import resource

os.environ.pop("OPENBLAS_CORETYPE", None)  # it would make every OpenBLAS inside a rival a third slower
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def options(**defaults):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="data/mnist", help="folder with the four MNIST files, gzipped or not")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-warm-up", action="store_true", help="for total_seconds: with --repeats 1, the plain job")
    for name, default in defaults.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(default), default=default)
    return parser.parse_args()


def read_idx(folder, name):
    import numpy

    plain = pathlib.Path(folder) / name
    data = plain.read_bytes() if plain.exists() else gzip.decompress((plain.parent / f"{name}.gz").read_bytes())
    dimensions = data[3]
    shape = [int.from_bytes(data[4 + 4 * d : 8 + 4 * d], "big") for d in range(dimensions)]
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * dimensions).reshape(shape)


def mnist(folder):
    """(x_train, labels_train), (x_test, labels_test): x float32 in 0..1, one row of 784 an image; labels int32."""
    pairs = []
    for part in ("train", "t10k"):
        x = read_idx(folder, f"{part}-images-idx3-ubyte").reshape(-1, 784).astype("float32") / 255
        pairs.append((x, read_idx(folder, f"{part}-labels-idx1-ubyte").astype("int32")))
    return pairs


def seconds_since_process_start():
    """Wall time since the kernel started this process, importing Python's modules included."""
    started = int(pathlib.Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    uptime = float(pathlib.Path("/proc/uptime").read_text().split()[0])
    return uptime - started / os.sysconf("SC_CLK_TCK")


def report(rival, version, threads, **numbers):
    numbers.update(
        rival=rival,
        version=version,
        threads=threads,
        total_seconds=round(seconds_since_process_start(), 3),
        peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )
    print(json.dumps(numbers), flush=True)
