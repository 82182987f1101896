"""No child survives its parent, however that dies."""

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.supervise.orphans import VARIABLE, alive, gone_within

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
from lipcert.supervise import Call, Limits, run
def main():
    call = Call(function="tests.supervise.victims:" + sys.argv[1], observed=True, keywords={"keep": print})
    run(call, Limits(threads=1), progress=lambda *_: print("running", flush=True))
if __name__ == "__main__":
    main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("victim", ["holding", "noisy"])
def test_a_killed_parent_takes_its_children_along(tmp_path, victim):
    mark = uuid.uuid4().hex
    script = tmp_path / "parent.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, VARIABLE: mark, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, script, victim], stdout=subprocess.PIPE, env=environment) as parent:
        line = parent.stdout.readline()
        assert line
        assert len(alive(mark)) >= 3
        parent.send_signal(signal.SIGKILL)
    assert gone_within(mark, 5)
