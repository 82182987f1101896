"""How long `lipcert --help` takes beside an empty typer application, a completion, and `analyze` to its first line.

Run with `python tests/benchmarks/startup.py`. The commands take turns, so that a drifting machine slows both.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EMPTY = "import typer\napp = typer.Typer()\n@app.command()\ndef main() -> None: ...\napp()\n"
ROUNDS = 9


ASKING = {"_LIPCERT_COMPLETE": "complete_bash", "COMP_WORDS": "lipcert analyze --for", "COMP_CWORD": "2"}


def seconds(*command: str, **environment: str) -> float:
    """Wall time of one run."""
    start, quiet = time.perf_counter(), subprocess.DEVNULL
    subprocess.run(command, check=True, stdout=quiet, stderr=quiet, cwd=ROOT, env=os.environ | environment)
    return time.perf_counter() - start


def first_line() -> float:
    """Seconds until `analyze` says its first word."""
    model, data = ROOT / "sample_models/digits_mlp.onnx", ROOT / "sample_models/digits_test.npz"
    command = [str(Path(sys.executable).parent / "lipcert"), "analyze", str(model), "--data", str(data)]
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stderr is not None
        process.stderr.readline()
        taken = time.perf_counter() - start
        process.kill()
    return taken


def main() -> None:
    """Print the medians and their ratio."""
    lipcert = str(Path(sys.executable).parent / "lipcert")
    pairs = [(seconds(lipcert, "--help"), seconds(sys.executable, "-c", EMPTY, "--help")) for _ in range(ROUNDS + 1)]
    ours, empty = (statistics.median(column) for column in zip(*pairs[1:], strict=True))
    print(f"lipcert --help        {ours:.3f} s")
    print(f"empty typer app       {empty:.3f} s  (ratio {ours / empty:.2f})")
    print(f"completion            {statistics.median(seconds(lipcert, **ASKING) for _ in range(ROUNDS)):.3f} s")
    print(f"first line of analyze {statistics.median(first_line() for _ in range(5)):.3f} s")


if __name__ == "__main__":
    main()
