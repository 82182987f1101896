"""The penalised loss of distributional robustness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LagrangianRecord:
    """phi_gamma, the mean over samples of max over x' of loss(x') - gamma |x' - x|_2^2, at one gamma.

    phi          as reached by ascent: a lower bound
    phi_upper    an upper bound, where the loss is proved smooth enough for the maximum to be found; None otherwise
    transport    mean squared distance of the points reached
    loss         mean cross-entropy there
    accuracy     share of samples still right there
    smoothness   proved Lipschitz constant of the gradient of the loss; None where none is known
    certificate  "valid" where 2 gamma is above `smoothness`: then over all distributions within squared transport
                 distance rho of the samples, the mean loss is at most gamma rho + phi_upper. "heuristic" otherwise
    """

    gamma: float
    samples: int
    phi: float
    phi_upper: float | None
    transport: float
    loss: float
    accuracy: float
    smoothness: float | None
    certificate: Literal["valid", "heuristic"]
    steps: int
