"""Every padding mode of a convolution is captured as selections from the input, whichever way the model comes."""

import pytest
import torch
from torch import nn

from tests.captured import graph_from, randomised

KINDS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
FORMS = {"module": lambda net, x: net, "scripted": lambda net, x: torch.jit.script(net), "traced": torch.jit.trace}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("axes", KINDS)
@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_a_padded_convolution_is_captured(mode, axes, form):
    net = randomised(nn.Sequential(KINDS[axes](2, 3, 3, padding=2, stride=2, padding_mode=mode), nn.Flatten()))
    x = torch.rand(3, 2, *[4, 5, 3][:axes], generator=torch.Generator().manual_seed(1))
    graph = graph_from(FORMS[form](net, x), *x.shape[1:])
    torch.testing.assert_close(graph(x), net(x))
    assert {node.op for node in graph.nodes} <= {
        "input",
        "convolution",
        "index",
        "index_select",
        "reshape",
        "replication_pad1d",
        "replication_pad2d",
        "replication_pad3d",
        "reflection_pad1d",
        "reflection_pad2d",
        "reflection_pad3d",
        "view",
        "_unsafe_index",
    }


def test_torch_pads_its_own_way_afterwards():
    x = torch.arange(12.0).reshape(1, 1, 3, 4)
    graph_from(lambda batch: nn.functional.pad(batch, (1, 2, 0, 1), mode="circular"), 1, 3, 4)
    rows, columns = torch.tensor([0, 1, 2, 0]), torch.tensor([3, 0, 1, 2, 3, 0, 1])
    assert nn.functional.pad(x, (1, 2, 0, 1), mode="circular").equal(x[:, :, rows][..., columns])
