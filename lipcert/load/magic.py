"""Files that are plainly something else than a model or samples, by their first bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True)
class Stranger:
    """What a file is, and what to do about it where that is known."""

    kind: str
    hint: str = ""


_WEB = Stranger("a web page", "a failed download was saved under this name: fetch the file again")
_STRANGERS = {
    b"\x89PNG": Stranger("a PNG image"),
    b"\xff\xd8\xff": Stranger("a JPEG image"),
    b"GIF8": Stranger("a GIF image"),
    b"%PDF": Stranger("a PDF document"),
    b"\x89HDF": Stranger("an HDF5 file (Keras?)"),
    b"GGUF": Stranger("a GGUF file"),
    b"\x7fELF": Stranger("an executable"),
    b"version https://git-lfs": Stranger("a Git LFS pointer", "fetch the file itself: git lfs pull"),
    b"<!doctype html": _WEB,
    b"<html": _WEB,
}


def stranger(head: bytes) -> Stranger | None:
    """What a file that begins with `head` is, where it is neither a model nor samples."""
    start = head[:32].lstrip(b"\xef\xbb\xbf \t\r\n")
    found = (known for magic, known in _STRANGERS.items() if start.startswith(magic) or start.lower().startswith(magic))
    return next(found, None)
