"""Labels: read from a file of their own, and checked whatever they came from."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lipcert.errors import DataError
from lipcert.load.formats.base import LABEL_KEYS, Array, as_array, head_of
from lipcert.load.formats.idx import GZIP, is_idx, read_idx
from lipcert.load.formats.numpy_files import read_npy, read_npz
from lipcert.load.formats.torch_tensors import read_object, tensor_array


def read_labels(path: Path) -> Array:
    """The labels in `path`: `.npy`, `.npz`, IDX, a tensor, or text with one integer a line. Raises DataError."""
    head = head_of(path)
    if head.startswith(b"\x93NUMPY"):
        return read_npy(path)
    if head.startswith(GZIP) or is_idx(head):
        return read_idx(path)
    if head.startswith(b"PK"):
        return _from_archive(path)
    return _from_text(path)


def check_labels(labels: Array, *, count: int, classes: int | None, path: str) -> Tensor:
    """Labels as int64, one a sample, each in [0, classes). Raises DataError."""
    flat = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if flat.ndim != 1:
        one_hot = flat.ndim == 2 and bool(np.all(flat.sum(axis=1) == 1)) and bool(np.all((flat == 0) | (flat == 1)))
        raise DataError(
            f"expected one class number a sample in {path}, got labels of shape {labels.shape}",
            hint="they look one-hot: store labels.argmax(1)" if one_hot else "store labels of shape (N,)",
        )
    if len(flat) != count:
        raise DataError(
            f"expected as many labels as samples in {path}: {count:,} samples, {len(flat):,} labels",
            hint="check that both files belong to the same split",
        )
    whole = _whole_numbers(flat, path)
    _check_range(whole, classes, path)
    return torch.from_numpy(whole)


def _whole_numbers(labels: Array, path: str) -> Array:
    if labels.dtype.kind in "iub":
        return labels.astype(np.int64)
    if labels.dtype.kind != "f":
        raise DataError(
            f"expected whole numbers as labels in {path}, got dtype {labels.dtype}",
            hint="number the classes in the order of the model's outputs",
        )
    bad = np.flatnonzero(~np.isfinite(labels) | (labels != np.round(labels)))
    if len(bad):
        raise DataError(
            f"expected whole numbers as labels in {path}; {len(bad):,} are not, the first is "
            f"{float(labels[bad[0]])} at sample {bad[0]}",
            hint="lipcert reads classifiers: a label is a class number",
        )
    return labels.astype(np.int64)


def _check_range(labels: Array, classes: int | None, path: str) -> None:
    bad = np.flatnonzero((labels < 0) | (labels >= (classes if classes is not None else np.inf)))
    if not len(bad):
        return
    expected = f"in 0..{classes - 1}" if classes is not None else "of 0 or more"
    counted_from_one = classes is not None and labels.min() == 1 and labels.max() == classes
    raise DataError(
        f"expected labels {expected} in {path}; {len(bad):,} are outside, the first is {labels[bad[0]]} "
        f"at sample {bad[0]}",
        hint="they seem to count from 1: subtract 1"
        if counted_from_one
        else "check that data and model belong together",
    )


def _from_archive(path: Path) -> Array:
    try:
        with zipfile.ZipFile(path) as archive:
            is_numpy = any(name.endswith(".npy") for name in archive.namelist())
    except zipfile.BadZipFile as error:
        raise DataError(f"expected labels in {path}, but the archive is damaged or truncated: {error}") from error
    value = read_npz(path) if is_numpy else read_object(path)
    if not isinstance(value, dict):
        return tensor_array(value, "labels", path)
    key = next((key for key in LABEL_KEYS if key in value), None)
    if key is None:
        raise DataError(
            f"expected an array called 'labels' or 'y' in {path}; the keys found are: {', '.join(map(str, value))}",
            hint="store the class numbers as 'labels'",
        )
    return tensor_array(value[key], key, path)


def _from_text(path: Path) -> Array:
    try:
        cells = path.read_text(encoding="utf-8-sig").replace(",", "\n").split()
    except (UnicodeDecodeError, OSError) as error:
        raise DataError(
            f"expected labels in {path} as .npy, .npz, IDX, a tensor, or text with one class number a line",
            hint="store them with numpy.save",
        ) from error
    body = cells[1:] if cells and cells[0].lower() in {"label", "labels", "target", "class", "y"} else cells
    try:
        return as_array([float(cell) for cell in body], "labels", path)
    except ValueError as error:
        raise DataError(f"expected one class number a line in {path}: {error}", hint="number the classes") from error
