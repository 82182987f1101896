"""One step along the gradient of the cross-entropy, to the rim of the ball."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import final

from torch import Tensor

from lipcert.attacks.base import ATTACKS, AbstractAttack, Ball, Classifier, Noise, logits_and_gradient
from lipcert.graph.scores import error_log_odds


@ATTACKS.register("fgm")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fgm(AbstractAttack):
    """x + eps v, where v of norm 1 maximises the first-order change of the loss: the gradient in l2, its sign in linf.

    In l1 the coordinates of steepest ascent, each as far as the box allows.

    Source: Goodfellow, Shlens & Szegedy, arXiv 1412.6572 (linf); Miyato, Dai & Goodfellow, arXiv 1605.07725 (l2).
    """

    @property
    def name(self) -> str:
        """The one form there is."""
        return "fgm"

    def perturb(self, classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball, noise: Noise) -> Tensor:  # noqa: ARG002  nothing is drawn
        """One candidate a sample."""
        _, gradient = logits_and_gradient(classify, partial(error_log_odds, labels=labels), clean)
        return ball.furthest(gradient, clean)[None]
