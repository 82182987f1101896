"""Layered Lipschitz bounds and the radii they give, beside the product of layer norms.

Run with `OMP_NUM_THREADS=1 python tests/benchmarks/lipschitz.py [folder of models ...] [--json figures.json]`. The
comparison nets, MNIST images and models are looked for beside the repository. Seconds are process time on one thread.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
sys.path[:0] = [str(ROOT)]

from lipcert.analyses.certificates.lipschitz import LipschitzRadii, lipschitz_radii  # noqa: E402
from lipcert.analyses.lipschitz import Constants  # noqa: E402
from lipcert.analyses.lipschitz.witness import climb  # noqa: E402
from lipcert.errors import LipcertError  # noqa: E402
from lipcert.graph import Graph  # noqa: E402
from lipcert.load.capture import capture  # noqa: E402
from lipcert.load.model import load_model  # noqa: E402
from lipcert.load.objects import read_object  # noqa: E402
from lipcert.progress import silent  # noqa: E402
from lipcert.rules import LayerNorms  # noqa: E402
from lipcert.rules.forward_error import bounded_logits  # noqa: E402


@dataclass(frozen=True)
class Row:
    """Upper ends of one net in l2; `steepest` is a lower end."""

    net: str
    product: float
    layered: float | None
    pair: float | None
    steepest: float
    seconds: float
    megabytes: int
    mean_radius: float | None = None
    mean_radius_of_product: float | None = None

    @property
    def ratio(self) -> float:
        return self.product / min(self.product, self.layered or self.product)


def measure(name: str, graph: Graph, inputs: Tensor | None = None) -> Row | None:
    """Seconds are those of the bounds and radii, not of the search for the lower end."""
    start = time.process_time()
    constants = Constants(LayerNorms(graph))
    product, layered = constants.products["l2"].whole, constants.layered
    if product is None:
        return None
    radii = (
        [None, None]
        if inputs is None
        else [_radius(graph, inputs, constants, products_alone=only) for only in (False, True)]
    )
    seconds = time.process_time() - start
    return Row(
        net=name,
        product=product,
        layered=layered.whole if layered else None,
        pair=float(layered.pairs.max()) if layered else None,
        steepest=climb(constants.norms, inputs, (0.0, 1.0), silent)["l2"],
        seconds=seconds,
        megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        mean_radius=radii[0],
        mean_radius_of_product=radii[1],
    )


def _radius(graph: Graph, inputs: Tensor, constants: Constants, *, products_alone: bool) -> float:
    graph = graph.to(dtype=torch.float64)
    chosen = tuple(constants.products.values()) if products_alone else constants.all
    logits = bounded_logits(graph, inputs, batch_size=64)
    found = lipschitz_radii(graph, logits, graph(inputs.double()).argmax(1), chosen, ("l2",))
    assert isinstance(found, LipschitzRadii)
    return float(found.radius["l2"].mean())


@dataclass(frozen=True)
class Recipe:
    """How a 784-256-10 net is trained: an ordinary choice of each."""

    steps: int
    rate: float = 1e-3
    decay: float = 0.0
    momentum: float | None = None
    standardised: bool = False


RECIPES = {
    "adam": Recipe(3000),
    "adam, weight decay 1e-4": Recipe(3000, decay=1e-4),
    "adam, standardised inputs": Recipe(3000, standardised=True),
    "sgd .05, weight decay 5e-4": Recipe(3000, rate=0.05, decay=5e-4, momentum=0.9),
    "sgd .01, standardised inputs": Recipe(3000, rate=0.01, momentum=0.9, standardised=True),
}


def trained_on_mnist(recipe: Recipe) -> Graph:
    """A 784-256-10 net on the 19,690 training images there are; inputs in [0, 1], or with mean 0 and deviation 1."""
    with np.load(SHARED / "material" / "data" / "mnist_train_19690.npz") as data:
        images, labels = (torch.from_numpy(data[key]) for key in _names(data))
    images = images.reshape(len(images), -1).float()
    images = images / images.max()
    images = (images - 0.1307) / 0.3081 if recipe.standardised else images
    generator = torch.Generator().manual_seed(0)
    net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    with torch.no_grad():
        for layer in (net[0], net[2]):
            for parameter in layer.parameters():
                parameter.copy_(layer.in_features**-0.5 * (2 * torch.rand(parameter.shape, generator=generator) - 1))
    optimiser: torch.optim.Optimizer = torch.optim.Adam(net.parameters(), recipe.rate, weight_decay=recipe.decay)
    if recipe.momentum is not None:
        optimiser = torch.optim.SGD(net.parameters(), recipe.rate, recipe.momentum, weight_decay=recipe.decay)
    for _ in range(recipe.steps):
        some = torch.randint(len(images), (64,), generator=generator)
        loss = nn.functional.cross_entropy(net(images[some]), labels[some].long())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    captured = capture(read_object(net.eval()), (784,))
    return Graph(captured.module, (784,), names=captured.names)


def _names(data: np.lib.npyio.NpzFile) -> tuple[str, str]:
    images = max(data.files, key=lambda name: data[name].ndim)
    return images, next(name for name in data.files if data[name].ndim == 1)


def rows(paths: list[Path]) -> list[Row]:
    found: list[Row | None] = []
    with np.load(SHARED / "reference_nets" / "trained_test64.npz") as data:
        inputs = torch.from_numpy(data["x"])[:32]
    nets = {name: SHARED / "reference_nets" / f"{name}.onnx" for name in ("trained_mlp", "trained_cnn")}
    found += [_shown(name, load_model(path).graph, inputs) for name, path in nets.items()]
    found += [_shown(f"mnist, {name}", trained_on_mnist(recipe), None) for name, recipe in RECIPES.items()]
    for path in paths:
        try:
            found.append(_shown(path.name, load_model(path).graph, None))
        except (LipcertError, ValueError, RuntimeError) as error:
            print(f"{path.name:32} not loaded: {str(error).splitlines()[0][:80]}")
    return [row for row in found if row is not None]


def _shown(name: str, graph: Graph, inputs: Tensor | None) -> Row | None:
    row = measure(name, graph, inputs)
    if row is None:
        print(f"{name:32} no product", flush=True)
        return None
    layered = "none" if row.layered is None else f"{row.layered:.5g}"
    radius = f"  mean radius {row.mean_radius:.4f} ({row.mean_radius_of_product:.4f})" if row.mean_radius else ""
    most = f" of at most x{row.product / row.steepest:.2f}" if row.steepest else ""
    due = "  BELOW 1.3" if row.product >= 2 * row.steepest and row.ratio < 1.3 else ""
    print(
        f"{name:32} steepest {row.steepest:.4g}  layered {layered}  product {row.product:.5g} = x{row.ratio:.2f}{most}"
        f"  pair {row.pair or 0:.4g}  {row.seconds:.1f} s  {row.megabytes} MB{radius}{due}",
        flush=True,
    )
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folders", nargs="*", type=Path, default=[ROOT / "sample_models", SHARED / "material" / "models"]
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    paths = [
        path for folder in options.folders for path in sorted(folder.glob("*.onnx") if folder.is_dir() else [folder])
    ]
    figures = rows(paths)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in figures], indent=1))


if __name__ == "__main__":
    main()
