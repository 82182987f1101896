"""Mutators that know the format, so that their mutants get past the first check."""

import io
import re
import zipfile

import onnx
from google.protobuf.descriptor import FieldDescriptor

from tests.load.mutation.raw import changed_bytes

_OPERATORS = (
    "Loop If Relu Gemm Conv MatMul Reshape Expand Tile Range ConstantOfShape Resize Spam Cast Shape LSTM".split()
)
_NAMES = ["", "x", "y", "w", "../x", "/etc/passwd", "x" * 5000, "\u202e", "a/b", "9"]
_WORDS = [
    "scale",
    "mean",
    "layout",
    "[",
    "]",
    "=",
    "[[data]]",
    "nan",
    "inf",
    "1e999",
    '"\\ud800"',
    "0x",
    "'''",
    "9" * 400,
]


def archive(content, chance, payload):
    """Bytes changed anywhere, or one member of the archive changed with its checksum made right again."""
    if chance.below(3) == 0:
        return changed_bytes(content, chance)
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(buffer, "w") as target:
        names = source.namelist()
        chosen = chance.of(names)
        for name in names:
            for written, data in (
                _member(name, source.read(name), chance, payload) if name == chosen else [(name, None)]
            ):
                target.writestr(written, source.read(name) if data is None else data)
    return buffer.getvalue()


def _member(name, data, chance, payload):
    """What takes the place of one member: (name, content) pairs."""
    kind = chance.below(8)
    if kind == 0:
        return []
    if kind == 1:
        return [(chance.of([name + "x", "../" + name, "/" + name, name.upper(), name.rsplit("/", 1)[0]]), data)]
    if kind == 2:
        return [(name, payload)]
    if kind == 3 and data.startswith(b"\x80"):
        place = 2 + chance.below(max(1, len(data) - 2))
        return [(name, data[:place] + payload[2:-1] + b"0" + data[place:])]
    if kind == 4:
        return [(name, _numbers_changed(data, chance))]
    return [(name, changed_bytes(data, chance))]


def _numbers_changed(data, chance):
    """Text with one of its numbers replaced; other data with bytes changed."""
    found = list(re.finditer(rb"-?\d+", data))
    if not found or data.startswith((b"\x80", b"\x93")):
        return changed_bytes(data, chance)
    match = chance.of(found)
    return data[: match.start()] + str(chance.number()).encode() + data[match.end() :]


def message(content, chance, payload):
    """Bytes changed anywhere, or fields of the message set to something else."""
    if chance.below(4) == 0:
        return changed_bytes(content, chance)
    model = onnx.load_model_from_string(content)
    for _ in range(1 + chance.below(3)):
        _change_field(model, chance, payload)
    return model.SerializeToString()


def _change_field(model, chance, payload):
    """Set, repeat or drop one field of one message within the model."""
    holder = chance.of(_messages(model))
    field = chance.of(holder.DESCRIPTOR.fields)
    repeated = field.is_repeated
    if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        values = getattr(holder, field.name)
        if repeated and len(values):
            values[chance.below(len(values))].CopyFrom(chance.of(values))
        return
    value = _value(field, chance, payload)
    try:
        if not repeated:
            setattr(holder, field.name, value)
        elif len(getattr(holder, field.name)) and chance.below(2):
            values = getattr(holder, field.name)
            values[chance.below(len(values))] = value
        else:
            getattr(holder, field.name).append(value)
    except (TypeError, ValueError):  # the value is outside the field's type: leave it
        return


def _value(field, chance, payload):
    if field.type == FieldDescriptor.TYPE_STRING:
        return chance.of(_OPERATORS if field.name == "op_type" else _NAMES)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return chance.of([b"", payload, chance.bytes(7), b"\xff\xfe"])
    return chance.of([0.5, float("nan"), 1e30]) if field.type in (1, 2) else chance.number()


def _messages(root):
    """A message and all it holds."""
    found, waiting = [], [root]
    while waiting:
        current = waiting.pop()
        found.append(current)
        for field, value in current.ListFields():
            if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
                waiting += list(value) if field.is_repeated else [value]
    return found


def configuration(content, chance, payload):
    """Bytes changed anywhere, or words of the text replaced, dropped, doubled and moved."""
    if chance.below(3) == 0:
        return changed_bytes(content, chance)
    tokens = re.findall(r"\s+|[\w.-]+|[^\w\s]", content.decode())
    for _ in range(1 + chance.below(3)):
        place = chance.below(len(tokens))
        other = [chance.of(_WORDS), str(chance.number()), chance.of(tokens), repr(payload[:9])]
        tokens[place : place + 1] = chance.of([[], [tokens[place]] * 2, *([word] for word in other)])
    return "".join(tokens).encode("utf-8", errors="replace")


MUTATORS = {
    "torchscript": archive,
    "exported": archive,
    "onnx": message,
    "npz": archive,
    "config": configuration,
    "policy": configuration,
}
