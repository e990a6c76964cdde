#!/usr/bin/env python3
"""Writes an event file with TensorBoard's own classes, as hexadecimal digits, 32 bytes a line.

    record_events.py > events.txt

README.md in this folder describes the file.
"""
import io

import google.protobuf
import tensorboard.version
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary
from tensorboard.summary.writer.record_writer import RecordWriter

WALL = 1700000000.25
buffer = io.BytesIO()
writer = RecordWriter(buffer)


def add(**arguments):
    writer.write(Event(**arguments).SerializeToString())


def scalar(step, tag, value):
    add(wall_time=WALL + step, step=step, summary=Summary(value=[Summary.Value(tag=tag, simple_value=value)]))


def histogram(step, tag, **arguments):
    add(wall_time=WALL + step, step=step, summary=Summary(value=[Summary.Value(tag=tag, histo=HistogramProto(**arguments))]))


add(wall_time=WALL, file_version="brain.Event:2")
scalar(0, "epoch_loss", 0.25)
scalar(1, "epoch_loss", 0.0)
scalar(300, "epoch_accuracy", 0.1)
scalar(2**40, "batch_loss", float("nan"))
scalar(7, "a" * 200, -1e-30)
# 0, 1, ... 30: one in each bucket, two in the last
histogram(2, "dense/kernel/histogram", min=0, max=30, num=31, sum=465, sum_squares=9455,
          bucket_limit=[float(i) for i in range(1, 31)], bucket=[1.0] * 29 + [2.0])
histogram(3, "dense/bias/histogram", min=-2, max=-2, num=3, sum=-6, sum_squares=12, bucket_limit=[-2.0], bucket=[3.0])
histogram(4, "empty", min=0, max=0, num=0, sum=0, sum_squares=0)

print(f"# tensorboard {tensorboard.version.VERSION}, protobuf {google.protobuf.__version__}; made by record_events.py")
data = buffer.getvalue()
for at in range(0, len(data), 32):
    print(data[at:at + 32].hex())
