"""A model file, loaded: the graph, its original runtime, and what the file says of itself."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, final

import torch

from lipcert.errors import LipcertError, NonFiniteModelError, RefusedModelError, UsageError
from lipcert.graph import Graph
from lipcert.load.allowance import Allowance
from lipcert.load.capture import capture
from lipcert.load.exported import read_exported
from lipcert.load.heads import keep_outputs, strip_head
from lipcert.load.onnx_model import read_onnx
from lipcert.load.preflight.onnx_message import MAX_ELEMENTS
from lipcert.load.sniff import sniff
from lipcert.load.source import Source
from lipcert.load.torchscript import read_torchscript


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """graph: samples as the model reads them to logits, on the CPU in float32."""

    graph: Graph
    source: Source
    path: str
    sha256: str


def read_bytes(path: Path) -> bytes:
    """The content of a model file. Raises UsageError where there is none to read."""
    if not path.exists():
        raise UsageError(f"model file {path} does not exist", hint="Check the path.")
    if path.is_dir():
        raise UsageError(f"{path} is a directory; one model file is expected", hint="Name a file inside it.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"model file {path} cannot be read: {error.strerror}") from error


def read_source(path: Path, data: bytes, *, output_name: str | None = None) -> Source:
    """Open a model file with the front end of its format."""
    kind = sniff(data)
    if kind == "onnx":
        return read_onnx(path, data=data, output_name=output_name)
    read = read_torchscript if kind == "torchscript" else read_exported
    return read(data, output_name=output_name)


def load_model(
    path: Path, *, input_shape: tuple[int, ...] | None = None, output_name: str | None = None
) -> LoadedModel:
    """Load a TorchScript, ONNX or `.pt2` file as a graph of logits.

    input_shape  of one sample, needed where the file does not tell

    Raises:
        UsageError: no such file, no input shape, no such output.
        ModelError: damaged, refused, unsupported, or with non-finite weights.
    """
    data = read_bytes(path)
    source = read_source(path, data, output_name=output_name)
    graph, source = to_graph(source, choose_shape(source, input_shape))
    return LoadedModel(graph=graph, source=source, path=str(path), sha256=hashlib.sha256(data).hexdigest())


def choose_shape(source: Source, input_shape: tuple[int, ...] | None, *, otherwise: str = "") -> tuple[int, ...]:
    """The shape of one sample: the file's word, or the caller's where the file has none.

    otherwise  what else would tell it, for the hint
    """
    declared = source.input_shape
    if declared is None and input_shape is None:
        raise UsageError(
            f"the {source.description} file does not tell the shape of its input",
            hint=f"Give the shape of one sample, for example --input-shape 3,224,224{otherwise}.",
        )
    if declared is None:
        assert input_shape is not None
        return input_shape
    if input_shape is not None and input_shape != declared:
        raise UsageError(
            f"--input-shape {_axes(input_shape)} contradicts the file, whose samples have shape {_axes(declared)}",
            hint="Leave --input-shape out: the file tells the shape itself.",
        )
    return declared


def to_graph(
    source: Source, input_shape: tuple[int, ...], *, outputs: Literal["scores", "all"] = "scores"
) -> tuple[Graph, Source]:
    """Capture a source; it comes back with notes on how that was done.

    outputs  "scores" of a classifier, its head stripped; "all" numbers of any network's output, as the file gives them

    Raises NonFiniteModelError on NaN or infinity among the constants.
    """
    bad = [name for name, tensor in source.named.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if bad:
        raise NonFiniteModelError(
            f"{len(bad)} weight tensors hold NaN or infinity: {', '.join(bad[:5])}", hint="The training diverged."
        )
    _try_one(source, input_shape)
    captured = capture(source, input_shape)
    graph = Graph(captured.module, input_shape, names=captured.names)
    notes = list(source.notes)
    if captured.per_sample:
        notes.append("captured sample by sample: the file itself does not take a batch")
    if graph.dtype != torch.float32:
        notes.append(f"{str(graph.dtype).removeprefix('torch.')} weights read as float32")
        graph = graph.to(dtype=torch.float32)
    return (strip_head if outputs == "scores" else keep_outputs)(graph), replace(source, notes=tuple(notes))


def _try_one(source: Source, input_shape: tuple[int, ...]) -> None:
    """Run the source once, so that a wrong input shape is told apart from a model that cannot be captured."""
    size = source.declared_batch if source.format == "exported" else None
    allowance = Allowance(samples=size or 1)
    try:
        if math.prod(input_shape) > MAX_ELEMENTS:
            raise ValueError(f"at most {MAX_ELEMENTS:,} entries are read")  # noqa: TRY301  one message for all
        with torch.no_grad(), allowance:
            source.function(torch.zeros(size or 1, *input_shape))
    except LipcertError:
        raise
    except Exception as error:
        if allowance.refusal is not None:
            raise allowance.refusal from error
        lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        reason = f"the model does not accept one sample of shape {_axes(input_shape)}: {lines[-1][:300]}"
        if source.input_shape is None:
            raise UsageError(
                reason, hint="Give the shape it was trained on: --input-shape, or matching --data."
            ) from error
        raise RefusedModelError(reason) from error


def _axes(shape: tuple[int, ...]) -> str:
    """A shape as it is typed: 3,224,224."""
    return ",".join(map(str, shape))
