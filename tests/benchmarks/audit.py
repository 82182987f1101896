"""What an audit costs besides the analyses: time and memory of its parts, at scale.

Run with `python tests/benchmarks/audit.py scale 100000`, `... memory 1000`, `... rerun 200` or `... jobs 40`. Each
step runs in a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DRIVER = """
import resource, sys, time
import lipcert.audit.task, lipcert.supervise.server
lipcert.audit.task.FUNCTION, lipcert.supervise.server.PRELOAD = sys.argv[1], "tests.audit.fakes"
from lipcert.cli.entry import run
code = run(["audit", *sys.argv[2:]])
sys.stderr.write(f"rss {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} code {code}\\n")
"""


def step(name: str, folder: Path, *arguments: str, function: str = "tests.audit.fakes:analyze") -> float:
    """Run the command line once, and print its seconds and the parent's memory."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, function, *arguments],
        cwd=folder,
        env=environment,
        check=True,
        text=True,
        capture_output=True,
    )
    taken = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    last = done.stderr.strip().splitlines()[-1]
    print(
        f"{name:<34}{taken:8.1f} s   CPU {cpu:6.1f} s   {last.split()[1]:>5} MB   exit code {last.split()[-1]}",
        flush=True,
    )
    return taken


def make_files(folder: Path, count: int) -> None:
    """So many files that look like models, in folders of a thousand, and a manifest of them."""
    from tests.audit.fakes import ONNX

    with (folder / "zoo.jsonl").open("w") as manifest:
        manifest.write('{"samples": 100}\n')
        for number in range(count):
            path = folder / "zoo" / f"family-{number // 1000:03}" / f"net-{number:06}.onnx"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(ONNX + b"\x0a\x08" + f"{number:08}".encode())
            line = {"path": str(path.relative_to(folder)), "family": path.parent.name}
            manifest.write(json.dumps(line) + "\n")


def synthetic_results(folder: Path, count: int) -> None:
    """A result for all but the last hundred models, as the workers would have written them."""
    from lipcert.records import codec
    from tests.render.models import full_model
    from tests.render.reports import report

    small = replace(full_model(), layers=(), jacobian=None, generalization=(), measures=(), evaluation=None)
    text = codec.to_json(report(small))
    lines = (folder / "lipcert-audit" / "zoo.jsonl").read_text().splitlines()[2:]
    for line in lines[: max(0, count - 100)]:
        (folder / "lipcert-audit" / "results" / f"{json.loads(line)[3]}.json").write_text(text)
    print(f"{'size of a result':<34}{len(text) / 1000:8.1f} kB")


def scale(folder: Path, count: int) -> None:
    """Discovery, planning, status, index and export of a large zoo."""
    make_files(folder, count)
    step("plan from a folder, nothing known", folder, "zoo", "--dry-run", "--output-dir", "other")
    plan(folder)
    synthetic_results(folder, count)
    step("status, index built", folder, "status")
    step("status, index there", folder, "status")
    step("plan from a manifest, resumed", folder, "zoo.jsonl", "--dry-run")
    step("export as csv", folder, "export", "-f", "csv", "-o", "zoo.csv")
    step("export as html", folder, "export", "-f", "html", "-o", "zoo.html")


def plan(folder: Path) -> None:
    """Write down the zoo without running it: a shard that is interrupted before its first model."""
    code = """
import sys
from pathlib import Path
from lipcert.audit import Store, make_plan
from lipcert.audit.files import Files
from lipcert.audit.manifest import read_manifest
from lipcert.cli.audit.running import _NAMES, _request
store = Store(Path("lipcert-audit")); store.create()
given = {}
make_plan(read_manifest(Path("zoo.jsonl"), _NAMES), lambda options: _request(options, given), Files(store)).save(store)
"""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(
        f"{'plan from a manifest, hashed anew':<34}{time.perf_counter() - start:8.1f} s   {peak:>5} MB (of all so far)"
    )


def memory(folder: Path, count: int) -> None:
    """The parent's memory over many models."""
    make_files(folder, count)
    step(f"{count} models, -j 2", folder, "zoo", "-j", "2", "-q")


def rerun(folder: Path, count: int) -> None:
    """An unchanged run again, and the status."""
    make_files(folder, count)
    step("first run", folder, "zoo", "-j", "2", "-q")
    step("unchanged run", folder, "zoo", "-j", "2", "-q")
    step("status", folder, "status")


def jobs(folder: Path, count: int) -> None:
    """Equal models that only compute, one and two at a time, one thread each."""
    make_files(folder, count)
    taken = [
        step(f"-j {number}", folder, "zoo", "-j", str(number), "--threads", "1", "-q", "--output-dir", f"out{number}",
             function="tests.audit.fakes:busy")
        for number in (1, 2)
    ]  # fmt: skip
    print(f"ratio {taken[0] / taken[1]:.2f}")


def main() -> None:
    """Run the part that is named."""
    parts = {"scale": scale, "memory": memory, "rerun": rerun, "jobs": jobs}
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        parts[sys.argv[1]](Path(folder), int(sys.argv[2]))


if __name__ == "__main__":
    main()
