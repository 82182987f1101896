"""Known ways in which a command line goes wrong, each in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lipcert.cli import streams

PROGRAM = """
import sys
from lipcert.cli import engine
from lipcert.cli.entry import run
from tests.render.reports import REPORTS
engine.analyze_file = lambda *_, **__: REPORTS["hostile"]
sys.exit(run(sys.argv[1:]))
"""
HOSTILE_CODE = 3  # that report holds an error: the exit code is the report's, however it is written


def process(*arguments, shell_tail="", **environment):
    """Run the command line in a bare environment, stdout in a pipe."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "LANG") if name in os.environ}
    command = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
    if shell_tail:
        command = ["bash", "-o", "pipefail", "-c", f'"$@" {shell_tail}', "bash", *command]
    return subprocess.run(command, env=kept | environment, capture_output=True, check=False, timeout=120)


def test_ascii_streams_get_ascii(model):
    done = process("analyze", model, PYTHONIOENCODING="ascii")
    assert done.returncode == HOSTILE_CODE
    assert done.stdout.isascii()
    assert b"VERDICT" in done.stdout
    assert b"Traceback" not in done.stderr


def test_json_is_utf8_whatever_the_stream_says(model):
    done = process("analyze", model, "--json", PYTHONIOENCODING="ascii")
    assert json.loads(done.stdout.decode("utf-8"))["models"]


@pytest.mark.parametrize(
    "environment", [{"GITHUB_ACTIONS": "1"}, {"FORCE_COLOR": "1"}, {"PY_COLORS": "1"}, {"TERM": "dumb"}]
)
def test_help_is_plain_everywhere(environment):
    done = process("analyze", "--help", **environment)
    assert done.returncode == 0
    assert b"--data PATH" in done.stdout
    assert b"\x1b" not in done.stdout


def test_a_reader_that_leaves_is_no_error(model):
    done = process("analyze", model, "--quiet", shell_tail="| head -1")
    assert done.returncode == HOSTILE_CODE
    assert done.stderr == b""
    assert done.stdout.count(b"\n") == 1


def test_a_full_disk_is_an_error_and_not_a_gate(model):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    done = process("analyze", model, "--quiet", shell_tail="> /dev/full")
    assert done.returncode == 3
    assert b"could not be written" in done.stderr


def test_a_closed_stdout_ends_quietly(model):
    done = process("analyze", model, "--quiet", shell_tail=">&-")
    assert b"Traceback" not in done.stderr
    assert done.returncode == HOSTILE_CODE


def test_piped_reports_are_160_wide_and_cut_nothing(model):
    wide = process("analyze", model).stdout.decode()
    narrow = process("analyze", model, COLUMNS="80").stdout.decode()
    assert 120 < max(map(len, wide.splitlines())) <= 160
    assert max(map(len, narrow.splitlines())) <= 80
    assert "".join(wide.split()).count("x" * 60) > 0
    assert "…" not in wide + narrow


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_with_a_document(model, number, code):
    program = PROGRAM.replace('REPORTS["hostile"]', '(print("ready", file=sys.stderr, flush=True), time.sleep(60))')
    command = [sys.executable, "-c", f"import time\n{program}", "analyze", str(model), "--json", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stderr.readline() == b"ready\n"
        running.send_signal(number)
        out, err = running.communicate(timeout=60)
    assert running.returncode == code
    assert json.loads(out)["summary"]["exit_code"] == code
    assert b"Traceback" not in err


def test_nothing_heavy_is_imported_before_a_command_needs_it():
    code = (
        "import sys; from lipcert.cli.entry import run; run(['--help']);"
        "print([m for m in ('torch', 'onnx', 'numpy', 'rich', 'pydantic') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
    assert done.stderr.decode().strip() == "[]"


class Terminal:
    encoding = "utf-8"

    def __init__(self, watched):
        self.watched = watched

    def isatty(self):
        return self.watched


@pytest.mark.parametrize(
    ("environment", "choice", "watched", "expected"),
    [
        ({}, "auto", True, True),
        ({}, "auto", False, False),
        ({"TERM": "dumb"}, "auto", True, False),
        ({"NO_COLOR": "1"}, "auto", True, False),
        ({"NO_COLOR": ""}, "auto", True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, "auto", True, False),
        ({"FORCE_COLOR": "1"}, "auto", False, True),
        ({"FORCE_COLOR": "0"}, "auto", False, False),
        ({"NO_COLOR": "1"}, "always", False, True),
        ({"FORCE_COLOR": "1"}, "never", True, False),
    ],
)
def test_colours(monkeypatch, environment, choice, watched, expected):
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert streams.wants_color(Terminal(watched), choice) is expected
