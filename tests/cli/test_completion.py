"""Shell completion, as the shells ask for it."""

import os
import subprocess
import sys

import pytest

from lipcert.cli import options
from lipcert.cli.entry import run
from lipcert.records import ANALYSES
from lipcert.render import FORMATS


@pytest.fixture
def complete(monkeypatch, capfd):
    """complete("report", "--f") -> the words offered for the last one."""

    def ask(*words):
        monkeypatch.setenv("_LIPCERT_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", " ".join(["lipcert", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        capfd.readouterr()
        assert run([]) == 0
        out, err = capfd.readouterr()
        assert err == ""
        return out.split()

    return ask


def test_commands_and_options(complete):
    assert complete("rep") == ["report"]
    assert complete("report", "--overw") == ["--overwrite"]
    assert "--eps" in complete("analyze", "--e")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("report", "-f", "ju"), ["junit"]),
        (("report", "--color", "a"), ["auto", "always"]),
        (("analyze", "--effort", ""), ["fast", "default", "high"]),
        (("analyze", "--norm", "linf,l"), ["linf,linf", "linf,l2", "linf,l1"]),
        (("analyze", "--skip", "layers,lip"), ["layers,lipschitz"]),
        (("report", "--report", "sa"), ["sarif="]),
        (("inspect", "-f", ""), ["text", "json"]),
    ],
)
def test_words_an_option_knows(complete, words, expected):
    assert complete(*words) == expected


def test_the_words_are_those_the_commands_take():
    assert set(options.FORMATS) == set(FORMATS)
    assert options._ANALYSES == ANALYSES


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_script(shell, monkeypatch, capfd):
    monkeypatch.setenv("_LIPCERT_COMPLETE", f"source_{shell}")
    assert run([]) == 0
    out, err = capfd.readouterr()
    assert "_LIPCERT_COMPLETE=complete_" in out
    assert err == ""


def test_an_unknown_shell_is_no_failed_gate(monkeypatch, capfd):
    monkeypatch.setenv("_LIPCERT_COMPLETE", "source_tcsh")
    assert run([]) == 2


def test_nothing_heavy_is_imported_to_complete():
    code = (
        "import sys; from lipcert.cli.entry import run; code = run([]);"
        "heavy = [m for m in ('torch', 'onnx', 'numpy', 'rich', 'lipcert.records') if m in sys.modules];"
        "print(heavy, code, file=sys.stderr)"
    )
    asked = {"_LIPCERT_COMPLETE": "complete_bash", "COMP_WORDS": "lipcert analyze --f", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | asked, capture_output=True, check=True, timeout=60
    )
    assert done.stdout.split() == [b"--format"]
    assert done.stderr.decode().strip() == "[] 0"
