"""Parquet tables, through pyarrow (the extra `parquet`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, final

import numpy as np

from lipcert.errors import DataError
from lipcert.load.formats.base import FORMATS, AbstractFormat, Array, RawSamples, optional_module
from lipcert.load.formats.guard import check_size
from lipcert.load.formats.table import encode_labels, label_column

_CELL = 8  # bytes a number takes once it is read


@final
@FORMATS.register("parquet")
class ParquetFormat(AbstractFormat):
    """One column a feature, one column the class, as in a CSV with a header."""

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:  # noqa: ARG004
        """Parquet's magic bytes."""
        return head.startswith(b"PAR1")

    @staticmethod
    def read(path: Path, *, separate_labels: bool) -> RawSamples:
        """Read the table."""
        parquet = optional_module("pyarrow.parquet", "parquet", "a Parquet table")
        try:
            metadata = parquet.read_metadata(path)
            check_size(metadata.num_rows * metadata.num_columns * _CELL, path.stat().st_size, path)
            table = parquet.read_table(path)
        except DataError:
            raise
        except Exception as error:
            raise DataError(f"expected a complete Parquet table in {path}: {error}", hint="write it again") from error
        names = list(table.column_names)
        label = label_column(names, separate_labels=separate_labels)
        features = [_numbers(table.column(name), name, path) for i, name in enumerate(names) if i != label]
        if not features:
            raise DataError(f"expected at least one feature column beside the label in {path}; columns: {names}")
        inputs = np.stack(features, axis=1)
        if label is None:
            return RawSamples(inputs=inputs, labels=None, files=(path,))
        cells = [str(cell) for cell in table.column(label).to_pylist()]
        labels, notes = encode_labels(cells)
        return RawSamples(inputs=inputs, labels=labels, files=(path,), notes=(f"label: column {names[label]}", *notes))


def _numbers(column: Any, name: str, path: Path) -> Array:
    """One feature as float64; a null becomes NaN, which the check of the values then counts."""
    values = column.to_numpy()
    if values.dtype.kind not in "biuf":
        raise DataError(
            f"expected numbers in column {name!r} of {path}, got {column.type}",
            hint="encode features as numbers; the class column goes last or is called label, target or class",
        )
    return np.asarray(values, dtype=np.float64)
