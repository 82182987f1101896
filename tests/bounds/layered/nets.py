"""Networks of many shapes for the layered bounds."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Family = Callable[[], tuple[nn.Module, tuple[int, ...]]]


class Residual(nn.Module):
    """A block with a skip, whose inner path may coarsen the grid."""

    def __init__(self, inner: nn.Module, skip: nn.Module | None = None, after: nn.Module | None = None) -> None:
        super().__init__()
        self.inner, self.skip, self.after = inner, skip or nn.Identity(), after or nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.inner(x) + self.skip(x))


class Joined(nn.Module):
    """Two branches side by side."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.first(x), self.second(x)], dim=1)


def _mlp(activation: Callable[[], nn.Module]) -> Family:
    return lambda: (
        nn.Sequential(nn.Linear(6, 9), activation(), nn.Linear(9, 7), activation(), nn.Linear(7, 3)),
        (6,),
    )


def _conv(*layers: Callable[[], nn.Module], shape: tuple[int, ...] = (2, 7, 6), features: int) -> Family:
    return lambda: (nn.Sequential(*(layer() for layer in layers), nn.Flatten(), nn.Linear(features, 4)), shape)


NETS: dict[str, Family] = {
    **{
        f"mlp {kind.__name__}": _mlp(kind)
        for kind in (nn.ReLU, nn.LeakyReLU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.Sigmoid, nn.Tanh, nn.ELU)
    },
    "mlp PReLU": _mlp(lambda: nn.PReLU(init=-0.4)),
    "conv stride 2": _conv(
        lambda: nn.Conv2d(2, 3, 3, stride=2, padding=1),
        nn.ReLU,
        lambda: nn.Conv2d(3, 4, 2, padding=1),
        nn.ReLU,
        features=80,
    ),
    "conv valid": _conv(lambda: nn.Conv2d(2, 3, 3), nn.ReLU, lambda: nn.Conv2d(3, 2, 2, stride=2), nn.Tanh, features=8),
    "conv dilated, grouped": _conv(
        lambda: nn.Conv2d(2, 4, 3, padding=2, dilation=2, groups=2), nn.LeakyReLU, nn.Identity, features=168
    ),
    "conv batch norm, pools": _conv(
        lambda: nn.Conv2d(2, 3, 3, padding=1),
        lambda: nn.BatchNorm2d(3),
        nn.ReLU,
        lambda: nn.MaxPool2d(2, 1),
        lambda: nn.AvgPool2d(2),
        lambda: nn.Conv2d(3, 3, 1),
        nn.ReLU,
        features=18,
    ),
    "conv padded apart": _conv(
        lambda: nn.ZeroPad2d((2, 1, 0, 3)), lambda: nn.Conv2d(2, 3, 3, stride=(2, 1)), nn.ReLU, features=84
    ),
    "conv prelu by channel": _conv(
        lambda: nn.Conv2d(2, 3, 3), lambda: nn.PReLU(3, init=0.3), lambda: nn.Conv2d(3, 3, 2), nn.ReLU, features=36
    ),
    "conv1d": _conv(
        lambda: nn.Conv1d(2, 3, 3, padding=1),
        nn.ReLU,
        lambda: nn.Conv1d(3, 3, 3, stride=2),
        nn.ReLU,
        shape=(2, 9),
        features=12,
    ),
    "residual": _conv(
        lambda: nn.Conv2d(2, 3, 3, padding=1),
        nn.ReLU,
        lambda: Residual(nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 3, 3, padding=1))),
        features=126,
    ),
    "residual stride 2": _conv(
        lambda: Residual(
            nn.Sequential(nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(3, 3, 3, padding=1)),
            nn.Conv2d(2, 3, 1, stride=2),
        ),
        lambda: Residual(nn.Conv2d(3, 3, 3, padding=1), after=nn.GELU()),
        features=36,
    ),
    "joined": lambda: (
        nn.Sequential(Joined(nn.Sequential(nn.Linear(5, 4), nn.ReLU()), nn.Linear(5, 3)), nn.ReLU(), nn.Linear(7, 3)),
        (5,),
    ),
}
