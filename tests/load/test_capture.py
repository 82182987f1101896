"""Every route from a module to a graph computes what the module computes, at every batch size."""

from __future__ import annotations

import io

import pytest
import torch
from torch import Tensor, nn

from lipcert.errors import RefusedModelError
from lipcert.graph import Graph
from lipcert.load.capture import capture
from lipcert.load.check import check
from lipcert.load.exported import read_exported
from lipcert.load.objects import read_object
from lipcert.load.source import Source
from lipcert.load.torchscript import read_torchscript
from tests.load.nets import NETS, SHAPE, make


def _saved(module: torch.jit.ScriptModule) -> bytes:
    buffer = io.BytesIO()
    torch.jit.save(module, buffer)
    return buffer.getvalue()


def _scripted(net: nn.Module) -> Source:
    return read_torchscript(_saved(torch.jit.script(net)))


def _traced(net: nn.Module) -> Source:
    return read_torchscript(_saved(torch.jit.trace(net, torch.rand(1, *SHAPE), check_trace=False)))


def _frozen(net: nn.Module) -> Source:
    return read_torchscript(_saved(torch.jit.freeze(torch.jit.script(net))))


def _exported(net: nn.Module) -> Source:
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(net, (torch.rand(2, *SHAPE),), dynamic_shapes=({0: batch},))
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    return read_exported(buffer.getvalue())


ROUTES = {"module": read_object, "scripted": _scripted, "traced": _traced, "frozen": _frozen, "exported": _exported}


def _graph(source: Source) -> Graph:
    captured = capture(source, SHAPE)
    return Graph(captured.module, SHAPE, names=captured.names)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", NETS)
def test_the_graph_equals_the_module(name: str, route: str) -> None:
    net = make(name)
    graph = _graph(ROUTES[route](net))
    for batch in (1, 2, 5):
        x = torch.randn(batch, *SHAPE, generator=torch.Generator().manual_seed(batch))
        expected = net(x).detach()
        assert torch.allclose(graph(x), expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("name", NETS)
def test_a_graph_moves_to_float64_and_differentiates(name: str) -> None:
    graph = _graph(read_object(make(name))).to(dtype=torch.float64)
    x = torch.rand(3, *SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    z = graph(x)
    assert z.dtype == torch.float64
    (gradient,) = torch.autograd.grad(z.sum(), x)
    step = torch.randn(x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 1e-6
    with torch.no_grad():
        numeric = (graph(x + step) - graph(x - step)).sum() / 2
    assert torch.isclose((gradient * step).sum(), numeric, rtol=1e-4, atol=1e-11)


@pytest.mark.parametrize("route", ["module", "scripted", "traced", "exported"])
def test_layers_carry_the_names_of_the_state_dict(route: str) -> None:
    names = {node.name for node in _graph(ROUTES[route](make("Residual"))).nodes}
    assert {"stem", "bn", "conv", "fc"} <= names


def test_computed_weights_carry_the_names_of_their_sources() -> None:
    names = [
        node.parameter_names for node in _graph(read_object(make("WeightNormed"))).nodes if node.op in ("mm", "addmm")
    ]
    assert all(names)


class _BatchStatistics(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)[:, :4]
        return (x - x.mean(0)) / (x.std(0, correction=0) + 1.0)


def test_an_output_that_depends_on_its_batch_is_refused() -> None:
    source = read_object(_BatchStatistics().eval())
    with pytest.raises(RefusedModelError, match="rest of its batch"):
        check(_graph(source), source)


class _Noisy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, :4] + torch.rand_like(x.flatten(1)[:, :4])


class _Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRU(16, 5, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.cell(x.flatten(2))[0][:, -1]


class _Branching(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if bool(x.sum() > 0):
            return x.flatten(1)[:, :3]
        return -x.flatten(1)[:, :3]


class _Dropping(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(x.flatten(1)[:, :3], 0.5, training=True)


@pytest.mark.parametrize(
    ("net", "words"),
    [(_Noisy(), "random"), (_Recurrent(), "recurrent"), (_Branching(), "traced as one graph"), (_Dropping(), "random")],
)
def test_what_is_no_feed_forward_function_is_refused_by_name(net: nn.Module, words: str) -> None:
    with pytest.raises(RefusedModelError, match=words):
        _graph(read_object(net.eval()))


def test_a_module_in_training_mode_is_refused() -> None:
    with pytest.raises(RefusedModelError, match="training mode"):
        read_object(make("Mlp").train())


def test_a_trace_that_fixed_the_batch_is_captured_sample_by_sample() -> None:
    net = make("Mlp")

    class Fixed(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return net(x.reshape(1, 3, 4, 4))

    captured = capture(read_object(Fixed().eval()), SHAPE)
    x = torch.randn(5, *SHAPE, generator=torch.Generator().manual_seed(0))
    assert captured.per_sample
    assert torch.allclose(captured.module(x), net(x), atol=1e-6)


def test_a_faithful_graph_is_reported_as_such() -> None:
    source = read_object(make("Residual"))
    record = check(_graph(source), source)
    assert record.status == "faithful"
    assert record.max_rel_diff <= 1e-6
    assert record.deterministic
    assert record.gradient == "present"
