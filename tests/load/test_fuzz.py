"""Thousands of files damaged on purpose: each is read as what it is or refused in words, and nothing else happens."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.load.mutation import SEEDS, mutants

ROOT = Path(__file__).resolve().parents[2]
FEW, MANY = 200, 2000


def outcomes(kinds, count, seed, folder, timeout):
    """(format, number) -> outcome. A mutant that ends its process is a "death", and the next one goes on."""
    found, errors, jobs = {}, "", [(kind, 0) for kind in kinds]
    while jobs:
        asked = ",".join(f"{kind}:{first}" for kind, first in jobs)
        done = subprocess.run(
            [sys.executable, "-m", "tests.load.mutation.child", asked, str(count), str(seed), str(folder)],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
        found |= {(kind, number): (outcome, text) for kind, number, outcome, text in rows}
        assert rows, done.stderr
        kind, last = rows[-1][:2]
        if found[kind, last][0] != "begun":
            assert done.returncode == 0, done.stderr
            return found, errors + done.stderr
        found[kind, last] = ("death", str(done.returncode))
        jobs = [(kind, last + 1), *jobs[[job[0] for job in jobs].index(kind) + 1 :]]
    return found, errors


def check(kinds, found, errors, folder, count):
    """The laws of every mutant."""
    bad = {str(key): text for key, (outcome, text) in found.items() if outcome not in ("read", "refused", "death")}
    assert not bad, json.dumps(bad, indent=1)[:3000]
    assert sorted(found) == sorted((kind, number) for kind in kinds for number in range(count))
    assert not (folder / "ran").exists()
    assert "Traceback" not in errors
    for kind in kinds:
        counts = Counter(outcome for (of, _), (outcome, _) in found.items() if of == kind)
        assert counts["refused"] > counts["read"] > 0


ARCHIVES = ("torchscript", "exported")
OTHERS = tuple(kind for kind in SEEDS if kind not in ARCHIVES)


@pytest.mark.parametrize("kinds", [ARCHIVES, OTHERS], ids=" ".join)
def test_a_few_mutants(kinds, tmp_path):
    found, errors = outcomes(kinds, FEW, 1, tmp_path, timeout=200)
    check(kinds, found, errors, tmp_path, FEW)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", SEEDS)
def test_many_mutants(kind, tmp_path):
    found, errors = outcomes([kind], MANY, 2, tmp_path, timeout=1200)
    sys.stderr.write(f"{kind}: {Counter(outcome for outcome, _ in found.values())}\n")
    check([kind], found, errors, tmp_path, MANY)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["torchscript", "exported", "onnx"])
def test_mutants_on_the_command_line(kind, tmp_path):
    suffix = {"torchscript": "pt", "exported": "pt2", "onnx": "onnx"}[kind]
    for number, content in mutants(kind, 40, 3, tmp_path / "ran"):
        (tmp_path / f"m{number:03}.{suffix}").write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "lipcert", "inspect", str(tmp_path), "--json", "--input-shape", "4"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        cwd=ROOT,
    )
    document = json.loads(done.stdout)
    assert done.returncode == document["exit_code"] in (2, 3)
    assert len(document["models"]) + len(document["errors"]) == 40
    assert "Traceback" not in done.stderr
    assert not any(error["code"].startswith("internal") for error in document["errors"])
    assert not (tmp_path / "ran").exists()


def test_a_seed_gives_the_same_mutants(tmp_path):
    for kind in ("onnx", "npz", "config"):
        first, again = ([content for _, content in mutants(kind, 5, 1, tmp_path)] for _ in range(2))
        assert first == again
        assert SEEDS[kind]() not in first
        assert len(set(first)) > 1
