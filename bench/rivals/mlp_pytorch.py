#!/usr/bin/env python3
"""Rival on dense work: one training step of a 4 x 4096 relu network with ten outputs, in PyTorch, RMSprop.

--inputs sets the width of the input (4096 unless told otherwise), --compiled 1 puts the step under torch.compile.
"""
import os
import time

import contract

options = contract.options(inputs=4096, compiled=0)
os.environ["OMP_NUM_THREADS"] = str(options.threads)

import torch

torch.set_num_threads(options.threads)
torch.set_flush_denormal(True)
cast = torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bfloat16", cache_enabled=False)
widths = [options.inputs, 4096, 4096, 4096, 4096]
layers = []
for inputs, units in zip(widths, widths[1:]):
    layers += [torch.nn.Linear(inputs, units), torch.nn.ReLU()]
model = torch.nn.Sequential(*layers, torch.nn.Linear(4096, 10))
optimizer = torch.optim.RMSprop(model.parameters(), lr=0.001, alpha=0.9, eps=1e-7)
x = torch.rand(options.batch_size, options.inputs)
y = torch.randint(0, 10, (options.batch_size,))


def step():
    optimizer.zero_grad(set_to_none=True)
    with cast:
        loss = torch.nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()


if options.compiled:
    step = torch.compile(step, dynamic=False)
seconds = []
for repeat in range(options.repeats + 2):
    began = time.perf_counter()
    step()
    if repeat >= 2:  # the first two warm up, and compile
        seconds.append(time.perf_counter() - began)
contract.report(
    "mlp_pytorch", f"torch {torch.__version__}", options.threads, step_seconds=seconds,
    batch_size=options.batch_size, precision=options.precision, compiled=bool(options.compiled),
)
