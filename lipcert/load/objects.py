"""Models given from Python: an nn.Module, a ScriptModule or an ExportedProgram."""

from __future__ import annotations

import torch

from lipcert.errors import RefusedModelError
from lipcert.load.exported import exported_source
from lipcert.load.output import single_output
from lipcert.load.precision import HALVES, CastInput, weight_dtype
from lipcert.load.refusals import refuse_operators
from lipcert.load.source import Source
from lipcert.load.torchscript import TorchOracle, scripted_source


def read_object(model: object, *, output_name: str | None = None) -> Source:
    """A model in memory as a source; the model itself is left as it is.

    Raises:
        RefusedModelError: an object of another kind, or a module in training mode.
    """
    if isinstance(model, torch.export.ExportedProgram):
        return exported_source(model, output_name=output_name)
    if isinstance(model, torch.jit.ScriptModule):
        return scripted_source(model, output_name=output_name)
    if not isinstance(model, torch.nn.Module):
        raise RefusedModelError(
            f"a path, nn.Module, ScriptModule or ExportedProgram is needed, got {type(model).__name__}"
        )
    if model.training:
        raise RefusedModelError("the module is in training mode", hint="Call model.eval() first.")
    refuse_operators(type(part).__name__ for part in model.modules() if type(part).__module__.startswith("torch."))
    named = dict(model.named_parameters()) | dict(model.named_buffers())
    function = CastInput(single_output(model, output_name), weight_dtype(named))
    return Source(
        format="module",
        description=f"nn.Module {type(model).__name__}",
        function=function,
        named=named,
        input_shape=None,
        declared_batch=None,
        oracle=TorchOracle("module", function),
        quantised=function.dtype in HALVES,
    )
