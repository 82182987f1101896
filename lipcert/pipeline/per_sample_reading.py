"""Tables with one row a sample, read back: as archives of arrays, or as Parquet."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lipcert.errors import DataError
from lipcert.load.formats.base import optional_module
from lipcert.load.formats.guard import check_size
from lipcert.load.formats.numpy_files import read_npz
from lipcert.pipeline.per_sample_format import PARQUET

_VERDICT = re.compile(r"verdicts\[norm=(\w+),eps=([^\],]+)\]\.verdict")
_READ = ("index", "label", "prediction")
_CELL = 8  # bytes a number takes once it is read


def read_binary(path: Path) -> list[dict[str, Any]]:
    """What can be compared of each sample: index, label, prediction and verdicts. Raises DataError."""
    with path.open("rb") as file:
        columns = _from_parquet(path) if file.read(4) == PARQUET else _from_arrays(path)
    missing = [name for name in _READ if name not in columns]
    if missing or len({len(values) for values in columns.values()}) > 1:
        raise DataError(
            f"{path} is no table of samples: columns index, label and prediction of one length are needed",
            hint="--per-sample FILE.npz or FILE.parquet of analyze writes them",
        )
    try:
        return _rows(columns)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{path} is no table of samples: {error}", hint="write it again") from error


def _rows(columns: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    count = len(columns["index"])
    rows: list[dict[str, Any]] = [{name: _whole(columns[name][row]) for name in _READ} for row in range(count)]
    for name, values in columns.items():
        if (found := _VERDICT.fullmatch(name)) is not None:
            ball = {"norm": found[1], "eps": float(found[2])}
            for row, verdict in zip(rows, values, strict=True):
                if verdict:
                    row.setdefault("verdicts", []).append({**ball, "verdict": str(verdict)})
    return rows


def _wanted(names: Sequence[str]) -> list[str]:
    return [name for name in names if name in _READ or _VERDICT.fullmatch(name)]


def _from_arrays(path: Path) -> Mapping[str, list[Any]]:
    arrays = read_npz(path)
    return {name: arrays[name].reshape(-1).tolist() for name in _wanted(tuple(arrays))}


def _from_parquet(path: Path) -> Mapping[str, list[Any]]:
    parquet = optional_module("pyarrow.parquet", "parquet", "a Parquet table")
    try:
        metadata = parquet.read_metadata(path)
        check_size(metadata.num_rows * metadata.num_columns * _CELL, path.stat().st_size, path)
        found = parquet.ParquetFile(path)
        columns: dict[str, list[Any]] = found.read(columns=_wanted(found.schema_arrow.names)).to_pydict()
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"expected a complete Parquet table in {path}: {error}", hint="write it again") from error
    return columns


def _whole(value: Any) -> int | None:
    """An index or class; what is missing is NaN in arrays."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return int(value)
