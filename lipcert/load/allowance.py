"""A bound on the memory a model may take when it is first run, held before each tensor is made."""

from __future__ import annotations

import os
from typing import Any, final

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from lipcert.errors import RefusedModelError
from lipcert.load.preflight.onnx_message import MAX_ELEMENTS

_SHARE = 0.5
_FALLBACK = 2**34


@final
class Allowance(TorchDispatchMode):
    """Asks of every operation how large its result will be, and refuses before the memory is taken.

    The size comes from torch's own shape functions (the meta device), so that nothing is allocated. An operation
    without one, or whose size depends on the data, runs unasked. The sum over all results stays under half of the
    machine's memory, since a graph's values are kept while it is read.

    refusal  what was raised, for callers whose runtime turns it into an error of its own without a word
    """

    def __init__(self, *, samples: int = 1) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.largest = MAX_ELEMENTS * max(1, samples)
        self.left = memory_share()
        self.refusal: RefusedModelError | None = None

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run `func` once the size of its result is known to be bearable. Raises RefusedModelError."""
        kwargs = dict(kwargs or {})
        for result in _results(func, args, kwargs):
            count = result.numel()
            # A view takes no memory, but whatever reads it next will.
            self.left -= 0 if func.is_view else count * result.element_size()
            if count > self.largest or self.left < 0:
                self.refusal = RefusedModelError(
                    f"operation {func} asks for a tensor of shape {list(result.shape)!s:.80}; at most "
                    f"{self.largest:,} elements, and half of this machine's memory in all, are given to one sample",
                    hint="A classifier of this size cannot be analysed here; check the input shape.",
                )
                raise self.refusal
        return func(*args, **kwargs)


def memory_share() -> int:
    """Half of the machine's memory in bytes; 16 GiB where the system does not tell."""
    try:
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * _SHARE)
    except (ValueError, OSError, AttributeError):
        return _FALLBACK


def _results(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
    """What an operation gives, by shape alone; nothing where only running it would tell."""
    if any(argument.name == "device" for argument in func._schema.arguments):
        kwargs = {**kwargs, "device": torch.device("meta")}
    try:
        arguments, keywords = tree_map(_shadow, (args, kwargs))
        found = func(*arguments, **keywords)
    except Exception:  # noqa: BLE001  the operation itself will say what is wrong with it
        return []
    return [leaf for leaf in tree_leaves(found) if isinstance(leaf, Tensor)]


def _shadow(value: Any) -> Any:
    """A tensor without entries in place of one with."""
    if not isinstance(value, Tensor):
        return value
    return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device="meta")
