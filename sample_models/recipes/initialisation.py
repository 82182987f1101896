"""How weights are drawn before training."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Generator, Tensor, nn


def initialise(net: nn.Module, generator: Generator, start: str = "default") -> None:
    """Draw every weight and bias anew from `generator`."""
    for layer in net.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            _STARTS[start](layer.weight, generator)
            if layer.bias is not None and start == "default":
                bound = 1 / math.sqrt(layer.weight[0].numel())
                nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
            elif layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _default(weight: Tensor, generator: Generator) -> None:
    """PyTorch's own range."""
    nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)


def _he(weight: Tensor, generator: Generator) -> None:
    nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)


def _orthogonal(weight: Tensor, generator: Generator) -> None:
    nn.init.orthogonal_(weight, generator=generator)


_STARTS: dict[str, Callable[[Tensor, Generator], None]] = {
    "default": _default,
    "uniform": _default,
    "he": _he,
    "orthogonal": _orthogonal,
}
