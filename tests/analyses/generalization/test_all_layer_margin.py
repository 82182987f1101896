"""Shifts at the layers: against closed forms, and as witnesses that anyone can check."""

import pytest
import torch

from lipcert.analyses.generalization import all_layer_margins
from lipcert.analyses.generalization.all_layer_margin import nearest_shifts
from lipcert.analyses.generalization.hidden import shifted_logits, weight_layers
from lipcert.deadline import Deadline
from lipcert.graph.intermediate import values_of
from lipcert.graph.scores import margins
from lipcert.records import Skipped
from lipcert.samples import Samples
from tests import graphs
from tests.analyses.generalization.nets import WEIGHTS, unbiased

aten = torch.ops.aten
DOUBLE = torch.float64
NETS = {
    "mlp": graphs.mlp(4, 20, 20, 3),
    "conv": graphs.conv(),
    "branches": graphs.mlp(4, 4, 3, activation=lambda x: aten.add.Tensor(x, aten.relu.default(x))),
}


def double(graph):
    return graph.to(dtype=DOUBLE)


def labelled(graph, count=12):
    inputs = graphs.random(count, *graph.input_shape, seed=3)
    return Samples(inputs=inputs, labels=graph(inputs).argmax(dim=1))


def test_one_layer_has_the_margin_over_the_length_of_its_input():
    """z + delta |x| with two classes: the least delta is half the margin a class, sqrt(2) of that together."""
    graph = double(unbiased(torch.tensor([[1.0, 2.0], [-1.0, 0.5]], dtype=DOUBLE)))
    inputs = graphs.random(30, 2, dtype=DOUBLE)
    logits = graph(inputs)
    margin = (logits[:, 0] - logits[:, 1]).abs()
    found = nearest_shifts(graph, weight_layers(graph), inputs, logits.argmax(dim=1))
    exact = margin / 2**0.5 / inputs.norm(dim=1)
    assert (found >= exact * (1 - 1e-9)).all()
    assert torch.allclose(found, exact, rtol=0.02)


def test_two_linear_layers_against_the_least_of_a_quadratic():
    """W2 (W1 x + d1 |x|) + d2 |h1| with |h1| taken as it is: near the least where shifts are small."""
    first, second = (weight.to(DOUBLE) for weight in WEIGHTS)
    graph = double(graphs.mlp_of([(first, torch.zeros(3)), (second, torch.zeros(2))], activation=lambda x: x))
    point = torch.tensor([[1.0, 1.0]], dtype=DOUBLE)
    hidden = point @ first.T
    gap = second[0] - second[1]
    logits = (hidden @ second.T)[0]
    slope = (float(gap.norm()) * float(point.norm())) ** 2 + 2 * float(hidden.norm()) ** 2
    estimate = float(logits[0] - logits[1]) / slope**0.5
    (found,) = nearest_shifts(graph, weight_layers(graph), point, torch.tensor([0]))
    assert float(found) == pytest.approx(estimate, rel=0.1)


@pytest.mark.parametrize("name", NETS)
def test_what_is_found_does_change_the_class(name):
    graph = double(NETS[name])
    samples, layers = labelled(NETS[name]), weight_layers(graph)
    found = nearest_shifts(graph, layers, samples.inputs, samples.labels)
    assert found.isfinite().all()
    assert (found > 0).all()
    still = [torch.zeros(12, *layer.shape[1:], dtype=DOUBLE) for layer in layers]
    assert torch.allclose(
        shifted_logits(graph, layers, samples.inputs.to(DOUBLE), still), graph(samples.inputs.to(DOUBLE))
    )


def test_it_is_no_more_than_the_shift_of_the_logits_alone():
    graph = double(NETS["mlp"])
    samples = labelled(NETS["mlp"], 30)
    x = samples.inputs.to(DOUBLE)
    (hidden,) = values_of(graph, [graph.output.inputs[0]], x)
    found = nearest_shifts(graph, weight_layers(graph), samples.inputs, samples.labels)
    assert (found <= margins(graph(x), samples.labels) / 2**0.5 / hidden.norm(dim=1) * (1 + 1e-6)).all()


def test_the_record_counts_wrong_samples_as_zero():
    graph = NETS["mlp"]
    samples = labelled(graph, 40)
    labels = samples.labels.clone()
    labels[:10] = (labels[:10] + 1) % 3
    found = all_layer_margins(double(graph), Samples(inputs=samples.inputs, labels=labels), split="train")
    assert (found.wrong, found.unmet, found.upper.samples, found.split) == (10, 0, 40, "train")
    assert found.upper.min == 0
    assert len(found.layers) == 3


def test_what_cannot_be_had_says_why():
    graph, samples = double(NETS["mlp"]), labelled(NETS["mlp"])
    assert "effort fast" in all_layer_margins(graph, samples, split="test", effort="fast").reason
    late = all_layer_margins(graph, samples, split="test", deadline=Deadline.after(0))
    assert isinstance(late, Skipped)
    assert "time" in late.reason
