"""IDX arrays, the format MNIST is given in, plain or gzipped."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import final

import numpy as np

from lipcert.errors import DataError
from lipcert.load.formats.base import FORMATS, AbstractFormat, Array, RawSamples
from lipcert.load.formats.guard import check_size

GZIP = b"\x1f\x8b"
_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


@final
@FORMATS.register("idx")
class IdxFormat(AbstractFormat):
    """An images file, and beside it the labels file of the conventional name where there is one."""

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:  # noqa: ARG004
        """Two zero bytes, a dtype and an axis count; or gzip, which no other format here uses."""
        return head.startswith(GZIP) or is_idx(head)

    @staticmethod
    def read(path: Path, *, separate_labels: bool) -> RawSamples:
        """Read the images, and the labels of `train-labels-idx1-ubyte` for `train-images-idx3-ubyte`."""
        sibling = None if separate_labels else labels_beside(path)
        inputs = read_idx(path)
        if sibling is None:
            notes = () if separate_labels else (f"no labels: no labels file lies beside {path.name}",)
            return RawSamples(inputs=inputs, labels=None, files=(path,), notes=notes)
        notes = (f"labels: {sibling.name}",)
        return RawSamples(inputs=inputs, labels=read_idx(sibling), files=(path, sibling), notes=notes)


def is_idx(head: bytes) -> bool:
    """Whether the bytes begin an IDX file."""
    return len(head) >= 4 and head[:2] == b"\0\0" and head[2] in _DTYPES and 1 <= head[3] <= 8


def labels_beside(path: Path) -> Path | None:
    """The labels file that goes with an images file by its name, zipped or not."""
    if "images" not in path.name:
        return None
    plain = path.name.replace("images", "labels").replace("idx3", "idx1").removesuffix(".gz")
    candidates = (path.with_name(plain + suffix) for suffix in ("", ".gz"))
    return next((candidate for candidate in candidates if candidate.is_file() and candidate != path), None)


def read_idx(path: Path) -> Array:
    """The array of an IDX file. Raises DataError when it is not one, or shorter or longer than it says."""
    try:
        with gzip.open(path) if _zipped(path) else path.open("rb") as stream:
            magic = stream.read(4)
            if not is_idx(magic):
                raise DataError(
                    f"expected an IDX file (MNIST's format) in {path}, but its first bytes are {magic.hex(' ')}",
                    hint="unzip a .gz of another format first",
                )
            shape = tuple(int(length) for length in np.frombuffer(stream.read(4 * magic[3]), dtype=">u4"))
            dtype = np.dtype(_DTYPES[magic[2]])
            size = math.prod(shape) * dtype.itemsize
            check_size(size, path.stat().st_size, path)
            content = stream.read(size + 1)
    except (EOFError, OSError, zlib.error, ValueError) as error:
        raise DataError(f"expected a complete IDX file in {path}, but it is damaged: {error}", hint=_HINT) from error
    if len(shape) != magic[3] or len(content) != size:
        came = f"at least {len(content):,}" if len(content) > size else f"{len(content):,}"
        raise DataError(
            f"expected {size:,} bytes after the header of {path}, for shape {shape}; got {came}", hint=_HINT
        )
    return np.frombuffer(content, dtype=dtype).reshape(shape).astype(dtype.newbyteorder("="))


_HINT = "copy the file again from its source"


def _zipped(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == GZIP
