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
    if tuple(inputs.shape[1:]) != graph.input_shape:
        raise ValueError(f"samples must have shape {graph.input_shape}, got {tuple(inputs.shape[1:])}")
    starts = range(0, len(inputs), batch_size)
    parts = [_jacobians(graph, inputs[start : start + batch_size]) for start in starts]
    nothing = torch.zeros(0, graph.classes, math.prod(graph.input_shape), dtype=graph.dtype, device=graph.device)
    return torch.cat(parts) if parts else nothing


def _jacobians(graph: Graph, batch: Tensor) -> Tensor:
    x = batch.detach().to(device=graph.device, dtype=graph.dtype).requires_grad_()
    with torch.enable_grad():
        logits = graph(x)
    classes = int(logits.shape[1])
    if not logits.requires_grad:
        return torch.zeros(len(x), classes, x[0].numel(), dtype=x.dtype, device=x.device)
    rows = [_row(logits[:, k], x, last=k == classes - 1) for k in range(classes)]
    return torch.stack(rows, dim=1)


def _row(logit: Tensor, x: Tensor, *, last: bool) -> Tensor:
    (gradient,) = torch.autograd.grad(logit.sum(), x, retain_graph=not last, materialize_grads=True)
    return gradient.flatten(1)
