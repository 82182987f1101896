"""Right singular vectors of explicit Jacobians."""

from __future__ import annotations

import torch
from torch import Tensor

_RESOLVED = 1e-7  # of the largest; below, the Gram matrix knows no direction


def right_vectors(jacobian: Tensor) -> tuple[Tensor, Tensor]:
    """Singular values (N, R), largest first, and right singular vectors (N, R, D) of J, (N, K, D), with R = min(K, D).

    From the eigenvectors of the smaller Gram matrix, in float64. Vectors whose singular value is below 1e-7 of the
    largest are zero: nothing is known of their direction.
    """
    matrix = jacobian.to(torch.float64)
    wide = matrix.shape[1] <= matrix.shape[2]
    gram = matrix @ matrix.mT if wide else matrix.mT @ matrix
    eigenvalues, vectors = torch.linalg.eigh(gram)
    values, vectors = eigenvalues.clamp_min(0).sqrt().flip(1), vectors.flip(2).mT
    resolved = values > _RESOLVED * values[:, :1]
    if wide:
        vectors = (vectors @ matrix) / torch.where(resolved, values, 1.0)[:, :, None]
    return values, vectors * resolved[:, :, None]
