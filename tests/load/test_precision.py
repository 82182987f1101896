"""Weights of other dtypes than float32 are read as float32, and the report says so."""

from __future__ import annotations

import pytest
import torch

from lipcert.load.check import check
from lipcert.load.model import to_graph
from lipcert.load.objects import read_object
from tests.load.nets import SHAPE, make


@pytest.mark.parametrize("name", ["Mlp", "Residual"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-5), (torch.float16, 2e-2), (torch.bfloat16, 1e-1)])
def test_another_dtype_is_read_as_float32(name: str, dtype: torch.dtype, tolerance: float) -> None:
    net = make(name).to(dtype)
    graph, source = to_graph(read_object(net), SHAPE)
    assert graph.dtype == torch.float32
    assert any("read as float32" in note for note in source.notes)
    assert check(graph, source).status == ("faithful" if dtype == torch.float64 else "quantised")
    x = torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(0))
    exact = net.double()(x.double())
    assert float((graph(x) - exact).abs().max()) <= tolerance * float(exact.abs().max())


def test_a_trace_that_fixed_the_batch_is_noted() -> None:
    net = make("Mlp")

    class Fixed(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return net(x.reshape(1, 3, 4, 4))

    _, source = to_graph(read_object(Fixed().eval()), SHAPE)
    assert any("sample by sample" in note for note in source.notes)
