#!/usr/bin/env python3
"""Rival for prediction: PyTorch, a frozen TorchScript module under inference_mode."""
import os

import predict_contract as shared

options = shared.options()
os.environ["OMP_NUM_THREADS"] = str(options.threads)
x = shared.images(options.data)

import torch

model = torch.nn.Sequential(
    torch.nn.Linear(784, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10), torch.nn.Softmax(dim=-1)
).eval()
kernel1, bias1, kernel2, bias2 = map(torch.from_numpy, shared.weights())
model.load_state_dict({"0.weight": kernel1.T, "0.bias": bias1, "2.weight": kernel2.T, "2.bias": bias2})
frozen = torch.jit.optimize_for_inference(torch.jit.trace(model, torch.zeros(1, 784)))


def predict(rows):
    with torch.inference_mode():
        return frozen(torch.from_numpy(rows)).numpy()


torch.set_num_threads(1)  # one image is faster on one thread
one_image = shared.one_image_microseconds(predict, x, 5000)
torch.set_num_threads(options.threads)
shared.contract.report(
    "predict_pytorch", f"torch {torch.__version__}", options.threads,
    one_image_microseconds=one_image,
    ten_thousand_images_seconds=shared.all_images_seconds(predict, x, options.repeats),
)
