"""TorchScript archives: scripted, traced and frozen modules."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from typing import Any, final

import torch
from torch import Tensor

from lipcert.errors import ModelError, RefusedModelError, UnreadableModelError
from lipcert.load.archive import check_intact
from lipcert.load.output import single_output
from lipcert.load.precision import HALVES, CastInput, weight_dtype
from lipcert.load.refusals import refuse_operators
from lipcert.load.screen import screen_archive
from lipcert.load.source import Source


@final
class TorchOracle:
    """A module run as it is, on the CPU in float32 without gradients."""

    def __init__(self, name: str, function: Callable[[Tensor], Tensor], fixed_batch: int | None = None) -> None:
        self.name = name
        self.fixed_batch = fixed_batch
        self._function = function

    def __call__(self, batch: Tensor) -> Tensor:
        """Output of a batch of any size; a fixed batch is filled by repeating the last sample."""
        with torch.no_grad():
            if self.fixed_batch is None:
                return self._function(batch)
            parts = [self._fixed(part, self.fixed_batch) for part in batch.split(self.fixed_batch)]
            return torch.cat(parts)

    def _fixed(self, part: Tensor, size: int) -> Tensor:
        padding = part[-1:].expand(size - len(part), *part.shape[1:])
        return self._function(torch.cat([part, padding]))[: len(part)]


def read_torchscript(data: bytes, *, output_name: str | None = None) -> Source:
    """A TorchScript archive as a source. Its input shape is nowhere in the file.

    Raises:
        UnreadableModelError: torch cannot open it.
        RefusedModelError: several inputs, or quantised or mobile-only operators without a float graph.
    """
    screen_archive(data, "torchscript")
    check_intact(data)
    try:
        module = torch.jit.load(io.BytesIO(data), map_location="cpu")
    except Exception as error:
        raise _unreadable(error) from error
    module.eval()
    return scripted_source(module, output_name=output_name)


def scripted_source(module: torch.jit.ScriptModule, *, output_name: str | None = None) -> Source:
    """A loaded ScriptModule in eval mode as a source. Raises RefusedModelError as `read_torchscript` does."""
    _refuse_signature(module)
    refuse_operators(node.kind() for node in _nodes(module.inlined_graph))
    named = _frozen_names(module) | dict(module.named_parameters()) | dict(module.named_buffers())
    function = CastInput(single_output(module, output_name), weight_dtype(named))
    return Source(
        format="torchscript",
        description="TorchScript",
        function=function,
        named=named,
        input_shape=None,
        declared_batch=None,
        oracle=TorchOracle("torchscript", function),
        quantised=function.dtype in HALVES,
    )


def _unreadable(error: Exception) -> ModelError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or ["no message"]
    if "xnnpack" in str(error) or "prepacked" in str(error):
        return RefusedModelError(
            "the archive is packed for mobile (xnnpack) and holds no plain weights",
            hint="Give the module before torch.utils.mobile_optimizer.optimize_for_mobile.",
        )
    return UnreadableModelError(f"torch cannot open the TorchScript archive: {lines[0][:300]}")


def _refuse_signature(module: Any) -> None:
    arguments = module.forward.schema.arguments[1:]
    required = [a.name for a in arguments if not a.has_default_value()]
    if len(required) != 1:
        raise RefusedModelError(
            f"the model takes {len(required)} inputs ({', '.join(required) or 'none'}); "
            "a classifier of one input is needed",
            hint="Wrap it in a module that takes one tensor and fixes the others.",
        )


def _frozen_names(module: Any) -> dict[str, Tensor]:
    """Freezing drops the names of the weights; they are called after the op that reads them: conv2d_1.weight, ..."""
    named: dict[str, Tensor] = {}
    counts: Counter[str] = Counter()
    for node in _nodes(module.inlined_graph):
        constants = {i: v.toIValue() for i, v in enumerate(node.inputs()) if v.node().kind() == "prim::Constant"}
        tensors = {i: value for i, value in constants.items() if isinstance(value, Tensor)}
        if not tensors or not node.kind().startswith("aten::"):
            continue
        op = node.kind().removeprefix("aten::").strip("_")
        counts[op] += 1
        roles = {1: "weight", 2: "bias"}
        named |= {f"{op}_{counts[op]}.{roles.get(i, f'argument{i}')}": value for i, value in tensors.items()}
    return named


def _nodes(block: Any) -> list[Any]:
    return [found for node in block.nodes() for found in (node, *(n for b in node.blocks() for n in _nodes(b)))]
