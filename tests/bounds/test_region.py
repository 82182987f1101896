"""The least value of a functional over a region, against closed forms and a slow exact method."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lipcert.bounds.region import Region
from lipcert.records import Norm
from tests.graphs import random, uniform

F = 7


def _exact(row: Tensor, centre: Tensor, eps: float, low: Tensor, high: Tensor) -> float:
    """Over l2 ball and box: d_i = clip(-a_i / t) with ||d|| = eps, t by 200 bisections; t = 0 if the box decides."""

    def step(t: float) -> Tensor:
        return (-row / t).clamp(low - centre, high - centre) if t else torch.where(row > 0, low, high) - centre

    if eps == 0.0:
        return float(row @ centre)
    if float(step(0.0).norm()) <= eps:
        return float(row @ (centre + step(0.0)))
    ends = [0.0, 1e9]
    for _ in range(200):
        middle = sum(ends) / 2
        ends = [middle, ends[1]] if float(step(middle).norm()) > eps else [ends[0], middle]
    return float(row @ (centre + step(ends[1])))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), eps=st.just(0.0) | st.floats(1e-4, 2.0), clip=st.booleans())
def test_l2_and_box(seed: int, eps: float, *, clip: bool) -> None:
    centre, rows = uniform(2, F, seed=seed).double(), random(2, 3, F, seed=seed + 1).double()
    area = Region(centre, "l2", torch.full((2,), eps, dtype=torch.float64), (0.0, 1.0) if clip else None)
    found = area.lower(rows)
    for n in range(2):
        for s in range(3):
            low, high = (torch.zeros(F), torch.ones(F)) if clip else (torch.full((F,), -9.0), torch.full((F,), 9.0))
            exact = _exact(rows[n, s], centre[n], eps, low.double(), high.double())
            assert found[n, s] <= exact + 1e-12
            assert found[n, s] >= exact - 2e-3 * (1 + eps)


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_dual_norms_without_a_box(norm: Norm) -> None:
    centre, rows = random(3, F).double(), random(3, 4, F, seed=1).double()
    eps = torch.tensor([0.0, 0.3, 2.0], dtype=torch.float64)
    order = {"linf": 1.0, "l2": 2.0, "l1": torch.inf}[norm]
    exact = torch.einsum("nsf,nf->ns", rows, centre) - eps[:, None] * torch.linalg.vector_norm(rows, order, dim=2)
    found = Region(centre, norm, eps).lower(rows)
    assert (found <= exact).all()
    assert (found >= exact - 1e-11).all()


def test_a_clean_value_outside_the_range_goes_no_further_out() -> None:
    centre = torch.tensor([[-0.5, 0.5, 1.5]], dtype=torch.float64)
    box = Region(centre, "linf", torch.full((1,), 0.2, dtype=torch.float64), (0.0, 1.0)).interval()
    assert torch.allclose(box.lower, torch.tensor([[-0.5, 0.3, 1.3]], dtype=torch.float64))
    assert torch.allclose(box.upper, torch.tensor([[-0.3, 0.7, 1.5]], dtype=torch.float64))
