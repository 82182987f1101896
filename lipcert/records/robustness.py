"""Loss and accuracy under attack."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from lipcert.records.lipschitz import Norm


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AttackRecord:
    """What one attack reached. `settings` are its fields, so that it can be run again."""

    attack: str
    robust_loss: float
    robust_accuracy: float
    settings: dict[str, str | int | float | bool] = field(default_factory=dict)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RobustnessRecord:
    """The worst found over all attacks in one ball: robust loss from below, robust accuracy from above.

    eps_space    the units and place eps is measured in
    clipped      whether perturbed inputs were kept inside the input range
    scored_by    whose logits judged what the attacks found: the original runtime, or the captured graph
    robust_loss  mean over samples of the largest cross-entropy found, the clean input included
    """

    norm: Norm
    eps: float
    eps_space: str
    clipped: bool
    samples: int
    clean_loss: float
    clean_accuracy: float
    attacks: tuple[AttackRecord, ...]
    robust_loss: float
    robust_accuracy: float
    scored_by: str = "graph"
