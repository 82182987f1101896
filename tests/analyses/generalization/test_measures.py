"""Correlational measures against their definitions, and one gradient step against a closed form."""

import math

import pytest
import torch

from lipcert.analyses.generalization import measures, stepped
from lipcert.analyses.generalization.flatness import Flatness
from lipcert.analyses.generalization.measures import path_norm
from lipcert.records import Soundness
from lipcert.rules import LayerNorms
from tests import graphs
from tests.analyses.generalization.nets import WEIGHTS, net, unbiased

MARGINS = torch.linspace(0, 1, 101, dtype=torch.float64)


def test_values_of_the_toy():
    graph = graphs.toy()
    found = {one.measure: one for one in measures(LayerNorms(graph).graph, net(graph), MARGINS)}
    assert all(one.soundness is Soundness.HEURISTIC for one in found.values())
    m, squares = len(MARGINS), [2.572554**2, 3.0]
    product = sum(map(math.log, squares))
    assert found["log_prod_of_spec"].value == pytest.approx((product - math.log(m)) / 2, rel=1e-6)
    over = (product - 2 * math.log(0.1) - math.log(m)) / 2
    assert found["log_prod_of_spec_over_margin"].value == pytest.approx(over, rel=1e-6)
    ratio = 11 / squares[0] + 4 / 3
    assert found["fro_over_spec"].value == pytest.approx(math.sqrt(ratio / m), rel=1e-6)
    assert found["log_spec_orig_main"].value == pytest.approx(over + math.log(ratio) / 2, rel=1e-6)
    assert found["param_norm"].value == pytest.approx(math.sqrt(15 / m))
    assert found["inverse_margin"].value == pytest.approx(math.sqrt(100 / m))
    assert found["log_sum_of_fro"].value == pytest.approx((math.log(2) + math.log(11 * 4) / 2 - math.log(m)) / 2)


def test_distances_from_the_start_of_the_toy():
    graph, start = graphs.toy(), unbiased(*(weight - step for weight, step in zip(WEIGHTS, (0.5, 0.25), strict=True)))
    found = {one.measure: one.value for one in measures(graph, None, MARGINS, initial=start)}
    m, squares = len(MARGINS), (6 * 0.25, 6 * 0.0625)
    assert found["fro_dist"] == pytest.approx(math.sqrt(sum(squares) / m))
    assert found["dist_spec_init"] == pytest.approx(math.sqrt(sum(squares) / m))  # all entries equal: of rank one
    ratio = squares[0] / 2.572554**2 + squares[1] / 3
    product = 2 * math.log(2.572554) + math.log(3) - 2 * math.log(0.1)
    assert found["log_spec_init_main"] == pytest.approx((product + math.log(ratio) - math.log(m)) / 2, rel=1e-6)
    assert "pacbayes_init" not in found


def test_measures_of_flatness_of_the_toy():
    start = unbiased(*(torch.zeros_like(weight) for weight in WEIGHTS))
    flat = Flatness(sigma=0.25, magnitude_sigma=0.5, samples=10)
    given = {one.measure: one.value for one in measures(graphs.toy(), None, MARGINS, initial=start, flat=flat)}
    m, square = len(MARGINS), 15.0
    entries = [float(x) for weight in WEIGHTS for x in weight.flatten()]
    assert (given["pacbayes_sigma"], given["pacbayes_mag_sigma"]) == (0.25, 0.5)
    assert given["pacbayes_flatness"] == pytest.approx(math.sqrt(16 / m))
    plain = square / (4 * 0.0625) + math.log(m / 0.25) + 10
    assert given["pacbayes_orig"] == given["pacbayes_init"] == pytest.approx(math.sqrt(plain / m))
    top = 1e-6 + 1.25 * square / 12
    aware = sum(math.log(top / (1e-6 + 0.25 * w**2)) for w in entries) / 4 + math.log(m / 0.5) + 10
    assert given["pacbayes_mag_orig"] == given["pacbayes_mag_init"] == pytest.approx(math.sqrt(aware / m))
    without = {one.measure for one in measures(graphs.toy(), None, MARGINS, flat=flat)}
    assert {"pacbayes_orig", "pacbayes_flatness", "pacbayes_mag_flatness"} <= without
    assert not {"pacbayes_init", "pacbayes_mag_orig", "pacbayes_mag_init"} & without


def test_the_path_norm_sums_over_paths():
    squared = [weight.double() ** 2 for weight in WEIGHTS]
    assert path_norm(net(unbiased(*WEIGHTS))) == pytest.approx(float((squared[1] @ squared[0]).sum()))
    assert path_norm(net(graphs.toy())) == pytest.approx(float((squared[1] @ squared[0]).sum()))


def test_a_convolution_is_reshaped_and_not_taken_as_an_operator():
    graph = graphs.conv()
    found = {one.measure: one.value for one in measures(LayerNorms(graph).graph, net(graph), MARGINS)}
    kernel, dense = graph.tensors["kernel"].double().flatten(1), graph.tensors["weight"].double()
    logs = sum(2 * math.log(float(torch.linalg.matrix_norm(one, 2))) for one in (kernel, dense))
    assert found["log_prod_of_spec"] == pytest.approx((logs - math.log(len(MARGINS))) / 2)


def test_one_step_on_a_linear_network_loses_eps_times_the_slope():
    weight = torch.tensor([[1.0, 2.0], [-1.0, 0.5]], dtype=torch.float64)
    graph = unbiased(weight).to(dtype=torch.float64)
    inputs, labels = graphs.random(20, 2, dtype=torch.float64), torch.arange(20) % 2
    least, after = stepped(graph, inputs, labels, (0.25,), batch_size=7)
    logits = inputs @ weight.mT
    margin = logits.gather(1, labels[:, None])[:, 0] - logits.gather(1, 1 - labels[:, None])[:, 0]
    slope = float((weight[0] - weight[1]).norm())
    assert torch.allclose(after[0.25], margin - 0.25 * slope)
    doubt = torch.sigmoid(-margin)
    assert least == pytest.approx(float(doubt.min()) * slope)
