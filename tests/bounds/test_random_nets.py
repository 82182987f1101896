"""Random nets of all ops: float32, shuffled or not, bfloat16 and real values stay inside, and so do all margins."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.fx
from torch import Tensor

from lipcert.bounds.bounder import Bounder, margin_rows
from lipcert.bounds.region import Region
from lipcert.bounds.units import both_sides
from lipcert.records import Norm
from tests.bounds.nets import descend, points
from tests.bounds.random_nets import random_net

NORMS: tuple[Norm, ...] = ("linf", "l2", "l1")
_WIDER = {"linf": 1.0, "l2": 3.0, "l1": 6.0}
_SAMPLES = 3


class _Values(torch.fx.Interpreter):
    """Every value, by the name of its node; products with constant matrices are added up in an order of their own."""

    def __init__(self, module: torch.fx.GraphModule, generator: torch.Generator | None) -> None:
        super().__init__(module)
        self.generator, self.seen = generator, {}

    def run_node(self, n: torch.fx.Node) -> object:
        result = super().run_node(n)
        if self.generator is not None and n.target is torch.ops.aten.addmm.default:
            bias, rows, weight = self.fetch_args_kwargs_from_env(n)[0]
            terms = torch.cat([rows[:, :, None] * weight, bias.expand(len(rows), 1, -1)], 1)
            order = torch.randperm(terms.shape[1], generator=self.generator)
            result = terms[:, order[0]]
            for place in order[1:]:
                result = result + terms[:, place]
        value = result[0] if isinstance(result, list | tuple) else result
        if isinstance(value, Tensor):
            self.seen[n.name] = value.double()
        return result


def _area(seed: int, shape: tuple[int, ...], norm: Norm) -> Region:
    generator = torch.Generator().manual_seed(seed)
    size = (0.5, 1.0, 1e-3, 30.0)[seed % 4]
    centre = size * torch.randn(_SAMPLES, *shape, generator=generator)
    eps = torch.tensor([0.0, 0.01, (0.1, 0.5)[seed % 2]], dtype=torch.float64) * _WIDER[norm]
    return Region(centre.double(), norm, eps, (-1.0, 1.0) if seed % 5 < 2 else None)


def _check(seed: int, norm: Norm, kind: str, count: int) -> int:
    """Bounds of one net against what it computes; the number of points tried."""
    graph = random_net(seed, (1.0, 1.0, 30.0, 1e-3)[seed // 3 % 4])
    area, bounder = _area(seed, graph.input_shape, norm), Bounder(graph, deploy_dtype=kind)
    labels = graph(area.centre.float()).argmax(1)
    loose, tight = bounder.intervals(area), bounder.refine(area)
    slopes = "final" if seed % 3 == 0 else "full" if seed % 3 == 1 else "fixed"
    bounds = [bounder.margins(area, labels, loose), bounder.margins(area, labels, slopes=slopes, steps=2)]
    tried = points(area, count, seed)
    if norm != "l1":
        tried = torch.cat([tried, descend(bounder, area, margin_rows(labels, graph.classes), steps=4)])
    dtype = {"real": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16}[kind]
    if kind == "bfloat16" and any(node.raw.target is torch.ops.aten.avg_pool3d.default for node in bounder.nodes):
        return 0  # torch computes this op in no 16-bit type
    run = _Values(graph.to(dtype=dtype).module, torch.Generator().manual_seed(seed) if kind == "float32" else None)
    with torch.no_grad():
        logits = run.run(tried.flatten(0, 1).to(dtype)).double()
    noise = 1e-12 if kind == "real" else 0.0  # of the evaluation itself, where float64 stands for real numbers
    own = labels.repeat(len(tried))[:, None]
    closest = (logits.gather(1, own) - logits).unflatten(0, tried.shape[:2]).amin(0)
    for bound in bounds:
        assert not (bound > closest + noise * (1.0 + logits.abs().max())).any()
    for node, boxes in itertools.product(bounder.nodes, (loose, tight)):
        box, value = boxes[node], run.seen[node.raw.name]
        value = value.reshape(len(tried), *box.lower.shape)
        slack = noise * (1.0 + value.abs().max())
        assert not ((value < box.lower - slack) | (value > box.upper + slack)).any(), node
    return len(tried) * _SAMPLES


@pytest.mark.parametrize("kind", ["float32", "bfloat16", "real"])
@pytest.mark.parametrize("seed", range(4))
def test_values_of_a_few_random_nets_stay_inside(seed: int, kind: str) -> None:
    _check(seed, NORMS[seed % 3], kind, 12)


@pytest.mark.slow
def test_values_of_many_random_nets_stay_inside() -> None:
    assert sum(_check(seed, norm, "float32", 400) for seed in range(10, 50) for norm in NORMS) > 100_000
    assert sum(_check(seed, NORMS[seed % 3], "bfloat16", 60) for seed in range(10, 50)) > 5_000


@pytest.mark.parametrize("seed", range(5))
def test_units_give_the_bounds_of_rows_written_out(seed: int) -> None:
    graph = random_net(100 + seed)
    area, bounder = _area(seed, graph.input_shape, NORMS[seed % 3]), Bounder(graph, deploy_dtype="real")
    known, generator = bounder.refined(area), torch.Generator().manual_seed(seed)
    for node in bounder.nodes[1:]:
        shape = known.intervals[node].lower.shape
        rows = both_sides(torch.randint(shape[1:].numel(), (_SAMPLES, 5), generator=generator))
        narrow, written = (known.lower(r, target=node, tight=False) for r in (rows, rows.dense(shape[1:])))
        assert torch.allclose(narrow, written, rtol=1e-8, atol=1e-8, equal_nan=True), node
