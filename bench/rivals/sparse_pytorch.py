#!/usr/bin/env python3
"""Rival on very sparse inputs: PyTorch given dense rows, and PyTorch's EmbeddingBag given the positions of the ones.

EmbeddingBag is timed twice: with RMSprop on its dense
gradient (the same formula as dense rows) and, as `embedding_bag_sparse_sgd_seconds`, with sparse gradients under SGD:
the fastest thing that PyTorch offers, though a cheaper formula (its RMSprop refuses sparse gradients).
"""
import os
import time

import sparse_contract as shared

options = shared.options()
os.environ["OMP_NUM_THREADS"] = str(options.threads)

import torch

torch.set_num_threads(options.threads)
torch.set_flush_denormal(True)
positions, labels = shared.indices_and_labels()
x = torch.from_numpy(shared.dense_rows(positions))
positions, labels = torch.from_numpy(positions), torch.from_numpy(labels)


class Bag(torch.nn.Module):
    def __init__(self, sparse):
        super().__init__()
        self.table = torch.nn.EmbeddingBag(shared.INPUTS, options.width, mode="sum", sparse=sparse)
        torch.nn.init.xavier_uniform_(self.table.weight)
        self.bias = torch.nn.Parameter(torch.zeros(options.width))

    def forward(self, rows):
        return self.table(rows) + self.bias


def epoch_seconds(first_layer, inputs, make_optimizer):
    layers = [first_layer, torch.nn.ReLU()]
    for _ in range(options.depth - 1):
        layers += [torch.nn.Linear(options.width, options.width), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers, torch.nn.Linear(options.width, shared.CLASSES))
    optimizer = make_optimizer(model.parameters())
    seconds = []
    for repeat in range(options.repeats + 1):
        began = time.perf_counter()
        for batch in torch.randperm(shared.ROWS).split(options.batch_size):
            optimizer.zero_grad(set_to_none=True)
            torch.nn.functional.cross_entropy(model(inputs[batch]), labels[batch]).backward()
            optimizer.step()
        if repeat:  # the first epoch warms up
            seconds.append(time.perf_counter() - began)
    return seconds


def rmsprop(parameters):
    return torch.optim.RMSprop(parameters, lr=0.001, alpha=0.9, eps=1e-7)


shared.contract.report(
    "sparse_pytorch", f"torch {torch.__version__}", options.threads,
    steps=-(-shared.ROWS // options.batch_size),
    dense_rows_seconds=epoch_seconds(torch.nn.Linear(shared.INPUTS, options.width), x, rmsprop),
    embedding_bag_seconds=epoch_seconds(Bag(sparse=False), positions, rmsprop),
    embedding_bag_sparse_sgd_seconds=epoch_seconds(
        Bag(sparse=True), positions, lambda parameters: torch.optim.SGD(parameters, lr=0.01)
    ),
)
