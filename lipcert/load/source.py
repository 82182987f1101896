"""What a front end hands to the capture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, final

from torch import Tensor

Format = Literal["torchscript", "onnx", "exported", "module"]


class Oracle(Protocol):
    """The original runtime of a file, against which the captured graph is judged."""

    name: str
    fixed_batch: int | None

    def __call__(self, batch: Tensor) -> Tensor:
        """Output for a float32 CPU batch, shape (N, ...), as the original runtime computes it.

        A file whose batch is fixed at b is run in slices of b samples, the last one padded.
        """


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A model file as a differentiable function on a batch tensor.

    function        batch of samples, shape (N, *input_shape), to the model's one output, shape (N, ...)
    named           the user's name of every parameter and constant, as the very tensors `function` reads
    input_shape     shape of one sample without the batch axis; None where the file does not tell
    declared_batch  the batch size the file fixes, or None when it is free
    oracle          the original runtime; None when no runtime accepts the file
    quantised       the file computes in integers and `function` is its float reading: the oracle differs by design
    notes           what was done to the file that a reader of the report must know ("dequantised", ...)
    """

    format: Format
    description: str
    function: Callable[[Tensor], Tensor]
    named: Mapping[str, Tensor]
    input_shape: tuple[int, ...] | None
    declared_batch: int | None
    oracle: Oracle | None
    quantised: bool = False
    notes: tuple[str, ...] = ()
