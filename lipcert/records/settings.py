"""What was asked of an analysis; recorded with the results it produced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from lipcert.records.generalization import Split

Effort = Literal["fast", "default", "high"]
DeployDtype = Literal["real", "float32", "bfloat16"]

ANALYSES = ("layers", "lipschitz", "jacobian", "margins", "robustness", "certificates", "generalization")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzeSettings:
    """Settings of one `analyze` run.

    analyses     names of the analyses to report, in order
    samples      use the first so many samples; None for all
    eps          norm -> radii, in data units; empty for the defaults
    confidence   of each population statement, both sides together
    spectrum     singular values to report of each layer; 0 for none
    exponents    p:q of further norms of the Jacobian from l_p to l_q, as "3:1.5" or "inf:2"
    batch_size   samples per forward or backward pass; it changes speed and memory, not results beyond rounding
    seeds        how often the attacks are run, with seeds seed, seed + 1, ...; the worst of all counts
    deploy_dtype arithmetic of the deployed network that certificates speak of; "real" leaves its rounding out
    time_budget  seconds for attacks, certificates and the searches behind bounds on unseen inputs; None for no limit
    max_memory   bytes that bound propagation may hold at once; None for 1 GiB
    split        what the samples were to the model: drawn afresh ("test"), its training samples ("train"), or not said
    """

    analyses: tuple[str, ...] = ANALYSES
    samples: int | None = None
    eps: dict[str, tuple[float, ...]] | None = None
    seed: int = 0
    device: str = "cpu"
    dtype: Literal["float32", "float64"] = "float32"
    effort: Effort = "default"
    confidence: float = 0.95
    spectrum: int = 0
    exponents: tuple[str, ...] = ()
    batch_size: int = 256
    deterministic: bool = False
    seeds: int = 1
    deploy_dtype: DeployDtype = "float32"
    time_budget: float | None = None
    max_memory: int | None = None
    split: Split = "unknown"
