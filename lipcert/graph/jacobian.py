"""The Jacobian of the logits at each sample, exactly, by reverse-mode differentiation."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lipcert.graph.graph import Graph


def jacobians(graph: Graph, inputs: Tensor, *, batch_size: int = 256) -> Tensor:
    """J[n, k, d] = d logit_k / d input_d at sample n, shape (N, classes, D), in the dtype and device of `graph`.

    One backward pass a class over one retained forward pass. Differentiating the sum of a logit over the batch
    gives every sample's own row because samples do not interact (a postcondition of loading). At a kink of a
    piecewise-linear net the result is the Jacobian that autograd picks, an element of a neighbouring cell's.
    The result is detached; `batch_size` bounds the samples whose activations are held at once.
    """
    return logits_and_jacobians(graph, inputs, batch_size=batch_size)[1]


def logits_and_jacobians(graph: Graph, inputs: Tensor, *, batch_size: int = 256) -> tuple[Tensor, Tensor]:
    """Logits, shape (N, classes), and the Jacobians as `jacobians` gives them, from the same forward pass."""
    if tuple(inputs.shape[1:]) != graph.input_shape:
        raise ValueError(f"samples must have shape {graph.input_shape}, got {tuple(inputs.shape[1:])}")
    like = torch.empty(0, dtype=graph.dtype, device=graph.device)
    logits = like.new_empty(len(inputs), graph.classes)
    rows = like.new_empty(len(inputs), graph.classes, math.prod(graph.input_shape))
    for start in range(0, len(inputs), batch_size):
        part = slice(start, start + batch_size)
        logits[part] = _fill(graph, inputs[part], rows[part])
    return logits, rows


def _fill(graph: Graph, batch: Tensor, rows: Tensor) -> Tensor:
    """Write the Jacobian of each sample of the batch into `rows`; the logits."""
    x = batch.detach().to(device=graph.device, dtype=graph.dtype).requires_grad_()
    with torch.enable_grad():
        logits = graph(x)
    if not logits.requires_grad:
        rows.zero_()
        return logits
    classes = int(logits.shape[1])
    for k in range(classes):
        one = torch.zeros_like(logits)
        one[:, k] = 1.0
        (gradient,) = torch.autograd.grad(logits, x, one, retain_graph=k < classes - 1, materialize_grads=True)
        rows[:, k] = gradient.flatten(1)
    return logits.detach()
