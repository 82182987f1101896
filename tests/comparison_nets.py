"""The untrained nets and inputs for which margins are published: drawn by numpy's PCG64, the same on every machine."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from lipcert.graph import Graph
from lipcert.load.model import to_graph
from lipcert.load.objects import read_object

SHAPE = (1, 28, 28)


class _Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 8, 3, 2, 1), nn.BatchNorm2d(8)
        self.inner, self.inner_norm = nn.Conv2d(8, 8, 3, 1, 1), nn.BatchNorm2d(8)
        self.outer, self.outer_norm = nn.Conv2d(8, 8, 3, 1, 1), nn.BatchNorm2d(8)
        self.last = nn.Linear(8 * 7 * 7, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.first(x)).relu()
        x = (x + self.outer_norm(self.outer(self.inner_norm(self.inner(x)).relu()))).relu()
        return self.last(nn.functional.max_pool2d(x, 2).flatten(1))


def _mlp() -> nn.Module:
    wide = nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU()
    return nn.Sequential(nn.Flatten(), *wide, nn.Linear(256, 10))


def _cnn() -> nn.Module:
    first, second = nn.Conv2d(1, 16, 4, 2, 1), nn.Conv2d(16, 32, 4, 2, 1)
    dense = nn.Flatten(), nn.Linear(1568, 100), nn.ReLU(), nn.Linear(100, 10)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), *dense)


_NETS = {"mlp": (_mlp, 7), "cnn": (_cnn, 11), "res": (_Residual, 13)}

# (net, samples, eps in linf) -> mean over samples and other classes of the margin's lower bound, in real arithmetic.
PUBLISHED = {
    ("mlp", 32, 0.01): -0.2523,
    ("mlp", 32, 0.02): -5.3794,
    ("mlp", 32, 0.05): -34.4524,
    ("mlp", 32, 0.1): -89.8652,
    ("cnn", 32, 0.01): 0.4906,
    ("cnn", 32, 0.02): -1.3350,
    ("cnn", 32, 0.05): -13.8800,
    ("cnn", 32, 0.1): -50.9915,
    # A pool reads the bounds of stable neurons too: refining only unstable ones gives -0.76.
    ("res", 8, 0.01): 1.58,
}


def comparison_net(name: str) -> Graph:
    """The graph of one net."""
    build, seed = _NETS[name]
    return to_graph(read_object(_drawn(build().eval(), seed)), SHAPE)[0]


def inputs(samples: int) -> Tensor:
    """Uniform in [0, 1]."""
    drawn = _generator(3).random((32, *SHAPE))
    return torch.from_numpy(drawn.astype(np.float32))[:samples]


def _generator(seed: int) -> np.random.Generator:  # noqa: TID251  the published figures are of these very draws
    return np.random.Generator(np.random.PCG64(seed))  # noqa: TID251


def _drawn(net: nn.Module, seed: int) -> nn.Module:
    draw = _generator(seed)
    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                scale = np.sqrt(2.0 / layer.weight[0].numel())
                _set(layer.weight, draw.standard_normal(tuple(layer.weight.shape)) * scale)
                _set(layer.bias, draw.standard_normal(tuple(layer.bias.shape)) * 0.05)
            elif isinstance(layer, nn.BatchNorm2d):
                _set(layer.weight, 1 + 0.2 * draw.standard_normal(layer.num_features))
                _set(layer.bias, 0.1 * draw.standard_normal(layer.num_features))
                _set(layer.running_mean, 0.1 * draw.standard_normal(layer.num_features))
                _set(layer.running_var, 1 + 0.3 * draw.random(layer.num_features))
    return net


def _set(tensor: Tensor | None, values: np.ndarray) -> None:
    assert tensor is not None
    tensor.copy_(torch.from_numpy(values.astype(np.float32)))
