"""Each op's interval, linear bounds and rounding against random points of random boxes."""

import functools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lipcert.rules import RULES
from lipcert.rules.deployment import DEPLOYMENTS
from lipcert.rules.interval import Interval, entries
from lipcert.rules.output import PIECES
from lipcert.rules.relaxation import inner
from tests.captured import graph_from
from tests.graphs import random
from tests.rules.bound_examples import BOUNDED
from tests.rules.curve_examples import FUNCTIONS

CURVED = {name: (function, (5,)) for name, function in FUNCTIONS.items()}
CASES = BOUNDED | CURVED
POSITIVE = {"log", "log1p", "sqrt", "rsqrt", "reciprocal", "inverse square", "small power", "power of a fraction"}
LONG = [pytest.param(width, marks=pytest.mark.slow) for width in (0.0, 0.05, 4.0)]
WIDTHS = [1e-6, 1.0, *LONG]
# Where no interval is known, on purpose.
SILENT = {"tan", "im2col", "as_strided", "gather"}


@functools.cache
def nodes(name):
    """Each node with what it reads, deployed and exact."""
    function, shape = CASES[name]
    graph = graph_from(function, *shape)
    exact = graph.to(dtype=torch.float64)
    return graph, exact, list(zip(graph.nodes, exact.nodes, strict=True))


def values(graph, x):
    """The value of every node for a batch of points, (N, *entries)."""
    found = {}
    for node in graph.nodes:
        if node.op == "input":
            found[node] = x
            continue
        if node.op in PIECES:
            continue
        run = node.run if node.op != "getitem" or node.args[0].op not in PIECES else _piece(node)
        taken = [found[source].reshape(-1, *source.shape) for source in sources(node)]
        out = [run(*(t[i] for t in taken)) for i in range(len(x))]
        found[node] = torch.stack([o if isinstance(o, torch.Tensor) else o[0] for o in out]).reshape(-1, *entries(node))
    return found


def _piece(node):
    return lambda x: node.args[0].run(x)[node.args[1]]


def sources(node):
    return node.args[0].inputs if node.op == "getitem" and node.args[0].op in PIECES else node.inputs


def boxes(name, width):
    """Two boxes around random centres and points of them: inside and at corners."""
    shape = CASES[name][1]
    centre = random(2, *shape, seed=5, dtype=torch.float64) * 1.5
    if name in POSITIVE:
        centre = centre.abs() + 0.1 + width
    lower, upper = centre - width * random(2, *shape, seed=6).double().abs().clamp_max(1), centre + width
    lower, upper = lower.float().double(), upper.float().double()
    share = torch.rand(8, 2, *shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    share[2:6] = share[2:6].round()
    share[6], share[7] = 0.0, 1.0
    return lower, upper, (lower + (upper - lower) * share).float().double().clamp(lower, upper)


def propagate(exact, lower, upper):
    found = {}
    for node in exact.nodes:
        if node.op == "input":
            found[node] = Interval(lower, upper)
        elif node.op not in PIECES:
            found[node] = RULES[node.op]().interval(node, tuple(found[s] for s in sources(node)))
    return found


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", CASES)
def test_values_stay_in_intervals_and_above_linear_bounds(name, width):
    _, exact, _ = nodes(name)
    lower, upper, points = boxes(name, width)
    found = propagate(exact, lower, upper)
    held = [values(exact, point) for point in points]
    for node, box in found.items():
        size = 1e-14 * (1.0 + box.magnitude)
        for at in held:
            assert (at[node] >= box.lower - size).all(), node.op
            assert (at[node] <= box.upper + size).all(), node.op
        if node.op != "input":
            _check_bounds(node, found, held)


def _check_bounds(node, found, held):
    inputs = tuple(found[source] for source in sources(node))
    relaxation = RULES[node.op]().relaxation(node, inputs, found[node])
    for count, seed in ((2, 1), (1, 2)):
        rows = random(count, 3, *entries(node), seed=seed, dtype=torch.float64)
        coefficients, offset = relaxation.pull(rows)
        for at in held:
            bound = torch.zeros(2, 3, dtype=torch.float64) if offset is None else offset
            for part, source in zip(coefficients, sources(node), strict=True):
                bound = bound if part is None else bound + inner(part, at[source])
            truth = inner(rows, at[node])
            assert (truth - bound >= -1e-12 * (1.0 + inner(rows.abs(), found[node].magnitude))).all(), node.op


@pytest.mark.parametrize("name", CASES)
def test_float32_stays_within_the_rounding(name):
    deployed, _, pairs = nodes(name)
    points = boxes(name, 1.0)[2]
    x = points.reshape(-1, *CASES[name][1])
    at = values(deployed, x.float())
    for node, twin in pairs:
        if node.op == "input" or node.op in PIECES:
            continue
        inputs = tuple(Interval(at[s].double(), at[s].double()) for s in sources(node))
        box = RULES[node.op]().interval(twin, inputs)
        allowed = RULES[node.op]().rounding(twin, inputs, box, DEPLOYMENTS["float32"])
        outside = torch.maximum(box.lower - at[node].double(), at[node].double() - box.upper)
        assert (outside <= allowed).all(), node.op


@pytest.mark.parametrize("name", sorted(set(CASES) - {"floor", "ceil", "round", "trunc", "sign"}))
def test_a_box_of_one_point_gives_the_value(name):
    _, exact, _ = nodes(name)
    lower, _, _ = boxes(name, 0.0)
    box = propagate(exact, lower, lower)[exact.output]
    assert (box.upper - box.lower <= 1e-9 * (1 + box.magnitude)).all()


@settings(max_examples=12, deadline=None)
@given(
    st.integers(5, 7),
    st.integers(1, 3),
    st.integers(1, 3),
    st.tuples(st.booleans(), st.integers(1, 2)),
    st.integers(0, 99),
)
def test_pools_of_any_kind(size, kernel, stride, kind, seed):
    ceil, dilation = kind
    pool = nn.MaxPool2d(kernel, stride, padding=kernel // 2, dilation=dilation, ceil_mode=ceil)
    graph = graph_from(pool, 2, size, 5).to(dtype=torch.float64)
    lower = random(2, 2, size, 5, seed=seed, dtype=torch.float64)
    upper = lower + random(2, 2, size, 5, seed=seed + 1, dtype=torch.float64).abs() * 0.5
    found = propagate(graph, lower, upper)
    share = torch.rand(6, 2, 2, size, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    held = [values(graph, lower + (upper - lower) * part) for part in (*share, *share.round())]
    for node in graph.nodes[1:]:
        _check_bounds(node, found, held)


def test_every_op_with_bounds_is_tried():
    tried = {node.op for name in CASES for node in nodes(name)[1].nodes}
    families = {RULES[op].__name__ for op in tried if op in RULES}
    assert families == {kind.__name__ for kind in RULES.values()}
