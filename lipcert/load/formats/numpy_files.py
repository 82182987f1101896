"""Arrays saved by numpy: `.npz` archives and single `.npy` files. Pickled objects are never read."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, final

import numpy as np

from lipcert.errors import DataError
from lipcert.load.formats.base import FORMATS, AbstractFormat, Array, RawSamples, as_array, from_mapping

T = TypeVar("T")

_NPY = b"\x93NUMPY"


@final
@FORMATS.register("npz")
class NpzFormat(AbstractFormat):
    """`images` or `x`, with `labels` or `y`, in one archive."""

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:
        """A zip archive with at least one `.npy` member."""
        if not head.startswith(b"PK"):
            return False
        try:
            with zipfile.ZipFile(path) as archive:
                return any(name.endswith(".npy") for name in archive.namelist())
        except (zipfile.BadZipFile, OSError):
            return path.suffix == ".npz"

    @staticmethod
    def read(path: Path, *, separate_labels: bool) -> RawSamples:  # noqa: ARG004
        """Read the arrays asked for; the archive's other members stay compressed."""
        with _open(path) as archive:
            return _guarded(lambda: from_mapping(archive, path), path)


@final
@FORMATS.register("npy")
class NpyFormat(AbstractFormat):
    """The inputs alone; labels come from a second file."""

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:  # noqa: ARG004
        """The magic bytes of an `.npy`."""
        return head.startswith(_NPY)

    @staticmethod
    def read(path: Path, *, separate_labels: bool) -> RawSamples:
        """Read the one array."""
        notes = () if separate_labels else ("no labels: give them with --labels",)
        return RawSamples(inputs=read_npy(path), labels=None, files=(path,), notes=notes)


def read_npy(path: Path) -> Array:
    """The array of an `.npy`. Raises DataError."""
    return as_array(_guarded(lambda: np.load(path, allow_pickle=False), path), "the array", path)


def read_npz(path: Path) -> dict[str, Array]:
    """Every array of an `.npz`. Raises DataError."""
    with _open(path) as archive:
        return _guarded(lambda: {name: archive[name] for name in archive.files}, path)


def _open(path: Path) -> Any:
    return _guarded(lambda: np.load(path, allow_pickle=False), path)


def _guarded(load: Callable[[], T], path: Path) -> T:
    """Run a numpy load; what it raises on bad files becomes a DataError."""
    try:
        return load()
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, MemoryError) as error:
        if "allow_pickle" in str(error):
            raise DataError(
                f"{path} holds an array of Python objects, which only unpickling could read, and that runs code",
                hint="save it again as a numeric array: numpy.asarray(values, dtype=...)",
            ) from error
        raise DataError(
            f"expected complete numpy arrays in {path}, but the file is damaged or truncated: {error}",
            hint="write the file again, or copy it again from its source",
        ) from error
