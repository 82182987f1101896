"""The way every model file takes before it is loaded."""

from __future__ import annotations

import io
from pathlib import Path

from lipcert.errors import RefusedModelError, UnreadableModelError
from lipcert.load.onnx_file import check_external, parse_model
from lipcert.load.preflight.archive import DAMAGE, MODEL_EXPANSION, complaint, open_archive
from lipcert.load.preflight.exported_archive import check_program
from lipcert.load.preflight.onnx_message import check_message
from lipcert.load.preflight.torch_archive import check_code, check_tensors
from lipcert.load.sniff import ModelFormat, sniff


def screen(data: bytes, path: Path | None = None) -> ModelFormat:
    """The format of a model, once its bytes are shown to claim nothing beyond what they hold.

    path  where they come from; its folder may hold external data of an ONNX model

    Raises as `sniff` does, and RefusedModelError on bombs, traps and code that reaches files.
    """
    kind = sniff(data)
    if kind == "onnx":
        model = parse_model(data)
        check_message(model)
        check_external(model, None if path is None else path.resolve().parent)
    else:
        screen_archive(data, kind)
    return kind


def screen_archive(data: bytes, kind: ModelFormat) -> None:
    """Hold an archive of TorchScript or torch.export against what it claims."""
    try:
        with open_archive(io.BytesIO(data)) as archive:
            if (found := complaint(archive, MODEL_EXPANSION, any_case=True)) is not None:
                raise RefusedModelError(
                    f"the archive cannot be trusted: {found}", hint="Export the model again; torch writes no such file."
                )
            if kind == "exported":
                check_program(archive)
            else:
                check_code(archive)
                check_tensors(archive)
    except DAMAGE as error:
        raise UnreadableModelError(
            f"the archive is damaged: {error}", hint="Copy or export the model again."
        ) from error
