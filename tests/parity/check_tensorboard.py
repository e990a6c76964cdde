#!/usr/bin/env python3
"""Lets the tool train with --tensorboard and reads what it wrote with TensorBoard itself.

    check_tensorboard.py CORNU TRAIN_OPTION...

Exit status 77 where TensorBoard is not installed.
"""
import json
import math
import os
import subprocess
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    sys.exit(77)

EPOCHS = 3


def read(folder):
    events = EventAccumulator(folder, size_guidance={"scalars": 0, "histograms": 0})
    events.Reload()
    return events


with tempfile.TemporaryDirectory() as folder:
    command = [*sys.argv[1:], "--epochs", str(EPOCHS), "--validation-split", "0.1", "--tensorboard", folder, "--output",
               f"{folder}/model.safetensors", "--quiet", "--json"]
    history = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["history"]
    train, validation = read(f"{folder}/train"), read(f"{folder}/validation")
    assert set(train.Tags()["scalars"]) == {"epoch_loss", "epoch_accuracy", "epoch_learning_rate"}, train.Tags()
    assert set(validation.Tags()["scalars"]) == {
        "epoch_loss", "epoch_accuracy", "evaluation_loss_vs_iterations", "evaluation_accuracy_vs_iterations"}, validation.Tags()
    for name, values in history.items():
        events = (validation if name.startswith("val_") else train).Scalars("epoch_" + name.removeprefix("val_"))
        assert [e.step for e in events] == list(range(EPOCHS)), events
        for event, value in zip(events, values):
            assert math.isclose(event.value, value, rel_tol=1e-7), (name, event, value)
            assert abs(event.wall_time - os.path.getmtime(folder)) < 3600, event
    weights = train.Tags()["histograms"]
    assert sorted(weights) == ["dense/bias/histogram", "dense/kernel/histogram",
                               "dense_1/bias/histogram", "dense_1/kernel/histogram"], weights
    for tag in weights:
        for event in train.Histograms(tag):
            h = event.histogram_value
            assert len(h.bucket) == len(h.bucket_limit) and sum(h.bucket) == h.num and h.bucket_limit[-1] == h.max, tag
            assert h.num > 0 and h.min <= h.sum / h.num <= h.max and h.sum_squares >= 0, tag
    print(f"{len(history)} scalars and {len(weights)} histograms over {EPOCHS} epochs are as they should be")
