"""The whole files that mutants are made of, as small as they get."""

import functools
import io
import os
import pickle
import warnings

import numpy as np
import torch

from tests.load.onnx_models import model, node, weights

TOML = b"""[preprocess]
scale = 255
mean = [0.4914, 0.4822, "1/3"]
std = [0.2470, 0.2435, 0.2616]
layout = "nchw"
input-range = [0, 1]

[data]
path = "val.npz"
labels = "labels.npy"
"""

POLICY = b"""schema = 1
fail-on = "error"

[data]
path = "data/val.npz"
[preprocess]
scale = 255
mean = [0.4914, 0.4822, 0.4465]
[checks."clean.accuracy"]
level = "error"
min = 0.90
[checks."certified.accuracy"]
level = "warning"
norm = "linf"
eps = "2/255"
min = 0.35
regression = "1%"
[[ignore]]
check = "clean.accuracy"
model = "zoo/old/*"
reason = "legacy, retired in Q1"
expires = 2027-03-31
"""


@functools.cache
def net():
    layers = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3)).eval()
    with torch.no_grad():
        for number, value in enumerate(layers.parameters()):
            value.copy_(torch.from_numpy(weights(*value.shape, seed=number)))
    return layers


@functools.cache
def torchscript():
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(net()), buffer)
    return buffer.getvalue()


@functools.cache
def exported():
    buffer = io.BytesIO()
    batch = torch.export.Dim("batch")
    program = torch.export.export(net(), (torch.zeros(2, 4),), dynamic_shapes=({0: batch},))
    torch.export.save(program, buffer)
    return buffer.getvalue()


@functools.cache
def onnx():
    nodes = [
        node("Reshape", "x s", "r"),
        node("Conv", "r k", "c", pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        node("MaxPool", "c", "m", kernel_shape=[2, 2], strides=[1, 1]),
        node("Flatten", "m", "f", axis=1),
        node("Gemm", "f w b", "g", transB=1, alpha=0.5),
        node("Softmax", "g", "y", axis=1),
    ]
    constants = {
        "s": np.array([-1, 1, 2, 2]),
        "k": weights(2, 1, 3, 3),
        "w": weights(3, 2, seed=1),
        "b": weights(3, seed=2),
    }
    return model(nodes, constants).SerializeToString()


@functools.cache
def npz():
    buffer = io.BytesIO()
    images = (np.arange(5 * 4) * 12).reshape(5, 4).astype(np.uint8)
    np.savez_compressed(buffer, images=images, labels=np.array([0, 1, 2, 0, 1]))
    return buffer.getvalue()


SEEDS = {
    "torchscript": torchscript,
    "exported": exported,
    "onnx": onnx,
    "npz": npz,
    "config": lambda: TOML,
    "policy": lambda: POLICY,
}


class _Payload:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch '{self.mark}'",)


def payload(mark):
    """A pickle that leaves a file behind where it is opened."""
    return pickle.dumps(_Payload(mark), protocol=2)
