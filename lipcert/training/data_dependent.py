"""The operator norm of the Jacobian at each sample, from any p to any q."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Generator, Tensor

from lipcert.analyses.jacobian.base import conjugate, vector_norm
from lipcert.analyses.jacobian.duality import dual
from lipcert.training.base import PENALTIES, AbstractPenalty, Net, drawn


@PENALTIES.register("data_dependent")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DataDependent(AbstractPenalty):
    """Mean of ||f(x + eps v) - f(x)||_q^2 / 2, or of eps^2 ||Jv||_q^2 / 2, at the v the power method gives, held fixed.

    Inside one linear region both are eps^2 sigma^2 / 2 once v has converged, sigma = ||J||_{p -> q} at the sample, and
    training with them is adversarial training on ||f(x) - f(x*)||_q^2 / 2 by projected gradient ascent in l_p with an
    infinite step.

    form   "difference" of the outputs, or the "jacobian" itself
    steps  of the power method, from a random direction

    Cost: 2 steps + 1 backward passes, and the gradient of two forward passes ("jacobian": of two backward ones).

    Source: Roth, Kilcher & Hofmann, arXiv 1906.01527, equations 8 and 9 (v3), and v5 for (p, q).
    """

    p: float = 2.0
    q: float = 2.0
    eps: float = 1.0
    steps: int = 10
    form: Literal["difference", "jacobian"] = "difference"

    def __call__(self, net: Net, inputs: Tensor, labels: Tensor, generator: Generator | None = None) -> Tensor:  # noqa: ARG002  labels are not used
        """In squared logit units."""
        start = dual(drawn((len(inputs), inputs[0].numel()), inputs, generator), self.p)
        v = singular_directions(net, inputs, start, p=self.p, q=self.q, steps=self.steps).reshape(inputs.shape)
        if self.form == "jacobian":
            return self.eps**2 * vector_norm(push(net, inputs, v), self.q).square().mean() / 2
        x = inputs.detach()
        return vector_norm(net(x + self.eps * v) - net(x), self.q).square().mean() / 2


def singular_directions(net: Net, inputs: Tensor, start: Tensor, *, p: float, q: float, steps: int) -> Tensor:
    """Directions with ||v||_p = 1 and ||Jv||_q large, (N, D): the power method with duality maps at each sample.

    One pass takes u = dual_{q*}(Jv), then v = dual_p(J'u); ||Jv||_q never falls. J is that at the samples.

    Source: Boyd, Linear Algebra Appl. 9 (1974); Roth, Kilcher & Hofmann, arXiv 1906.01527.
    """
    x = inputs.detach().requires_grad_()
    with torch.enable_grad():
        logits = net(x)
        seed = torch.zeros_like(logits, requires_grad=True)
        (pulled,) = torch.autograd.grad(logits, x, seed, create_graph=True, materialize_grads=True)
    v = start
    for _ in range(steps):
        (image,) = torch.autograd.grad(pulled, seed, v.reshape(x.shape), retain_graph=True, materialize_grads=True)
        u = dual(image, conjugate(q))
        (back,) = torch.autograd.grad(logits, x, u, retain_graph=True, materialize_grads=True)
        v = dual(back.flatten(1), p)
    return v.detach()


def push(net: Net, inputs: Tensor, directions: Tensor) -> Tensor:
    """Jv for each direction, (N, K), differentiable in the parameters of `net`: the derivative of u -> <J'u, v>."""
    x = inputs.detach().requires_grad_()
    logits = net(x)
    seed = torch.zeros_like(logits, requires_grad=True)
    (pulled,) = torch.autograd.grad(logits, x, seed, create_graph=True, materialize_grads=True)
    (image,) = torch.autograd.grad(pulled, seed, directions, create_graph=True, materialize_grads=True)
    return image
