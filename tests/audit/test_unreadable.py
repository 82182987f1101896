"""What cannot be read is said so, and costs no other model."""

import json
import os

import pytest

from lipcert.audit import files
from tests.audit.fakes import make_zoo


def deny(path):
    raise PermissionError(13, "Permission denied", str(path))


def test_a_folder_is_not_left_out_in_silence(audit, tmp_path, monkeypatch):
    make_zoo(tmp_path / "zoo", 1)
    make_zoo(tmp_path / "zoo", 1, family="closed")
    scandir = os.scandir
    monkeypatch.setattr("os.scandir", lambda path=".": (deny if str(path).endswith("closed") else scandir)(path))
    found = audit("zoo")
    assert found.code == 2
    assert "zoo/closed cannot be read: Permission denied" in found.err


@pytest.mark.parametrize("name", ["net-0000.onnx", "net-0000.lipcert.toml"])
def test_a_file_costs_its_own_model_at_most(audit, tmp_path, monkeypatch, name):
    zoo = make_zoo(tmp_path / "zoo", 2)
    (zoo / "net-0000.lipcert.toml").write_text("")
    contents = files._contents
    with monkeypatch.context() as patch:
        patch.setattr(files, "_contents", lambda path: (deny if path.name == name else contents)(path))
        found = audit("zoo", "-f", "json")
        assert found.code == 0  # the analysis, which is not held back here, would say that it cannot read it
        models = {model["name"]: model for model in json.loads(found.out)["models"]}
        assert (models["net-0000.onnx"]["sha256"] == "") == (name == "net-0000.onnx")
        assert "; 0 to do" in audit("zoo").err
    assert "; 1 to do" in audit("zoo").err
