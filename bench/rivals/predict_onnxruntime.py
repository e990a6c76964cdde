#!/usr/bin/env python3
"""Rival for prediction: ONNX Runtime. One image runs on one thread (waking a second costs more than it brings)."""
import predict_contract as shared

options = shared.options()
x = shared.images(options.data)

import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def model():
    names = ("kernel1", "bias1", "kernel2", "bias2")
    return helper.make_model(
        helper.make_graph(
            [
                helper.make_node("Gemm", ["x", "kernel1", "bias1"], ["a"]),
                helper.make_node("Relu", ["a"], ["hidden"]),
                helper.make_node("Gemm", ["hidden", "kernel2", "bias2"], ["logits"]),
                helper.make_node("Softmax", ["logits"], ["y"], axis=-1),
            ],
            "mnist",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 784])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])],
            [numpy_helper.from_array(w, name) for w, name in zip(shared.weights(), names)],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    ).SerializeToString()


def session(threads):
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    opened = onnxruntime.InferenceSession(model(), settings, providers=["CPUExecutionProvider"])
    return lambda rows: opened.run(None, {"x": rows})[0]


shared.contract.report(
    "predict_onnxruntime", f"onnxruntime {onnxruntime.__version__}", options.threads,
    one_image_microseconds=shared.one_image_microseconds(session(1), x, 5000),
    ten_thousand_images_seconds=shared.all_images_seconds(session(options.threads), x, options.repeats),
)
