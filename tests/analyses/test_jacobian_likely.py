"""What products with J say for many classes, against the whole J."""

import pytest
import torch

from lipcert.analyses.jacobian import measure_jacobians, measure_leading
from lipcert.analyses.jacobian.krylov import leading_record
from lipcert.analyses.jacobian.likely import RIVALS, first_order
from lipcert.records import Skipped
from tests import graphs


@pytest.mark.parametrize("classes", [2, 8, 40])
def test_it_is_what_the_whole_jacobian_says(classes):
    graph = graphs.mlp(6, 12, classes).to(dtype=torch.float64)
    inputs, labels = graphs.uniform(9, 6, dtype=torch.float64), torch.arange(9) % classes
    whole = measure_jacobians(graph, inputs, labels).columns
    near = measure_leading(graph, inputs, labels, batch_size=4).likely
    torch.testing.assert_close(near.margins, whole.rivals.margins)
    torch.testing.assert_close(near.loss, whole.loss)
    torch.testing.assert_close(near.doubt, whole.functionals["doubt"])
    for norm in ("l2", "linf", "l1"):
        torch.testing.assert_close(near.gradient[norm], whole.gradient[norm])
        looked_at = whole.rivals.distances(norm).gather(1, near.rivals)
        torch.testing.assert_close(near.distances[norm], looked_at)
        nearest = whole.rivals.nearest(norm)
        assert (near.nearest(norm) >= nearest - 1e-12).all()
        if classes <= RIVALS:
            torch.testing.assert_close(near.nearest(norm), nearest)


def test_the_record_says_what_is_left_out():
    graph, inputs = graphs.mlp(6, 9, 110), graphs.uniform(4, 6)
    found = measure_leading(graph, inputs, torch.arange(4))
    record = leading_record(found, graph, balls=[("l2", 0.1)])
    assert "left out" in record.method
    assert "at least" in record.method
    assert record.reference == "label"
    assert [one.name for one in record.surrogates[0].surrogates] == ["first_order"]
    assert record.surrogates[0].headline == "first_order"
    beside = first_order(found.likely, ("l2", 0.1), found.likely.loss + 1e3)
    assert beside.surrogates[0].covers == 0
    bare = leading_record(measure_leading(graph, inputs), graph, balls=[("l2", 0.1)])
    assert isinstance(bare.surrogates, Skipped)
    assert isinstance(bare.functionals, Skipped)
    assert bare.reference == "prediction"


def test_constant_logits_are_nowhere_near_anything():
    graph = graphs.mlp_of([(torch.zeros(120, 4), torch.arange(120.0))])
    near = measure_leading(graph, torch.rand(2, 4), torch.tensor([119, 0])).likely
    assert torch.isinf(near.nearest("l2")[0])
    assert near.nearest("l2")[1] == 0
