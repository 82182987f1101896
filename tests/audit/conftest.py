"""`lipcert audit` in this process, with an analysis that takes no time; the children are real."""

from dataclasses import dataclass

import pytest

from lipcert.cli.entry import run
from tests.audit import fakes


@dataclass
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def audit(monkeypatch, tmp_path, capfd):
    """Call audit("zoo", "-j", 2) in a folder of its own."""
    monkeypatch.setattr("lipcert.audit.task.FUNCTION", fakes.FUNCTION)
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        capfd.readouterr()
        code = run(["audit", *map(str, arguments)])
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
