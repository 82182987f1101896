"""Architectures drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, final

import torch
from torch import nn

from tests.bounds.layered.nets import Joined, Residual
from tests.captured import randomised

T = TypeVar("T")


@final
class Dice:
    """Random choices, all from one generator."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def random(self) -> float:
        return float(torch.rand((), generator=self.generator))

    def randint(self, low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=self.generator))

    def choice(self, options: Sequence[T]) -> T:
        return options[self.randint(0, len(options) - 1)]


ACTIVATIONS = (
    nn.ReLU,
    nn.ReLU,
    nn.ReLU6,
    nn.Hardtanh,
    nn.Sigmoid,
    nn.Tanh,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.ELU,
    nn.SELU,
    nn.Softplus,
    nn.Hardswish,
    lambda: nn.LeakyReLU(0.6),
    lambda: nn.PReLU(init=-0.3),
    lambda: nn.GELU(approximate="tanh"),
)


def drawn(seed: int) -> tuple[nn.Module, tuple[int, ...]]:
    """A network with random weights, and the shape of its input."""
    pick = Dice(seed)
    network, shape = (_flat if pick.random() < 0.3 else _windows)(pick)
    randomised(network, seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(10.0 ** (pick.random() - 0.7))
    return network, shape


def _activation(pick: Dice) -> nn.Module:
    return pick.choice(ACTIVATIONS)()


def _flat(pick: Dice) -> tuple[nn.Module, tuple[int, ...]]:
    first = width = pick.randint(2, 12)
    layers: list[nn.Module] = []
    for _ in range(pick.randint(1, 4)):
        kind, wide = pick.random(), pick.randint(2, 16)
        if kind < 0.2:
            layers.append(Residual(nn.Sequential(nn.Linear(width, wide), nn.ReLU(), nn.Linear(wide, width))))
        elif kind < 0.35:
            half = nn.Sequential(nn.Linear(width, wide), _activation(pick))
            layers += [Joined(half, nn.Linear(width, 3)), _activation(pick)]
            width = wide + 3
        else:
            layers += [nn.Linear(width, wide), _activation(pick)]
            width = wide
    return nn.Sequential(*layers, nn.Linear(width, pick.randint(2, 5))), (first,)


def _windows(pick: Dice) -> tuple[nn.Module, tuple[int, ...]]:
    axes = pick.choice((1, 2, 2))
    conv, norm = (nn.Conv1d, nn.BatchNorm1d) if axes == 1 else (nn.Conv2d, nn.BatchNorm2d)
    channels = pick.choice((1, 2, 4))
    shape = (channels, *(pick.randint(4, 9) for _ in range(axes)))
    layers: list[nn.Module] = []
    value = torch.zeros(1, *shape)
    for _ in range(pick.randint(1, 4)):
        kind = pick.random()
        taps = pick.randint(1, 4)
        if kind < 0.2:
            odd = pick.choice((1, 3))
            inner = nn.Sequential(
                conv(channels, channels, odd, padding=odd // 2), _activation(pick), conv(channels, channels, 1)
            )
            block: list[nn.Module] = [Residual(inner, after=_activation(pick))]
        elif kind < 0.3:
            block = [(nn.AvgPool1d if axes == 1 else nn.AvgPool2d)(2, 1)]
        elif kind < 0.4:
            block = [(nn.MaxPool1d if axes == 1 else nn.MaxPool2d)(2, pick.randint(1, 2))]
        else:
            groups = pick.choice((1, 1, 2)) if channels % 2 == 0 else 1
            block = [
                conv(
                    channels,
                    wide := pick.choice((2, 4)),
                    taps,
                    stride=pick.randint(1, 3),
                    padding=pick.randint(0, 3),
                    dilation=pick.randint(1, 2),
                    groups=groups,
                )
            ]
            block += [norm(wide).eval()] * (pick.random() < 0.4)
            block += [_activation(pick)] * (pick.random() < 0.8)
        try:
            with torch.no_grad():
                after = nn.Sequential(*block).eval()(value)
        except RuntimeError:  # the window is larger than what is left
            continue
        value, channels = after, after.shape[1]
        layers += block
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(value.numel(), pick.randint(2, 4))), shape
