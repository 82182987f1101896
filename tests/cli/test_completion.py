"""Shell completion, as the shells ask for it."""

import os
import subprocess
import sys

import pytest

from lipcert.cli import options, shells
from lipcert.cli.entry import run
from lipcert.cli.option import Group
from lipcert.cli.table import ROOT
from lipcert.records import ANALYSES
from lipcert.render import FORMATS


@pytest.fixture
def asked(monkeypatch, capfd):
    """asked(run, "report", "--f") -> what stands on stdout after bash asked for the last word."""

    def ask(answer, *words):
        monkeypatch.setenv("_LIPCERT_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", " ".join(["lipcert", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        capfd.readouterr()
        assert answer() == 0
        out, err = capfd.readouterr()
        assert err == ""
        return out.splitlines() if out.strip() else []

    return ask


@pytest.fixture
def complete(asked):
    """complete("report", "--f") -> the words offered for the last one."""
    return lambda *words: asked(shells.run, *words)


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
        (("audit", "-f", "p"), ["parquet"]),
        (("audit", "zoo", "--overwrite", "fa"), ["failed"]),
        (("schema", "c"), ["certify", "compare", "cap", "config"]),
        (("schema", "report", ""), []),
        (("analyze", "--format", "=", "js"), ["json"]),
        (("analyze", "--format", "="), list(FORMATS)),
        (("analyze", "--format=js"), ["--format=json"]),
        (("analyze", "--quiet", ""), []),
        (("analyze", "--", "--fo"), []),
        (("nothing", "analy"), ["analyze"]),
        (("config", "s"), ["show"]),
        (("audit", ""), ["status", "retry", "export"]),
    ],
)
def test_words_an_option_knows(complete, words, expected):
    assert complete(*words) == expected


def _commands(group=ROOT, *before):
    for each in group.commands:
        if isinstance(each, Group):
            yield from _commands(each, *before, each.name)
        else:
            yield (*before, each.name)


_BEGUN = [(*command, begun) for command in _commands() for begun in ("-", "--", "--s", "--in")]
_GIVEN = [("analyze", "m.onnx", "--seed", "3", "--eps", "1", "--"), ("check", "-q", "-"), ("audit", "zoo", "--j")]


@pytest.mark.parametrize("words", [("",), ("c",), ("-",), ("audit", "-"), *_BEGUN, *_GIVEN], ids=" ".join)
def test_the_names_are_those_the_command_line_knows(asked, words):
    def by_typer():
        return run([])

    assert sorted(asked(shells.run, *words)) == sorted(asked(by_typer, *words))


SHELLS = {
    "zsh": """_arguments '*: :(("json"\n"junit"))'""",
    "fish": "json\njunit",
    "powershell": "json::: \njunit::: ",
    "pwsh": "json::: \njunit::: ",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_is_told_in_its_own_form(shell, monkeypatch, capfd):
    monkeypatch.setenv("_LIPCERT_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "lipcert report 'a b.json' -f j")
    monkeypatch.setenv("_TYPER_COMPLETE_WORD_TO_COMPLETE", "j")
    assert shells.is_asking()
    assert shells.run() == 0
    assert capfd.readouterr().out == SHELLS[shell] + "\n"


def test_meanings_are_told(monkeypatch, capfd):
    monkeypatch.setenv("_LIPCERT_COMPLETE", "complete_zsh")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "lipcert init --ep")
    shells.run()
    assert r""""--eps":"Radii in data units before normalisation\\: 2/255,8/255""" in capfd.readouterr().out


@pytest.mark.parametrize(("line", "code"), [("lipcert ana", 0), ("lipcert analyze ", 1), ("lipcert 'open qu", 1)])
def test_fish_learns_whether_files_are_meant(line, code, monkeypatch, capfd):
    monkeypatch.setenv("_LIPCERT_COMPLETE", "complete_fish")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "is-args")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
    assert shells.run() == code
    assert capfd.readouterr().out == ""


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
        "import sys, lipcert.__main__ as main\n"
        "try: main.main()\n"
        "except SystemExit as end: code = end.code\n"
        "heavy = {'torch', 'typer', 'pydantic', 'rich', 'dataclasses', 'lipcert.records'} & {*sys.modules}\n"
        "print([*heavy], code, file=sys.stderr)"
    )
    asked = {"_LIPCERT_COMPLETE": "complete_bash", "COMP_WORDS": "lipcert analyze --f", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | asked, capture_output=True, check=True, timeout=60
    )
    assert done.stdout.split() == [b"--format"]
    assert done.stderr.decode().strip() == "[] 0"
