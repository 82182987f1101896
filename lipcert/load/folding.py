"""A dispatch mode under which everything that does not depend on the input is computed at once.

Entered around a traced function it turns `W.T`, weight normalisation, and chains of Shape, Gather and Concat into
constants, refuses randomness, and sends every device argument to the input's device.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, final

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import disable_proxy_modes_tracing
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from lipcert.errors import RefusedModelError

StorageKey = tuple[int, int, int]

# Random ops that draw nothing when the argument at this position (a dropout probability) is zero.
_HARMLESS_WHEN_ZERO = {"native_dropout": 1, "_scaled_dot_product_flash_attention_for_cpu": 3}
FUSED_ATTENTION = frozenset(("_native_multi_head_attention", "_transformer_encoder_layer_fwd"))


@final
class FusedAttentionError(RefusedModelError):
    """Attention that only exists as a fused inference kernel on the path taken; with gradients on it may not be."""


@final
class Fold(TorchDispatchMode):
    """Folds constants while `x` and what derives from it stay live.

    named  storage key -> the user's name of each tensor the function reads. A folded tensor inherits the names of
           what it was computed from; `name_of` looks them up.
    """

    def __init__(self, x: Tensor, named: Mapping[StorageKey, str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.device = x.device
        self._live: dict[int, Tensor] = {id(x): x}
        self._lineage = {key: frozenset((name,)) for key, name in named.items()}
        self._kept: list[Tensor] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run `func` live, or now and off the record."""
        args, kwargs = tree_map(self._to_device, (args, dict(kwargs or {})))
        _refuse(func, args)
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        if any(id(t) in self._live for t in tensors):
            out = func(*args, **kwargs)
            self._live.update((id(t), t) for t in tree_leaves(out) if isinstance(t, Tensor))
            return out
        with disable_proxy_modes_tracing():
            out = func(*args, **kwargs)
        self._inherit(tensors, out)
        return out

    def _to_device(self, value: Any) -> Any:
        return self.device if isinstance(value, torch.device) else value

    def _inherit(self, sources: list[Tensor], out: Any) -> None:
        """Let the results carry their sources' names; the results are kept, or their storage could be reused."""
        lineage = frozenset(name for t in sources for name in self._lineage.get(storage_key(t), ()))
        results = [t for t in tree_leaves(out) if isinstance(t, Tensor)]
        self._kept += results
        for t in results:
            if lineage:
                self._lineage.setdefault(storage_key(t), lineage)

    def name_of(self, tensor: Tensor) -> str | None:
        """The user's name of a constant: its own, or what the names it was computed from have in common."""
        names = sorted(self._lineage.get(storage_key(tensor), ()))
        if len(names) < 2:
            return names[0] if names else None
        return _common_start(names).rstrip("._/") or names[0]


def _common_start(names: list[str]) -> str:
    """The longest string that the first and the last of some sorted names, and so all of them, begin with."""
    pairs = zip(names[0], names[-1], strict=False)
    return "".join(a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def storage_key(tensor: Tensor) -> StorageKey:
    """What a tensor and its transpose share, and two different parameters do not."""
    return tensor.untyped_storage().data_ptr(), int(tensor.storage_offset()), tensor.numel()


def _refuse(func: Any, args: tuple[Any, ...]) -> None:
    """Raise RefusedModelError for an op whose captured result would not be the model's."""
    name = func._schema.name.split("::")[-1]
    if "mkldnn" in name or "mkl_" in name:
        raise RefusedModelError(
            f"the file was optimised for one kind of processor (op {name})",
            hint="Give the model before torch.jit.optimize_for_inference.",
        )
    if name in FUSED_ATTENTION:
        raise FusedAttentionError(
            f"fused attention ({name}) is baked into the file",
            hint="Export again with torch.jit.script, torch.export or to ONNX, or trace with gradients enabled.",
        )
    if torch.Tag.nondeterministic_seeded in func.tags and not _draws_nothing(name, args):
        raise RefusedModelError(
            f"the model draws random numbers (op {name}), so its output is no function of its input",
            hint="Call model.eval() before export.",
        )


def _draws_nothing(name: str, args: tuple[Any, ...]) -> bool:
    if name == "native_dropout" and args[2] is False:
        return True
    position = _HARMLESS_WHEN_ZERO.get(name)
    return position is not None and (len(args) <= position or args[position] == 0)
