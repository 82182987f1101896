"""Tensors saved by `torch.save`: a dict, a pair, or one tensor. Read with `weights_only=True`, always."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor

from lipcert.errors import DataError
from lipcert.load.formats.base import FORMATS, AbstractFormat, Array, RawSamples, as_array, from_mapping
from lipcert.load.formats.guard import check_memo, check_tensor_archive
from lipcert.load.preflight.archive import open_archive

_LEGACY_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
_HINT = 'save plain tensors: torch.save({"images": images, "labels": labels}, path)'


@final
@FORMATS.register("pt")
class TorchFormat(AbstractFormat):
    """A dict with `images`/`x` and `labels`/`y`, a pair (inputs, labels), or the inputs alone."""

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:
        """A zip archive with a `data.pkl`, or the magic number of the older layout."""
        if head.startswith(_LEGACY_MAGIC):
            return True
        if not head.startswith(b"PK"):
            return False
        members = _members(path)
        return any(name.endswith("/data.pkl") for name in members) or (not members and path.suffix in {".pt", ".pth"})

    @staticmethod
    def read(path: Path, *, separate_labels: bool) -> RawSamples:  # noqa: ARG004
        """Read the tensors."""
        return from_object(read_object(path), path)


def _members(path: Path) -> list[str]:
    """Names in a zip archive; none where the file is not a whole one."""
    try:
        with path.open("rb") as stream, open_archive(stream) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return []


def read_object(path: Path) -> Any:
    """What `torch.save` wrote, where it is made of tensors and plain containers. Raises DataError."""
    if any(name.endswith("/constants.pkl") for name in _members(path)):
        raise DataError(
            f"expected tensors in {path}, but it is a TorchScript model",
            hint="give the model as MODEL and the samples with --data",
        )
    if zipfile.is_zipfile(path):
        check_tensor_archive(path)
    else:
        check_memo(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)  # noqa: TID251  data is opened here
    except pickle.UnpicklingError as error:
        raise DataError(
            f"expected plain tensors in {path}, but it holds other objects, and unpickling those runs code", hint=_HINT
        ) from error
    except Exception as error:
        raise DataError(
            f"expected tensors saved by torch.save in {path}, but the file is damaged or truncated: {error}", hint=_HINT
        ) from error


def from_object(value: Any, path: Path) -> RawSamples:
    """Samples from a dict of arrays, a pair, or one array; tensors count as arrays. Raises DataError."""
    if isinstance(value, dict):
        return from_mapping({str(key): _settled(item, str(key), path) for key, item in value.items()}, path)
    if isinstance(value, tuple | list) and len(value) == 2:
        inputs, labels = (
            tensor_array(item, name, path) for item, name in zip(value, ("inputs", "labels"), strict=True)
        )
        return RawSamples(inputs=inputs, labels=labels, files=(path,))
    if isinstance(value, tuple | list):
        raise DataError(f"expected a pair (inputs, labels) in {path}, got {len(value)} items", hint=_HINT)
    notes = ("no labels: the data is one array",)
    return RawSamples(inputs=tensor_array(value, "inputs", path), labels=None, files=(path,), notes=notes)


def tensor_array(value: Any, name: str, path: Path) -> Array:
    """An array from a tensor or anything numpy takes for one. Raises DataError."""
    return as_array(_settled(value, name, path), name, path)


def _settled(value: Any, name: str, path: Path) -> Any:
    """A dense tensor as numpy sees it; anything else unchanged."""
    if not isinstance(value, Tensor):
        return value
    if value.layout != torch.strided or value.is_quantized or value.dtype.is_complex:
        raise DataError(f"expected {name!r} in {path} to be a dense real tensor, got {value.dtype}, {value.layout}")
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        raise DataError(
            f"{name!r} in {path} claims {value.numel():,} values of which the file stores fewer: an expanded view",
            hint="save tensor.contiguous()",
        )
    value = value.detach()
    return (value.float() if value.dtype == torch.bfloat16 else value).numpy()
