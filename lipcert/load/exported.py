"""`torch.export` archives (.pt2).

An archive is opened only after `lipcert.load.preflight` has shown that opening it runs nothing, and torch's own safe
loader that every `.pt` inside holds tensors alone.
"""

from __future__ import annotations

import io
import logging
import zipfile
from typing import Any

import torch

from lipcert.errors import RefusedModelError, UnreadableModelError
from lipcert.load.archive import check_intact
from lipcert.load.output import single_output
from lipcert.load.precision import HALVES, CastInput, weight_dtype
from lipcert.load.refusals import refuse_operators
from lipcert.load.screen import screen_archive
from lipcert.load.source import Source
from lipcert.load.torchscript import TorchOracle


def read_exported(data: bytes, *, output_name: str | None = None) -> Source:
    """A `.pt2` archive as a source.

    Raises:
        UnreadableModelError: torch cannot open it.
        RefusedModelError: pickled content, several inputs.
    """
    screen_archive(data, "exported")
    check_intact(data)
    _check_tensor_files(data)
    log = logging.getLogger("torch.export")
    try:
        log.disabled = True  # it would print a traceback before it raises
        program = torch.export.load(io.BytesIO(data))
    except Exception as error:
        line = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        raise UnreadableModelError(f"torch cannot open the exported program: {line}") from error
    finally:
        log.disabled = False
    return exported_source(program, output_name=output_name)


def exported_source(program: torch.export.ExportedProgram, *, output_name: str | None = None) -> Source:
    """A loaded program as a source. Its guards are code inside the file and are not run; its batch is read instead."""
    refuse_operators(n.target._schema.name for n in program.graph.nodes if hasattr(n.target, "_schema"))
    module = program.module(check_guards=False)
    shape = _input_shape(program)
    batch = shape[0] if isinstance(shape[0], int) else None
    named = dict(program.named_parameters()) | dict(program.named_buffers())
    function = CastInput(single_output(module, output_name), weight_dtype(named))
    return Source(
        format="exported",
        description="torch.export",
        function=function,
        named=named,
        input_shape=tuple(int(d) for d in shape[1:]) if all(isinstance(d, int) for d in shape[1:]) else None,
        declared_batch=batch,
        oracle=TorchOracle("exported", function, batch),
        quantised=function.dtype in HALVES,
    )


def _input_shape(program: Any) -> tuple[Any, ...]:
    names = program.graph_signature.user_inputs
    if len(names) != 1:
        raise RefusedModelError(
            f"the exported program takes {len(names)} inputs; a classifier of one input is needed",
            hint="Wrap it in a module that takes one tensor and fixes the others.",
        )
    node = next(n for n in program.graph.nodes if n.name == names[0])
    return tuple(node.meta["val"].shape)


def _check_tensor_files(data: bytes) -> None:
    """Raise RefusedModelError on a file inside the archive that torch's safe loader does not take."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            content = archive.read(name) if name.endswith((".pt", ".pkl", ".pth")) else b""
            if not content:
                continue
            try:
                torch.load(io.BytesIO(content), weights_only=True)  # noqa: TID251  the safe form, in the loader
            except Exception as error:
                raise RefusedModelError(
                    f"{name} in the archive is a pickle of more than tensors; it was not opened",
                    hint="Save the program again; example inputs must be tensors.",
                ) from error
