"""Any callable on a batch, captured as one functional ATen graph with a free batch dimension."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import final

import torch
import torch.fx
from torch import Tensor
from torch.func import functionalize, vmap
from torch.fx.experimental.proxy_tensor import make_fx

from lipcert.errors import LipcertError, RefusedModelError
from lipcert.load.decompositions import capture_table, pure_composites
from lipcert.load.folding import FUSED_ATTENTION, Fold, FusedAttentionError, StorageKey, storage_key
from lipcert.load.merge import merge
from lipcert.load.normalise import normalise
from lipcert.load.source import Source

BATCHES = (2, 3)
_PROBE_SEED = 20260101


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """A captured graph, the user's names of its constants, and how it was had."""

    module: torch.fx.GraphModule
    names: dict[str, str]
    per_sample: bool


def capture(source: Source, input_shape: tuple[int, ...]) -> Captured:
    """Capture `source` at two batch sizes and merge; sample by sample where the file cannot run a batch.

    Raises RefusedModelError (or a kind of it) with the first reason when neither way works.
    """
    functional = source.format != "onnx"
    try:
        try:
            return _capture(source.function, source.named, input_shape, functional=functional)
        except Exception as error:
            if not _is_fused_attention(error):
                raise
            # With gradients on, eval-mode attention takes the path of plain operations.
            return _capture(source.function, source.named, input_shape, functional=functional, gradients=True)
    except LipcertError as error:
        reason: LipcertError = error
    except Exception as error:  # noqa: BLE001  whatever the model's own code raises on a batch it does not take
        reason = _as_refusal(error)
    try:
        per_sample = vmap(_one_sample(source.function))
        return _capture(per_sample, source.named, input_shape, functional=False, per_sample=True)
    except Exception as error:
        raise reason from error


def _one_sample(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda sample: function(sample.unsqueeze(0)).squeeze(0)


def _is_fused_attention(error: Exception) -> bool:
    """Inside TorchScript our own refusal comes back as a RuntimeError that quotes the call."""
    return isinstance(error, FusedAttentionError) or any(f"torch.{op}(" in str(error) for op in FUSED_ATTENTION)


def _as_refusal(error: Exception) -> RefusedModelError:
    lines = [line for line in str(error).splitlines() if line.strip() not in ("", "RuntimeError:")]
    lines = lines or [type(error).__name__]
    return RefusedModelError(
        f"the model could not be traced as one graph: {lines[-1][:300]}",
        hint="Control flow on data, data-dependent shapes and custom classes cannot be analysed; export the plain net.",
    )


def _capture(
    function: Callable[[Tensor], Tensor],
    named: Mapping[str, Tensor],
    input_shape: tuple[int, ...],
    *,
    functional: bool,
    gradients: bool = False,
    per_sample: bool = False,
) -> Captured:
    keys = {storage_key(tensor): name for name, tensor in named.items() if tensor.numel()}
    traced = [_trace(function, keys, (batch, *input_shape), functional, gradients) for batch in BATCHES]
    names = {
        str(node.target): name
        for node in traced[0][0].graph.nodes
        if node.op == "get_attr" and (name := traced[0][1].name_of(getattr(traced[0][0], str(node.target))))
    }
    module = _own(normalise(merge([module for module, _ in traced], BATCHES)))
    _refuse_impure(module)
    return Captured(module=module, names=names, per_sample=per_sample)


def _trace(
    function: Callable[[Tensor], Tensor],
    keys: Mapping[StorageKey, str],
    shape: tuple[int, ...],
    functional: bool,  # noqa: FBT001
    gradients: bool,  # noqa: FBT001
) -> tuple[torch.fx.GraphModule, Fold]:
    """Capture at one batch size, and the Fold that knows the names."""
    folds: list[Fold] = []
    pure = functionalize(function) if functional else function

    def folded(batch: Tensor) -> Tensor:
        folds.append(Fold(batch, keys))
        attention = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)
        with folds[-1], attention:
            return pure(batch)

    x = torch.rand(shape, generator=torch.Generator().manual_seed(_PROBE_SEED))
    mode: AbstractContextManager[object] = torch.enable_grad() if gradients else torch.no_grad()
    # The profiling executor of TorchScript would run another graph the second time.
    with mode, pure_composites(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
        module = make_fx(folded, decomposition_table=capture_table())(x.requires_grad_(gradients))
    return module, folds[-1]


def _own(module: torch.fx.GraphModule) -> torch.fx.GraphModule:
    """Copy the constants out of the model they came from, without gradients."""
    root = torch.nn.Module()
    for node in module.graph.nodes:
        if node.op == "get_attr" and not hasattr(root, str(node.target)):
            root.register_buffer(str(node.target), getattr(module, str(node.target)).detach().clone())
    return torch.fx.GraphModule(root, module.graph)


def _refuse_impure(module: torch.fx.GraphModule) -> None:
    """An op that writes in place, or of no ATen kind, would make the graph something else than a function."""
    for node in module.graph.nodes:
        schema = getattr(node.target, "_schema", None)
        if schema is not None and schema.is_mutable:
            raise RefusedModelError(f"operation {node.target} writes in place and could not be made functional")
        if schema is not None and not schema.name.startswith("aten::"):
            raise RefusedModelError(
                f"operation {schema.name} is not a plain ATen op",
                hint="Quantised and custom ops have no float graph; export the float model.",
            )
