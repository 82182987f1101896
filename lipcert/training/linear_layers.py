"""The linear and convolution layers of a module, as maps at their true input size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Size, Tensor, nn

from lipcert.operators import AbstractLinearOperator, AdjointOperator, ConvolutionOperator, DenseOperator

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_CONVOLVE: dict[int, Callable[..., Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_SPREAD: dict[int, Callable[..., Tensor]] = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LinearMap:
    """v -> W * v of a layer without its bias, for inputs of one shape. Only `weight` is handed in.

    input_shape  of one sample: (features,) of a linear layer, else (channels, *size)
    """

    input_shape: Size
    transposed: bool = False
    stride: tuple[int, ...] = ()
    padding: tuple[tuple[int, int], ...] = ()
    dilation: tuple[int, ...] = ()
    output_padding: tuple[int, ...] = ()
    groups: int = 1

    def apply(self, weight: Tensor, x: Tensor) -> Tensor:
        """Differentiable in both; x has shape (N, *input_shape)."""
        axes = len(self.stride)
        if not axes:
            return F.linear(x, weight)
        if self.transposed:
            padding = [before for before, _ in self.padding]
            arguments = (self.stride, padding, self.output_padding, self.groups, self.dilation)
            return _SPREAD[axes](x, weight, None, *arguments)
        padded = F.pad(x, [amount for pair in reversed(self.padding) for amount in pair])
        return _CONVOLVE[axes](padded, weight, None, self.stride, 0, self.dilation, self.groups)

    def operator(self, weight: Tensor) -> AbstractLinearOperator:
        """The same map in float64, for certified norms."""
        if not self.stride:
            return DenseOperator(weight)
        if not self.transposed:
            return self._convolution(weight, tuple(self.input_shape[1:]), None)
        size = self.apply(weight, weight.new_zeros(1, *self.input_shape)).shape[2:]
        return AdjointOperator(self._convolution(weight, tuple(size), tuple(self.input_shape[1:])))

    def _convolution(
        self, weight: Tensor, size: tuple[int, ...], outputs: tuple[int, ...] | None
    ) -> ConvolutionOperator:
        return ConvolutionOperator(
            weight,
            size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
            outputs=outputs,
        )


def linear_layers(net: nn.Module, example: Tensor) -> dict[str, tuple[LinearMap, ...]]:
    """Name of each linear and convolution layer -> its maps, one for each input shape it is applied to.

    example  a batch that `net` takes; it is run once, in evaluation mode

    Raises ValueError on a convolution that pads with something else than zeros, naming it.
    """
    names: dict[nn.Module, str] = {module: name for name, module in net.named_modules() if isinstance(module, _KINDS)}
    found: dict[str, dict[LinearMap, None]] = {}

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        found.setdefault(names[module], {})[_map(module, names[module], inputs[0])] = None

    hooks = [module.register_forward_pre_hook(note) for module in names]
    modes = {module: module.training for module in net.modules()}
    try:
        with torch.no_grad():
            net.eval()(example)
    finally:
        for hook in hooks:
            hook.remove()
        for module, mode in modes.items():
            module.training = mode
    return {name: tuple(maps) for name, maps in found.items()}


_KINDS = (nn.Linear, *_CONVOLUTIONS, *_TRANSPOSED)


def _map(module: Any, name: str, batch: Tensor) -> LinearMap:
    if isinstance(module, nn.Linear):
        return LinearMap(input_shape=batch.shape[-1:])
    if module.padding_mode != "zeros":
        raise ValueError(f"layer {name} pads with {module.padding_mode!r}: only zero padding has a certified norm")
    transposed = isinstance(module, _TRANSPOSED)
    return LinearMap(
        input_shape=batch.shape[-len(module.kernel_size) - 1 :],
        transposed=transposed,
        stride=tuple(module.stride),
        padding=_padding(module),
        dilation=tuple(module.dilation),
        output_padding=tuple(module.output_padding) if transposed else (),
        groups=int(module.groups),
    )


def _padding(module: Any) -> tuple[tuple[int, int], ...]:
    """An amount before and after, for each axis."""
    if module.padding == "valid":
        return ((0, 0),) * len(module.kernel_size)
    if module.padding == "same":
        reach = [d * (k - 1) for d, k in zip(module.dilation, module.kernel_size, strict=True)]
        return tuple((total // 2, total - total // 2) for total in reach)
    return tuple((amount, amount) for amount in module.padding)
