"""Records what Keras's callbacks do with given values of the logs: when EarlyStopping stops and which epoch it restores,
the learning rates of ReduceLROnPlateau and LearningRateScheduler, the files of ModelCheckpoint, the text of CSVLogger."""

import os
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
import numpy as np

SEQUENCES = {
    "valley": [1.0, 0.8, 0.7, 0.75, 0.71, 0.69, 0.72, 0.73, 0.74, 0.6, 0.65, 0.66],
    "plateau": [1.0, 0.9, 0.9, 0.9, 0.8999, 0.89985, 0.89, 0.89, 0.89, 0.89, 0.89, 0.89],
    "rising": [0.1, 0.2, 0.3, 0.25, 0.26, 0.31, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3],
}

# name: (sequence, monitored value, arguments)
EARLY = {
    "default": ("valley", "val_loss", {}),
    "patience2": ("valley", "val_loss", {"patience": 2, "restore_best_weights": True}),
    "patience3": ("valley", "val_loss", {"patience": 3, "restore_best_weights": True}),
    "patience9": ("valley", "val_loss", {"patience": 9, "restore_best_weights": True}),
    "delta": ("valley", "val_loss", {"patience": 2, "min_delta": 0.15, "restore_best_weights": True}),
    "negative_delta": ("valley", "val_loss", {"patience": 2, "min_delta": -0.15, "restore_best_weights": True}),
    "baseline": ("valley", "val_loss", {"patience": 3, "baseline": 0.5, "restore_best_weights": True}),
    "baseline_met": ("valley", "val_loss", {"patience": 2, "baseline": 0.75, "restore_best_weights": True}),
    "start": ("valley", "val_loss", {"patience": 1, "start_from_epoch": 4, "restore_best_weights": True}),
    "accuracy": ("rising", "val_accuracy", {"patience": 2, "restore_best_weights": True}),
    "min_of_rising": ("rising", "val_accuracy", {"patience": 2, "mode": "min", "restore_best_weights": True}),
    "max": ("valley", "val_loss", {"patience": 2, "mode": "max", "restore_best_weights": True}),
}
REDUCE = {
    "default": ("plateau", "val_loss", {}),
    "patience2": ("plateau", "val_loss", {"patience": 2}),
    "patience0": ("valley", "val_loss", {"patience": 0, "factor": 0.5}),
    "cooldown": ("plateau", "val_loss", {"patience": 1, "factor": 0.5, "cooldown": 2}),
    "floor": ("plateau", "val_loss", {"patience": 1, "factor": 0.25, "min_lr": 0.01}),
    "no_delta": ("plateau", "val_loss", {"patience": 2, "min_delta": 0, "factor": 0.5}),
    "accuracy": ("rising", "val_accuracy", {"patience": 2, "factor": 0.5}),
}
SAVE = {
    "every_epoch": ("valley", {}, "{epoch:02d}.keras"),
    "best": ("valley", {"save_best_only": True}, "{epoch}-{val_loss:.2f}.keras"),
    "best_threshold": ("valley", {"save_best_only": True, "initial_value_threshold": 0.7}, "{epoch:03d}-{val_loss:.4f}.keras"),
    "batches": ("valley", {"save_freq": 3}, "{epoch}-{batch:02d}.keras"),
}


class Inject(keras.callbacks.Callback):
    def __init__(self, name, values):
        super().__init__()
        self.name, self.values = name, values

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = self.values[epoch]


def model():
    m = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])
    m.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return m


def fit(callbacks, epochs, batch_size=8, validation=True):
    x, y = np.arange(16, dtype="float32").reshape(8, 2) / 16, np.arange(8) % 2
    m = model()
    return m.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0, callbacks=callbacks,
                 validation_data=(x, y) if validation else None)


def line(name, values):
    print(f"{name}: " + " ".join(f"{v:.17g}" if isinstance(v, float) else str(v) for v in values))


def escaped(text):
    return text.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")


print(f"# keras {keras.__version__}, backend {keras.backend.backend()}; made by record_callbacks.py")
for name, values in SEQUENCES.items():
    line(f"sequence.{name}", values)

print("# early.NAME: epochs that ran, best epoch from 0")
for name, (sequence, monitor, arguments) in EARLY.items():
    early = keras.callbacks.EarlyStopping(monitor=monitor, **arguments)
    history = fit([Inject(monitor, SEQUENCES[sequence]), early], len(SEQUENCES[sequence]))
    print(f"# {sequence} {monitor} {arguments}")
    line(f"early.{name}", [len(history.epoch), early.best_epoch])

print("# reduce.NAME: learning_rate of each epoch")
for name, (sequence, monitor, arguments) in REDUCE.items():
    reduce = keras.callbacks.ReduceLROnPlateau(monitor=monitor, **arguments)
    history = fit([Inject(monitor, SEQUENCES[sequence]), reduce], len(SEQUENCES[sequence]))
    print(f"# {sequence} {monitor} {arguments}")
    line(f"reduce.{name}", history.history["learning_rate"])

print("# scheduler: learning_rate of each epoch with schedule(epoch, rate) = rate * 0.5 + 0.01 * epoch")
scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5 + 0.01 * epoch)
line("scheduler", fit([scheduler], 5).history["learning_rate"])

print("# save.NAME: the files that were written")
for name, (sequence, arguments, pattern) in SAVE.items():
    with tempfile.TemporaryDirectory() as folder:
        saver = keras.callbacks.ModelCheckpoint(os.path.join(folder, pattern), **arguments)
        fit([Inject("val_loss", SEQUENCES[sequence]), saver], 6, batch_size=2 if "save_freq" in arguments else 8)
        print(f"# {sequence} {arguments} {pattern}")
        print(f"save.{name}: " + " ".join(sorted(os.listdir(folder))))

print("# csv.NAME: the text of the file")


class InjectAll(keras.callbacks.Callback):
    rows = [{"accuracy": 0.1, "loss": 2.302585, "val_accuracy": 1.0, "val_loss": 1e-05},
            {"accuracy": 0.30000001192092896, "loss": float("nan"), "val_accuracy": 0.0, "val_loss": float("inf")},
            {"accuracy": 1 / 3, "loss": 123456789012345678.0, "val_accuracy": 5e-324, "val_loss": -0.0}]

    def on_epoch_end(self, epoch, logs=None):
        for key in logs:
            logs[key] = self.rows[epoch][key]
        logs["extra"] = 0.5 * epoch


for name, arguments, validation, before in (("plain", {}, True, None), ("no_validation", {}, False, None),
                                            ("semicolon", {"separator": ";"}, True, None),
                                            ("append", {"append": True}, True, "old line\n"),
                                            ("append_new", {"append": True}, True, None),
                                            ("overwrite", {}, True, "old line\n")):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "log.csv")
        if before is not None:
            open(path, "w").write(before)
        fit([InjectAll(), keras.callbacks.CSVLogger(path, **arguments)], 3, validation=validation)
        print(f"csv.{name}: " + escaped(open(path, newline="").read()))
sys.stdout.flush()
