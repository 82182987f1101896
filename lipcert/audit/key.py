"""The name of a result: a digest of all it depends on."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lipcert.audit.files import Files
from lipcert.pipeline.request import AnalyzeRequest
from lipcert.records.tool import installed

ANALYSIS_VERSION = 1
_PLACES = ("model", "data", "labels", "train_data", "init_model", "per_sample", "adversarials", "argv")
_SPEED = ("batch_size", "device")


def common_of(request: AnalyzeRequest, files: Files) -> str:
    """What the keys of all models share that are analysed by one request: data, options, version.

    What only changes speed and memory is left out. Raises UsageError where a file cannot be read.
    """
    contents: dict[str, Any] = {}
    for name in ("data", "labels", "train_data", "init_model"):
        place = getattr(request, name)
        if place is not None:
            contents[name] = _contents(str(place), files)
    options = {name: value for name, value in asdict(request).items() if name not in (*_PLACES, "settings")}
    settings = {name: value for name, value in asdict(request.settings).items() if name not in _SPEED}
    version = [ANALYSIS_VERSION, installed("lipcert")]
    return json.dumps([version, contents, options, settings], sort_keys=True, default=str)


def key_of(model: Path, digest: str, common: str, files: Files) -> str:
    """Where the result on a model belongs: the same for the same contents, whatever the files are called.

    It covers the model, its sidecar, and what `common_of` has of the request.

    digest  of the model; empty where it cannot be read, and its name must do
    """
    contents = {"model": digest or f"unreadable: {model}", **_sidecar(model, files)}
    text = json.dumps([contents, common], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _contents(place: str, files: Files) -> str:
    """A digest of a data file; of the name alone where it is `module:function`."""
    path = Path(place)
    return place if ":" in place and not path.exists() else files.digest(path)


def _sidecar(model: Path, files: Files) -> dict[str, str]:
    """Digests of the sidecar, if there is one, and of the data it names."""
    for name in dict.fromkeys((model.name, model.stem)):
        path = model.with_name(f"{name}.lipcert.toml")
        if path.is_file():
            return {"sidecar": files.digest_or_none(path) or "unreadable", **_named_data(path, files)}
    return {}


def _named_data(sidecar: Path, files: Files) -> dict[str, str]:
    try:
        table = tomllib.loads(sidecar.read_text(encoding="utf-8")).get("data", {})
    except (OSError, ValueError):
        return {}  # the analysis says what is wrong with it
    found = {}
    for name in ("path", "labels"):
        if isinstance(table, dict) and isinstance(table.get(name), str):
            found[f"sidecar {name}"] = files.digest_or_none(sidecar.parent / table[name]) or "unreadable"
    return found
