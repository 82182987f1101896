"""What reaches a real terminal: its width, its colours, its animation, and Ctrl-C."""

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading

import pytest
from rich.cells import cell_len

from lipcert.records import codec
from tests.render.reports import REPORTS

SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
MOVES = re.compile(r"\x1b\[[0-9;?]*[A-HJKhl]")
SLOW = """
import sys, time
from lipcert.cli import engine
from lipcert.cli.entry import run
from tests.render.reports import REPORTS

def analyze(request, progress, *_, **__):
    progress("layers", 0, 4)
    for done in range(5):
        progress("layers", done, 4)
        time.sleep(0.15)
    if "wait" in sys.argv:
        print("ready", file=sys.stderr, flush=True)
        time.sleep(60)
    return REPORTS["full"]

engine.analyze_file = analyze
sys.exit(run([word for word in sys.argv[1:] if word != "wait"]))
"""


class Session:
    """A process whose stderr, and stdout where asked, is a terminal of `columns` columns."""

    def __init__(self, command, columns, environment, *, piped):
        self.main, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
        self.process = subprocess.Popen(
            command, stdin=child, stdout=subprocess.PIPE if piped else child, stderr=child, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  the thread starts later
            env={"TERM": "xterm-256color", "LANG": "C.UTF-8", "LIPCERT_NO_ISOLATION": "1"} | kept | environment,
        )  # fmt: skip
        os.close(child)
        self.seen = b""
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        with contextlib.suppress(OSError):
            while data := os.read(self.main, 65536):
                self.seen += data

    def end(self):
        """(exit code, what the terminal got, what the pipe got)."""
        piped = self.process.stdout.read() if self.process.stdout else b""
        code = self.process.wait(timeout=90)
        self.reader.join(timeout=10)
        os.close(self.main)
        return code, self.seen.decode().replace("\r\n", "\n"), piped.decode()


def terminal(*arguments, columns=80, piped=False, program=None, **environment):
    code = ["-c", program] if program else ["-m", "lipcert"]
    return Session([sys.executable, *code, *map(str, arguments)], columns, environment, piped=piped)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("stored") / "net.json"
    path.write_text(codec.to_json(REPORTS["hostile"]), encoding="utf-8")
    return path


@pytest.mark.parametrize("columns", [80, 160])
def test_a_report_fits_its_terminal_and_uses_it(stored, columns):
    code, seen, _ = terminal("report", stored, columns=columns).end()
    lines = SEQUENCE.sub("", seen).splitlines()
    assert code == 0
    assert columns - 15 < max(map(cell_len, lines)) <= columns
    assert "\x1b[1m" in seen
    assert "\\x1b[31mred" in seen


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_without_colours_gets_none(stored, environment):
    _, seen, _ = terminal("report", stored, **environment).end()
    assert "\x1b" not in seen
    assert "VERDICT" in seen


def test_a_terminal_that_knows_ascii_alone_gets_it(stored):
    _, seen, _ = terminal("report", stored, PYTHONIOENCODING="ascii", NO_COLOR="1").end()
    assert seen.isascii()
    assert "VERDICT" in seen


def test_bars_move_on_the_terminal_and_the_result_goes_down_the_pipe_alone(model):
    code, seen, piped = terminal("analyze", model, "--json", program=SLOW, piped=True).end()
    assert code == 0
    assert json.loads(piped)["models"]
    assert MOVES.search(seen)
    assert "layers" in seen
    assert "left" in seen
    assert SEQUENCE.sub("", seen).rstrip().splitlines()[0].startswith("net.onnx")


def test_a_dumb_terminal_sees_lines_and_no_animation(model):
    _, seen, _ = terminal("analyze", model, "--json", program=SLOW, piped=True, TERM="dumb").end()
    assert "\x1b" not in seen
    assert "layers: done in" in seen


def test_quiet_leaves_the_terminal_alone(model):
    code, seen, piped = terminal("analyze", model, "--json", "--quiet", program=SLOW, piped=True).end()
    assert (code, seen) == (0, "")
    assert json.loads(piped)


def test_control_c_ends_with_130_one_document_and_a_clean_terminal(model):
    session = terminal("analyze", model, "--json", "wait", program=SLOW, piped=True)
    while b"ready" not in session.seen and session.process.poll() is None:
        session.reader.join(timeout=0.05)
    os.write(session.main, b"\x03")
    code, seen, piped = session.end()
    assert code == 130
    assert json.loads(piped)["summary"]["exit_code"] == 130
    assert "Traceback" not in seen
    assert seen.count("\x1b[?25l") == seen.count("\x1b[?25h")  # the cursor is shown again
