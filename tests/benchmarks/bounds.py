"""Tightness and speed of backward linear bounds on the comparison nets, beside another implementation in this process.

Run with `OMP_NUM_THREADS=1 python tests/benchmarks/bounds.py [--alpha] [--json figures.json]`. The nets and the other
implementation (float32, real arithmetic, dense rows) are looked for beside the repository; without them there is
nothing to compare. Seconds are process time on one thread, the best of three; only ratios within a run mean anything.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
sys.path[:0] = [str(ROOT), str(SHARED / "prototypes")]

from lipcert.bounds.bounder import Bounder  # noqa: E402
from lipcert.bounds.region import Region  # noqa: E402
from lipcert.load.model import load_model  # noqa: E402

CASES = [("mlp", 32, eps) for eps in (0.01, 0.02, 0.05, 0.1)]
CASES += [("cnn", 32, eps) for eps in (0.01, 0.02, 0.05, 0.1)] + [("res", 8, 0.01)]


@dataclass(frozen=True)
class Row:
    """Mean margin bounds in real arithmetic, ours for float32 too, and seconds."""

    net: str
    samples: int
    eps: float
    real: float
    float32: float
    other: float
    seconds: float
    other_seconds: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.other_seconds


@dataclass(frozen=True)
class AlphaRow:
    """What choosing slopes gains over fixed ones, and its seconds, that of the fixed bounds included."""

    eps: float
    fixed: float
    final: float
    full: float
    final_seconds: float
    full_seconds: float

    @property
    def share(self) -> float:
        return (self.final - self.fixed) / (self.full - self.fixed)


def timed(run: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        result = run()
        best = min(best, time.process_time() - start)
    return result, best


def others_mean(margins: Tensor, labels: Tensor) -> float:
    mask = torch.ones_like(margins, dtype=torch.bool).scatter(1, labels[:, None], False)
    return float(margins[mask].mean())


def case(name: str, samples: int, eps: float) -> tuple[Any, Region, Tensor, Tensor]:
    graph = load_model(SHARED / "reference_nets" / f"{name}.onnx").graph
    with np.load(SHARED / "reference_nets" / "random_batch32.npz") as data:
        x = torch.from_numpy(data["x"])[:samples]
    radii = torch.full((samples,), eps, dtype=torch.float64)
    return graph, Region(x.double(), "linf", radii, (0.0, 1.0)), graph(x).argmax(1), x


def other_margins(name: str, x: Tensor, eps: float, labels: Tensor, repeats: int) -> tuple[float, float]:
    import certify_bounds
    import reference_nets

    module = reference_nets.NETS[name]()
    nodes = certify_bounds.fold_affine(certify_bounds.build(module, x[:2]))

    def run() -> Tensor:
        bounder = certify_bounds.Bounder(nodes)
        bounder.set_input(x, eps, 0.0, 1.0)
        with torch.no_grad():
            return bounder.run("crown", certify_bounds.margin_C(labels))

    margins, seconds = timed(run, repeats)
    return float(margins.mean()), seconds


def compare(name: str, samples: int, eps: float, repeats: int) -> Row:
    graph, area, labels, x = case(name, samples, eps)
    real, seconds = timed(lambda: Bounder(graph, deploy_dtype="real").margins(area, labels), repeats)
    sound = Bounder(graph).margins(area, labels)
    other, other_seconds = other_margins(name, x, eps, labels, repeats)
    return Row(name, samples, eps, others_mean(real, labels), others_mean(sound, labels), other, seconds, other_seconds)


def choose_slopes(eps: float) -> AlphaRow:
    graph, area, labels, _ = case("mlp", 32, eps)
    bounder = Bounder(graph, deploy_dtype="real")
    fixed, _ = timed(lambda: bounder.margins(area, labels), 1)
    final, final_seconds = timed(lambda: bounder.margins(area, labels, slopes="final"), 1)
    full, full_seconds = timed(lambda: bounder.margins(area, labels, slopes="full"), 1)
    means = (others_mean(margins, labels) for margins in (fixed, final, full))
    return AlphaRow(eps, *means, final_seconds, full_seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alpha", action="store_true", help="also choose slopes on the mlp, which takes minutes")
    parser.add_argument("--nets", default="mlp,cnn,res")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not (SHARED / "prototypes").exists():
        sys.exit(f"{SHARED} is absent: nothing to compare with")
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    rows: list[Row] = []
    compare("mlp", 2, 0.01, 1)  # else the first figure has what is set up once in it
    for name, samples, eps in CASES:
        if name in options.nets.split(","):
            rows.append(compare(name, samples, eps, options.repeats))
            row = rows[-1]
            print(
                f"{name} {samples} eps {eps}: real {row.real:.4f} float32 {row.float32:.4f} other {row.other:.4f}; "
                f"{row.seconds:.3f} s, other {row.other_seconds:.3f} s, ratio {row.ratio:.2f}",
                flush=True,
            )
    chosen = [choose_slopes(eps) for eps in (0.02, 0.05, 0.1)] if options.alpha else []
    for found in chosen:
        print(f"mlp eps {found.eps}: {found}; share of the gain {found.share:.3f}", flush=True)
    if options.json:
        options.json.write_text(json.dumps({"bounds": [asdict(r) for r in rows], "alpha": [asdict(r) for r in chosen]}))


if __name__ == "__main__":
    main()
