"""What the pickles inside torch archives say of tensors, read without doing anything they ask for.

Every name in the stream is answered with a recorder, so nothing is imported and nothing is called. What is left is
the shape, stride and storage of each tensor, and those must fit the bytes that the archive really holds: torch
believes the pickle, and a kilobyte can claim a view of 10^12 elements or a storage longer than its bytes.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections.abc import Callable, Mapping
from typing import Any, Self, final

from lipcert.errors import RefusedModelError, UnreadableModelError

_MOST_BYTES = 2**28
_SIZES = {
    "Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1, "Byte": 1,
    "Bool": 1, "ComplexFloat": 8, "ComplexDouble": 16, "Untyped": 1, "QInt8": 1, "QUInt8": 1, "QInt32": 4,
    "QUInt4x2": 1, "QUInt2x4": 1,
}  # fmt: skip
"""Bytes of an element in each kind of storage."""


class AbstractRecorder:
    """Stands for whatever a name in the pickle means. It takes any arguments and any state, and does nothing."""

    def __new__(cls, *_: object, **__: object) -> Self:
        """A new recorder, whatever it is given."""
        return super().__new__(cls)

    def __call__(self, *_: object, **__: object) -> Self:
        """The recorder itself, whatever it is given."""
        return self

    def __setstate__(self, state: object) -> None:
        """Leave the state aside."""

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise pickle.PicklingError("a recorder stands for nothing that can be stored")

    def append(self, item: object) -> None:
        """Leave an item of a list aside."""

    def extend(self, items: object) -> None:
        """Leave the items of a list aside."""

    def __setitem__(self, key: object, value: object) -> None:
        """Leave an item of a mapping aside."""


@final
class Storage:
    """A storage as a pickle names it: how many elements of how many bytes, in which record."""

    __slots__ = ("count", "itemsize", "key")

    def __init__(self, key: str, count: int, itemsize: int) -> None:
        self.key = key
        self.count = count
        self.itemsize = itemsize


def check_pickle(content: bytes, name: str, records: Mapping[str, int]) -> None:
    """Hold every tensor that a pickle describes against the bytes of its storage.

    name     of the pickle, for the message
    records  bytes that each storage of the archive really has, by its key

    Raises:
        UnreadableModelError: not a pickle that can be followed.
        RefusedModelError: a tensor larger than its storage, or a storage larger than its record.
    """
    _check_stream(content, name)
    try:
        _Reader(content, name, records).load()
    except RefusedModelError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise UnreadableModelError(
            f"{name} in the archive cannot be followed: {reason:.200}", hint="Copy or export the model again."
        ) from error


def _check_stream(content: bytes, name: str) -> None:
    """Raise UnreadableModelError on a damaged stream, or one whose memo is made larger than the stream itself."""
    if len(content) > _MOST_BYTES:
        raise UnreadableModelError(f"{name} in the archive is a pickle of {len(content):,} bytes")
    try:
        numbered = [
            (place, int(argument or 0))
            for place, (opcode, argument, _) in enumerate(pickletools.genops(content))
            if opcode.name.endswith("PUT")
        ]
    except Exception as error:
        raise UnreadableModelError(
            f"{name} in the archive is no whole pickle: {error!s:.200}", hint="Copy or export the model again."
        ) from error
    if any(index > place for place, index in numbered):
        raise UnreadableModelError(f"{name} in the archive numbers its objects beyond their count")


@final
class _Reader(pickle.Unpickler):
    """Follows a pickle with recorders in place of all names."""

    def __init__(self, content: bytes, name: str, records: Mapping[str, int]) -> None:
        super().__init__(io.BytesIO(content))
        self._name = name
        self._records = records

    def find_class(self, module: str, name: str) -> Any:
        """A recorder, or what checks the tensors."""
        if module in ("torch._utils", "torch.jit._pickle") and name.startswith("_rebuild"):
            return self._tensor_check(name)
        return type(name, (AbstractRecorder,), {"__module__": module})

    def persistent_load(self, pid: Any) -> Storage:
        """A storage, once it is known to be no longer than its record."""
        kind, storage_type, key, _, count, *_ = pid  # old files add a view, which readers leave aside
        itemsize = _SIZES.get(str(getattr(storage_type, "__name__", "")).removesuffix("Storage"))
        if kind != "storage" or itemsize is None or not isinstance(count, int) or count < 0:
            raise pickle.UnpicklingError(f"a storage described as {pid!r:.80}")
        if key not in self._records:
            raise self._refusal(f"a tensor in the record {key!r:.40}, which the archive does not hold")
        if count * itemsize > self._records[key]:
            raise self._refusal(f"{count:,} elements of {itemsize} bytes in a record of {self._records[key]:,} bytes")
        return Storage(key, count, itemsize)

    def _tensor_check(self, name: str) -> Callable[..., Any]:
        """What stands for the function that would make a tensor of (storage, offset, shape, strides, ...)."""

        def check(*arguments: Any) -> AbstractRecorder:
            if len(arguments) >= 4 and isinstance(arguments[0], Storage):
                self._check_view(*arguments[:4])
            elif any(isinstance(argument, Storage) for argument in arguments):
                raise pickle.UnpicklingError(f"{name} with arguments in another order")
            return AbstractRecorder()

        return check

    def _check_view(self, storage: Storage, offset: Any, shape: Any, strides: Any) -> None:
        numbers = (offset, *shape, *strides)
        if not all(isinstance(n, int) for n in numbers) or min(numbers) < 0 or len(shape) != len(strides):
            raise pickle.UnpicklingError(f"a tensor of shape {shape!r:.80}, strides {strides!r:.80}")
        count = math.prod(shape)
        last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
        if count and (count > storage.count or last >= storage.count):
            raise self._refusal(
                f"a tensor of {count:,} elements, shape {list(shape)!s:.80}, in a storage of {storage.count:,}"
            )

    def _refusal(self, what: str) -> RefusedModelError:
        return RefusedModelError(
            f"{self._name} in the archive claims {what}; it was not opened",
            hint="Export the model again; tensors that are expanded views must be made contiguous first.",
        )
