"""Whether a zip archive is what it seems: bounded, without overlaps, and the same to every reader.

Readers disagree about archives that are bent on purpose: Python takes the last member of a name and torch the first,
and both believe sizes that a few kilobytes can claim. What is let through here means the same to both.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from typing import BinaryIO, final

DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, RuntimeError, EOFError, OverflowError)
"""What reading a damaged archive raises; UnicodeDecodeError and NotImplementedError are among these kinds."""

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_LOCAL = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 2**16
_MOST_MEMBERS = 2**16
_DIRECTORY_BYTES = 2**24
_ENCRYPTED = 0x1


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """How far an archive may grow when it is opened: to `floor` bytes, and beyond that `ratio` times its own size."""

    floor: int
    ratio: int

    def exceeded(self, stored: int, opened: int) -> bool:
        """Whether `stored` bytes that open as `opened` go beyond the limit."""
        return opened > max(self.floor, self.ratio * stored)


MODEL_EXPANSION = Expansion(floor=2**24, ratio=32)
"""For model archives, whose weights torch stores as they are."""

DATA_EXPANSION = Expansion(floor=2**26, ratio=100)
"""For samples, which may be blank for the most part and compress well."""


def open_archive(stream: BinaryIO) -> zipfile.ZipFile:
    """A zip archive whose table of contents is of bounded size. Raises zipfile.BadZipFile."""
    _check_directory(stream)
    try:
        return zipfile.ZipFile(stream)
    except (ValueError, NotImplementedError, UnicodeDecodeError, struct.error, OverflowError) as error:
        raise zipfile.BadZipFile(str(error)) from error


def complaint(archive: zipfile.ZipFile, limits: Expansion, *, any_case: bool = False) -> str | None:
    """Why the archive must not be opened further; None where nothing speaks against it.

    any_case  whether its reader takes names that differ in case alone for the same, as torch's does
    """
    members = archive.infolist()
    names = (member.filename.lower() if any_case else member.filename for member in members)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        return f"it holds {twice[0]!r:.80} twice, and readers disagree about which counts"
    for member in members:
        if (found := _bad_member(member)) is not None:
            return f"its member {member.filename!r:.80} {found}"
    opened, stored = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    if limits.exceeded(stored, opened):
        return (
            f"its {stored:,} bytes claim to open as {opened:,}, more than {limits.ratio} times as many "
            "(a decompression bomb)"
        )
    return _overlap(archive, members)


def _bad_member(member: zipfile.ZipInfo) -> str | None:
    name = member.filename
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in path.parts[0]:
        return "has a name that leads out of the archive"
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"is compressed by method {member.compress_type}; stored and deflated members are read"
    if member.compress_type == zipfile.ZIP_STORED and member.compress_size != member.file_size:
        return f"is stored as {member.compress_size:,} bytes and claims {member.file_size:,}"
    return None


def _overlap(archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> str | None:
    """Whether two members share bytes, by their places in the file and the lengths of their headers."""
    stream, end = archive.fp, archive.start_dir
    if stream is None:
        raise zipfile.BadZipFile("the archive is closed")
    places = []
    for member in sorted(members, key=lambda entry: entry.header_offset):
        stream.seek(max(0, member.header_offset))
        head = stream.read(_LOCAL.size) if member.header_offset >= 0 else b""
        if len(head) < _LOCAL.size or not head.startswith(b"PK\x03\x04"):
            return f"its member {member.filename!r:.80} lies where no member begins"
        name_length, extra_length = _LOCAL.unpack(head)[-2:]
        written = stream.read(name_length)
        if written.isascii() and written.decode() != member.orig_filename:
            return f"its member {member.filename!r:.80} is called {written!r:.80} where it lies"
        start = member.header_offset + _LOCAL.size + name_length + extra_length
        places.append((member.header_offset, start + member.compress_size, member.filename))
    if places and places[0][0] != 0:
        return "bytes that belong to no member lie before the first one"
    for (_, stop, name), (start, _, other) in pairwise(places):
        if stop > start:
            return f"its members {name!r:.80} and {other!r:.80} overlap"
    if places and places[-1][1] > end:
        return f"its member {places[-1][2]!r:.80} overlaps the table of contents"
    return None


def _check_directory(stream: BinaryIO) -> None:
    """Raise BadZipFile on a table of contents that is larger than any model's, before it is read."""
    length = stream.seek(0, 2)
    start = max(0, length - _LONGEST_COMMENT - _END.size)
    stream.seek(start)
    tail = stream.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or place + _END.size > len(tail):
        raise zipfile.BadZipFile("it has no end record: the file is truncated")
    entries, size = _END.unpack_from(tail, place)[4:6]
    if entries == 0xFFFF or size == 0xFFFFFFFF:
        entries, size = _wide(stream, start + place, entries, size)
    if entries > _MOST_MEMBERS or size > _DIRECTORY_BYTES:
        raise zipfile.BadZipFile(f"its table of contents claims {entries:,} members in {size:,} bytes")
    stream.seek(0)


def _wide(stream: BinaryIO, end: int, entries: int, size: int) -> tuple[int, int]:
    """Count and size of the table of contents from the record for large archives, where there is one."""
    if end < _LOCATOR.size:
        return entries, size
    stream.seek(end - _LOCATOR.size)
    magic, _, place, _ = _LOCATOR.unpack(stream.read(_LOCATOR.size))
    if magic != b"PK\x06\x07":
        return entries, size
    stream.seek(min(place, end))
    record = stream.read(_END64.size)
    if len(record) < _END64.size or not record.startswith(b"PK\x06\x06"):
        raise zipfile.BadZipFile("its record for large archives is damaged")
    fields = _END64.unpack(record)
    return fields[7], fields[8]
