"""Networks with known norms."""

import torch

from lipcert.analyses.generalization import Architecture, Circuit, Evidence, Training, architecture, circuit
from lipcert.analyses.lipschitz.product import gains
from lipcert.rules import LayerNorms
from tests import graphs

WEIGHTS = (torch.tensor([[1.0, 2.0], [-1.0, 1.0], [2.0, 0.0]]), torch.tensor([[1.0, -1.0, 0.0], [0.0, 1.0, 1.0]]))


def net(graph):
    found = architecture(LayerNorms(graph))
    assert isinstance(found, Architecture), found
    return found


def wired(graph, input_range=(-1.0, 1.0), initial=None):
    norms = LayerNorms(graph)
    found = circuit(norms, gains(norms, "l2"), input_range, initial)
    assert isinstance(found, Circuit), found
    return found


def unbiased(*weights):
    return graphs.mlp_of([(weight, torch.zeros(len(weight), dtype=weight.dtype)) for weight in weights])


def evidence(architecture_, margins, **changes):
    training = Training(
        margins=margins,
        length=len(margins) ** 0.5,
        robust={("linf", 0.1): margins - 0.5, ("l2", 0.1): margins - 0.4},
        gradient={("l2", 0.1): margins - 0.2},
        steepest=0.01,
    )
    fields = {"architecture": architecture_, "training": training, "radius": 2.0, "failure": 0.05}
    fields["circuit"] = wired(graphs.mlp(4, 6, 3))
    return Evidence(**(fields | {"balls": (("linf", 0.1), ("l2", 0.1))} | changes))
