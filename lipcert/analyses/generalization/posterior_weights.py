"""A network's weights as random variables: which constants they are, and the network with others in their place."""

from __future__ import annotations

import math
from typing import final

import torch
from torch import Generator, Tensor
from torch.func import functional_call

from lipcert.errors import UsageError
from lipcert.graph import PREPROCESS_CONSTANTS, Graph
from lipcert.graph.fold import fold_batch_norm
from lipcert.graph.scores import margins
from lipcert.records import Skipped
from lipcert.samples import Samples

_NORMALISATIONS = ("native_batch_norm", "_native_batch_norm_legit_no_training")


@final
class Weights:
    """The floating constants of a network, by attribute, as one random vector.

    Batch norms are folded into the layers before them: their running statistics were computed from the training
    samples, and a prior over networks that hold these statistics fixed would depend on the samples. What is left, the
    preprocessing and numbers that are no tensors, is paid for by fixed.py.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.start = {
            name: tensor.detach().clone()
            for name, tensor in graph.tensors.items()
            if tensor.is_floating_point() and name not in PREPROCESS_CONSTANTS
        }

    def __len__(self) -> int:
        return sum(tensor.numel() for tensor in self.start.values())

    def logits(self, values: dict[str, Tensor], inputs: Tensor) -> Tensor:
        """Logits of a batch, shape (N, classes), of the network with these weights."""
        result = functional_call(self.graph.module, values, (inputs,))
        assert isinstance(result, Tensor)
        return result

    def noise(self, generator: Generator) -> dict[str, Tensor]:
        """Independent standard normal numbers in the weights' shapes; the generator is on the CPU."""
        return {name: torch.randn(tensor.shape, generator=generator).to(tensor) for name, tensor in self.start.items()}

    def multiplications(self) -> int:
        """Roughly how many one sample takes."""
        return multiplications(self.graph)


def multiplications(graph: Graph) -> int:
    """Roughly how many one sample takes: for each weight, the places it is used at."""
    total = 0
    for node in graph.nodes:
        kernel = max((math.prod(arg.shape) for arg in node.args if isinstance(arg, Tensor)), default=0)
        places = math.prod(node.shape[2:]) if node.op == "convolution" else 1
        total += kernel * places
    return total


def weights_of(graph: Graph) -> Weights | Skipped:
    """The weights in float32 with batch norms folded, or why not all that training could have set is among them."""
    folded = fold_batch_norm(graph.to(dtype=torch.float64)).to(dtype=torch.float32)
    left = sorted({node.op for node in folded.nodes if node.op in _NORMALISATIONS})
    if left:
        reason = "a batch norm that no single layer feeds keeps statistics of the training samples in the prior"
        return Skipped(reason=reason, operators=tuple(left))
    weights = Weights(folded)
    if not weights.start:
        return Skipped(reason="the network has no floating-point weights")
    return weights


def centre(weights: Weights, initial: Graph | None) -> dict[str, Tensor]:
    """The prior's mean: the initial network's weights, or zeros where none is given.

    Raises:
        UsageError: the initial network's weights have other names or shapes.
    """
    if initial is None:
        return {name: torch.zeros_like(tensor) for name, tensor in weights.start.items()}
    other = weights_of(initial)
    found = {} if isinstance(other, Skipped) else other.start
    ours = {_label(weights.graph, name): tuple(tensor.shape) for name, tensor in weights.start.items()}
    theirs = {} if isinstance(other, Skipped) else {_label(other.graph, k): tuple(v.shape) for k, v in found.items()}
    if ours != theirs or set(found) != set(weights.start):
        name = next((n for n in (*ours, *theirs) if ours.get(n) != theirs.get(n)), next(iter(ours)))
        raise UsageError(
            f"--init-model must have the model's architecture; at {name} the model has {_shape(ours.get(name))} "
            f"and the initial model {_shape(theirs.get(name))}",
            hint="Save the untrained network with the same code, and load both from the same format.",
        )
    return {name: found[name].to(tensor) for name, tensor in weights.start.items()}


def check_same_weights(graph: Graph, initial: Graph) -> None:
    """Raise UsageError where two networks have other names or shapes of weights."""
    weights = weights_of(graph)
    if isinstance(weights, Weights):
        centre(weights, initial)


def error_rate(weights: Weights, values: dict[str, Tensor], data: Samples, batch_size: int) -> float:
    """Share of samples whose own class does not lead alone; logits that are no numbers count as errors."""
    assert data.labels is not None
    right = 0
    with torch.no_grad():
        for part, own in zip(data.inputs.split(batch_size), data.labels.split(batch_size), strict=True):
            right += int((margins(weights.logits(values, part), own) > 0).sum())
    return (len(data) - right) / len(data)


def pass_seconds(weights: int, multiplications: int) -> float:
    """Nominal seconds of one pass with fresh noise: calls, noise, arithmetic. A count, not a measurement."""
    return 1.5e-3 + 1e-7 * weights + 3e-10 * multiplications


def _label(graph: Graph, name: str) -> str:
    return graph.names.get(name, name)


def _shape(shape: tuple[int, ...] | None) -> str:
    return "no such weights" if shape is None else f"shape {list(shape)}"
