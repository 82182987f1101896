"""Cost of all Jacobian statistics beside K backward passes, memory beside vmap(jacrev), accuracy, and a whole section.

Run with `python tests/benchmarks/jacobian.py [--nets cnn,resnet18] [--dtype float32] [--json figures.json]`.
Every measurement is a process of its own with one thread: CPU seconds of the best of three calls for the small net and
of the only call for ResNet-18, and the peak resident memory of the first above that of the loaded net. Weights are
random and seeded.

    vjps      K reverse passes over one retained forward pass; J is kept
    lipcert   the same and every statistic: norms, (p, q) norms, distances, functionals, surrogates, relations
    jacrev    torch.func.vmap(torch.func.jacrev(net)), whole batch
    section   the Jacobian section of 1,000 MNIST images on the shipped convolutional net; CPU and wall seconds
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from lipcert.analyses.jacobian import jacobian_record, measure_jacobians  # noqa: E402
from lipcert.graph import Graph  # noqa: E402
from lipcert.graph.jacobian import jacobians  # noqa: E402
from lipcert.load.model import load_model  # noqa: E402
from tests.captured import graph_from  # noqa: E402

BATCH, CLASSES = 128, 10
BALLS = [("l2", 0.25), ("l2", 0.5), ("linf", 2 / 255), ("linf", 8 / 255)]
COST_BAR, MEMORY_BAR, SECTION_BAR = 1.1, 0.35, 20.0
ACCURACY_BARS = {"float32": 1e-5, "float64": 1e-12}


class Block(nn.Module):
    """A residual block of ResNet-18."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, width, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(width), nn.BatchNorm2d(width)])
        self.shortcut = nn.Conv2d(before, width, 1, stride, bias=False) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.norms[0](self.first(x)))
        return F.relu(self.norms[1](self.second(h)) + self.shortcut(x))


def resnet18() -> nn.Module:
    """As for 32 x 32 images: 11 million parameters."""
    widths = [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2)]
    blocks = [Block(*sizes) for sizes in [*widths, (512, 512, 1)]]
    stem = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, CLASSES))


def cnn() -> nn.Module:
    """Four convolutions and two fully connected layers: 1.1 million parameters."""
    convolutions = [nn.Conv2d(3, 32, 3, 1, 1), nn.ReLU(), nn.Conv2d(32, 32, 4, 2, 1), nn.ReLU()]
    convolutions += [nn.Conv2d(32, 64, 3, 1, 1), nn.ReLU(), nn.Conv2d(64, 64, 4, 2, 1), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*convolutions, nn.Linear(4096, 256), nn.ReLU(), nn.Linear(256, CLASSES))


NETS = {"cnn": cnn, "resnet18": resnet18}


def load(name: str, dtype: str) -> tuple[Graph, Tensor, Tensor]:
    """A net with random weights, and a batch of random images with random labels."""
    torch.manual_seed(0)  # noqa: TID251  weights of a net that is made here
    graph = graph_from(NETS[name]().eval(), 3, 32, 32).to(dtype=getattr(torch, dtype))
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(BATCH, 3, 32, 32, generator=generator).to(graph.dtype)
    return graph, images, torch.randint(CLASSES, (BATCH,), generator=generator)


def whole(graph: Graph, images: Tensor, labels: Tensor) -> Any:
    """All that lipcert reports of the Jacobians."""
    return jacobian_record(measure_jacobians(graph, images, labels, dtype=graph.dtype), balls=BALLS)


def rows(graph: Graph, images: Tensor, _: Tensor) -> Any:
    """J alone."""
    return jacobians(graph, images, batch_size=BATCH)


def jacrev(graph: Graph, images: Tensor, _: Tensor) -> Any:
    """J by the vectorised transform."""
    return torch.func.vmap(torch.func.jacrev(lambda x: graph(x[None])[0]))(images)


WAYS: dict[str, Callable[[Graph, Tensor, Tensor], Any]] = {"vjps": rows, "lipcert": whole, "jacrev": jacrev}


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


class Peak:
    """The largest resident memory of this process while it is open, above that at the start, in bytes."""

    def __enter__(self) -> Self:
        self._open, self._start, self._most = True, _resident(), 0
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()
        return self

    def _look(self) -> None:
        while self._open:
            self._most = max(self._most, _resident())
            time.sleep(0.002)

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._watch.join()
        self.bytes = max(0, self._most - self._start)


def measure(name: str, way: str, dtype: str) -> dict[str, float]:
    """CPU seconds and peak bytes of one way, in this process."""
    torch.set_num_threads(1)
    graph, images, labels = load(name, dtype)
    with torch.no_grad():
        graph(images[:1])
    seconds, peaks = [], []
    for _ in range(3 if name == "cnn" else 1):
        start = time.process_time()
        with Peak() as peak:
            WAYS[way](graph, images, labels)
        seconds.append(time.process_time() - start)
        peaks.append(peak.bytes)
    return {"seconds": min(seconds), "bytes": peaks[0]}


def accuracy(dtype: str) -> float:
    """Largest relative error of the spectral norm on the small net, against a dense SVD in float64."""
    graph, images, labels = load("cnn", dtype)
    found = measure_jacobians(graph, images[:32], labels[:32], dtype=graph.dtype).columns.norms["spectral_norm"]
    exact = torch.linalg.svdvals(jacobians(graph.to(dtype=torch.float64), images[:32]))[:, 0]
    return float((found / exact - 1).abs().max())


def section() -> tuple[float, float]:
    """CPU and wall seconds of the section on 1,000 MNIST images."""
    graph = load_model(ROOT / "sample_models" / "mnist_conv.onnx", input_shape=(1, 28, 28)).graph
    data = np.load(ROOT / "sample_models" / "mnist_test.npz")
    images = torch.tensor(data["images"][:1000]).reshape(-1, 1, 28, 28) / 255
    labels = torch.tensor(data["labels"][:1000]).long()
    start = time.process_time(), time.perf_counter()
    jacobian_record(measure_jacobians(graph, images, labels), balls=BALLS)
    return time.process_time() - start[0], time.perf_counter() - start[1]


def child(*arguments: str) -> dict[str, float]:
    """What a process of its own measured."""
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", default="cnn,resnet18")
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=2, metavar=("NET", "WAY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        sys.stdout.write(json.dumps(measure(*options.one, options.dtype)) + "\n")
        return
    figures: dict[str, Any] = {"dtype": options.dtype}
    for net in options.nets.split(","):
        found = {way: child("--one", net, way, "--dtype", options.dtype) for way in WAYS}
        cost = found["lipcert"]["seconds"] / found["vjps"]["seconds"]
        memory = found["lipcert"]["bytes"] / found["jacrev"]["bytes"]
        figures[net] = found | {"cost": cost, "memory": memory}
        for way, one in found.items():
            sys.stdout.write(f"{net:9} {way:8} {one['seconds']:8.2f} s {one['bytes'] / 1e6:8.0f} MB\n")
        sys.stdout.write(f"{net:9} cost {cost:.2f} of the passes (bar {COST_BAR}), ")
        sys.stdout.write(f"memory {memory:.2f} of jacrev (bar {MEMORY_BAR})\n")
    for dtype, bar in ACCURACY_BARS.items():
        figures[f"accuracy_{dtype}"] = accuracy(dtype)
        sys.stdout.write(f"accuracy {dtype}: {figures[f'accuracy_{dtype}']:.1e} (bar {bar:.0e})\n")
    figures["section_cpu_seconds"], figures["section_seconds"] = processor, wall = section()
    sys.stdout.write(f"1,000 MNIST images: {processor:.1f} CPU s, {wall:.1f} s (bar {SECTION_BAR:.0f})\n")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
