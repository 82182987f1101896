"""Lines around curves: never crossed, and as tight in the middle as straight lines can be."""

import math

import mpmath
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.rules.curves import CURVES, enclose, extremes, span
from tests.rules.curve_examples import ABSENT, FUNCTIONS, JUMPING, evaluate, example

ENDS = [0.0, 1e-300, 1e-12, 1e-3, 0.5, 1.0, math.sqrt(2.0), 2.399357280515467, 3.0, 6.0, 20.0, 40.0, 700.0, 1e6, 1e30]
SHARES = torch.linspace(0.0, 1.0, 129, dtype=torch.float64)[:, None]


def intervals(name):
    """Random ones of all widths and places, and every pair of awkward ends."""
    generator = torch.Generator().manual_seed(1)
    centre = 4.0 * torch.randn(600, generator=generator, dtype=torch.float64)
    width = 10.0 ** (torch.rand(600, generator=generator, dtype=torch.float64) * 9 - 7)
    ends = sorted({sign * end for end in ENDS for sign in (-1.0, 1.0)})
    pairs = torch.tensor([(a, b) for a in ends for b in ends if a <= b], dtype=torch.float64)
    lower, upper = torch.cat([centre, pairs[:, 0]]), torch.cat([centre + width, pairs[:, 1]])
    kept = ~example(name)[1].undefined(lower, upper)
    kept &= evaluate(name, lower).isfinite() | evaluate(name, upper).isfinite()  # else it overflows all over
    return lower[kept], upper[kept]


def points(lower, upper):
    inside = lower + (upper - lower) * SHARES
    return torch.minimum(torch.maximum(torch.cat([inside, lower + (upper - lower) * SHARES**8]), lower), upper)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_point_of_the_graph_lies_outside_the_lines(name):
    lower, upper = intervals(name)
    lines, (least, largest) = enclose(example(name)[1], lower, upper), span(example(name)[1], lower, upper)
    x = points(lower, upper)
    y = evaluate(name, x)
    kept = y.isfinite()
    for slope, offset, sign in (
        (lines.lower_slope, lines.lower_offset, 1.0),
        (lines.upper_slope, lines.upper_offset, -1.0),
    ):
        own = 1e-15 * (y.abs() + (slope * x).abs() + offset.abs())  # of the three operations of this line
        assert (sign * (y - slope * x - offset) >= -own)[kept].all()
    assert (y >= least)[kept].all()
    assert (y <= largest)[kept].all()
    finite = evaluate(name, lower).isfinite() & evaluate(name, upper).isfinite()
    assert (lines.lower_offset.isfinite() & lines.upper_offset.isfinite())[finite].all()


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - JUMPING))
def test_in_the_middle_the_lines_are_about_those_of_the_convex_hull(name):
    lower, upper = intervals(name)
    kept = (upper - lower < 20.0) & (lower.abs() < 20.0)
    lower, upper = lower[kept][:100], upper[kept][:100]
    x = lower + (upper - lower) * SHARES
    y = evaluate(name, x)
    left, right = SHARES[:64], SHARES[65:, 0]
    weight = ((0.5 - left) / (right - left))[..., None]  # of the right end of a chord from left to right, at the middle
    chords = y[:64, None] * (1 - weight) + y[None, 65:] * weight
    hull = torch.maximum(chords.amax((0, 1)), y[64]) - torch.minimum(chords.amin((0, 1)), y[64])
    lines = enclose(example(name)[1], lower, upper)
    gap = (lines.upper_slope - lines.lower_slope) * x[64] + lines.upper_offset - lines.lower_offset
    assert (gap <= 1.1 * hull + 1e-11 * (1 + y.abs().amax(0)) + 1e-5 * (upper - lower)).all()


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - JUMPING))
def test_an_interval_of_one_point_has_its_value(name):
    x = intervals(name)[0]
    x = x[x.abs() < 20.0]
    y = evaluate(name, x)
    kept = y.isfinite()
    lines, (least, largest) = enclose(example(name)[1], x, x), span(example(name)[1], x, x)
    size = 2e-13 * (1.0 + x.abs() + y.abs() + (lines.lower_slope * x).abs() + (lines.upper_slope * x).abs())
    assert (largest - least <= size)[kept].all()
    ends = lines.lower_slope * x + lines.lower_offset, lines.upper_slope * x + lines.upper_offset
    assert (ends[1] - ends[0] <= size)[kept].all()


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - JUMPING - {"sin", "cos"}))
def test_intervals_are_the_range(name):
    lower, upper = intervals(name)
    kept = (lower.abs() < 30.0) & (upper.abs() < 30.0)
    lower, upper = lower[kept], upper[kept]
    least, largest = span(example(name)[1], lower, upper)
    y = evaluate(name, lower + (upper - lower) * SHARES)
    finite = y.isfinite().all(0)
    loose = 0.06 * (y.amax(0) - y.amin(0)) + 1e-10 * (1 + y.abs().amax(0))
    assert (y.amin(0) - least <= loose)[finite].all()
    assert (largest - y.amax(0) <= loose)[finite].all()


@pytest.mark.parametrize("name", ["log", "log1p", "sqrt", "rsqrt", "reciprocal", "inverse square", "small power"])
def test_where_a_value_is_missing_nothing_is_claimed(name):
    curve = example(name)[1]
    lower, upper = torch.tensor([-2.0, math.nan, 2.0]).double(), torch.tensor([1.0, 1.0, 1.0]).double()
    for ends in span(curve, lower, upper):
        assert ends.isnan().all()
    assert enclose(curve, lower, upper).lower_offset.isnan().all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_not_a_number_stays_one(name):
    curve, nan = example(name)[1], torch.tensor([math.nan], dtype=torch.float64)
    for ends in ((nan, nan), (torch.zeros(1).double(), nan)):
        assert all(end.isnan().all() for end in span(curve, *ends))
        assert enclose(curve, *ends).upper_offset.isnan().all()


EXACT = {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "tanh": mpmath.tanh,
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)) if x < 20 else x,
    "gelu": lambda x: x * mpmath.ncdf(x),
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "mish": lambda x: x * mpmath.tanh(mpmath.log(1 + mpmath.exp(x))),
    "elu": lambda x: x if x > 0 else mpmath.expm1(x),
    "hardswish": lambda x: x * min(max(x + 3, mpmath.mpf(0)), mpmath.mpf(6)) / 6,
    "exp": mpmath.exp,
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(EXACT)), st.floats(-30, 30), st.floats(0, 12), st.floats(0, 1), st.floats(-2, 2))
def test_extremes_hold_in_exact_arithmetic(name, lower, width, share, slope):
    """Without any tolerance, at 60 digits, for any slope."""
    upper = lower + width
    x = min(max(lower + width * share, lower), upper)
    ends = [torch.tensor([number], dtype=torch.float64) for number in (slope, lower, upper)]
    least, largest = (float(end) for end in extremes(example(name)[1], *ends))
    with mpmath.workdps(60):
        found = EXACT[name](mpmath.mpf(x)) - mpmath.mpf(slope) * mpmath.mpf(x)
        assert mpmath.mpf(least) <= found <= mpmath.mpf(largest)


def test_every_curve_is_tried():
    assert {example(name)[0].op for name in FUNCTIONS} >= set(CURVES) - ABSENT


def test_absent_ops_are_the_functions_they_are_called():
    x = torch.linspace(-8, 8, 33, dtype=torch.float64)
    assert (CURVES["relu6"](None).value(x) == torch.nn.functional.relu6(x)).all()
    assert (CURVES["square"](None).value(x) == x.square()).all()
