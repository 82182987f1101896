"""Files are written whole or not at all, and nobody's work is overwritten."""

import json
import os
from pathlib import Path

import pytest

from lipcert.cli import engine


def test_a_result_goes_to_a_file_in_the_format_of_its_suffix(lipcert, model, requests, tmp_path):
    outcome = lipcert("analyze", model, "-o", tmp_path / "r.json")
    assert (outcome.code, outcome.out) == (0, "")
    assert json.loads((tmp_path / "r.json").read_text())["schema"] == "lipcert.report"


def test_several_reports_at_once(lipcert, model, requests, tmp_path):
    outcome = lipcert(
        "analyze", model, "--report", f"json={tmp_path / 'r.json'}", "--report", f"text={tmp_path / 'r.txt'}"
    )
    assert outcome.out.startswith("mnist_conv.onnx")
    assert (tmp_path / "r.txt").read_text(encoding="utf-8").startswith("mnist_conv.onnx")
    assert json.loads((tmp_path / "r.json").read_text())["models"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.onnx", "r.json", "r.txt"]


@pytest.mark.parametrize("name", ["r.json", "r.md", "r.txt"])
def test_a_report_may_be_replaced_by_the_next(lipcert, model, requests, tmp_path, name):
    assert lipcert("analyze", model, "-o", tmp_path / name).code == 0
    assert lipcert("analyze", model, "-o", tmp_path / name).code == 0


def test_a_file_that_is_no_report_stays(lipcert, model, requests, tmp_path):
    thesis = tmp_path / "thesis.md"
    thesis.write_text("# My thesis")
    outcome = lipcert("analyze", model, "-o", thesis)
    assert outcome.code == 2
    assert "--overwrite" in outcome.err
    assert not requests
    assert thesis.read_text() == "# My thesis"
    assert lipcert("analyze", model, "-o", thesis, "--overwrite").code == 0
    assert "mnist_conv" in thesis.read_text(encoding="utf-8")


def test_a_failed_run_leaves_the_last_report(lipcert, model, requests, tmp_path, monkeypatch):
    path = tmp_path / "r.json"
    lipcert("analyze", model, "-o", path)
    before = path.read_bytes()

    def fail(*_args, **_kwargs):
        raise RuntimeError

    monkeypatch.setattr(engine, "analyze_file", fail)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert lipcert("analyze", model, "-o", path).code == 3
    assert path.read_bytes() == before


@pytest.mark.parametrize("place", [".", "nowhere/r.json"])
def test_a_place_that_cannot_hold_a_file_is_refused_before_the_work(lipcert, model, requests, tmp_path, place):
    assert lipcert("analyze", model, "-o", tmp_path / place).code == 2
    assert not requests


def test_a_link_is_followed_and_stays_a_link(lipcert, model, requests, tmp_path):
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.touch()
    link.symlink_to(real)
    assert lipcert("analyze", model, "-o", link).code == 0
    assert link.is_symlink()
    assert json.loads(real.read_text())["models"]


def test_devices_are_written_to_as_they_are(lipcert, model, requests):
    assert lipcert("analyze", model, "--overwrite", "-o", os.devnull).code == 0
    assert Path(os.devnull).exists()


def test_minus_is_stdout(lipcert, model, requests):
    assert lipcert("analyze", model, "-o", "-", "--json").out.startswith("{")
