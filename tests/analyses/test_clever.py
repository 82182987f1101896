"""CLEVER: an estimate that is right where the law is known, and that nothing rests on."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from lipcert.analyses.lipschitz.clever import clever, fit
from lipcert.records import Soundness
from tests import graphs


@pytest.mark.parametrize(("location", "scale", "shape"), [(5.0, 1.0, 2.0), (10.0, 0.2, 3.5)])
def test_the_fit_finds_the_end_of_a_law_it_was_drawn_from(location, scale, shape):
    values = stats.weibull_max.rvs(shape, loc=location, scale=scale, size=4000, random_state=0)
    law = fit(values)
    assert law.location == pytest.approx(location, abs=0.15 * scale)
    assert law.location > values.max()
    assert law.fits(values)
    assert not law.fits(np.concatenate([values, np.full(4000, location - 9 * scale)]))


@pytest.mark.parametrize(("norm", "dual"), [("l2", 2.0), ("linf", 1.0), ("l1", math.inf)])
def test_a_linear_classifier_has_its_exact_constant(norm, dual):
    weight, bias = graphs.random(3, 6), graphs.random(3, seed=1)
    graph = graphs.mlp_of([(weight, bias)])
    inputs = graphs.random(4, 6, seed=2)
    labels = graph(inputs).argmax(dim=1)
    record, scores = clever(graph, inputs, labels, norm, 0.7, batches=5, draws=4)
    gaps = torch.linalg.vector_norm(weight[labels][:, None] - weight, dual, dim=2)
    logits = graph(inputs)
    exact = ((logits.gather(1, labels[:, None]) - logits) / gaps).scatter(1, labels[:, None], math.inf).amin(1)
    assert scores == pytest.approx(exact.clamp_max(0.7).tolist(), rel=1e-5)
    assert record.soundness is Soundness.ESTIMATE
    assert "CLEVER" in record.method


def test_draws_stay_in_their_ball_and_fill_it():
    from lipcert.analyses.lipschitz.clever import _drawn

    x = torch.full((2, 2), 3.0)
    for norm, order in (("l2", 2.0), ("linf", math.inf), ("l1", 1.0)):
        points = _drawn(x, norm, 0.5, 4000, torch.Generator().manual_seed(0))
        distance = torch.linalg.vector_norm((points - x).flatten(1), order, dim=1)
        assert float(distance.max()) <= 0.5 * (1 + 1e-12)
        # Half of the volume of a ball in 4 dimensions is beyond 2^(-1/4) of its radius.
        assert float((distance > 0.5 * 0.5**0.25).double().mean()) == pytest.approx(0.5, abs=0.03)
