"""Tightness and speed of backward linear bounds on the comparison nets, beside published margins and intervals.

Run with `OMP_NUM_THREADS=1 python -m tests.benchmarks.bounds [--alpha] [--json figures.json]` from the repository's
root. Seconds are process time on one thread, the best of three; of them only ratios within a run mean anything: how
many times longer than interval propagation on the same graph, and than the evaluation of the graph in float64.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lipcert.bounds.bounder import Bounder
from lipcert.bounds.region import Region
from lipcert.graph import Graph
from tests.comparison_nets import PUBLISHED, comparison_net, inputs


@dataclass(frozen=True)
class Row:
    """Mean margin bounds in real arithmetic, for float32 too, as published and from intervals alone; and seconds."""

    net: str
    samples: int
    eps: float
    real: float
    float32: float
    published: float
    intervals: float
    seconds: float
    interval_seconds: float
    forward_seconds: float

    @property
    def times_intervals(self) -> float:
        return self.seconds / self.interval_seconds

    @property
    def times_pass(self) -> float:
        return self.seconds / self.forward_seconds


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


def case(name: str, samples: int, eps: float) -> tuple[Graph, Region, Tensor]:
    graph, x = comparison_net(name), inputs(samples)
    radii = torch.full((samples,), eps, dtype=torch.float64)
    return graph, Region(x.double(), "linf", radii, (0.0, 1.0)), graph(x).argmax(1)


def measure(name: str, samples: int, eps: float, repeats: int) -> Row:
    graph, area, labels = case(name, samples, eps)
    real, seconds = timed(lambda: Bounder(graph, deploy_dtype="real").margins(area, labels), repeats)
    loose, interval_seconds = timed(lambda: interval_margins(graph, area, labels), repeats)
    double = graph.to(dtype=torch.float64)
    _, forward_seconds = timed(lambda: double(area.centre), 3 * repeats)
    return Row(
        net=name,
        samples=samples,
        eps=eps,
        real=others_mean(real, labels),
        float32=others_mean(Bounder(graph).margins(area, labels), labels),
        published=PUBLISHED[name, samples, eps],
        intervals=others_mean(loose, labels),
        seconds=seconds,
        interval_seconds=interval_seconds,
        forward_seconds=forward_seconds,
    )


def interval_margins(graph: Graph, area: Region, labels: Tensor) -> Tensor:
    """What intervals of the logits alone say of the margins."""
    bounder = Bounder(graph, deploy_dtype="real")
    logits = bounder.intervals(area)[bounder.nodes[-1]]
    return logits.lower.gather(1, labels[:, None]) - logits.upper


def choose_slopes(eps: float) -> AlphaRow:
    graph, area, labels = case("mlp", 32, eps)
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
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    rows: list[Row] = []
    measure("mlp", 32, 0.01, 1)  # else the first figure has what is set up once in it
    for name, samples, eps in PUBLISHED:
        if name in options.nets.split(","):
            row = measure(name, samples, eps, options.repeats)
            rows.append(row)
            print(
                f"{name} {samples} eps {eps}: real {row.real:.4f} float32 {row.float32:.4f}, published "
                f"{row.published:.4f}, intervals {row.intervals:.1f}; {row.seconds:.3f} s, {row.times_intervals:.1f} x "
                f"intervals, {row.times_pass:.0f} x a pass",
                flush=True,
            )
    chosen = [choose_slopes(eps) for eps in (0.02, 0.05, 0.1)] if options.alpha else []
    for found in chosen:
        print(f"mlp eps {found.eps}: {found}; share of the gain {found.share:.3f}", flush=True)
    if options.json:
        options.json.write_text(json.dumps({"bounds": [asdict(r) for r in rows], "alpha": [asdict(r) for r in chosen]}))


if __name__ == "__main__":
    main()
