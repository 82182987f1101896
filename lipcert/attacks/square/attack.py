"""Random search that keeps what lowers the margin."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Protocol, final

import torch
from torch import Tensor

from lipcert.attacks.base import ATTACKS, AbstractAttack, Ball, Classifier, Noise, OutOfTimeError
from lipcert.attacks.square.canvas import Canvas
from lipcert.attacks.square.masses import Masses
from lipcert.attacks.square.signs import Signs
from lipcert.graph.scores import margins

_HALVINGS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
_BLOCK = 50
_WORTH_LEAVING = 0.9


class Proposals(Protocol):
    """Where a search starts in a ball, and which point it tries next."""

    numbers: int

    def start(self, numbers: Tensor) -> Tensor:
        """First points, from uniform numbers of the pictures' shape."""

    def propose(self, rows: Tensor, points: Tensor, share: float, numbers: Tensor) -> Tensor:
        """Points to try for the pictures `rows`, from `points` and uniform numbers (N, self.numbers)."""


@ATTACKS.register("square")
@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Square(AbstractAttack):
    """Try a random change in one window, keep it where the margin falls, make the windows smaller as time goes on.

    It needs logits and no gradient, so vanishing, wrong or missing gradients do not mislead it.

    queries  evaluations a sample at most; a sample that is misclassified takes no more
    share    of the picture's area that a window has at first; it is halved nine times

    Source: Andriushchenko, Croce, Flammarion & Hein, arXiv 1912.00049 (linf, l2); the form for l1 as in Croce & Hein,
    arXiv 2103.01208.
    """

    queries: int = 5000
    share: float = 0.8

    def __post_init__(self) -> None:
        if self.queries < 1 or not 0 < self.share <= 1:
            raise ValueError(f"queries must be 1 or more and share in (0, 1], got {self}")

    @property
    def name(self) -> str:
        """The one form there is."""
        return "square"

    def perturb(self, classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball, noise: Noise) -> Tensor:
        """One candidate a sample, that of the smallest margin met. `classify` may be any callable."""
        with torch.no_grad():
            return self._search(classify, clean, labels, ball, noise)[None]

    def _search(self, classify: Classifier, clean: Tensor, labels: Tensor, ball: Ball, noise: Noise) -> Tensor:
        canvas = Canvas(tuple(clean.shape[1:]))
        proposals: Proposals = (Signs if ball.norm == "linf" else Masses)(clean, ball, canvas)
        best = proposals.start(noise.uniform(canvas.lay(clean), 0)).contiguous()
        with contextlib.suppress(OutOfTimeError):
            least = _margins(classify, canvas.lift(best), labels)
            rows = torch.arange(len(clean), device=clean.device)
            for query in range(self.queries - 1):
                turn = query % _BLOCK
                alive = least[rows] > 0
                if turn == 0:
                    rows = rows[alive]
                    like = clean.new_empty(len(rows), _BLOCK, proposals.numbers)
                    numbers = noise.rows(rows).uniform(like, 1 + query // _BLOCK)
                elif int(alive.sum()) < _WORTH_LEAVING * len(rows):
                    rows, numbers = rows[alive], numbers[alive]
                if len(rows) == 0:
                    break
                tried = proposals.propose(rows, best[rows], self._share(query), numbers[:, turn])
                margin = _margins(classify, canvas.lift(tried), labels[rows])
                better = (margin < least[rows]) & (least[rows] > 0)
                best[rows[better]], least[rows[better]] = tried[better], margin[better]
        return ball.project(canvas.lift(best), clean)

    def _share(self, query: int) -> float:
        done = query / self.queries
        return float(self.share * 0.5 ** sum(done > step for step in _HALVINGS))


def _margins(classify: Classifier, points: Tensor, labels: Tensor) -> Tensor:
    """Margins, infinite where the logits are no numbers."""
    return margins(classify(points).to(points.device, torch.float64), labels).nan_to_num(nan=torch.inf)
