"""The head is found and removed, and what remains are logits."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from lipcert.errors import RefusedModelError, UnfaithfulModelError
from lipcert.graph import Graph
from lipcert.load.check import check
from lipcert.load.model import to_graph
from lipcert.load.objects import read_object
from lipcert.load.torchscript import TorchOracle

SHAPE = (6,)


class _Net(nn.Module):
    def __init__(self, outputs: int, head: nn.Module) -> None:
        super().__init__()
        self.fc = nn.Linear(6, outputs)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.fc(x))


class _LogOfSoftmax(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return torch.log(torch.softmax(z, 1))


class _Wide(nn.Module):
    """Softmax over a map of one pixel, flattened afterwards."""

    def forward(self, z: Tensor) -> Tensor:
        return torch.softmax(z.reshape(-1, z.shape[1], 1, 1), 1).flatten(1)


class _Squeezed(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return torch.sigmoid(z).squeeze(1)


HEADS = {
    "logits": nn.Identity(),
    "softmax": nn.Softmax(1),
    "softmax ": nn.Softmax(-1),
    "softmax  ": _Wide(),
    "log_softmax": nn.LogSoftmax(1),
    "log_softmax ": _LogOfSoftmax(),
}


def _graph(net: nn.Module) -> Graph:
    source = read_object(net.eval())
    graph, _ = to_graph(source, SHAPE)
    assert check(graph, source).status == "faithful"
    return graph


@pytest.mark.parametrize("name", HEADS)
def test_a_head_over_the_classes_is_stripped(name: str) -> None:
    net = _Net(4, HEADS[name])
    graph = _graph(net)
    x = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    assert graph.head == name.strip()
    assert torch.allclose(graph(x), net.fc(x), atol=1e-6)


@pytest.mark.parametrize(
    ("head", "name"), [(nn.Sigmoid(), "sigmoid"), (_Squeezed(), "sigmoid"), (nn.Identity(), "single_logit")]
)
def test_one_output_is_a_binary_classifier(head: nn.Module, name: str) -> None:
    net = _Net(1, head)
    graph = _graph(net)
    x = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    logit = net.fc(x)
    assert graph.head == name
    assert graph.classes == 2
    assert torch.allclose(graph(x), torch.cat([torch.zeros_like(logit), logit], 1), atol=1e-6)


def test_a_saturated_softmax_is_still_compared_on_the_scale_of_logits() -> None:
    net = _Net(4, nn.Softmax(1))
    with torch.no_grad():
        net.fc.weight *= 1000
    assert _graph(net).head == "softmax"


def test_a_saturated_sigmoid_is_compared_where_it_has_digits() -> None:
    net = _Net(1, nn.Sigmoid()).eval()
    with torch.no_grad():
        net.fc.weight *= 300
    source = read_object(net)
    exact = source.oracle
    # Runtimes approximate the sigmoid, so that small probabilities carry an absolute error.
    blurred = TorchOracle("blurred", lambda batch: (exact(batch) + 1e-7).clamp(0, 1))
    record = check(_graph(net), replace(source, oracle=blurred))
    assert record.status == "faithful"
    assert record.agreement == 1
    wrong = TorchOracle("wrong", lambda batch: 1 - exact(batch))
    with pytest.raises(UnfaithfulModelError):
        check(_graph(net), replace(source, oracle=wrong))


def test_several_sigmoids_are_refused_as_multi_label() -> None:
    with pytest.raises(RefusedModelError, match="multi-label"):
        _graph(_Net(4, nn.Sigmoid()))


def test_an_output_with_a_shape_is_refused() -> None:
    with pytest.raises(RefusedModelError, match="one score a class"):
        _graph(_Net(4, nn.Unflatten(1, (2, 2))))


class _Two(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x[:, :3], x[:, :2] * 2


def test_two_outputs_are_asked_about_and_chosen_by_name() -> None:
    with pytest.raises(RefusedModelError) as refused:
        to_graph(read_object(_Two().eval()), SHAPE)
    assert "--output-name" in refused.value.hint
    assert to_graph(read_object(_Two().eval(), output_name="1"), SHAPE)[0].classes == 2


@pytest.mark.parametrize(
    ("outputs", "head"),
    [(1, nn.Identity()), (4, nn.Sigmoid()), (4, nn.Softmax(1)), (4, nn.Unflatten(1, (2, 2))), (1, _Squeezed())],
    ids=["one", "sigmoids", "softmax", "shaped", "squeezed"],
)
def test_all_outputs_are_kept_as_one_row_where_no_classifier_is_needed(outputs: int, head: nn.Module) -> None:
    net = _Net(outputs, head).eval()
    source = read_object(net)
    graph, _ = to_graph(source, SHAPE, outputs="all")
    x = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    assert check(graph, source).status == "faithful"
    assert graph.classes == outputs
    assert torch.allclose(graph(x), net(x).reshape(5, -1), atol=1e-6)
