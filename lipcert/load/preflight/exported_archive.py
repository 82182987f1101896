"""The static check of `torch.export` archives (.pt2).

`torch.export.load` executes pickles and evaluates symbolic expressions as Python. An archive is opened only after it
is shown to hold neither: no weight or constant stored with pickle, every `.pt` inside a plain tensor file, every
expression made of symbols, numbers and bounded arithmetic, and every weight within the bytes of its record.
"""

from __future__ import annotations

import ast
import io
import json
import math
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from lipcert.errors import RefusedModelError, UnreadableModelError
from lipcert.load.preflight.archive import MODEL_EXPANSION, complaint, open_archive
from lipcert.load.preflight.torch_archive import check_tensors

# What `sympy.srepr` and `str` write for the shapes of a program: symbols, integers, arithmetic.
_SYMBOL = r"Symbol\('[su]\d+'(?:, [a-z]+=(?:True|False))*\)|[su]\d+"
_CALLS = (
    "Integer|Rational|Add|Mul|Pow|Max|Min|Mod|PythonMod|FloorDiv|CeilDiv|CleanDiv|TrueDiv|IntTrueDiv|Eq|Ne|Not|And|Or"
)
_EXPRESSION = re.compile(rf"(?:{_SYMBOL}|(?:{_CALLS})(?=\()|\d+(?:\.\d+)?|(?:int_)?oo|[-+*/%(),<>=&|~ ])*")
_LONGEST_EXPRESSION, _LONGEST_NUMBER, _LARGEST_EXPONENT, _MOST_POWERS = 4000, 20, 8, 4
# Everything torch.export.save writes of a program whose constants are tensors, and nothing that torch would unpickle.
_MEMBER = re.compile(
    r"[^/]+/(?:archive_format|archive_version|byteorder|\.data/\w+|models/[^/]+\.json|data/sample_inputs/[^/]+\.pt"
    r"|data/weights/(?:weight_\d+|[^/]+_weights_config\.json)|data/constants/(?:tensor_\d+|[^/]+_constants_config\.json)"
    r"|extra/.+)"
)
_PAYLOAD = re.compile(r"weight_\d+|tensor_\d+")
_TARGET = re.compile(r"(?:torch\.ops\.[\w.]+|_operator\.\w+|math\.\w+|torch\.(?:_?sym_)\w+)")
_FILE_ACCESS = re.compile(r".*\b(?:from_file|save|load)\b.*")
_ITEMSIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 2, 7: 4, 8: 8, 9: 4, 10: 8, 11: 16, 12: 1, 13: 2}
"""Bytes of an element by the code torch.export gives its number type; what is not here is taken for one byte."""


def check_program(archive: zipfile.ZipFile) -> None:
    """Show that opening the archive runs nothing and allocates no more than it holds.

    Raises:
        UnreadableModelError: a part of it is damaged.
        RefusedModelError: pickled content, an expression that is code, a tensor larger than its record.
    """
    sizes = {member.filename: member.file_size for member in archive.infolist()}
    if foreign := [name for name in sizes if not _MEMBER.fullmatch(name)]:
        raise RefusedModelError(
            f"the archive holds {foreign[0]!r:.80}, which is no part of a program of plain tensors; it was not opened",
            hint="Save it again with torch.export.save of torch 2.8 or newer, without compiled code or custom objects.",
        )
    for name in sizes:
        if name.endswith(".json"):
            document = _json(archive, name)
            _check_document(name, document)
            if name.endswith("_config.json"):
                _check_payloads(name, document, sizes)
        elif name.endswith(".pt"):
            _check_tensor_file(name, archive.read(name))


def _json(archive: zipfile.ZipFile, name: str) -> Any:
    try:
        return json.loads(archive.read(name))
    except (ValueError, RecursionError, zipfile.BadZipFile) as error:
        raise UnreadableModelError(f"{name} in the archive is damaged: {error}") from error


def _check_document(name: str, document: Any) -> None:
    for key, value in _items(document):
        if key == "use_pickle" and value:
            raise RefusedModelError(
                f"{name} says that a tensor is stored as a pickle, which can run any code; it was not opened",
                hint="Save the program again with plain dense tensors.",
            )
        if key == "expr_str" and not is_arithmetic(value):
            raise RefusedModelError(f"{name} holds the expression {value!r:.80}, which is not plain arithmetic")
        if key == "target" and isinstance(value, str) and _is_foreign(value):
            raise RefusedModelError(f"{name} calls {value!r:.80}, which is no operation on tensors")


def _is_foreign(target: str) -> bool:
    """Whether a dotted name that a node calls leads out of torch's operators, or to one that reaches files.

    Other things have targets without a dot: parameters and buffers are called by their names.
    """
    called = target.startswith(("torch", "_operator", "math"))
    return called and (not _TARGET.fullmatch(target) or bool(_FILE_ACCESS.fullmatch(target)))


def is_arithmetic(text: Any) -> bool:
    """Whether an expression of a program is symbols and numbers under operations whose results stay small."""
    if not isinstance(text, str) or len(text) > _LONGEST_EXPRESSION or not _EXPRESSION.fullmatch(text):
        return False
    if "**" in text or any(len(number) > _LONGEST_NUMBER for number in re.findall(r"\d+", text)):
        return False
    try:
        calls = [node for node in ast.walk(ast.parse(text.strip(), mode="eval")) if isinstance(node, ast.Call)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    powers = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Pow"]
    return len(powers) <= _MOST_POWERS and all(_is_small_power(call) for call in powers)


def _is_small_power(call: ast.Call) -> bool:
    """Whether Pow(base, exponent) has a written exponent of modest size."""
    if len(call.args) != 2:
        return False
    number = re.fullmatch(r"(?:Integer\()?-?(\d+)\)?|Rational\(-?(\d+), \d+\)", ast.unparse(call.args[1]))
    return number is not None and int(number[1] or number[2]) <= _LARGEST_EXPONENT


def _items(document: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, at any depth."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from value.items()
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _check_payloads(name: str, document: Any, sizes: dict[str, int]) -> None:
    """Hold each weight's shape against its record."""
    folder = name.rpartition("/")[0]
    config = document.get("config") if isinstance(document, dict) else None
    for weight, entry in config.items() if isinstance(config, dict) else ():
        meta = entry.get("tensor_meta") if isinstance(entry, dict) else None
        if not isinstance(meta, dict) or not _PAYLOAD.fullmatch(str(entry.get("path_name"))):
            raise RefusedModelError(f"{name} in the archive describes {weight!r:.80} as no plain tensor")
        held = sizes.get(f"{folder}/{entry.get('path_name')}", 0)
        shape, strides = _numbers(meta.get("sizes")), _numbers(meta.get("strides"))
        offset, itemsize = _numbers([meta.get("storage_offset")]), _ITEMSIZES.get(meta.get("dtype", 0), 1)
        if shape is None or strides is None or offset is None or len(shape) != len(strides):
            raise UnreadableModelError(f"{name} in the archive describes {weight!r:.80} in no shape that is known")
        count = math.prod(shape)
        last = offset[0] + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
        if count and max(count, last + 1) * itemsize > held:
            raise RefusedModelError(
                f"{name} in the archive claims {weight!r:.80} of shape {shape!s:.80} in a record of {held:,} bytes; "
                "it was not opened",
                hint="Export the model again; tensors that are expanded views must be made contiguous first.",
            )


def _numbers(entries: Any) -> list[int] | None:
    """Sizes as torch.export writes them ({"as_int": 3}), None where they are anything else."""
    if not isinstance(entries, list):
        return None
    found = [entry.get("as_int") if isinstance(entry, dict) else None for entry in entries]
    good = all(isinstance(number, int) and not isinstance(number, bool) and number >= 0 for number in found)
    return [int(number or 0) for number in found] if good else None


def _check_tensor_file(name: str, content: bytes) -> None:
    """A tensor file, an archive within the archive. What its pickle holds is for torch's safe loader to judge."""
    if not content:
        return
    try:
        with open_archive(io.BytesIO(content)) as inner:
            if (found := complaint(inner, MODEL_EXPANSION)) is not None:
                raise RefusedModelError(f"{name} in the archive cannot be trusted: {found}")
            check_tensors(inner)
    except zipfile.BadZipFile as error:
        raise RefusedModelError(
            f"{name} in the archive is a pickle, or damaged ({error}); it was not opened",
            hint="Save the program again; example inputs must be tensors.",
        ) from error
