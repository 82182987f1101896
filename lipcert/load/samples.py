"""Samples from a file, a folder or a function, in data units and in the model's shape."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import Tensor

from lipcert.load.fit import Layout, Shape, fit
from lipcert.load.formats import FORMATS, RawSamples, head_of
from lipcert.load.formats.strangers import not_samples, refuse_stranger
from lipcert.load.formats.user_code import call, is_reference
from lipcert.load.labels import check_labels, read_labels
from lipcert.load.values import Range, range_of, scale_of, to_data_units, values_note
from lipcert.samples import Samples


def load_samples(
    path: str | Path,
    *,
    labels: str | Path | None = None,
    scale: float | None = None,
    layout: Layout | None = None,
    input_range: Range | None = None,
    input_shape: Shape | None = None,
    classes: int | None = None,
    allow_code: bool = False,
) -> Samples:
    """Read samples; the format is told by content.

    path         data file, image folder, or `module:function`
    labels       file with the labels, where they lie apart
    scale        divides the stored values; None for 255 with bytes and 1 with anything else
    layout       where the model has its channels, when they must move
    input_range  valid values after scaling; None for that of bytes, and for unknown with anything else
    input_shape  shape of one sample as the model reads it; None keeps the stored one
    classes      number of classes of the model, against which the labels are checked
    allow_code   whether a `module:function` may be called

    Raises DataError, with what was expected, what came, where, and what to do.
    """
    raw = _read(str(path), separate_labels=labels is not None, allow_code=allow_code)
    divisor = scale_of(raw.inputs, scale)
    valid = range_of(raw.inputs, divisor, input_range)
    values = to_data_units(raw.inputs, scale=divisor, input_range=valid, path=str(path))
    files = raw.files if labels is None else (*raw.files, Path(labels))
    samples = Samples(
        inputs=torch.from_numpy(values),
        labels=_labels(raw, str(path), labels, classes),
        path=str(path),
        sha256=_digest(files, Path(path)),
        scale=divisor,
        input_range=valid,
        notes=(values_note(raw.inputs, divisor, told=scale is not None), *raw.notes),
    )
    return samples if input_shape is None else fit(samples, input_shape, layout)


def _labels(raw: RawSamples, path: str, labels: str | Path | None, classes: int | None) -> Tensor | None:
    """The checked labels, from their own file where there is one."""
    stored = raw.labels if labels is None else read_labels(Path(labels))
    if stored is None:
        return None
    return check_labels(stored, count=len(raw.inputs), classes=classes, path=str(labels or path))


def _read(path: str, *, separate_labels: bool, allow_code: bool) -> RawSamples:
    file = Path(path)
    if is_reference(path) and not file.exists():
        return call(path, allow_code=allow_code)
    head = head_of(file)
    refuse_stranger(file, head)
    for member in FORMATS.values():
        if member.recognises(file, head):
            return member.read(file, separate_labels=separate_labels)
    raise not_samples(file, head, FORMATS)


def _digest(files: tuple[Path, ...], root: Path) -> str:
    """SHA-256 of the one file; of several, that of the lines `<sha256>  <relative name>` in order. "" for none."""
    if not files:
        return ""
    if files == (root,):
        return _sha256(root)
    base = root if root.is_dir() else root.parent
    names = (file.relative_to(base).as_posix() if file.is_relative_to(base) else file.name for file in files)
    lines = (f"{_sha256(file)}  {name}\n" for file, name in zip(files, names, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
