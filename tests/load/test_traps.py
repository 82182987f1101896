"""Bombs and traps are refused at once, in little memory, and nothing outside the file is touched."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lipcert.errors import DataError, ModelError
from lipcert.load import allowance
from lipcert.load.model import load_model
from lipcert.load.samples import load_samples
from lipcert.load.screen import screen
from tests.load import traps
from tests.load.traps import messages

SECONDS, MEGABYTES = 2.0, 300
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path):
    return traps.prepare(tmp_path / "zoo")


@pytest.mark.parametrize("name", traps.MODELS)
def test_a_model_that_is_a_trap(name, folder):
    build, words = traps.MODELS[name]
    path = build(folder)
    with pytest.raises(ModelError, match=words):
        screen(path.read_bytes(), path)
    assert traps.untouched(folder)


@pytest.mark.parametrize("name", traps.SAMPLES)
def test_samples_that_are_a_trap(name, folder):
    build, words = traps.SAMPLES[name]
    path = build(folder)
    with pytest.raises(DataError) as caught:
        load_samples(path)
    assert re.search(words, f"{caught.value.message} {caught.value.hint}")
    assert traps.untouched(folder)


def test_a_model_that_grows_step_by_step(folder, monkeypatch):
    path = messages.doubling(folder)
    monkeypatch.setattr(allowance, "MAX_ELEMENTS", 2**16)
    with pytest.raises(ModelError, match="asks for a tensor"):
        load_model(path)


@pytest.mark.parametrize("name", ["digits_mlp.pt", "digits_conv.pt", "digits_conv.pt2", "digits_conv.onnx"])
def test_an_honest_model_passes(name, sample_models):
    path = sample_models / name
    assert screen(path.read_bytes(), path) in ("torchscript", "exported", "onnx")


WATCH = """
import json, sys, time
from pathlib import Path
from lipcert.errors import LipcertError
{imports}
for line in sys.stdin:
    path, began = Path(line.strip()), time.perf_counter()
    try:
        {call}
        told = "let through"
    except LipcertError as error:
        told = "refused"
    seconds = time.perf_counter() - began
    status = Path("/proc/self/status").read_text()  # ru_maxrss would count what the parent had before exec
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps([told, seconds, peak]), flush=True)
"""
PARENT = WATCH.format(imports="from lipcert.load.screen import screen", call="screen(path.read_bytes(), path)")
CHILD = WATCH.format(imports="from lipcert.load.model import load_model", call="load_model(path)")
DATA = WATCH.format(imports="from lipcert.load.samples import load_samples", call="load_samples(path)")


def watched(program, paths):
    """What a process of its own says of files one after the other: outcome, seconds, peak MB so far."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        input="\n".join(map(str, paths)),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=ROOT,
    )
    assert "Traceback" not in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from /proc")
@pytest.mark.parametrize(
    ("program", "builders"),
    [
        (PARENT, [build for build, _ in traps.MODELS.values()]),
        (DATA, [build for build, _ in traps.SAMPLES.values()]),
        (CHILD, [*traps.COMPUTED.values(), traps.MODELS["view of 10^12"][0]]),
    ],
    ids=["before torch", "samples", "in the child"],
)
def test_a_trap_takes_neither_time_nor_memory(program, builders, tmp_path):
    paths = [build(traps.prepare(tmp_path / str(i))) for i, build in enumerate(builders)]
    outcomes = watched(program, paths)
    assert len(outcomes) == len(paths)
    assert {told for told, _, _ in outcomes} == {"refused"}
    assert max(seconds for _, seconds, _ in outcomes) < 4 * SECONDS
    base = 0 if program is PARENT else 150  # torch alone takes 220 MB
    assert max(peak for _, _, peak in outcomes) < MEGABYTES + base
    assert all(traps.untouched(tmp_path / str(i)) for i in range(len(paths)))
