"""CIFAR batches of the Python version. They are pickles, so nothing in them is ever called.

The unpickler knows four names, those numpy writes for an array, and answers each with a recorder of its own.
The arrays are then built here from the recorded shape, dtype and bytes. Any other name ends the reading.
"""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any, final

import numpy as np

from lipcert.errors import DataError
from lipcert.load.formats.base import FORMATS, AbstractFormat, Array, RawSamples
from lipcert.load.formats.guard import check_memo

_DTYPES = frozenset({"u1", "i1", "i2", "i4", "i8", "f4", "f8"})
_HINT = "use the binary version of CIFAR, or store the samples as .npz"


@final
@FORMATS.register("cifar-python")
class CifarPythonFormat(AbstractFormat):
    """A pickled dict with `data`, uint8 (N, 3072), and `labels` or `fine_labels`."""

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:  # noqa: ARG004
        """A pickle of protocol 2 or later."""
        return len(head) > 2 and head[0] == 0x80 and head[1] in range(2, 6)

    @staticmethod
    def read(path: Path, *, separate_labels: bool) -> RawSamples:  # noqa: ARG004
        """Read the batch."""
        batch = _unpickle(path)
        keys = ", ".join(str(key) for key in batch) if isinstance(batch, dict) else type(batch).__name__
        data = batch.get("data") if isinstance(batch, dict) else None
        if not isinstance(data, _Array):
            raise DataError(f"expected a CIFAR batch with 'data' in the pickle {path}, found: {keys}", hint=_HINT)
        pixels = data.build(path)
        if pixels.dtype != np.uint8 or pixels.ndim != 2 or pixels.shape[1] != 3072:
            raise DataError(f"expected uint8 (N, 3072) in {path}, got {pixels.dtype} {pixels.shape}", hint=_HINT)
        labels = batch.get("labels", batch.get("fine_labels"))
        if not isinstance(labels, list) or not all(type(label) is int for label in labels):
            raise DataError(f"expected a list of integers as 'labels' or 'fine_labels' in {path}", hint=_HINT)
        return RawSamples(
            inputs=pixels.reshape(-1, 3, 32, 32), labels=np.asarray(labels, dtype=np.int64), files=(path,)
        )


class AbstractRecorder:
    """Stands for something named in a pickle. Setting state on the name itself is refused."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("state set on something that takes none")


@final
class _ArrayName(AbstractRecorder):
    """`numpy.ndarray`, which batches pass around and never call."""

    __slots__ = ()


@final
class _Reconstruct(AbstractRecorder):
    """`numpy.core.multiarray._reconstruct`: gives an array whose state follows."""

    __slots__ = ()

    def __call__(self, *_: Any) -> _Array:
        return _Array()


@final
class _DtypeName(AbstractRecorder):
    """`numpy.dtype`."""

    __slots__ = ()

    def __call__(self, code: Any, *_: Any) -> _Dtype:
        return _Dtype(_text(code))


@final
class _Encode(AbstractRecorder):
    """`_codecs.encode`, by which Python 3 writes bytes at protocol 2."""

    __slots__ = ()

    def __call__(self, text: Any, encoding: Any = "latin1") -> bytes:
        if not isinstance(text, str) or _text(encoding) not in {"latin1", "latin-1"}:
            raise pickle.UnpicklingError("an encoding other than latin1")
        return text.encode("latin1")


@final
class _Dtype:
    """A dtype's code; its state tells the byte order."""

    __slots__ = ("code", "order")

    def __init__(self, code: str) -> None:
        self.code = code
        self.order = "|"

    def __setstate__(self, state: Any) -> None:
        self.order = _text(state[1])


@final
class _Array:
    """Shape, dtype and bytes of an array, as pickled."""

    __slots__ = ("state",)

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def build(self, path: Path) -> Array:
        """The array. Raises DataError when its parts do not fit together."""
        try:
            return _assemble(*self.state[1:])
        except (AttributeError, TypeError, ValueError) as error:
            raise DataError(f"the array in the pickle {path} is not well formed: {error}", hint=_HINT) from error


def _assemble(shape: tuple[int, ...], dtype: _Dtype, fortran: object, content: str | bytes) -> Array:
    """An array from its recorded parts. Raises ValueError when they do not fit together."""
    content = content.encode("latin1") if isinstance(content, str) else content
    if dtype.code not in _DTYPES or dtype.order not in {"|", "<", ">", "="}:
        raise ValueError(f"dtype {dtype.order}{dtype.code}")
    kind = np.dtype(dtype.order + dtype.code)
    if len(content) != math.prod(shape) * kind.itemsize:
        raise ValueError(f"{len(content):,} bytes for shape {shape}")
    return np.frombuffer(content, dtype=kind).reshape(shape, order="F" if fortran else "C")


_NAMES = {
    ("numpy.core.multiarray", "_reconstruct"): _Reconstruct(),
    ("numpy._core.multiarray", "_reconstruct"): _Reconstruct(),
    ("numpy", "ndarray"): _ArrayName(),
    ("numpy", "dtype"): _DtypeName(),
    ("_codecs", "encode"): _Encode(),
}


@final
class _Unpickler(pickle.Unpickler):
    """Resolves the names above and no other."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module}.{name}") from None


def _text(value: Any) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


def _unpickle(path: Path) -> Any:
    """The batch, its keys as text. Raises DataError on anything but plain containers and arrays."""
    check_memo(path)
    try:
        with path.open("rb") as stream:
            batch = _Unpickler(stream, encoding="latin1").load()
    except Exception as error:
        raise DataError(
            f"{path} is a pickle but no CIFAR batch ({error}); no other is read, because unpickling runs code",
            hint=_HINT,
        ) from error
    return {_text(key): value for key, value in batch.items()} if isinstance(batch, dict) else batch
