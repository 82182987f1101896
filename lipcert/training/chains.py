"""Plain chains of layers, the form in which training can bound a network."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from torch import nn

from lipcert.training.absolute import Absolute

MONOTONE = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.Tanh, nn.Sigmoid, nn.Softplus, nn.Identity, nn.Flatten)
"""Activations that never fall, entry by entry, and what only renames entries; each is 1-Lipschitz as torch has it.

A leaky ReLU or an ELU may be given a slope above 1: `chain` refuses it.
"""
LINEAR = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
LIPSCHITZ = (*MONOTONE, Absolute)
"""Those, and other activations that are 1-Lipschitz."""


def chain(net: Any, purpose: str, activations: tuple[type[nn.Module], ...]) -> tuple[tuple[nn.Module, ...], nn.Linear]:
    """The layers of an nn.Sequential in order, nested ones opened, and the linear layer they end in.

    Raises TypeError naming what is no such layer.
    """
    if not isinstance(net, nn.Sequential):
        raise TypeError(f"{purpose} needs an nn.Sequential, got {type(net).__name__}")
    layers = _opened(net)
    for layer in layers:
        if not isinstance(layer, activations + LINEAR) or _is_odd(layer):
            raise TypeError(f"{purpose} knows no {layer}")
    if not layers or not isinstance(layers[-1], nn.Linear):
        raise TypeError(f"{purpose} needs a linear layer at the end")
    return tuple(layers[:-1]), layers[-1]


def _opened(net: nn.Sequential) -> Sequence[nn.Module]:
    return list(
        itertools.chain.from_iterable(_opened(part) if isinstance(part, nn.Sequential) else [part] for part in net)
    )


def _is_odd(layer: Any) -> bool:
    """Too steep, falling, or padded with something else than zeros."""
    if isinstance(layer, nn.LeakyReLU):
        return not 0 <= layer.negative_slope <= 1
    if isinstance(layer, nn.ELU):
        return not 0 <= layer.alpha <= 1
    return getattr(layer, "padding_mode", "zeros") != "zeros"
