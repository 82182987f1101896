"""What each bomb and trap costs on the command line: wall and CPU seconds and peak memory of the whole command.

python -m tests.benchmarks.hostile
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.load import traps

# Measured from a small process: what a child inherits from a large one would count as its own.
MEASURE = """
import resource, subprocess, sys, time
began = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
seconds = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(code, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def measured(*arguments):
    """Exit code, wall and CPU seconds and peak MB of one command."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", MEASURE, sys.executable, "-m", "lipcert", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    code, *numbers = done.stdout.split()
    return int(code), *map(float, numbers)


def main():
    honest = Path(__file__).resolve().parents[2] / "sample_models" / "digits_mlp.onnx"
    worst = [0.0, 0.0, 0.0]
    with tempfile.TemporaryDirectory() as place:
        for number, (name, (build, _)) in enumerate({**traps.MODELS, **traps.SAMPLES}.items()):
            folder = traps.prepare(Path(place) / str(number))
            path = build(folder)
            command = ("inspect", path) if name in traps.MODELS else ("analyze", honest, "--data", path)
            code, *used = measured(*command)
            seconds, cpu, peak = used
            safe = "untouched" if traps.untouched(folder) else "TOUCHED"
            print(f"{name:<32} exit {code}  {seconds:5.2f} s  CPU {cpu:5.2f} s  {peak:5.0f} MB  {safe}", flush=True)
            worst = [*map(max, worst, used)] if name in traps.MODELS else worst
    print(f"{'worst of the models':<32} {worst[0]:13.2f} s  CPU {worst[1]:5.2f} s  {worst[2]:5.0f} MB")


if __name__ == "__main__":
    main()
