"""Lower ends of spectral norms for many classes, against the whole Jacobian."""

import pytest
import torch

from lipcert.analyses.jacobian.krylov import leading_record, measure_leading
from lipcert.graph.jacobian import jacobians
from lipcert.records import Soundness
from tests import graphs


@pytest.mark.parametrize("widths", [(30, 40, 150), (8, 20, 120), (60, 3, 130), (3, 2), (4, 5, 3)])
def test_the_lower_end_is_low_and_near(widths):
    graph, inputs = graphs.mlp(*widths).to(dtype=torch.float64), graphs.uniform(9, widths[0], dtype=torch.float64)
    exact = torch.linalg.svdvals(jacobians(graph, inputs))
    found = measure_leading(graph, inputs, batch_size=4)
    assert (found.lower <= exact[:, 0] * (1 + 1e-10)).all()
    assert (found.lower >= exact[:, 0] * 0.97).all()
    closest = (exact**2 - found.lower[:, None] ** 2).abs().amin(dim=1)
    assert (closest <= found.residual * found.lower**2 + 1e-9).all()
    assert found.steepest_first.tolist() == found.lower.argsort(descending=True).tolist()


def test_few_directions_are_found_exactly():
    graph, inputs = graphs.mlp(60, 3, 130).to(dtype=torch.float64), graphs.uniform(5, 60, dtype=torch.float64)
    found = measure_leading(graph, inputs)
    torch.testing.assert_close(found.lower, torch.linalg.matrix_norm(jacobians(graph, inputs), 2), rtol=1e-9, atol=0)
    assert found.residual.max() < 1e-6


def test_constant_logits():
    found = measure_leading(graphs.mlp_of([(torch.zeros(120, 4), torch.ones(120))]), torch.rand(2, 4))
    assert found.lower.tolist() == [0, 0]
    assert found.residual.tolist() == [0, 0]


def test_the_record_says_that_it_is_a_lower_bound():
    graph = graphs.mlp(6, 9, 110)
    record = leading_record(measure_leading(graph, graphs.uniform(4, 6)), graph)
    assert set(record.statistics) == {"spectral_norm_lower"}
    assert record.soundness is Soundness.ESTIMATE
    assert record.residual >= 0
    assert list(record.singular_spectrum) == sorted(record.singular_spectrum, reverse=True)
