"""The largest singular values of Jacobians with too many rows to be written out, from below.

Block Lanczos on JJ' at every sample at once: a block Q of vectors over the classes is pulled back to J'Q by reverse
passes, pushed forward to JJ'Q by forward passes, and made orthogonal to all before it.

Source: Golub, Underwood, The block Lanczos method for computing eigenvalues, Mathematical Software III (1977).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.base import summarise
from lipcert.analyses.jacobian.columns import joined
from lipcert.graph import Graph
from lipcert.progress import Progress, silent
from lipcert.records import JacobianRecord, Soundness

_BLOCK = 4
_ROUNDS = 6
_REPORTED = 10
PASSES = 2 * (2 * _BLOCK * _ROUNDS + 1)
"""Forward passes that a sample costs, a reverse pass or one of dual numbers counted as two."""


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Leading:
    """The largest singular value of J at each sample, from below.

    lower     (N,), ||J'u|| / ||u|| for an explicit u
    residual  (N,), ||JJ'u - s^2 u|| / s^2 for that u of length 1 and s the value: some singular value squared is within
              so much of s^2, relatively; 0 where J is 0
    spectrum  (N, R), Ritz values, the largest first
    """

    lower: Tensor
    residual: Tensor
    spectrum: Tensor

    @property
    def steepest_first(self) -> Tensor:
        """Sample numbers by what is known of the spectral norm, the largest first, shape (N,), on the CPU."""
        return self.lower.cpu().argsort(descending=True, stable=True)


def measure_leading(
    graph: Graph, inputs: Tensor, *, batch_size: int = 32, seed: int = 0, progress: Progress = silent
) -> Leading:
    """Lower ends by 24 reverse and 25 forward passes a sample, whatever the number of classes."""
    parts = []
    progress("jacobian", 0, len(inputs))
    for start in range(0, len(inputs), batch_size):
        batch = inputs[start : start + batch_size].to(device=graph.device, dtype=graph.dtype)
        parts.append(_leading(_Linear(graph, batch), seed))
        progress("jacobian", start + len(batch), len(inputs))
    return joined(parts)


@final
class _Linear:
    """J and its transpose at a batch of samples, on blocks of vectors."""

    def __init__(self, graph: Graph, batch: Tensor) -> None:
        self._graph = graph
        self._x = batch.detach().requires_grad_()
        with torch.enable_grad():
            self.logits = graph(self._x)

    def pull(self, block: Tensor) -> Tensor:
        """(N, b, K) -> (N, b, D)."""
        if not self.logits.requires_grad:
            return block.new_zeros(*block.shape[:2], self._x[0].numel())
        rows = [
            torch.autograd.grad(self.logits, self._x, one, retain_graph=True, materialize_grads=True)[0].flatten(1)
            for one in block.unbind(dim=1)
        ]
        return torch.stack(rows, dim=1)

    def push(self, block: Tensor) -> Tensor:
        """(N, b, D) -> (N, b, K)."""
        x = self._x.detach()
        pushed = [torch.func.jvp(self._graph, (x,), (v.reshape(x.shape),))[1] for v in block.unbind(dim=1)]
        return torch.stack(pushed, dim=1)


def _leading(linear: _Linear, seed: int) -> Leading:
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
    return _ritz(linear, torch.cat(basis, dim=1), torch.cat(pulled, dim=1))


def _ritz(linear: _Linear, basis: Tensor, pulled: Tensor) -> Leading:
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
    return Leading(lower=lower[:, 0], residual=residual[:, 0], spectrum=spectrum)


def _orthonormal(block: Tensor) -> Tensor:
    """Rows of length 1 at right angles, spanning what the given rows span."""
    rows: Tensor = torch.linalg.qr(block.mT).Q.mT
    return rows


def _apart(block: Tensor, basis: Tensor) -> Tensor:
    """The same, of what is at right angles to the rows of `basis`; twice is enough (Kahan, Parlett)."""
    for _ in range(2):
        block = _orthonormal(block - (block @ basis.mT) @ basis)
    return block


def leading_record(found: Leading, graph: Graph, *, seed: int = 0) -> JacobianRecord:
    """What is known without writing J out."""
    return JacobianRecord(
        samples=len(found.lower),
        dtype=str(graph.dtype).removeprefix("torch."),
        method=f"block Lanczos with reverse and forward passes, as {graph.classes} classes are too many to write out",
        soundness=Soundness.ESTIMATE,
        statistics={"spectral_norm_lower": summarise(found.lower, seed=seed)},
        singular_spectrum=tuple(found.spectrum.mean(dim=0).tolist()),
        reference="prediction",
        residual=float(found.residual.amax()),
    )
