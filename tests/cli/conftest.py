"""A command line in this process, with an engine that computes nothing."""

from dataclasses import dataclass

import pytest

from lipcert.cli import engine
from lipcert.cli.entry import run
from tests.render.reports import REPORTS

ONNX = b"\x08\x08\x12\x04test:\x05\x62\x03\x0a\x01y"


@dataclass
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    """No variable of the machine decides how the tests see their output."""
    for name in ("NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def lipcert(capfd):
    """Call the command line: lipcert("analyze", path) -> Outcome."""

    def call(*arguments):
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def model(tmp_path):
    """A file that looks like an ONNX model."""
    path = tmp_path / "net.onnx"
    path.write_bytes(ONNX)
    return path


@pytest.fixture
def requests(monkeypatch):
    """What the engine is asked; it answers with a finished report."""
    asked = []

    def answer(request, progress, _keep, **_):
        asked.append(request)
        progress("layers", 0, 4)
        progress("layers", 4, 4)
        return REPORTS["full"]

    monkeypatch.setattr(engine, "analyze_file", answer)
    return asked
