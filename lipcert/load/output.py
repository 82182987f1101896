"""Which of a model's outputs holds the class scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from lipcert.errors import RefusedModelError, UsageError


def choose_output(value: Any, name: str | None) -> Tensor:
    """The one tensor among a model's outputs, or the one called `name`: a dict's key or a position from 0.

    Raises:
        RefusedModelError: several outputs and no name, or an output that is no tensor.
        UsageError: a name that is not there.
    """
    outputs = _outputs(value)
    if name is not None and outputs:
        if name not in outputs:
            known = ", ".join(outputs)
            raise UsageError(
                f"the model has no output {name!r}; it has {known}", hint=f"Use --output-name with one of {known}."
            )
        return outputs[name]
    if len(outputs) != 1:
        raise RefusedModelError(
            f"the model has {len(outputs)} outputs ({', '.join(outputs) or 'no tensor'}); "
            "one must hold the class scores",
            hint=f"Say which: --output-name {' or '.join(outputs)}" if outputs else "",
        )
    return next(iter(outputs.values()))


def single_output(function: Callable[[Tensor], Any], name: str | None) -> Callable[[Tensor], Tensor]:
    """`function`, giving its chosen output only."""
    return lambda batch: choose_output(function(batch), name)


def _outputs(value: Any) -> dict[str, Tensor]:
    if isinstance(value, Tensor):
        return {"0": value}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    return {str(key): item for key, item in items if isinstance(item, Tensor)}
