"""The table with one row a sample: rows of JSON, one array a column, or a Parquet table."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lipcert.analyses.base import logits_of
from lipcert.graph.scores import margins
from lipcert.load.formats.base import optional_module
from lipcert.pipeline.context import Run
from lipcert.pipeline.per_sample_format import SCHEMA, VERSION
from lipcert.pipeline.whole_file import write_whole

Rows = list[dict[str, Any]]

_FIRST = ("index", "label", "prediction", "margin", "certified_radius", "adversarial_radius", "verdicts", "jacobian")
_SELECTORS = ("norm", "eps")


def write_table(run: Run, path: Path) -> None:
    """Write what the run knows of each sample to `path`, in the format of its suffix. Raises LipcertError."""
    write_whole(path, _FORMATS[path.suffix.lower()](table(run)))


def table(run: Run) -> Rows:
    """One row a sample: index, label, prediction, margin, then what the analyses told, in a fixed order.

    Without labels, label and margin are None. A column of another length than the samples is a bug: ValueError.
    """
    samples = run.subject.samples
    if samples is None:
        return []
    graph = run.graph.to(dtype=torch.float64)
    logits = logits_of(graph, samples.inputs, batch_size=run.settings.batch_size)
    count = len(samples)
    unknown: list[Any] = [None] * count
    labels = samples.labels
    columns: dict[str, Sequence[Any]] = {
        "index": range(count),
        "label": unknown if labels is None else labels.tolist(),
        "prediction": logits.argmax(dim=1).tolist(),
        "margin": unknown if labels is None else margins(logits, labels.to(logits.device)).tolist(),
        **run.rows,
    }
    wrong = [name for name, values in columns.items() if len(values) != count]
    if wrong:
        raise ValueError(f"{count} samples, and columns of another length: {', '.join(wrong)}")
    names = sorted(columns, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    return [{name: finite(columns[name][row]) for name in names} for row in range(count)]


def finite(value: Any) -> Any:
    """A plain value for strict JSON: tensors' numbers unwrapped, tuples as lists, NaN and infinity as None."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_lines(rows: Rows) -> bytes:
    """One strict JSON object a line."""
    text = "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
    return text.encode("utf-8", "backslashreplace")


def as_arrays(rows: Rows) -> bytes:
    """An .npz archive with an array a column, and `schema`, which names the format.

    Dicts become columns with dotted names; a list of rows of one ball each, columns named like
    `verdicts[norm=linf,eps=0.1].verdict`. A missing number is NaN, a missing string "".
    """
    arrays: dict[str, Any] = {name: _column(values) for name, values in _columns(rows).items()}
    stream = io.BytesIO()
    np.savez(stream, schema=np.array(f"{SCHEMA} {VERSION}".encode()), **arrays)
    return stream.getvalue()


def as_parquet(rows: Rows) -> bytes:
    """A Parquet table with the columns of `as_arrays`, what is missing as null, and `schema` among its metadata."""
    arrow, parquet = (optional_module(name, "parquet", "a Parquet table") for name in ("pyarrow", "pyarrow.parquet"))
    columns = {
        name: arrow.array(values, type=arrow.float64() if _is_real(values) else None)
        for name, values in _columns(rows).items()
    }
    stream = io.BytesIO()
    found = arrow.table(columns).replace_schema_metadata({"schema": f"{SCHEMA} {VERSION}"})
    parquet.write_table(found, stream)
    return stream.getvalue()


def _is_real(values: list[Any]) -> bool:
    """Whether a column holds numbers that are not all whole, or nothing at all."""
    present = [value for value in values if value is not None]
    return all(isinstance(value, int | float) for value in present) and not (
        present and all(isinstance(value, int) for value in present)
    )


def _columns(rows: Rows) -> dict[str, list[Any]]:
    """One list a column, by dotted name; None where a row has no such number."""
    flat = [dict(_flat("", row)) for row in rows]
    return {name: [row.get(name) for row in flat] for name in dict.fromkeys(name for row in flat for name in row)}


def _flat(prefix: str, value: Any) -> list[tuple[str, Any]]:
    """Leaves of nested rows with their dotted names."""
    if isinstance(value, Mapping):
        return [leaf for key, item in value.items() for leaf in _flat(f"{prefix}.{key}" if prefix else key, item)]
    if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
        found = []
        for position, item in enumerate(value):
            chosen = [f"{key}={item[key]}" for key in _SELECTORS if key in item]
            rest = {key: inner for key, inner in item.items() if key not in _SELECTORS}
            found += _flat(f"{prefix}[{','.join(chosen) or position}]", rest)
        return found
    return [(prefix, json.dumps(value) if isinstance(value, list) else value)]


def _column(values: list[Any]) -> np.ndarray[Any, Any]:
    present = [value for value in values if value is not None]
    if present and all(isinstance(value, str) for value in present):
        return np.array(["" if value is None else value for value in values])
    if len(present) == len(values) and all(isinstance(value, bool) for value in present):
        return np.array(values, dtype=bool)
    if len(present) == len(values) and all(isinstance(value, int) for value in present):
        return np.array(values, dtype=np.int64)
    return np.array([math.nan if value is None else float(value) for value in values], dtype=np.float64)


_FORMATS: dict[str, Callable[[Rows], bytes]] = {".jsonl": as_lines, ".npz": as_arrays, ".parquet": as_parquet}
