"""TorchScript archives written back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import torch
from torch import Tensor

from lipcert.load.torchscript import scripted_source
from lipcert.pipeline import AnalyzeRequest

_EXTRA = "extra/"


def scale_torchscript(request: AnalyzeRequest, data: bytes, factors: Mapping[str, float]) -> bytes:
    """The archive with parameters, buffers and frozen constants scaled; extra files go along."""
    extra = dict.fromkeys(_extra_names(data), "")
    module = torch.jit.load(io.BytesIO(data), map_location="cpu", _extra_files=extra)
    training = bool(getattr(module, "training", False))  # a frozen module does not know
    module.eval()
    scale_tensors(scripted_source(module, output_name=request.output_name).named, factors)
    if training:
        module.train()
    written = io.BytesIO()
    torch.jit.save(module, written, _extra_files=extra)
    return written.getvalue()


@torch.no_grad()
def scale_tensors(named: Mapping[str, Tensor], factors: Mapping[str, float]) -> None:
    """Scale tensors in place."""
    for name, factor in factors.items():
        tensor = named[name]
        tensor.copy_((tensor.to(torch.float64) * factor).to(tensor.dtype))


def _extra_names(data: bytes) -> list[str]:
    """Names of the files that whoever saved the archive put beside the module."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        inner = (name.partition("/")[2] for name in archive.namelist())
        return [name.removeprefix(_EXTRA) for name in inner if name.startswith(_EXTRA)]
