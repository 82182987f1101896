"""Norms and spectrum of the Jacobian of the logits at every sample."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from lipcert.analyses.base import summarise
from lipcert.graph import Graph
from lipcert.graph.jacobian import jacobians
from lipcert.progress import Progress, silent
from lipcert.records import JacobianRecord, Skipped, Soundness

CLASS_LIMIT = 100
_LARGE = 20_000_000  # parameters above which float64 costs too much
_MEMORY = 2**28
_SIGN_CLASSES = 14
_SIGN_WORK = 2e10


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Measured:
    """Norms by name, each of shape (N,), and singular values, (N, min(K, D)), of J at each sample, in float64."""

    norms: dict[str, Tensor]
    spectrum: Tensor
    dtype: torch.dtype

    @property
    def steepest_first(self) -> Tensor:
        """Sample numbers by spectral norm, the largest first, shape (N,), on the CPU."""
        return self.norms["spectral_norm"].cpu().argsort(descending=True, stable=True)

    def record(self, *, seed: int = 0) -> JacobianRecord:
        """The spread of each norm over the samples."""
        exact = self.dtype == torch.float64
        return JacobianRecord(
            samples=len(self.spectrum),
            dtype=str(self.dtype).removeprefix("torch."),
            method="one backward pass a class; norms in closed form, spectrum from the Gram matrix",
            soundness=Soundness.EXACT if exact else Soundness.ESTIMATE,
            statistics={name: summarise(values, seed=seed) for name, values in self.norms.items()},
            singular_spectrum=tuple(self.spectrum.mean(dim=0).tolist()),
        )


def measure_jacobians(
    graph: Graph, inputs: Tensor, *, batch_size: int = 256, progress: Progress = silent
) -> Measured | Skipped:
    """Norms and spectrum of J at each sample, from the whole J by one backward pass a class.

    In float64, and in float32 for a net of more than 20 million parameters. Skipped above 100 classes.
    """
    if graph.classes > CLASS_LIMIT:
        return Skipped(
            reason=f"{graph.classes} classes would take as many backward passes a sample; the limit is {CLASS_LIMIT}"
        )
    working = graph.to(dtype=torch.float32 if graph.parameter_count > _LARGE else torch.float64)
    signs = _sign_patterns(graph.classes, math.prod(graph.input_shape) * len(inputs))
    parts = []
    progress("jacobian", 0, len(inputs))
    for start, batch in _batches(working, inputs, batch_size):
        parts.append(measure(jacobians(working, batch, batch_size=len(batch)).to(torch.float64), signs))
        progress("jacobian", start + len(batch), len(inputs))
    return Measured(
        norms={name: torch.cat([norms[name] for norms, _ in parts]) for name in parts[0][0]},
        spectrum=torch.cat([spectrum for _, spectrum in parts]),
        dtype=working.dtype,
    )


def measure(jacobian: Tensor, signs: Tensor | None) -> tuple[dict[str, Tensor], Tensor]:
    """Norms by name, each of shape (N,), and singular values (N, min(K, D)), of J of shape (N, K, D) in float64.

    Singular values are square roots of the eigenvalues of the smaller Gram matrix: good to about 1e-8 of the
    largest, and the largest itself to a few units in the last place. "centred" is J less its mean row, which is
    what differences of logits see: a softmax does not change when a function is added to every logit.
    """
    rows, columns = jacobian.abs().sum(dim=2), jacobian.abs().sum(dim=1)
    spectrum = _singular_values(jacobian)
    centred = _singular_values(jacobian - jacobian.mean(dim=1, keepdim=True))
    frobenius = jacobian.square().sum(dim=(1, 2)).sqrt()
    norms = {
        "spectral_norm": spectrum[:, 0],
        "frobenius_norm": frobenius,
        "l1_entries": rows.sum(dim=1),
        "linf_norm": rows.amax(dim=1),
        "l1_norm": columns.amax(dim=1),
        "stable_rank": torch.where(spectrum[:, 0] > 0, (frobenius / spectrum[:, 0]) ** 2, 0.0),
        "centred_spectral_norm": centred[:, 0],
        "centred_frobenius_norm": centred.square().sum(dim=1).sqrt(),
    }
    if signs is None:
        size = math.sqrt(jacobian.shape[1] * jacobian.shape[2])
        norms["linf_l1_norm_upper"] = torch.minimum(norms["l1_entries"], size * spectrum[:, 0])
    else:
        norms["linf_l1_norm"] = _linf_l1_norm(jacobian, signs)
    return norms, spectrum


def _singular_values(jacobian: Tensor) -> Tensor:
    """Largest first."""
    wide = jacobian.shape[1] <= jacobian.shape[2]
    gram = jacobian @ jacobian.mT if wide else jacobian.mT @ jacobian
    eigenvalues: Tensor = torch.linalg.eigvalsh(gram)
    return eigenvalues.clamp_min(0).sqrt().flip(1)


def _sign_patterns(classes: int, entries: int) -> Tensor | None:
    """All s in {-1, 1}^K with s_0 = 1, where there are few enough of them."""
    if classes > _SIGN_CLASSES or 2.0 ** (classes - 1) * classes * entries > _SIGN_WORK:
        return None
    tails = itertools.product((1.0, -1.0), repeat=classes - 1)
    return torch.tensor([(1.0, *tail) for tail in tails], dtype=torch.float64)


def _linf_l1_norm(jacobian: Tensor, signs: Tensor) -> Tensor:
    """Largest ||Jv||_1 over ||v||_inf <= 1, shape (N,), by trying every sign pattern s of Jv.

    A convex function is largest at a vertex, and max_v max_s s'Jv = max_s ||J's||_1. Both s and -s give the same.
    """
    signs = signs.to(jacobian.device)
    width = max(1, _MEMORY // 8 // len(signs))
    total = [sum((signs @ part).abs().sum(dim=1) for part in one.split(width, dim=1)) for one in jacobian]
    return torch.stack([torch.as_tensor(value).amax() for value in total])


def _batches(graph: Graph, inputs: Tensor, batch_size: int) -> Iterator[tuple[int, Tensor]]:
    """Slices of the samples whose activations and Jacobians fit the memory set aside."""
    activations = sum(math.prod(shape) for node in graph.nodes for shape in node.shapes)
    bytes_each = 8 * (2 * activations + 4 * graph.classes * math.prod(graph.input_shape))
    size = max(1, min(batch_size, _MEMORY // bytes_each))
    for start in range(0, len(inputs), size):
        yield start, inputs[start : start + size]
