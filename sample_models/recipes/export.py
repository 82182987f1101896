"""One trained net as TorchScript, ONNX and .pt2, without the source paths the exporters leave in the files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn


def write(net: nn.Module, example: Tensor, path: Path) -> None:
    """Write one file, in the format its suffix names; `example` is a batch of at least two samples."""
    if path.suffix == ".pt":
        _torchscript(net, path)
    elif path.suffix == ".pt2":
        _exported(net, example, path)
    else:
        _onnx(net, example, path)


def _torchscript(net: nn.Module, path: Path) -> None:
    torch.jit.save(torch.jit.script(net), path)
    with zipfile.ZipFile(path) as archive:
        kept = [name for name in archive.namelist() if not name.endswith(".debug_pkl")]
        members = {name: archive.read(name) for name in kept}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)


def _program(net: nn.Module, example: Tensor) -> torch.export.ExportedProgram:
    return torch.export.export(net, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))


def _exported(net: nn.Module, example: Tensor, path: Path) -> None:
    program = _program(net, example)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    torch.export.save(program, path)


def _onnx(net: nn.Module, example: Tensor, path: Path) -> None:
    program = torch.onnx.export(
        net,
        (example,),
        dynamo=True,
        opset_version=18,
        input_names=["input"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        optimize=False,
        verbose=False,
    )
    assert program is not None
    proto = program.model_proto
    del proto.metadata_props[:]
    del proto.graph.metadata_props[:]
    for entry in (*proto.graph.node, *proto.graph.initializer, *proto.graph.value_info):
        del entry.metadata_props[:]
        entry.doc_string = ""
    onnx.checker.check_model(proto, full_check=True)
    onnx.save(proto, path)
