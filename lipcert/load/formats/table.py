"""CSV tables: one row a sample, one column a feature, one column the class."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import final

import numpy as np

from lipcert.errors import DataError
from lipcert.load.formats.base import FORMATS, AbstractFormat, Array, RawSamples

LABEL_COLUMNS = frozenset({"label", "target", "class"})


@final
@FORMATS.register("csv")
class CsvFormat(AbstractFormat):
    """Comma, semicolon or tab between cells; a header where the first row has one."""

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:
        """Text with a separator, or a name that says so."""
        if path.suffix.lower() in {".csv", ".tsv"}:
            return True
        text = head.decode("utf-8", errors="replace")
        return any(mark in text for mark in ",;\t") and all(char.isprintable() or char.isspace() for char in text)

    @staticmethod
    def read(path: Path, *, separate_labels: bool) -> RawSamples:
        """Read the table; the label is the column so called, else the last, unless labels come from elsewhere."""
        rows = _rows(path)
        header = rows[0] if _is_header(rows[0]) else None
        body = rows[1:] if header else rows
        if not body:
            raise DataError(f"expected rows of samples in {path}, found a header alone", hint="add the samples")
        names = [name.strip() for name in header] if header else [f"column {i + 1}" for i in range(len(rows[0]))]
        label = label_column(names, separate_labels=separate_labels)
        features = [column for column in range(len(names)) if column != label]
        if not features:
            raise DataError(f"expected at least one feature column beside the label in {path}, found none")
        first_line = 2 if header else 1
        inputs = np.asarray([_numbers(row, features, names, i + first_line, path) for i, row in enumerate(body)])
        if label is None:
            return RawSamples(inputs=inputs, labels=None, files=(path,))
        labels, notes = encode_labels([row[label].strip() for row in body])
        notes = (f"label: column {names[label].removeprefix('column ')}", *notes)
        return RawSamples(inputs=inputs, labels=labels, files=(path,), notes=notes)


def label_column(names: list[str], *, separate_labels: bool) -> int | None:
    """The column that holds the class: by its name, else the last; None where labels come from another file."""
    named = next((i for i, name in enumerate(names) if name.lower() in LABEL_COLUMNS), None)
    return named if named is not None or separate_labels else len(names) - 1


def encode_labels(cells: list[str]) -> tuple[Array, tuple[str, ...]]:
    """Numbers as they are; words numbered in alphabetical order, with a note that says so."""
    if all(_is_number(cell) for cell in cells):
        return np.asarray([float(cell) for cell in cells]), ()
    classes = sorted(set(cells))
    numbers = {name: number for number, name in enumerate(classes)}
    shown = ", ".join(f"{number} {name!r}" for name, number in list(numbers.items())[:10])
    return np.asarray([numbers[cell] for cell in cells], dtype=np.int64), (f"classes in alphabetical order: {shown}",)


def _rows(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        raise DataError(f"expected a text table in {path}, but it is not UTF-8 text: {error}") from error
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise DataError(f"expected rows of samples in {path}, but it is empty", hint="check what wrote it")
    delimiter = max(",;\t", key=lines[0].count)
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise DataError(f"{path} is not a well-formed table: {error}") from error
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise DataError(f"expected {len(rows[0])} cells in row {number} of {path}, as in row 1; got {len(row)}")
    return rows


def _is_header(row: list[str]) -> bool:
    """A named label column, or no number at all. A word in the last cell alone is a label."""
    if any(cell.strip().lower() in LABEL_COLUMNS for cell in row):
        return True
    return not any(_is_number(cell) for cell in row)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(row: list[str], columns: list[int], names: list[str], line: int, path: Path) -> list[float]:
    try:
        return [float(row[column]) for column in columns]
    except ValueError:
        bad = next(column for column in columns if not _is_number(row[column]))
        raise DataError(
            f"expected a number in row {line}, {names[bad]} of {path}, got {row[bad]!r}",
            hint="encode features as numbers; the class column goes last or is called label, target or class",
        ) from None
