"""The largest singular values of Jacobians with too many rows to be written out, from below.

Block Lanczos on JJ' at every sample at once: a block Q of vectors over the classes is pulled back to J'Q by reverse
passes, pushed forward to JJ'Q by forward passes, and made orthogonal to all before it.

Source: Golub, Underwood, The block Lanczos method for computing eigenvalues, Mathematical Software III (1977).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import torch
from torch import Tensor

from lipcert.analyses.base import summarise
from lipcert.analyses.jacobian.columns import joined
from lipcert.analyses.jacobian.correlation import correlations
from lipcert.analyses.jacobian.likely import RIVALS, Likely, first_order, likely, likely_distances, likely_functionals
from lipcert.analyses.jacobian.surrogates import Ball
from lipcert.graph import Graph
from lipcert.progress import Progress, silent
from lipcert.records import JacobianRecord, Skipped, Soundness

_BLOCK = 4
_ROUNDS = 6
_REPORTED = 10
PASSES = 2 * (2 * _BLOCK * _ROUNDS + 2 + RIVALS)
"""Forward passes that a sample costs, a reverse pass or one of dual numbers counted as two."""


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Leading:
    """The largest singular value of J at each sample, from below.

    lower     (N,), ||J'u|| / ||u|| for an explicit u
    residual  (N,), ||JJ'u - s^2 u|| / s^2 for that u of length 1 and s the value: some singular value squared is within
              so much of s^2, relatively; 0 where J is 0
    spectrum  (N, R), Ritz values, the largest first
    likely    margins, distances to the likeliest rivals, and the gradient of the loss
    """

    lower: Tensor
    residual: Tensor
    spectrum: Tensor
    likely: Likely
    labelled: bool = False

    @property
    def steepest_first(self) -> Tensor:
        """Sample numbers by what is known of the spectral norm, the largest first, shape (N,), on the CPU."""
        return self.lower.cpu().argsort(descending=True, stable=True)


def measure_leading(
    graph: Graph,
    inputs: Tensor,
    labels: Tensor | None = None,
    *,
    batch_size: int = 32,
    seed: int = 0,
    progress: Progress = silent,
) -> Leading:
    """Lower ends by 24 reverse and 25 forward passes a sample, whatever the number of classes, and 11 reverse ones.

    labels  (N,), or None: then distances and the loss are those of the predicted class
    """
    parts = []
    progress("jacobian", 0, len(inputs))
    for start in range(0, len(inputs), batch_size):
        batch = inputs[start : start + batch_size].to(device=graph.device, dtype=graph.dtype)
        linear = _Linear(graph, batch)
        classes = linear.logits.argmax(dim=1) if labels is None else labels[start : start + len(batch)].to(batch.device)
        parts.append(_leading(linear, classes, seed))
        progress("jacobian", start + len(batch), len(inputs))
    return replace(joined(parts), labelled=labels is not None)


@final
class _Linear:
    """J and its transpose at a batch of samples, on blocks of vectors."""

    def __init__(self, graph: Graph, batch: Tensor) -> None:
        self._graph = graph
        self.x = batch.detach().requires_grad_()
        with torch.enable_grad():
            self.logits = graph(self.x)

    def pull(self, block: Tensor) -> Tensor:
        """(N, b, K) -> (N, b, D)."""
        if not self.logits.requires_grad:
            return block.new_zeros(*block.shape[:2], self.x[0].numel())
        rows = [
            torch.autograd.grad(self.logits, self.x, one, retain_graph=True, materialize_grads=True)[0].flatten(1)
            for one in block.unbind(dim=1)
        ]
        return torch.stack(rows, dim=1)

    def push(self, block: Tensor) -> Tensor:
        """(N, b, D) -> (N, b, K)."""
        x = self.x.detach()
        pushed = [torch.func.jvp(self._graph, (x,), (v.reshape(x.shape),))[1] for v in block.unbind(dim=1)]
        return torch.stack(pushed, dim=1)


def _leading(linear: _Linear, given: Tensor, seed: int) -> Leading:
    """Ritz values and the best vector, from a start that is random but for the direction of the predicted class."""
    count, classes = linear.logits.shape
    generator = torch.Generator().manual_seed(seed)
    width = min(_BLOCK, classes)
    drawn = torch.randn(width, classes, generator=generator, dtype=torch.float64).to(linear.logits)
    start = drawn.expand(count, width, classes).clone()
    start[:, 0] = torch.nn.functional.one_hot(linear.logits.argmax(dim=1), classes).to(start)
    basis, pulled = [_orthonormal(start)], list[Tensor]()
    for step in range(min(_ROUNDS, classes // width)):
        pulled.append(linear.pull(basis[-1]))
        if step < min(_ROUNDS, classes // width) - 1:
            basis.append(_apart(linear.push(pulled[-1]), torch.cat(basis, dim=1)))
    lower, residual, spectrum = _ritz(linear, torch.cat(basis, dim=1), torch.cat(pulled, dim=1))
    return Leading(lower=lower, residual=residual, spectrum=spectrum, likely=likely(linear.x, linear.logits, given))


def _ritz(linear: _Linear, basis: Tensor, pulled: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """From Q, (N, m, K), and J'Q, (N, m, D). The value is that of an explicit vector, whatever Q has lost."""
    wide = pulled.to(torch.float64)
    values, vectors = torch.linalg.eigh(wide @ wide.mT)
    weights = vectors[:, None, :, -1]
    left, right = weights @ basis.to(torch.float64), weights @ wide
    length = torch.linalg.vector_norm(left, dim=2)
    lower = torch.linalg.vector_norm(right, dim=2) / length
    again = linear.push(right.to(pulled.dtype)).to(torch.float64)
    square = lower**2
    missed = torch.linalg.vector_norm(again - square[..., None] * left, dim=2) / length
    residual = torch.where(square > 0, missed / torch.where(square > 0, square, 1.0), 0.0)
    spectrum = values.clamp_min(0).sqrt().flip(1)[:, :_REPORTED]
    return lower[:, 0], residual[:, 0], spectrum


def _orthonormal(block: Tensor) -> Tensor:
    """Rows of length 1 at right angles, spanning what the given rows span."""
    rows: Tensor = torch.linalg.qr(block.mT).Q.mT
    return rows


def _apart(block: Tensor, basis: Tensor) -> Tensor:
    """The same, of what is at right angles to the rows of `basis`; twice is enough (Kahan, Parlett)."""
    for _ in range(2):
        block = _orthonormal(block - (block @ basis.mT) @ basis)
    return block


def leading_record(found: Leading, graph: Graph, *, balls: Sequence[Ball] = (), seed: int = 0) -> JacobianRecord:
    """What is known without writing J out.

    balls  where the first-order surrogate of the robust loss is wanted
    """
    near = found.likely
    looked = near.rivals.shape[1]
    unknown = Skipped(reason="it is about the loss, and the samples have no labels")
    return JacobianRecord(
        samples=len(found.lower),
        dtype=str(graph.dtype).removeprefix("torch."),
        method=(
            f"block Lanczos with reverse and forward passes, as {graph.classes} classes are too many to write out; "
            f"distances to the {looked} other classes with the largest logits, at least those to the nearest of all; "
            "left out: other norms, stable rank, Hessian, pairwise surrogates, alignment, linearity, regions, gaps"
        ),
        soundness=Soundness.ESTIMATE,
        statistics={"spectral_norm_lower": summarise(found.lower, seed=seed)},
        singular_spectrum=tuple(found.spectrum.mean(dim=0).tolist()),
        distances=likely_distances(near, graph.classes, seed=seed),
        reference="label" if found.labelled else "prediction",
        functionals=likely_functionals(near, seed=seed) if found.labelled else unknown,
        surrogates=tuple(first_order(near, ball, seed=seed) for ball in balls) if found.labelled else unknown,
        correlations=correlations(
            {"spectral_norm_lower": found.lower, "first_order_distance_l2": near.nearest("l2")},
            {"margin": near.margins},
            seed=seed,
        ),
        residual=float(found.residual.amax()),
    )


def leading_rows(found: Leading) -> list[dict[str, Any]]:
    """One row a sample for the table of samples; an infinite distance is None."""
    distances = {norm: found.likely.nearest(norm).tolist() for norm in found.likely.distances}
    columns = {"spectral_norm_lower": found.lower.tolist()}
    if found.labelled:
        columns["input_gradient"] = (found.likely.gradient["l2"] ** 2).tolist()
    return [
        {
            **{name: values[i] for name, values in columns.items()},
            "first_order_distance": {
                norm: values[i] if math.isfinite(values[i]) else None for norm, values in distances.items()
            },
        }
        for i in range(len(found.lower))
    ]
