"""What data files claim, held against what they hold, before memory is taken for it."""

from __future__ import annotations

import pickletools
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lipcert.errors import DataError, ModelError
from lipcert.load.preflight.archive import DAMAGE, DATA_EXPANSION, complaint, open_archive
from lipcert.load.preflight.torch_archive import check_tensors

_AGAIN = "write the file again, or copy it again from its source"


@contextmanager
def checked_archive(path: Path, *, any_case: bool = False) -> Iterator[zipfile.ZipFile]:
    """A zip archive of samples that is neither a bomb nor bent on purpose; see `complaint`. Raises DataError."""
    try:
        with path.open("rb") as stream, open_archive(stream) as archive:
            if (found := complaint(archive, DATA_EXPANSION, any_case=any_case)) is not None:
                raise DataError(f"{path} cannot be trusted: {found}", hint=_AGAIN)
            yield archive
    except DAMAGE as error:
        raise DataError(
            f"expected complete arrays in {path}, but the archive is damaged or truncated: {error}", hint=_AGAIN
        ) from error


def check_tensor_archive(path: Path) -> None:
    """Hold the tensors of a `torch.save` file against its bytes. Raises DataError."""
    with checked_archive(path, any_case=True) as archive:
        try:
            check_tensors(archive)
        except ModelError as error:
            raise DataError(
                f"{path}: {error.message}", hint="save tensor.contiguous() in place of an expanded view"
            ) from error


def check_size(wanted: int, stored: int, path: Path) -> None:
    """Raise DataError where a compressed file claims more than samples ever compress to."""
    if DATA_EXPANSION.exceeded(stored, wanted):
        raise DataError(
            f"the {stored:,} bytes of {path} claim to hold {wanted:,} (a decompression bomb)",
            hint="store the samples uncompressed, or as .npz",
        )


def check_memo(path: Path) -> None:
    """Raise DataError on a pickle that makes its reader's table of objects larger than its count of objects."""
    try:
        with path.open("rb") as stream:
            for place, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
                if opcode.name.endswith("PUT") and int(argument or 0) > place:
                    raise DataError(f"the pickle {path} numbers its objects beyond their count", hint=_AGAIN)
    except (ValueError, UnicodeDecodeError, OverflowError) as error:
        raise DataError(f"{path} begins like a pickle, and is no whole one: {error!s:.200}", hint=_AGAIN) from error
