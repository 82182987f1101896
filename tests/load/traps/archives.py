"""TorchScript and `.pt2` archives that are bombs, or claim what they do not hold, or reach for files."""

import functools
import io
import json
import os
import pickle
import struct
import warnings
import zipfile
from pathlib import Path

SAMPLE_MODELS = Path(__file__).resolve().parents[3] / "sample_models"


def rewritten(name, edit, compression=zipfile.ZIP_STORED):
    """The bytes of a sample model, each member put through `edit(name, content)`; None drops it."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(SAMPLE_MODELS / name) as source,
        zipfile.ZipFile(buffer, "w", compression) as target,
    ):
        for member in source.namelist():
            content = edit(member, source.read(member))
            if content is not None:
                target.writestr(member, content)
    return buffer.getvalue()


def _script(folder, edit=lambda _name, content: content):
    path = folder / "net.pt"
    path.write_bytes(rewritten("digits_mlp.pt", edit))
    return path


def _program(folder, edit):
    path = folder / "net.pt2"
    path.write_bytes(rewritten("digits_mlp.pt2", edit))
    return path


@functools.cache
def _bomb():
    large = bytes(2**27)
    return rewritten(
        "digits_mlp.pt", lambda name, data: large if name.endswith("data/0") else data, zipfile.ZIP_DEFLATED
    )


def deflate_bomb(folder):
    """An eighth of a megabyte that opens as 128 MB."""
    path = folder / "net.pt"
    path.write_bytes(_bomb())
    return path


def overlapping(folder):
    """The table of contents sends two members to the same bytes."""
    path = _script(folder)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        first, second = archive.infolist()[:2]
    place = content.find(b"PK\x01\x02", content.find(b"PK\x01\x02") + 4)
    assert struct.unpack_from("<L", content, place + 42)[0] == second.header_offset
    struct.pack_into("<L", content, place + 42, first.header_offset)
    path.write_bytes(content)
    return path


def shared_stretch(folder):
    """One member claims the bytes of the next as well."""
    path = _script(folder)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        size = archive.infolist()[0].file_size + 1000
    place = content.find(b"PK\x01\x02")
    struct.pack_into("<LL", content, place + 20, size, size)
    path.write_bytes(content)
    return path


def twice(folder):
    """Two members of one name: Python reads one and torch the other."""
    path = _script(folder)
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("digits_mlp/data.pkl", b"\x80\x02N.")
    return path


def upward(folder):
    """A member that leads out of the archive."""
    path = _script(folder)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("digits_mlp/../../ran", b"x")
    return path


def absolute(folder):
    """A member with an absolute name."""
    path = _script(folder)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(str(folder / "ran"), b"x")
    return path


def crowded(folder):
    """An end record that claims a table of contents of four thousand million bytes."""
    path = _script(folder)
    content = bytearray(path.read_bytes())
    struct.pack_into("<L", content, len(content) - 10, 0xFFFFFFF0)
    path.write_bytes(content)
    return path


def endless_view(folder):
    """A weight of 10^12 elements on 4096 stored ones, all strides zero."""

    def edit(name, data):
        if not name.endswith("data.pkl"):
            return data
        shape = b"(K@K@t(K@K\x01t"
        assert data.count(shape) == 1
        return data.replace(shape, b"(J\x40\x42\x0f\x00J\x40\x42\x0f\x00t(K\x00K\x00t")

    return _script(folder, edit)


def long_storage(folder):
    """A storage said to be longer than its bytes: torch would read what lies behind them."""

    def edit(name, data):
        return data[:16] if name.endswith("data/0") else data

    return _script(folder, edit)


def _calling(folder, line):
    def edit(name, data):
        if b"Tensor:\n" not in data:
            return data
        start = data.index(b"Tensor:\n") + len(b"Tensor:\n")
        return data[:start] + f"    {line}\n".encode() + data[start:]

    return _script(folder, edit)


def writing(folder):
    """The model writes a file when it is run."""
    return _calling(folder, f'torch.save(x, "{folder / "ran"}")')


def mapping(folder):
    """The model maps a file of its choice into memory, and may change it."""
    return _calling(folder, f'_ = torch . from_file("{folder / "canary"}", True, 4)')


def program_view(folder):
    """A weight of 10^12 elements in a `.pt2`."""

    def edit(name, data):
        if not name.endswith("weights_config.json"):
            return data
        document = json.loads(data)
        meta = document["config"]["fc1.weight"]["tensor_meta"]
        meta["sizes"], meta["strides"] = [{"as_int": 10**6}] * 2, [{"as_int": 0}] * 2
        return json.dumps(document).encode()

    return _program(folder, edit)


def program_tower(folder):
    """A shape that is a tower of powers, which Python would compute until the memory ends."""
    return _program(folder, _expression("Pow(Integer(9), Pow(Integer(9), Integer(9)))"))


def program_code(folder):
    """A shape that is Python code."""
    return _program(folder, _expression(f"__import__('os').system('touch {folder / 'ran'}')"))


def _expression(text):
    def edit(name, data):
        return json.dumps(replaced(json.loads(data), "expr_str", text)).encode() if "models/" in name else data

    return edit


def program_call(folder):
    """A node of the program that calls what is no operator."""

    def edit(name, data):
        if "models/" not in name:
            return data
        return data.replace(b"torch.ops.aten.relu.default", b"torch.hub.load_state_dict_from_url")

    return _program(folder, edit)


def _renamed(content, names, extra=()):
    """An archive with members under other names, and more of them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            target.writestr(names(name), source.read(name))
        for name, data in extra:
            target.writestr(name, data)
    return buffer.getvalue()


def _leaving(folder):
    """A pickle that leaves a file behind."""

    class Payload:
        def __reduce__(self):
            return os.system, (f"touch '{folder / 'ran'}'",)

    return pickle.dumps(Payload(), protocol=2)


def program_in_capitals(folder):
    """The example inputs of a `.pt2` are a pickle whose suffix is in capitals, which torch finds all the same."""
    content = rewritten("digits_mlp.pt2", lambda name, data: None if "sample_inputs" in name else data)
    path = folder / "net.pt2"
    path.write_bytes(
        _renamed(content, lambda name: name, [("digits_mlp/data/sample_inputs/model.PT", _leaving(folder))])
    )
    return path


def program_hidden(folder):
    """A second program under a suffix of its own, which torch reads as well."""
    with zipfile.ZipFile(SAMPLE_MODELS / "digits_mlp.pt2") as archive:
        name = next(name for name in archive.namelist() if "models/" in name)
        evil = json.dumps(replaced(json.loads(archive.read(name)), "expr_str", "__import__('os').getpid()")).encode()
    content = rewritten("digits_mlp.pt2", lambda _name, data: data)
    path = folder / "net.pt2"
    path.write_bytes(_renamed(content, lambda name: name, [("digits_mlp/models/other.txtx", evil)]))
    return path


def script_in_capitals(folder):
    """The endless view in a pickle whose name is in capitals."""
    content = endless_view(folder).read_bytes()
    path = folder / "net.pt"
    path.write_bytes(_renamed(content, lambda name: name.replace("data.pkl", "DATA.PKL")))
    return path


def program_of_old(folder):
    """A `.pt2` that torch fails to read, with a pickled one of an older format for it to fall back to."""
    path = _program(folder, lambda name, data: None if name.endswith("archive_format") else data)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("version", "5.3")
        archive.writestr("serialized_state_dict.pt", b"\x80\x02N.")
    return path


def replaced(value, wanted, new):
    """A JSON document with every `wanted` key set to `new`."""
    if isinstance(value, dict):
        return {key: new if key == wanted else replaced(item, wanted, new) for key, item in value.items()}
    return [replaced(item, wanted, new) for item in value] if isinstance(value, list) else value


TRAPS = {
    "deflate bomb": (deflate_bomb, "decompression bomb"),
    "overlapping members": (overlapping, "is called|overlap"),
    "shared stretch": (shared_stretch, "overlap|claims"),
    "member twice": (twice, "twice"),
    "member outside": (upward, "leads out"),
    "absolute member": (absolute, "leads out"),
    "table of contents": (crowded, "table of contents|damaged"),
    "view of 10^12": (endless_view, "1,000,000,000,000 elements"),
    "storage beyond its record": (long_storage, "record of 16 bytes"),
    "writes a file": (writing, "'save'"),
    "maps a file": (mapping, "'from_file'"),
    "pt2 view of 10^12": (program_view, "in a record of"),
    "pt2 tower of powers": (program_tower, "not plain arithmetic"),
    "pt2 code": (program_code, "not plain arithmetic"),
    "pt2 of two formats": (program_of_old, "no part of a program"),
    "pt2 pickle in capitals": (program_in_capitals, "no part of a program"),
    "pt2 second program": (program_hidden, "no part of a program"),
    "view in capitals": (script_in_capitals, "1,000,000,000,000 elements"),
    "pt2 foreign call": (program_call, "no operation on tensors"),
}
