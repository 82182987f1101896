"""The static check of archives that torch.save and torch.jit.save write."""

from __future__ import annotations

import re
import zipfile

from lipcert.errors import RefusedModelError
from lipcert.load.preflight.pickled import check_pickle

_PICKLES = ("data.pkl", "constants.pkl", "attributes.pkl")
_STORAGES = {"data.pkl": "data/", "constants.pkl": "constants/", "attributes.pkl": "data/"}
_MOST_CODE = 2**26
_GAP = rb"(?:\s|\\|#[^\n]*\n)*"
_FILE_ACCESS = re.compile(
    rb"\." + _GAP + rb"(from_file|save|load|rpc_async|rpc_sync|rpc_remote|load_tensor)" + _GAP + rb"\("
)


def check_tensors(archive: zipfile.ZipFile) -> None:
    """Hold every tensor of every pickle in the archive against its storage. Raises as `check_pickle` does."""
    sizes = {member.filename: member.file_size for member in archive.infolist()}
    for path in sizes:
        folder, _, name = path.rpartition("/")
        if name.lower() not in _PICKLES:  # torch finds members whatever the case of their names
            continue
        prefix = f"{folder}/{_STORAGES[name.lower()]}" if folder else _STORAGES[name.lower()]
        records = {key.removeprefix(prefix): size for key, size in sizes.items() if key.startswith(prefix)}
        check_pickle(archive.read(path), path, records)


def check_code(archive: zipfile.ZipFile) -> None:
    """Raise RefusedModelError on TorchScript that reads or writes files; parts of it run while it is loaded."""
    members = archive.infolist()
    if any(member.filename.lower().rpartition("/")[2] == "model.json" for member in members):
        raise RefusedModelError(
            "the archive is of a TorchScript format before 1.0", hint="Save the module again with a current torch."
        )
    code = [member for member in members if "code/" in (name := member.filename.lower()) and name.endswith(".py")]
    if sum(member.file_size for member in code) > _MOST_CODE:
        raise RefusedModelError(f"the archive holds more than {_MOST_CODE:,} bytes of code")
    for member in code:
        if found := _FILE_ACCESS.search(archive.read(member)):
            raise RefusedModelError(
                f"the code of the model calls {found[1].decode()!r} ({member.filename!s:.120}), "
                "which reaches files or other processes; it was not opened",
                hint="A classifier computes with tensors alone: take the call out and export again.",
            )
