"""`torch.export` archives (.pt2).

`torch.export.load` executes pickles and evaluates symbolic expressions as Python. An archive is opened only after it
is shown to hold neither: no weight or constant stored with pickle, every `.pt` inside a plain tensor file, and every
expression made of symbols, numbers and arithmetic.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import torch

from lipcert.errors import RefusedModelError, UnreadableModelError
from lipcert.load.output import single_output
from lipcert.load.precision import HALVES, CastInput, weight_dtype
from lipcert.load.refusals import refuse_operators
from lipcert.load.source import Source
from lipcert.load.torchscript import TorchOracle

# What `sympy.srepr` and `str` write for the shapes of a program: symbols, integers, arithmetic.
_SYMBOL = r"Symbol\('[su]\d+'(?:, [a-z]+=(?:True|False))*\)|[su]\d+"
_CALLS = (
    "Integer|Rational|Add|Mul|Pow|Max|Min|Mod|PythonMod|FloorDiv|CeilDiv|CleanDiv|TrueDiv|IntTrueDiv|Eq|Ne|Not|And|Or"
)
_EXPRESSION = re.compile(rf"(?:{_SYMBOL}|(?:{_CALLS})(?=\()|\d+(?:\.\d+)?|(?:int_)?oo|[-+*/%(),<>=&|~ ])*")


def read_exported(data: bytes, *, output_name: str | None = None) -> Source:
    """A `.pt2` archive as a source.

    Raises:
        UnreadableModelError: torch cannot open it.
        RefusedModelError: pickled content, several inputs.
    """
    _guard(data)
    try:
        program = torch.export.load(io.BytesIO(data))
    except Exception as error:
        line = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        raise UnreadableModelError(f"torch cannot open the exported program: {line}") from error
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


def _guard(data: bytes) -> None:
    """Raise RefusedModelError unless nothing in the archive runs code when it is opened."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                _guard_json(name, _json(archive, name))
            elif name.endswith((".pt", ".pkl", ".pth")):
                _guard_tensors(name, archive.read(name))
            elif "custom_obj" in name or "opaque_obj" in name or name.endswith(".so"):
                raise RefusedModelError(f"the archive holds code or a custom object ({name}); it was not opened")


def _json(archive: zipfile.ZipFile, name: str) -> Any:
    try:
        return json.loads(archive.read(name))
    except (ValueError, zipfile.BadZipFile) as error:
        raise UnreadableModelError(f"{name} in the archive is damaged: {error}") from error


def _guard_json(name: str, document: Any) -> None:
    for key, value in _items(document):
        if key == "use_pickle" and value:
            raise RefusedModelError(
                f"{name} says that a tensor is stored as a pickle, which can run any code; it was not opened",
                hint="Save the program again with plain dense tensors.",
            )
        if key == "expr_str" and not (isinstance(value, str) and _EXPRESSION.fullmatch(value)):
            raise RefusedModelError(f"{name} holds the expression {value!r:.80}, which is not plain arithmetic")


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
        for item in value.values():
            yield from _items(item)
    elif isinstance(value, list):
        for item in value:
            yield from _items(item)


def _guard_tensors(name: str, content: bytes) -> None:
    if not content:
        return
    try:
        torch.load(io.BytesIO(content), weights_only=True)  # noqa: TID251  the safe form, in the loader
    except Exception as error:
        raise RefusedModelError(
            f"{name} in the archive is a pickle of more than tensors; it was not opened",
            hint="Save the program again; example inputs must be tensors.",
        ) from error
