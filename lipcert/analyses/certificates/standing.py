"""What is known of every sample in one ball, and what settled it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

import torch
from torch import Tensor

from lipcert.records import Norm, Verdict


@final
@dataclass(eq=False, kw_only=True)
class Standing:
    """Verdicts on N samples in the balls of one radius. All tensors are on the CPU.

    wrong      samples misclassified as they are, shape (N,)
    certified  samples proved to keep their label in the region
    broken     samples with a point in the region that is classified otherwise
    margin     the best lower bound on the smallest margin in the region, float64; -infinity where there is none
    reach      radii below eps at which samples are proved, 0 where none is known
    by         the method that certified or broke the sample, "" where none did
    tried      method -> samples it was tried on
    climbed    samples that bounds tightened inside the network were tried on
    """

    norm: Norm
    eps: float
    wrong: Tensor
    certified: Tensor = field(init=False)
    broken: Tensor = field(init=False)
    margin: Tensor = field(init=False)
    reach: Tensor = field(init=False)
    by: list[str] = field(init=False)
    tried: Counter[str] = field(default_factory=Counter)
    climbed: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.certified = torch.zeros_like(self.wrong)
        self.broken = self.wrong.clone()
        self.margin = torch.full(self.wrong.shape, -math.inf, dtype=torch.float64)
        self.reach = torch.zeros_like(self.margin)
        self.by = [""] * len(self.wrong)
        self.climbed = torch.zeros_like(self.wrong)

    @property
    def untried(self) -> int:
        """Samples left open that were given up before the dear bounds."""
        return int((~self.climbed)[self.open].sum())

    @property
    def open(self) -> Tensor:
        """Indices of the samples neither certified nor broken."""
        return (~self.certified & ~self.broken).nonzero()[:, 0]

    def prove(self, rows: Tensor, margin: Tensor, method: str) -> Tensor:
        """Take in lower bounds on the margins of samples `rows`; those above 0 are certified. Returns which are new."""
        rows, margin = rows.cpu(), margin.detach().to("cpu", torch.float64)
        margin = torch.where(margin.isnan(), -math.inf, margin)
        self.tried[method] += len(rows)
        self.margin[rows] = torch.maximum(self.margin[rows], margin)
        new = (margin > 0) & ~self.certified[rows]
        self.certify(rows[new], method)
        return new

    def certify(self, rows: Tensor, method: str) -> None:
        """Take in a proof of samples `rows` that tells no margin."""
        for row in rows[~self.certified[rows]].tolist():
            self.by[row] = method
        self.certified[rows] = True

    def falsify(self, broken: Tensor, found: Sequence[str]) -> None:
        """Take in samples an attack broke, a mask of shape (N,), with what broke each: its name, then where."""
        new = broken.cpu() & ~self.broken
        self.broken |= new
        for row in new.nonzero()[:, 0].tolist():
            self.by[row] = found[row].split(" in ", 1)[0].split(" anywhere", 1)[0]

    def withdraw(self, kept: Tensor) -> None:
        """Certify no sample outside the mask `kept`."""
        for row in (self.certified & ~kept).nonzero()[:, 0].tolist():
            self.by[row] = ""
        self.certified &= kept
        self.margin[~kept & (self.margin > 0)] = 0.0

    def verdicts(self) -> list[Verdict]:
        """One word a sample."""
        columns = zip(self.wrong.tolist(), self.certified.tolist(), self.broken.tolist(), strict=True)
        return [_word(*column) for column in columns]

    def rows(self) -> list[dict[str, Any]]:
        """One entry of the table with one row a sample, each."""
        columns = zip(self.verdicts(), self.by, self.margin.tolist(), strict=True)
        return [
            {
                "norm": self.norm,
                "eps": self.eps,
                "verdict": verdict,
                "method": method or None,
                "margin_lower_bound": margin
                if math.isfinite(margin) and (margin > 0) == (verdict == "certified")
                else None,
            }
            for verdict, method, margin in columns
        ]

    def decided(self) -> dict[str, int]:
        """Method -> samples it certified or broke, the most frequent first."""
        return dict(Counter(method for method in self.by if method).most_common())


def _word(wrong: bool, certified: bool, broken: bool) -> Verdict:  # noqa: FBT001  columns of a table
    if wrong:
        return "misclassified"
    if certified:
        return "certified"
    return "falsified" if broken else "unknown"
