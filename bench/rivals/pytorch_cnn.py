#!/usr/bin/env python3
"""Rival with convolutions: job_cnn's network in PyTorch, Adam; --compiled 1 puts the step under torch.compile.

--channels-last 1 keeps pictures as (n, h, w, channels) in memory, which oneDNN's convolutions like on some CPUs.
"""
import os
import time

import contract

options = contract.options(compiled=0, channels_last=0, rows=60000)
os.environ["OMP_NUM_THREADS"] = str(options.threads)
(x, labels), (x_test, labels_test) = contract.mnist(options.data)

import torch
from torch import nn

torch.set_num_threads(options.threads)
torch.set_flush_denormal(True)
form = torch.channels_last if options.channels_last else torch.contiguous_format
x = torch.from_numpy(x[: options.rows]).view(-1, 1, 28, 28).contiguous(memory_format=form)
x_test = torch.from_numpy(x_test).view(-1, 1, 28, 28).contiguous(memory_format=form)
y, y_test = torch.from_numpy(labels[: options.rows]).long(), torch.from_numpy(labels_test).long()
cast = torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bfloat16", cache_enabled=False)


def fresh():
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten(),
        nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
    ).to(memory_format=form)
    return model, torch.optim.Adam(model.parameters(), lr=0.001, eps=1e-7, foreach=False)


def whole_step(model, optimizer, rows, classes):
    optimizer.zero_grad(set_to_none=True)
    with cast:
        loss = nn.functional.cross_entropy(model(rows), classes)
    loss.backward()
    optimizer.step()


step = torch.compile(whole_step, dynamic=False) if options.compiled else whole_step
model, optimizer = fresh()
if not options.no_warm_up:
    for batch in (options.batch_size, len(x) % options.batch_size or options.batch_size):
        step(model, optimizer, x[:batch], y[:batch])
seconds = []
for _ in range(options.repeats):
    other, _ = fresh()
    model.load_state_dict(other.state_dict())
    optimizer.state.clear()
    began = time.perf_counter()
    for _ in range(options.epochs):
        for batch in torch.randperm(len(x)).split(options.batch_size):
            step(model, optimizer, x[batch], y[batch])
    seconds.append(time.perf_counter() - began)
model.eval()
with torch.no_grad():
    said = torch.cat([model(rows).argmax(1) for rows in x_test.split(1000)])
contract.report(
    "pytorch_cnn", f"torch {torch.__version__}", options.threads, fit_seconds=seconds, epochs=options.epochs,
    test_accuracy=(said == y_test).float().mean().item(), precision=options.precision, compiled=bool(options.compiled),
    channels_last=bool(options.channels_last),
)
