"""Arrays saved by numpy: `.npz` archives and single `.npy` files. Pickled objects are never read."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar, final

import numpy as np

from lipcert.errors import DataError
from lipcert.load.formats.base import FORMATS, AbstractFormat, Array, RawSamples, as_array, from_mapping
from lipcert.load.formats.guard import checked_archive
from lipcert.load.preflight.archive import open_archive

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
            with path.open("rb") as stream, open_archive(stream) as archive:
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

    def read() -> Any:
        with path.open("rb") as stream:
            _check_header(stream, path.stat().st_size, path)
        return np.load(path, allow_pickle=False)

    return as_array(_guarded(read, path), "the array", path)


def read_npz(path: Path) -> dict[str, Array]:
    """Every array of an `.npz`. Raises DataError."""
    with _open(path) as archive:
        return _guarded(lambda: {name: archive[name] for name in archive.files}, path)


def _open(path: Path) -> Any:
    """The arrays of an archive, each shown to be as large as its header says."""

    def read() -> Any:
        with checked_archive(path) as archive:
            for member in archive.infolist():
                if member.filename.endswith(".npy"):
                    with archive.open(member) as stream:
                        _check_header(stream, member.file_size, path)
        return np.load(path, allow_pickle=False)

    return _guarded(read, path)


def _check_header(stream: IO[bytes], size: int, path: Path) -> None:
    """Raise DataError where the header of an `.npy` of `size` bytes speaks of more entries than fit into it."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    wanted = math.prod(shape) * dtype.itemsize
    if not dtype.hasobject and wanted > size:
        raise DataError(
            f"expected complete numpy arrays in {path}, but one of shape {shape!s:.80} and type {dtype} lies in "
            f"{size:,} bytes: it is truncated, or its header was changed",
            hint="write the file again, or copy it again from its source",
        )


def _guarded(load: Callable[[], T], path: Path) -> T:
    """Run a numpy load; what it raises on bad files becomes a DataError."""
    try:
        return load()
    except DataError:
        raise
    except Exception as error:  # numpy reads headers with Python's own tokenizer, which raises kinds of its own
        if "allow_pickle" in str(error):
            raise DataError(
                f"{path} holds an array of Python objects, which only unpickling could read, and that runs code",
                hint="save it again as a numeric array: numpy.asarray(values, dtype=...)",
            ) from error
        raise DataError(
            f"expected complete numpy arrays in {path}, but the file is damaged or truncated: {error}",
            hint="write the file again, or copy it again from its source",
        ) from error
