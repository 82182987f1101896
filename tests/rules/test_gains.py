"""Each rule's gain against difference quotients and exact Jacobians of the op it speaks of."""

import functools
import math
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lipcert.analyses.lipschitz import gains
from lipcert.operators import JacobianOperator, materialise
from lipcert.rules import RULES, LayerNorms
from tests.captured import graph_from, randomised
from tests.graphs import random

ORDERS = {"l2": 2, "linf": math.inf, "l1": 1}
C = random(3, 4, 4, seed=9)
M34, M44, B634 = random(3, 4), random(4, 4), random(6, 3, 4)


def r(module):
    return randomised(module)


# name -> function, input shape, spread of the inputs, (smallest ratio steepest Jacobian / gain) in l2, linf, l1.
# A ratio of 1 says that the rule is sharp; a small one that it is known to be loose.
CASES = {
    "linear": (r(nn.Linear(4, 3)), (4,), 1, (1, 1, 1)),
    "linear on rows": (r(nn.Linear(4, 3)), (5, 4), 1, (1, 1, 1)),
    "matrix on the left": (lambda x: M34 @ x, (4, 2), 1, (1, 1, 1)),
    "matrix a head": (lambda x: torch.matmul(x, B634), (6, 2, 3), 1, (1, 1, 1)),
    "same matrix a head": (lambda x: torch.matmul(B634[:1].expand(5, -1, -1), x), (5, 4, 2), 1, (1, 1, 1)),
    "conv": (r(nn.Conv2d(3, 2, 3, stride=2, padding=1)), (3, 4, 4), 1, (1, 1, 1)),
    "conv 1d": (r(nn.Conv1d(3, 2, 2, dilation=2)), (3, 4), 1, (1, 1, 1)),
    "conv 3d": (r(nn.Conv3d(1, 2, 2)), (1, 3, 3, 3), 1, (1, 1, 1)),
    "conv grouped": (r(nn.Conv2d(4, 4, 2, groups=2)), (4, 3, 3), 1, (1, 1, 1)),
    "conv transposed": (r(nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1)), (3, 3, 3), 1, (1, 1, 1)),
    "batch norm": (r(nn.BatchNorm2d(3)), (3, 2, 2), 1, (1, 1, 1)),
    "conv, batch norm": (nn.Sequential(r(nn.Conv2d(3, 2, 3)), r(nn.BatchNorm2d(2))).eval(), (3, 4, 4), 1, (1, 1, 1)),
    "transposed, batch norm": (
        nn.Sequential(r(nn.ConvTranspose2d(4, 4, 2, groups=2)), r(nn.BatchNorm2d(4))).eval(),
        (4, 3, 3),
        1,
        (1, 1, 1),
    ),
    "linear, batch norm": (nn.Sequential(r(nn.Linear(4, 3)), r(nn.BatchNorm1d(3))).eval(), (4,), 1, (1, 1, 1)),
    "linear without bias, batch norm": (
        nn.Sequential(r(nn.Linear(4, 3, bias=False)), r(nn.BatchNorm1d(3))).eval(),
        (4,),
        1,
        (1, 1, 1),
    ),
    "instance norm": (r(nn.InstanceNorm2d(3, affine=True)), (3, 3, 3), 1e-3, (0.3, 0.1, 0.1)),
    "layer norm": (r(nn.LayerNorm(6)), (6,), 1e-3, (0.5, 0.2, 0.2)),
    "group norm": (r(nn.GroupNorm(2, 4)), (4, 2, 2), 1e-3, (0.5, 0.2, 0.2)),
    "sum of branches": (lambda x: x + 2.0 * x.sin(), (4,), 1, (0.5, 0.5, 0.5)),
    "sub with alpha": (lambda x: torch.sub(x, x.relu(), alpha=3), (4,), 1, (0.4, 0.4, 0.4)),
    "broadcast sum": (lambda x: x + x[:, :1], (4,), 1, (0.5, 0.5, 0.5)),
    "constant minus": (lambda x: 1.0 - x, (4,), 1, (1, 1, 1)),
    "maximum": (lambda x: torch.maximum(x, x.flip(1)), (4,), 1, (0.7, 1, 0.5)),
    "minimum with constant": (lambda x: torch.minimum(x, torch.tensor(0.1)), (4,), 1, (1, 1, 1)),
    "scale": (lambda x: x * C, (3, 4, 4), 1, (1, 1, 1)),
    "scale by channel": (lambda x: (x - 0.3) / torch.tensor([0.2, 0.3, 0.5])[:, None, None], (3, 2, 2), 1, (1, 1, 1)),
    "broadcast scale": (lambda x: x[:, :, :1, :1] * C, (3, 4, 4), 1, (1, 1, 1)),
    "self gate": (lambda x: x * torch.sigmoid(x), (4,), 3, (0.9, 0.9, 0.9)),
    "power one": (lambda x: x**1.0, (4,), 1, (1, 1, 1)),
    "reshape": (lambda x: x.permute(0, 2, 1).reshape(-1, 6), (2, 3), 1, (1, 1, 1)),
    "expand": (lambda x: x[:, None].expand(-1, 3, -1), (4,), 1, (1, 1, 1)),
    "gather": (lambda x: x[:, torch.tensor([0, 0, 2])], (4,), 1, (1, 1, 1)),
    "cat": (lambda x: torch.cat([x, 2.0 * x.sin(), x], 1), (3,), 0.01, (0.99, 0.99, 0.99)),
    "split": (lambda x: x.split([1, 3], 1)[1], (4,), 1, (1, 1, 1)),
    "pad": (lambda x: F.pad(x, (1, 2), value=3.0), (4,), 1, (1, 1, 1)),
    "reflect": (lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"), (1, 3, 3), 1, (1, 1, 1)),
    "nearest": (nn.Upsample(scale_factor=2), (1, 2, 2), 1, (1, 1, 1)),
    "bilinear": (nn.Upsample(scale_factor=2, mode="bilinear"), (2, 3, 2), 1, (1, 1, 1)),
    "bicubic": (nn.Upsample(size=(5, 4), mode="bicubic", align_corners=True), (2, 3, 2), 1, (1, 1, 1)),
    "max pool": (nn.MaxPool2d(2), (2, 4, 4), 1, (1, 1, 1)),
    "max pool overlapping": (nn.MaxPool2d(3, stride=1, padding=1), (1, 4, 4), 1, (0.5, 1, 0.3)),
    "adaptive max pool": (nn.AdaptiveMaxPool2d((2, 3)), (1, 4, 4), 1, (0.5, 1, 0.4)),
    "average pool": (nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), (2, 5, 4), 1, (1, 1, 1)),
    "average pool, own divisor": (nn.AvgPool2d(2, divisor_override=3), (2, 4, 4), 1, (1, 1, 1)),
    "average pool 1d": (nn.AvgPool1d(3), (2, 6), 1, (1, 1, 1)),
    "adaptive average pool": (nn.AdaptiveAvgPool2d((2, 3)), (2, 5, 4), 1, (1, 1, 1)),
    "global average pool": (nn.AdaptiveAvgPool2d(1), (2, 5, 4), 1, (1, 1, 1)),
    "mean": (lambda x: x.mean(1), (3, 2), 1, (1, 1, 1)),
    "sum": (lambda x: x.sum((1, 2), keepdim=True), (3, 2), 1, (1, 1, 1)),
    "amax": (lambda x: x.amax(2), (3, 2), 1, (1, 1, 1)),
    "logsumexp": (lambda x: x.logsumexp(1, keepdim=True), (3,), 5, (0.5, 1, 0.5)),
    "vector norm": (lambda x: torch.linalg.vector_norm(x, dim=1, keepdim=True), (3,), 1, (0.99, 0.7, 0.7)),
    "softmax": (nn.Softmax(1), (2,), 0.01, (0.99, 0.99, 0.99)),
    "log softmax": (nn.LogSoftmax(1), (4,), 8, (0.5, 0.5, 0.5)),
    "relu": (F.relu, (4,), 1, (1, 1, 1)),
    "clamp, broadcast": (lambda x: x[:, :1].clamp(min=torch.tensor([-5.0, -4.0, -3.0])), (2,), 1, (1, 1, 1)),
    "exp of a constant": (lambda x: x + torch.exp(x.new_zeros(1)), (4,), 1, (1, 1, 1)),
    "residual": (lambda x: x + 0.5 * torch.tanh(x @ M44), (4,), 0.1, None),
}


@functools.cache
def norms_of(name):
    function, shape, *_ = CASES[name]
    return LayerNorms(graph_from(function, *shape))


@pytest.fixture(params=CASES)
def case(request):
    return norms_of(request.param), *CASES[request.param][1:]


@pytest.mark.parametrize("norm", ORDERS)
def test_no_change_of_the_input_beats_the_gain(case, norm):
    norms, shape, spread, ratios = case
    gain = gains(norms, norm)[norms.graph.output]
    x = random(64, *shape, seed=1, dtype=torch.float64) * spread
    steps = torch.cat(
        [random(32, *shape, seed=2, dtype=torch.float64), 1e-4 * random(32, *shape, seed=3, dtype=torch.float64)]
    )
    change = norms.graph(x + steps * spread) - norms.graph(x)
    out, inp = (torch.linalg.vector_norm(v.flatten(1), ORDERS[norm], dim=1) for v in (change, steps * spread))
    assert (out <= gain * inp * (1 + 1e-9) + 1e-13).all()
    jacobians = torch.stack([materialise(JacobianOperator(norms.graph, point)) for point in x[:16]])
    steepest = float(torch.linalg.matrix_norm(jacobians, ORDERS[norm]).max())
    assert steepest <= gain * (1 + 1e-12)
    if ratios is not None:
        assert steepest >= dict(zip(ORDERS, ratios, strict=True))[norm] * gain * (1 - 1e-9)


@pytest.mark.parametrize(
    ("function", "slope"), [(lambda x: x * 0.7, Fraction(0.7)), (lambda x: x / 0.3, 1 / Fraction(0.3))]
)
@pytest.mark.parametrize("norm", ORDERS)
def test_a_python_number_scales_by_itself_and_not_by_its_float32(function, slope, norm):
    norms = LayerNorms(graph_from(function, 3))
    assert slope <= Fraction(gains(norms, norm)[norms.graph.output]) <= slope * (1 + Fraction(1e-9))


def test_every_rule_has_a_case():
    seen = {RULES[node.op] for name in CASES for node in norms_of(name).graph.nodes if node.op in RULES}
    missing = {kind.__name__ for kind in RULES.values()} - {kind.__name__ for kind in seen}
    assert missing == {"Steep"}


def test_the_captured_ops_are_known():
    seen = {node.op for name in CASES for node in norms_of(name).graph.nodes} - {"input"}
    assert seen <= set(RULES)
