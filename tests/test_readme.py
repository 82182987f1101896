"""The README says what is true: its commands run, and what it shows of their output is in their output."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]


def _run(command: str, *, limit: float = 280) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "160", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(  # the README's own words
        command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=limit
    )


def test_the_two_set_up_commands_come_as_the_house_promises() -> None:
    assert COMMANDS[0].startswith("pip install . && lipcert analyze ")
    assert COMMANDS[-1] == 'pip install -e ".[test]" && python -m pytest'


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("lipcert ")])
def test_a_command_runs(command: str, tmp_path: Path) -> None:
    if command.startswith("lipcert audit "):
        command += f" --dry-run --output-dir {tmp_path / 'audit'}"  # the audit itself takes minutes
    done = _run(command)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_zoo_is_audited(tmp_path: Path) -> None:
    command = next(command for command in COMMANDS if command.startswith("lipcert audit "))
    done = _run(f"{command} --output-dir {tmp_path / 'audit'}", limit=3500)
    assert done.returncode == 0, done.stderr
    assert "digits_mlp.onnx" in done.stdout


def test_the_output_shown_is_that_of_the_first_command() -> None:
    done = _run(COMMANDS[0].split("&& ", 1)[1] + " --quiet")
    assert done.returncode == 0, done.stderr
    shown = re.search(r"```\n(VERDICT.*?)```", README, re.DOTALL)
    assert shown is not None
    printed = done.stdout.splitlines()
    for line in filter(None, shown[1].splitlines()):
        expected = _numbers(line)
        alike = [_numbers(other)[: len(expected)] for other in printed if _words(other).startswith(_words(line))]
        assert any(found == pytest.approx(expected, rel=0.02, abs=0.2) for found in alike), (line, alike)


def _words(line: str) -> str:
    """A line without its numbers and the width of its gaps."""
    return re.sub(r"\s+", " ", re.sub(r"[\d.,]*\d", "#", re.sub(r"\de-\d+", "#", line))).strip()


def _numbers(line: str) -> list[float]:
    """The numbers of a line; a gap of 1e-9 and one of 2e-9 are the same gap."""
    found = re.findall(r"[\d.,]*\d", re.sub(r"\de-\d+", "0", line))
    return [float(number.replace(",", "")) for number in found]
