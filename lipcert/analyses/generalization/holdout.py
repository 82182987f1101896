"""What fresh samples say of the population: brackets of the true error, one by one and all at once.

Of n samples drawn independently, k_broken were broken by an attack and k_open have no certificate; the number of true
robust errors among them lies between. With alpha = 1 - confidence,

* alone: Clopper-Pearson ends with alpha / 2 a side, for one radius chosen before the samples were seen;
* union: the same with alpha shared among all E rows, clean one included: all rows hold together;
* DKW: each end moved by sqrt(ln(2 M / alpha) / (2n)) for M norms: all radii of all norms hold together, also radii
  chosen afterwards, since a sample's distance to its nearest error has a distribution function, and errors at radius
  eps are its value at eps. (Dvoretzky, Kiefer, Wolfowitz, with Massart's constant, 1990.)

None of it holds for samples the model was trained on, or that were used to choose the model or the radii.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from scipy import special

from lipcert.records import GeneralizationRecord, Norm, Soundness, Split
from lipcert.rounding import down, up

_ASSUMPTION: dict[Split, str] = {
    "test": "the samples were drawn independently from the population, as --split test says",
    "unknown": "the samples were drawn independently, and not used for training, tuning or choosing eps: not said",
    "train": "fails: these are training samples",
}
_SLACK = 1e-12  # relative; the inverse is good to a few units in the last place
NAMES = ("holdout-clopper-pearson", "holdout-union", "holdout-dkw")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Errors known (`broken`) and errors possible (`uncertified`) among `samples`; `ball` None without perturbation."""

    ball: tuple[Norm, float] | None
    samples: int
    broken: int
    uncertified: int


def holdout_records(rows: Sequence[Counts], *, confidence: float, split: Split) -> tuple[GeneralizationRecord, ...]:
    """Each way's bracket of each row; the simultaneous ones where there are two rows or more."""
    alpha = 1 - confidence
    found = [_record(NAMES[0], row, exact_bracket(row, alpha), alpha, split) for row in rows]
    if len(rows) > 1:
        found += [_record(NAMES[1], row, exact_bracket(row, alpha / len(rows)), alpha, split) for row in rows]
        norms = len({row.ball[0] for row in rows if row.ball is not None}) or 1
        found += [_record(NAMES[2], row, band_bracket(row, alpha / norms), alpha, split) for row in rows]
    return tuple(found)


def exact_bracket(row: Counts, alpha: float) -> tuple[float, float]:
    """Clopper-Pearson ends, each failing with probability alpha / 2 at most."""
    n, low, high = row.samples, row.broken, row.uncertified
    lower = 0.0 if low == 0 else float(special.betaincinv(low, n - low + 1, alpha / 2)) * (1 - _SLACK)
    upper = 1.0 if high == n else float(special.betainccinv(high + 1, n - high, alpha / 2)) * (1 + _SLACK)
    return lower, min(1.0, upper)


def band_bracket(row: Counts, alpha: float) -> tuple[float, float]:
    """Ends of the Dvoretzky-Kiefer-Wolfowitz band, both failing together with probability alpha at most."""
    room = up(math.sqrt(math.log(2 / alpha) / (2 * row.samples)) * (1 + 1e-12))
    return max(0.0, down(row.broken / row.samples - room)), min(1.0, up(row.uncertified / row.samples + room))


def _record(name: str, row: Counts, ends: tuple[float, float], alpha: float, split: Split) -> GeneralizationRecord:
    lower, upper = ends
    norm, eps = row.ball or (None, None)
    source = "Massart 1990, Annals of Probability 18" if name == NAMES[2] else "Clopper and Pearson 1934"
    return GeneralizationRecord(
        bound=name,
        quantity="error on unseen inputs" if row.ball is None else "robust error on unseen inputs",
        soundness=Soundness.HEURISTIC if split == "train" else Soundness.PROBABILISTIC,
        failure_probability=0.0 if split == "train" else alpha,
        log10_value=0.0 if upper >= 1 else math.log10(upper),
        lower=lower,
        vacuous=upper >= 1,
        guarantee=split != "train",
        norm=norm,
        eps=eps,
        terms={
            "samples": float(row.samples),
            "broken": float(row.broken),
            "uncertified": float(row.uncertified),
            "upper": upper,
        },
        assumptions=(_ASSUMPTION[split],),
        source=source,
    )
