"""Opens mutants one after another in a process of its own, and says of each what came of it.

python -m tests.load.mutation.child FORMAT:FIRST,... LAST SEED FOLDER prints one line a mutant, as JSON:
[format, number, outcome, text].
"""

import hashlib
import json
import signal
import sys
import traceback
from pathlib import Path

from lipcert.cli.failures import classify, is_internal
from lipcert.load.model import load_model
from lipcert.load.samples import load_samples
from lipcert.load.screen import screen
from lipcert.load.sidecar import read_sidecar
from lipcert.policy import load_config
from tests.load.mutation import mutants

SECONDS = 20
NAMES = {
    "torchscript": "m.pt",
    "exported": "m.pt2",
    "onnx": "m.onnx",
    "npz": "m.npz",
    "config": "m.onnx.lipcert.toml",
    "policy": "lipcert.toml",
}


def opened(kind, path):
    """Open a file as the commands do; the digest that the result carries, where it has one."""
    if kind == "npz":
        return load_samples(path, input_shape=(4,)).sha256
    if kind == "config":
        read_sidecar(path.with_name("m.onnx"))
        return None
    if kind == "policy":
        load_config(path)
        return None
    screen(path.read_bytes(), path)
    return load_model(path, input_shape=(4,) if kind == "torchscript" else None).sha256


def outcome(kind, path, content):
    try:
        digest = opened(kind, path)
    except Hang:
        return "hang", ""
    except BaseException as error:  # noqa: BLE001  any exception is a finding
        failure = classify(error)
        if is_internal(failure) or failure.exit_code not in (2, 3):
            return "traceback", "".join(traceback.format_exception(error)[-6:])
        return "refused", f"{failure.exit_code} {failure.message[:120]}"
    if digest not in (None, hashlib.sha256(content).hexdigest()):
        return "wrong digest", digest
    return "read", ""


def say(*row):
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


class Hang(BaseException):
    pass


def _alarm(_number, _frame):
    raise Hang


def main(jobs, last, seed, folder):
    signal.signal(signal.SIGALRM, _alarm)
    for kind, first in jobs:
        path = Path(folder) / NAMES[kind]
        for number, content in mutants(kind, last, seed, Path(folder) / "ran"):
            if number < first:
                continue
            path.write_bytes(content)
            say(kind, number, "begun", "")
            signal.alarm(SECONDS)
            found = outcome(kind, path, content)
            signal.alarm(0)
            say(kind, number, *found)
        path.unlink()


if __name__ == "__main__":
    asked = [(kind, int(first)) for kind, first in (job.split(":") for job in sys.argv[1].split(","))]
    main(asked, int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
