"""Norms of the 20 convolutions of a ResNet-18 at 224 x 224: gap, CPU seconds, and six FFT-grid Gram iterations beside.

Run with `python tests/benchmarks/layers.py [--effort high] [--families gaussian] [--reference] [--json figures.json]`.
Three families of weights, all seeded: `smooth` (low-pass kernels), `gaussian`, and `trained` (a ResNet-18 after a few
steps on the digits that ship with the project). The rival is the Gram iteration of Delattre et al. (ICML 2023) on the
circular grid of the input's size, in float32, strides by phases; its value bounds the circular operator only, not the
zero-padded one. `--reference` compares the lower ends with converged Lanczos, which takes minutes.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from lipcert.norms import spectral_norm  # noqa: E402
from lipcert.norms.base import witnessed  # noqa: E402
from lipcert.operators import AdjointOperator, ConvolutionOperator  # noqa: E402
from lipcert.operators.krylov import ritz_vector  # noqa: E402

FAILURE = 1e-12
STEPS, BATCH = 40, 32


@dataclass(frozen=True)
class Shape:
    """A convolution of the net; `size` is the side of its input."""

    name: str
    channels: int
    filters: int
    kernel: int
    stride: int
    size: int

    @property
    def padding(self) -> int:
        return self.kernel // 2


@dataclass(frozen=True)
class Row:
    """What was measured of one layer."""

    family: str
    layer: str
    lower: float
    upper: float
    gap: float
    method: str
    failure_probability: float
    seconds: float
    rival: float
    rival_gap: float
    rival_seconds: float
    lower_deficit: float | None


def resnet18() -> list[Shape]:
    """Its 20 convolutions, in order of execution, a block's shortcut last."""
    shapes = [Shape("conv1", 3, 64, 7, 2, 224)]
    for stage, (before, width, size) in enumerate(((64, 64, 56), (64, 128, 56), (128, 256, 28), (256, 512, 14)), 1):
        stride = 1 if before == width else 2
        inside = size // stride
        shapes += [
            Shape(f"layer{stage}.0.conv1", before, width, 3, stride, size),
            Shape(f"layer{stage}.0.conv2", width, width, 3, 1, inside),
        ]
        if stride == 2:
            shapes.append(Shape(f"layer{stage}.0.downsample", before, width, 1, 2, size))
        shapes += [Shape(f"layer{stage}.1.conv{i}", width, width, 3, 1, inside) for i in (1, 2)]
    return shapes


def gaussian(shapes: list[Shape], seed: int = 0) -> list[Tensor]:
    """Independent entries with the usual scale."""
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(s.filters, s.channels, s.kernel, s.kernel, generator=generator)
        / math.sqrt(s.channels * s.kernel * s.kernel)
        for s in shapes
    ]


def smooth(shapes: list[Shape], seed: int = 1) -> list[Tensor]:
    """A low-pass bump times a matrix of decaying rank, and Gaussian noise."""
    generator, weights = torch.Generator().manual_seed(seed), []
    for shape, noise in zip(shapes, gaussian(shapes, seed + 1), strict=True):
        places = torch.arange(shape.kernel) - shape.padding
        bump = torch.exp(-0.5 * (places / max(1.0, shape.kernel / 4)) ** 2)
        rank = min(shape.channels, shape.filters)
        left = torch.randn(shape.filters, rank, generator=generator)
        right = torch.randn(rank, shape.channels, generator=generator)
        decay = (1.0 + torch.arange(rank)).pow(-0.7)
        mixing = (left * decay) @ right / rank
        weights.append(mixing[:, :, None, None] * torch.outer(bump, bump) + 0.5 * noise)
    return weights


def trained(shapes: list[Shape], seed: int = 2) -> list[Tensor]:
    """The net's weights after a few steps of Adam on digits enlarged to 32 x 32."""
    with np.load(ROOT / "sample_models/digits_train.npz") as data:
        names = sorted(data.files, key=lambda name: data[name].ndim)
        labels, images = torch.from_numpy(data[names[0]]).long(), torch.from_numpy(data[names[-1]]).float()
    images = F.interpolate(images.reshape(len(images), 1, 8, 8), size=32, mode="bilinear").expand(-1, 3, -1, -1)
    generator = torch.Generator().manual_seed(seed)
    weights = [math.sqrt(2) * w for w in gaussian(shapes, seed)]
    head = torch.randn(10, 512, generator=generator) / math.sqrt(512)
    parameters = [w.requires_grad_() for w in (*weights, head)]
    optimiser = torch.optim.Adam(parameters, lr=1e-3)
    for _ in range(STEPS):
        chosen = torch.randint(len(images), (BATCH,), generator=generator)
        loss = F.cross_entropy(forward(images[chosen], shapes, weights) @ head.T, labels[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return [w.detach() for w in weights]


def forward(x: Tensor, shapes: list[Shape], weights: list[Tensor]) -> Tensor:
    """Features of a ResNet-18 with batch normalisation that has no parameters."""
    by_name = {s.name: (s, w) for s, w in zip(shapes, weights, strict=True)}

    def convolved(name: str, x: Tensor) -> Tensor:
        shape, weight = by_name[name]
        y = F.conv2d(x, weight, stride=shape.stride, padding=shape.padding)
        return F.batch_norm(y, None, None, training=True)

    x = F.max_pool2d(convolved("conv1", x).relu(), 3, stride=2, padding=1)
    for stage in range(1, 5):
        for block in range(2):
            name = f"layer{stage}.{block}"
            shortcut = convolved(f"{name}.downsample", x) if f"{name}.downsample" in by_name else x
            x = (convolved(f"{name}.conv2", convolved(f"{name}.conv1", x).relu()) + shortcut).relu()
    return x.mean((2, 3))


def gram_iteration(weight: Tensor, shape: Shape, iterations: int = 6) -> float:
    """Largest Frobenius norm over the frequencies of the grid after that many squarings, float32."""
    n, k, s = shape.size, shape.kernel, shape.stride
    phases = [weight[:, :, a::s, b::s] for a in range(min(s, k)) for b in range(min(s, k))]
    grid = (1, 1) if k == 1 else (n // s, n // s)
    symbol = torch.cat([torch.fft.rfft2(phase, s=grid) for phase in phases], dim=1).permute(2, 3, 0, 1).flatten(0, 1)
    gram = symbol @ symbol.mH if symbol.shape[1] <= symbol.shape[2] else symbol.mH @ symbol
    logs = torch.zeros(len(gram))
    for _ in range(iterations - 1):
        length = gram.norm(dim=(1, 2))
        gram = gram / length[:, None, None]
        logs = 2 * (logs + length.log())
        gram = gram.mH @ gram
    return float(((logs + gram.norm(dim=(1, 2)).log()) / 2**iterations).max().exp())


def operator_of(weight: Tensor, shape: Shape) -> ConvolutionOperator:
    """The layer at its input size."""
    pair = (shape.padding, shape.padding)
    return ConvolutionOperator(
        weight,
        (shape.size, shape.size),
        stride=(shape.stride,) * 2,
        padding=(pair, pair),
        dilation=(1, 1),
    )


def converged(operator: ConvolutionOperator) -> float:
    """The lower end of a Lanczos run that is left to converge."""
    turned = operator.in_size > operator.out_size
    inner = AdjointOperator(operator) if turned else operator
    vector = ritz_vector(
        inner, iterations=160, tolerance=1e-6, generator=torch.Generator().manual_seed(9), dtype=torch.float32
    )
    return witnessed(inner, vector)


def timed(call: Callable[[], object]) -> tuple[object, float]:
    """The result and the CPU seconds of this process."""
    start = time.process_time()
    result = call()
    return result, time.process_time() - start


def measure(family: str, weights: list[Tensor], shapes: list[Shape], options: argparse.Namespace) -> list[Row]:
    """A row a layer, printed as it comes."""
    rows = []
    for weight, shape in zip(weights, shapes, strict=True):
        operator = operator_of(weight, shape)
        found, seconds = timed(
            lambda operator=operator: spectral_norm(operator, effort=options.effort, failure=FAILURE / len(shapes))
        )
        rival, rival_seconds = timed(lambda weight=weight, shape=shape: gram_iteration(weight, shape))
        deficit = max(0.0, 1.0 - found.lower / converged(operator)) if options.reference else None
        row = Row(
            family=family,
            layer=f"{shape.name} {shape.channels}->{shape.filters} k{shape.kernel}s{shape.stride}@{shape.size}",
            lower=found.lower,
            upper=found.upper,
            gap=found.gap,
            method=f"{found.soundness}: {found.method}",
            failure_probability=found.failure_probability,
            seconds=seconds,
            rival=rival,
            rival_gap=rival / found.lower - 1.0,
            rival_seconds=rival_seconds,
            lower_deficit=deficit,
        )
        rows.append(row)
        tail = "" if deficit is None else f"  lower -{deficit:.1e}"
        print(
            f"{family:9}{row.layer:36} gap {row.gap:.1e}  {row.seconds:6.2f} s  | gram {row.rival_gap:+.1e} "
            f"{row.rival_seconds:6.2f} s{tail}  {row.method}",
            flush=True,
        )
    return rows


def summary(rows: list[Row]) -> dict[str, float]:
    """The figures of one family."""
    gaps = [row.gap for row in rows]
    return {
        "median_gap": statistics.median(gaps),
        "max_gap": max(gaps),
        "failure_probability": sum(row.failure_probability for row in rows),
        "seconds": sum(row.seconds for row in rows),
        "rival_seconds": sum(row.rival_seconds for row in rows),
        "median_seconds_ratio": statistics.median(row.seconds / max(row.rival_seconds, 1e-4) for row in rows),
        "median_gap_ratio": statistics.median(row.gap / max(abs(row.rival_gap), 1e-12) for row in rows),
        "max_lower_deficit": max((row.lower_deficit or 0.0 for row in rows), default=0.0),
    }


FAMILIES = {"smooth": smooth, "gaussian": gaussian, "trained": trained}


def main() -> None:
    """Measure, print, and write the figures down where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--effort", default="default", choices=("fast", "default", "high"))
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=FAMILIES)
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    shapes, rows, figures = resnet18(), [], {}
    for family in options.families:
        found = measure(family, FAMILIES[family](shapes), shapes, options)
        rows += found
        figures[family] = summary(found)
        print(f"{family}: " + ", ".join(f"{name} {value:.3g}" for name, value in figures[family].items()), flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GiB (the training of the third family included)")
    if options.json:
        figures["peak_memory_gib"] = peak
        options.json.write_text(json.dumps({"rows": [asdict(row) for row in rows], "figures": figures}, indent=1))


if __name__ == "__main__":
    main()
