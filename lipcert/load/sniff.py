"""The format of a model file by its content, never by its name. Opens nothing that could run code."""

from __future__ import annotations

import io
import zipfile
from typing import Literal

from lipcert.errors import RefusedModelError, UnreadableModelError
from lipcert.load.magic import Stranger, stranger
from lipcert.load.preflight.archive import open_archive

ModelFormat = Literal["torchscript", "onnx", "exported"]

_DATA = {b"\x1f\x8b": Stranger("a gzip archive"), b"\x93NUMPY": Stranger("a NumPy array", "Give it with --data.")}
_EXPORT = 'Export it: torch.jit.script(model.eval()).save("model.pt"), torch.onnx.export or torch.export.save.'
_MOST_FIELDS = 2**16  # a model message has a graph, a few dozen imports and properties, and its functions
_END_RECORD = 22  # bytes of a zip archive's last record when it has no comment
_GRAPH_FIELD = 7
_MODEL_FIELDS = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26))


def sniff(data: bytes) -> ModelFormat:
    """Name the format of a model file.

    Raises:
        RefusedModelError: a pickle, a state_dict, or another format that has to be exported first.
        UnreadableModelError: an empty, truncated or unknown file.
    """
    if not data:
        raise UnreadableModelError("the file is empty", hint="Export the model again.")
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _archive(data)
    if data[:1] == b"\x80" and data[1:2] in b"\x02\x03\x04\x05":
        raise _pickle_refusal("a pickle")
    known = stranger(data[:64]) or next((kind for magic, kind in _DATA.items() if data.startswith(magic)), None)
    if known:
        raise UnreadableModelError(f"expected a model, and the content is {known.kind}", hint=known.hint or _EXPORT)
    if data[4:8] == b"TFL3":
        raise RefusedModelError("the file is a TensorFlow Lite model", hint="Convert it to ONNX with tf2onnx.")
    if _is_onnx(data):
        return "onnx"
    raise UnreadableModelError(
        "the content is neither a TorchScript archive, nor a torch.export archive, nor an ONNX model",
        hint=f"The file may be truncated. {_EXPORT}",
    )


def _pickle_refusal(kind: str) -> RefusedModelError:
    return RefusedModelError(
        f"the file is {kind}, which can run any code when it is opened, and holds no graph; it was not opened",
        hint=_EXPORT,
    )


def _archive(data: bytes) -> ModelFormat:
    # A model inside a truncated archive has an end record of its own, which zipfile would find.
    if not data[: -_END_RECORD + 4].endswith(b"PK\x05\x06") and zipfile.is_zipfile(io.BytesIO(data)):
        raise UnreadableModelError("the archive is truncated", hint="Copy or export the model again.")
    try:
        with open_archive(io.BytesIO(data)) as archive:
            names = {name.split("/", 1)[-1] for name in archive.namelist()}
            all_names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise UnreadableModelError(
            f"the archive is damaged or truncated: {error}", hint="Copy or export the model again."
        ) from error
    if any(name.startswith("models/") and name.endswith(".json") for name in names):
        return "exported"
    if "serialized_exported_program.json" in all_names:
        raise RefusedModelError(
            "the file is a .pt2 of an early torch (before 2.8), whose weights are pickled",
            hint="Save it again with torch.export.save of torch 2.8 or newer.",
        )
    if "constants.pkl" in names and any(name.startswith("code/") for name in names):
        return "torchscript"
    if any(name.endswith(".npy") for name in all_names):
        raise RefusedModelError("the file is a NumPy archive: data, not a model", hint="Give it with --data.")
    if "data.pkl" in names:
        raise _pickle_refusal("a state_dict or a pickled module")
    raise UnreadableModelError("a zip archive, but of no model format", hint=_EXPORT)


def _is_onnx(data: bytes) -> bool:
    """Walk the top-level protobuf fields of a ModelProto: each known, the last ending with the file, one a graph."""
    position, fields, count = 0, set(), 0
    while position < len(data) and count < _MOST_FIELDS:
        count += 1
        tag, position = _varint(data, position)
        field, wire = tag >> 3, tag & 7
        if field not in _MODEL_FIELDS or wire not in (0, 2):
            return False
        value, position = _varint(data, position)
        position += value if wire == 2 else 0
        fields.add(field)
    return position == len(data) and _GRAPH_FIELD in fields


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """One protobuf varint and the position after it; past the end it reads zero."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[position] if position < len(data) else 0
        value |= (byte & 0x7F) << shift
        position += 1
        if not byte & 0x80:
            break
    return value, position
