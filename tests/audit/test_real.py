"""Audits of real files: tiny nets made here, analysed for real."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.audit.test_kills import begin, survive_kills

REAL = """
import sys
from lipcert.cli.entry import run
if __name__ == "__main__":
    sys.exit(run(["audit", *sys.argv[1:]]))
"""


class Printer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 3)

    def forward(self, x):
        print("garbage on stdout", "{")  # noqa: T201  the very point
        return self.linear(x)


class Endless(Printer):
    def forward(self, x):
        while bool(x.abs().sum() >= 0):
            x = x * 0.5
        return self.linear(x)


class Huge(Printer):
    def forward(self, x):
        return self.linear(x) + torch.zeros([1 << 37])[0] + torch.ones([1 << 37])[0]


def make_nets(folder: Path, count: int) -> Path:
    """So many TorchScript files of linear nets, each with its own weights, and samples."""
    folder.mkdir(parents=True)
    generator = torch.Generator().manual_seed(0)
    net = torch.jit.script(nn.Sequential(nn.Linear(4, 3)).eval())
    for number in range(count):
        with torch.no_grad():
            for value in net.parameters():
                value.copy_(torch.rand(value.shape, generator=generator) - 0.5)
        net.save(str(folder / f"net-{number:03}.pt"))
    inputs = torch.rand(8, 4, generator=generator).numpy()
    np.savez(folder / "test.npz", x=inputs, y=np.arange(8) % 3)
    return folder


def options(zoo: Path) -> tuple[str, ...]:
    data = str(zoo / "test.npz")
    fast = ("--data", data, "--only", "layers,margins", "--effort", "fast", "--threads", "1", "--deterministic")
    return (str(zoo), *fast, "-f", "json")


def poisoned(folder: Path, **kinds: type[nn.Module]) -> Path:
    """One plain net, and one of each kind."""
    zoo = make_nets(folder / "zoo", 1)
    for name, kind in kinds.items():
        torch.jit.script(kind().eval()).save(str(zoo / f"{name}.pt"))
    return zoo


def test_real_nets_and_poisoned_ones(tmp_path: Path) -> None:
    zoo = poisoned(tmp_path, printer=Printer, huge=Huge)
    (zoo / "pickle.pt").write_bytes(b"\x80\x02cos\nsystem\n.")
    process = begin(tmp_path, "real", *options(zoo), "-j", "2", script=REAL)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 3, err.decode()
    models = {Path(model["name"]).stem: model for model in json.loads(out)["models"]}
    assert models["net-000"]["status"] == models["printer"]["status"] == "analyzed"
    for name in ("huge", "pickle"):
        assert models[name]["status"] == "inconclusive"
        assert models[name]["error"]["code"] == "model.refused"


@pytest.mark.slow
def test_a_real_endless_loop_is_stopped_by_the_clock(tmp_path: Path) -> None:
    zoo = poisoned(tmp_path, endless=Endless)
    process = begin(tmp_path, "real", *options(zoo), "--timeout", "25", script=REAL)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 3, err.decode()
    states = {Path(model["name"]).stem: model for model in json.loads(out)["models"]}
    assert states["net-000"]["status"] == "analyzed"
    assert states["endless"]["error"]["code"] == "model.timeout"


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_two_hundred_nets_survive_five_kills(tmp_path: Path) -> None:
    zoo = make_nets(tmp_path / "zoo", 200)
    outs = []
    for name, kills in (("disturbed", (1, 37, 80, 121, 166)), ("quiet", ())):
        folder = tmp_path / name / "run"
        folder.mkdir(parents=True)
        outs.append(survive_kills(folder, kills, *options(zoo), "-j", "2", script=REAL))
    assert outs[0] == outs[1]
    assert json.loads(outs[0])["summary"]["analyzed"] == 200
