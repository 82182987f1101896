"""CIFAR-10 and CIFAR-100 batches of the binary version: one record an image, labels first."""

from __future__ import annotations

from pathlib import Path
from typing import final

import numpy as np
import numpy.typing as npt

from lipcert.errors import DataError
from lipcert.load.formats.base import FORMATS, AbstractFormat, RawSamples

_PIXELS = 3072


@final
@FORMATS.register("cifar-binary")
class CifarBinaryFormat(AbstractFormat):
    """Records of 1 + 3072 bytes (CIFAR-10) or 2 + 3072 bytes (CIFAR-100: coarse label, fine label)."""

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:
        """A size and label bytes that fit one of the two; the format has no magic number."""
        return bool(head) and (path.suffix == ".bin" or _label_bytes(path) is not None)

    @staticmethod
    def read(path: Path, *, separate_labels: bool) -> RawSamples:  # noqa: ARG004
        """Read all records; the last label byte of a record is its class."""
        count = _label_bytes(path)
        if count is None:
            raise DataError(
                f"expected CIFAR records of 3,073 or 3,074 bytes in {path}; its {path.stat().st_size:,} bytes "
                "are no whole number of them, or their label bytes are out of range",
                hint="the file may be truncated: copy it again, or store the samples as .npz",
            )
        records = _records(path, count)
        images = records[:, count:].reshape(-1, 3, 32, 32)
        return RawSamples(inputs=images, labels=records[:, count - 1].astype(np.int64), files=(path,))


def _records(path: Path, label_bytes: int) -> npt.NDArray[np.uint8]:
    return np.fromfile(path, dtype=np.uint8).reshape(-1, label_bytes + _PIXELS)


def _label_bytes(path: Path) -> int | None:
    """1 for CIFAR-10, 2 for CIFAR-100, None for neither."""
    size = path.stat().st_size
    if size and size % (1 + _PIXELS) == 0 and _records(path, 1)[:, 0].max() < 10:
        return 1
    if size and size % (2 + _PIXELS) == 0:
        records = _records(path, 2)
        if records[:, 0].max() < 20 and records[:, 1].max() < 100:
            return 2
    return None
