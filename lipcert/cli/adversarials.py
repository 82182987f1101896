"""Where the worst inputs found go."""

from __future__ import annotations

from pathlib import Path

from lipcert.cli.places import check_place
from lipcert.errors import UsageError
from lipcert.pipeline.adversarials_format import ARCHIVE_MARKS, SHEET_MARKS, SUFFIX, sheet_of


def check(path: Path | None, *, overwrite: bool) -> None:
    """Refuse a file of another kind, or a place that is not for it or for the sheet beside it."""
    if path is None:
        return
    if path.suffix.lower() != SUFFIX:
        raise UsageError(
            f"--save-adversarials needs a file that ends in {SUFFIX}, got {path}",
            hint="a sheet of pictures, .png, is written beside it where the samples are images",
        )
    kind = "lipcert file of adversarial inputs"
    check_place(path, example="adversarials.npz", kind=kind, ours=is_archive, overwrite=overwrite)
    sheet = sheet_of(path)
    check_place(sheet, example="adversarials.png", kind="lipcert sheet", ours=is_sheet, overwrite=overwrite)


def is_archive(path: Path) -> bool:
    """Whether a file is empty or was written by --save-adversarials."""
    return _is(path, ARCHIVE_MARKS)


def is_sheet(path: Path) -> bool:
    """Whether a file is empty or a sheet written by --save-adversarials."""
    return _is(path, SHEET_MARKS)


def read_sheet(path: Path | None, *, since: float = 0.0) -> bytes | None:
    """The sheet in a file; None where there is none that was written after `since`, a time as of `time.time`."""
    if path is None or not path.is_file() or path.stat().st_mtime < since - 1:
        return None
    return path.read_bytes() if is_sheet(path) else None


def _is(path: Path, marks: tuple[bytes, bytes]) -> bool:
    with path.open("rb") as file:
        head = file.read(1000)
    return not head or (head.startswith(marks[0]) and marks[1] in head)
