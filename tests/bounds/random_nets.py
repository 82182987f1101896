"""Networks put together at random from many ops: branches added, joined and multiplied, pools, norms, gates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from lipcert.graph import Graph
from tests.captured import graph_from

Step = Callable[[Tensor], Tensor]
T = TypeVar("T")
_CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
_RESIZED = {1: "linear", 2: "bicubic", 3: "trilinear"}
_LARGEST = 2000

ACTIVATIONS: tuple[Step, ...] = (
    *(F.relu, F.relu, F.relu, F.relu6, F.hardtanh, F.hardswish, F.elu, F.selu, F.softplus, F.mish, F.gelu, F.silu),
    *(torch.sigmoid, torch.tanh, torch.abs, torch.sin, torch.erf, F.logsigmoid, F.softsign, F.tanhshrink),
    lambda x: F.leaky_relu(x, -0.5),
    lambda x: x.clamp(-0.3, 0.9),
    lambda x: (1.0 + x * x).rsqrt(),
    lambda x: (x.abs() + 0.5).log(),
    lambda x: 0.1 * x**3,
)


def random_net(seed: int, scale: float = 1.0) -> Graph:
    """The net of a seed; `scale` multiplies all its weights."""
    return _Maker(seed, scale).make()


class _Maker:
    def __init__(self, seed: int, scale: float) -> None:
        self.generator, self.scale = torch.Generator().manual_seed(seed), scale
        self.shape = self._pick([(5,), (2, 7, 6), (1, 8, 5), (3, 4), (2, 11), (1, 4, 3, 5)])
        self.steps: list[Step] = []

    def make(self) -> Graph:
        start, any_step = self.shape, (self._activation, self._residual, self._affine, self._gate, self._join)
        for _ in range(self._between(2, 6)):
            many = (*any_step, *((self._map,) * 5 if len(self.shape) > 1 else (self._dense,) * 3), self._norm)
            self._add(self._pick(many)())
        self._add(lambda x: x.flatten(1))
        self._add(self._dense())
        self._add(self._activation())
        self._add(self._linear(self.shape[-1], self._between(2, 4)))
        return graph_from(self._run, *start)

    def _run(self, x: Tensor) -> Tensor:
        for step in self.steps:
            x = step(x)
        return x

    def _add(self, step: Step) -> None:
        """Keep a step that fits the shape there is."""
        try:
            after = step(torch.zeros(2, *self.shape)).shape
        except (RuntimeError, ValueError, IndexError):
            return
        if len(after) > 1 and 0 < after.numel() <= _LARGEST:
            self.shape = tuple(after[1:])
            self.steps.append(step)

    def _between(self, least: int, most: int) -> int:
        return int(torch.randint(least, most + 1, (), generator=self.generator))

    def _pick(self, options: Sequence[T]) -> T:
        return options[self._between(0, len(options) - 1)]

    def _draw(self, *shape: int) -> Tensor:
        fan_in = math.prod(shape[1:])
        return self.scale * 1.4 / math.sqrt(fan_in) * torch.randn(shape, generator=self.generator)

    def _activation(self) -> Step:
        return self._pick(ACTIVATIONS)

    def _linear(self, inputs: int, outputs: int) -> Step:
        weight, bias = self._draw(outputs, inputs), 0.3 * self._draw(outputs)
        return lambda x: F.linear(x, weight, bias)

    def _dense(self) -> Step:
        return self._linear(self.shape[-1], self._between(3, 8))

    def _residual(self) -> Step:
        inner, bent, sign = (
            self._linear(self.shape[-1], self.shape[-1]),
            self._activation(),
            self._pick([1, -2]),
        )
        return lambda x: torch.add(x, bent(inner(x)), alpha=sign)

    def _affine(self) -> Step:
        weight = self._draw(self.shape[0]).reshape(-1, *[1] * (len(self.shape) - 1))
        kinds: list[Step] = [lambda x: x * weight / 0.7, lambda x: weight - 0.3 * x, lambda x: torch.maximum(x, weight)]
        return self._pick(kinds)

    def _gate(self) -> Step:
        first, second = self._activation(), self._activation()
        kinds: list[Step] = [
            lambda x: first(x) * second(x),
            lambda x: torch.minimum(first(x), x),
            lambda x: first(x) / (1.5 + x.abs()),
        ]
        return self._pick(kinds)

    def _join(self) -> Step:
        bent = self._activation()
        return lambda x: torch.cat([x, bent(x)], 1)

    def _norm(self) -> Step:
        count = self.shape[-1]
        weight, shift = self._draw(count), self._draw(count)
        project = [self._draw(count, count) for _ in range(3)]

        def attend(x: Tensor) -> Tensor:
            query, key, value = (x @ matrix for matrix in project)
            return x + torch.bmm(torch.softmax(torch.bmm(query, key.transpose(1, 2)), -1), value)

        return self._pick(
            [
                lambda x: F.layer_norm(x, (count,), weight, shift, 1e-2),
                lambda x: F.group_norm(x, 1, eps=1e-2),
                lambda x: F.log_softmax(x, -1),
                attend,
            ]
        )

    def _map(self) -> Step:
        axes, channels = len(self.shape) - 1, self.shape[0]
        kernel, stride, dilation = ([self._between(1, most) for _ in range(axes)] for most in (3, 3, 2))
        padding, outputs = [self._between(0, 1) for _ in range(axes)], self._between(1, 3)
        weight, bias = self._draw(outputs, channels, *kernel), 0.3 * self._draw(outputs)
        mean, variance, many = self._draw(channels), self._draw(channels).abs() + 0.1 * self.scale, [5, 6, 7][:axes]
        ceil = bool(self._between(0, 1))
        kinds: list[Step] = [
            lambda x: _CONV[axes](x, weight, bias, stride, padding, dilation),
            lambda x: _CONV[axes](x, weight, bias, stride, padding, dilation),
            lambda x: _TRANSPOSED[axes](x, weight.transpose(0, 1), bias, stride, padding),
            lambda x: _MAX[axes](x, 3, 2, 1, 1, ceil),
            lambda x: _AVERAGE[axes](x, 2, 1, 1, ceil, count_include_pad=False),
            lambda x: F.batch_norm(x, mean, variance, mean + 1.0, mean, training=False),
            lambda x: F.interpolate(x, size=many, mode=_RESIZED[axes], align_corners=False),
            lambda x: F.pad(x, [1, 2], value=1.5),
        ]
        return self._pick(kinds)
