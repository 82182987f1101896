"""An ONNX file as a model message, its external data read under guard."""

from __future__ import annotations

import math
import os
import stat
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import GraphProto, ModelProto, TensorProto, helper, inliner

from lipcert.errors import RefusedModelError, UnreadableModelError
from lipcert.load.preflight.onnx_message import all_tensors, check_message

MAX_BYTES = 2**31 - 1
"""The largest message protobuf carries, and so the largest model onnxruntime is handed in memory."""


def read_model(path: Path | None, data: bytes | None = None) -> ModelProto:
    """Parse an ONNX file, or its bytes where they are at hand, and bring its external data into memory.

    External data are read only from regular files inside the model's own folder, within their bounds; without a
    path there is no folder, and they are refused. Model-local functions are put in place of their calls.

    Raises:
        UnreadableModelError: damage, or no ONNX model.
        RefusedModelError: external data that lie elsewhere.
    """
    model = parse_model(data if data is not None else _read(path))
    check_message(model)
    _check_names(model.graph)
    folder = None if path is None else path.resolve().parent
    for tensor in all_tensors(model):
        if tensor.data_location == TensorProto.EXTERNAL:
            _bring_in(tensor, folder)
    return _inline(model)


def check_external(model: ModelProto, folder: Path | None) -> None:
    """Look at what a model stores outside its file, without reading it. Raises as `read_model` does."""
    for tensor in all_tensors(model):
        if tensor.data_location == TensorProto.EXTERNAL:
            path, offset, length = _stretch(tensor, folder)
            os.close(_opened(tensor.name, path, offset, length))


def _read(path: Path | None) -> bytes:
    if path is None:
        raise ValueError("a path or data is needed")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableModelError(f"{path} cannot be opened: {error.strerror}") from error


def parse_model(content: bytes) -> ModelProto:
    """The message in the bytes of an ONNX file. Raises UnreadableModelError."""
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError, RuntimeError) as error:
        raise UnreadableModelError(
            f"this is no ONNX model, or a damaged one ({len(content)} bytes): {error}",
            hint="compare its size and checksum with the original, or export it again",
        ) from error
    if not model.HasField("graph") or not (model.graph.node or model.graph.output):
        raise UnreadableModelError(f"this is no ONNX model: {len(content)} bytes without a graph")
    return model


def _check_names(graph: GraphProto) -> None:
    """Raise UnreadableModelError on names that are no UTF-8; protobuf hands those out as bytes."""
    values = (*graph.input, *graph.output, *graph.initializer)
    names = [name for n in graph.node for name in (n.op_type, n.domain, n.name, *n.input, *n.output)]
    names += [attribute.name for node in graph.node for attribute in node.attribute]
    for name in (*names, *(value.name for value in values)):
        if not isinstance(name, str):
            raise UnreadableModelError(f"the graph holds a name that is no UTF-8: {name!r}")


def _inline(model: ModelProto) -> ModelProto:
    if not model.functions:
        return model
    try:
        return inliner.inline_local_functions(model, convert_version=False)
    except Exception as error:
        raise RefusedModelError(f"the functions the model defines cannot be put in place: {error}") from error


def _bring_in(tensor: TensorProto, folder: Path | None) -> None:
    """Replace a reference to external data by the data."""
    path, offset, length = _stretch(tensor, folder)
    tensor.raw_data = _read_stretch(tensor.name, path, offset, length)
    tensor.ClearField("external_data")
    tensor.data_location = TensorProto.DEFAULT


def _stretch(tensor: TensorProto, folder: Path | None) -> tuple[Path, int, int]:
    """File, offset and length of a tensor's data, once the file is known to lie in the model's folder."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    path = _guarded_path(tensor.name, entries.get("location", ""), folder)
    wanted = math.prod(tensor.dims) * _item_bits(tensor) // 8
    try:
        offset, length = int(entries.get("offset", 0)), int(entries.get("length", wanted))
    except ValueError as error:
        raise UnreadableModelError(f"tensor {tensor.name!r}: offset or length is no number: {entries}") from error
    if length != wanted or min(tensor.dims, default=0) < 0:
        raise UnreadableModelError(
            f"tensor {tensor.name!r} of shape {list(tensor.dims)} needs {wanted} bytes of {path.name}, "
            f"and the file speaks of {length}"
        )
    return path, offset, length


def _item_bits(tensor: TensorProto) -> int:
    """Bits an entry takes in a file."""
    if tensor.data_type in (TensorProto.INT4, TensorProto.UINT4):
        return 4
    try:
        return int(helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize) * 8
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableModelError(f"tensor {tensor.name!r} is of the unknown type {tensor.data_type}") from error


def _guarded_path(name: str, location: str, folder: Path | None) -> Path:
    """The file `location` names, once it is known to lie in the model's folder and to be no link out of it."""
    if folder is None:
        raise RefusedModelError(
            f"tensor {name!r} is stored outside the model, which was given as bytes without a folder",
            hint="give the path of the model, or save it as one file",
        )
    relative = Path(location)
    outside = not location or "\0" in location or relative.is_absolute() or ".." in relative.parts or "\\" in location
    path = folder / relative
    if outside or not path.resolve().is_relative_to(folder):
        raise RefusedModelError(
            f"tensor {name!r} is stored in {location!r}, which is not inside the model's folder",
            hint="external data are read only from the folder of the model; save the model as one file",
        )
    return path


def _read_stretch(name: str, path: Path, offset: int, length: int) -> bytes:
    """`length` bytes of a regular file with one name."""
    with os.fdopen(_opened(name, path, offset, length), "rb") as file:
        file.seek(offset)
        return file.read(length)


def _opened(name: str, path: Path, offset: int, length: int) -> int:
    """A descriptor of a regular file with one name that holds the stretch.

    A link would let a model read what its folder does not hold, and a pipe would wait for ever.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError) as error:
        raise RefusedModelError(f"tensor {name!r}: its data file {path.name!r} cannot be opened: {error}") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        os.close(descriptor)
        raise RefusedModelError(f"tensor {name!r}: its data file {path.name!r} is a link or no regular file")
    if offset < 0 or length < 0 or offset + length > status.st_size or length > MAX_BYTES:
        os.close(descriptor)
        raise UnreadableModelError(
            f"tensor {name!r}: bytes {offset} to {offset + length} are asked of {path.name!r}, "
            f"which holds {status.st_size}"
        )
    return descriptor
