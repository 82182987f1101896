"""An audit whose process is killed at any moment goes on where it stopped."""

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from tests.audit.fakes import FUNCTION, make_zoo
from tests.audit.logs import completed_twice, events
from tests.supervise.orphans import VARIABLE, gone_within

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = f"""
import sys
import lipcert.audit.task
import lipcert.supervise.server
lipcert.audit.task.FUNCTION = {FUNCTION!r}
lipcert.supervise.server.PRELOAD = "tests.audit.fakes"  # no torch, so that a start is quick
from lipcert.cli.entry import run
if __name__ == "__main__":
    sys.exit(run(["audit", *sys.argv[1:]]))
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def begin(folder, mark, *arguments, script=SCRIPT):
    environment = {**os.environ, VARIABLE: mark, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def done(folder):
    results = folder / "lipcert-audit" / "results"
    return len(list(results.glob("*.json"))) if results.is_dir() else 0


def kill_when(process, folder, count):
    """Kill the audit as soon as so many results are there."""
    end = time.monotonic() + 120
    while done(folder) < count and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def survive_kills(folder, counts, *arguments, script=SCRIPT):
    """Kill the audit at each of the counts, let it finish, and check that nothing was lost or done twice."""
    mark = uuid.uuid4().hex
    for count in counts:
        kill_when(begin(folder, mark, *arguments, script=script), folder, count)
        assert gone_within(mark, 5)
    last = begin(folder, mark, *arguments, script=script)
    out, err = last.communicate(timeout=600)
    assert last.returncode == 0, err.decode()
    assert completed_twice(folder / "lipcert-audit") == []
    return out


@pytest.mark.parametrize(
    ("count", "kills"),
    [(40, (0, 5, 23)), pytest.param(200, (0, 31, 77, 120, 181), marks=[pytest.mark.slow, pytest.mark.timeout(3600)])],
)
def test_killed_audits_end_as_undisturbed_ones(tmp_path, count, kills):
    disturbed, quiet = tmp_path / "disturbed" / "run", tmp_path / "quiet" / "run"
    zoo = make_zoo(tmp_path / "zoo", count)
    for folder in (disturbed, quiet):
        folder.mkdir(parents=True)
    arguments = (zoo, "-j", 2, "--deterministic", "-f", "json")
    out = survive_kills(disturbed, kills, *arguments)
    process = begin(quiet, "undisturbed", *arguments)
    assert process.communicate(timeout=300)[0] == out
    assert len(events(disturbed / "lipcert-audit")) == count


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(tmp_path):
    make_zoo(tmp_path / "zoo", 6, *(f"slow-{number}" for number in range(20)))
    mark = uuid.uuid4().hex
    process = begin(tmp_path, mark, "zoo", "-f", "json")
    while done(tmp_path) < 4 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b'"exit_code": 130' in out
    assert b"this goes on from there" in err
    assert gone_within(mark, 5)
    assert 4 <= done(tmp_path) < 26
