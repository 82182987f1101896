"""`torch.export` archives written back."""

from __future__ import annotations

import io
from collections.abc import Mapping

import torch

from lipcert.export.torchscript import scale_tensors
from lipcert.load.exported import exported_source
from lipcert.pipeline import AnalyzeRequest


def scale_exported(request: AnalyzeRequest, data: bytes, factors: Mapping[str, float]) -> bytes:
    """The archive with parameters and buffers scaled. The bytes have been read, and so checked, before."""
    program = torch.export.load(io.BytesIO(data))
    scale_tensors(exported_source(program, output_name=request.output_name).named, factors)
    written = io.BytesIO()
    torch.export.save(program, written)
    return written.getvalue()
