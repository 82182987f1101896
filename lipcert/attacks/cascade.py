"""Which searches an effort makes, in which order, and for which samples."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, final

from lipcert.attacks.apgd import Apgd
from lipcert.attacks.base import AbstractAttack
from lipcert.attacks.ddn import Ddn
from lipcert.attacks.fab import Fab
from lipcert.attacks.fgm import Fgm
from lipcert.attacks.fmn import Fmn
from lipcert.attacks.pgd import Pgd
from lipcert.attacks.square import Square
from lipcert.records import Effort, Norm

Aim = Literal["loss", "error", "check"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One attack and the samples it is run on.

    aim    "loss" all samples, broken and certified ones too; "error" those neither broken nor certified;
           "check" a fixed random part of the latter in the largest ball, and all of them in all if it breaks any
    reach  leaves out samples whose nearest known error lies further than so many radii away; None for no such limit.
           A sample of which no error is known at all is never left out
    seeds  whether it is worth another run with another seed
    follows  run only where an earlier stage with the same attack and seed broke a sample of this ball: it goes on
    """

    attack: AbstractAttack
    aim: Aim = "error"
    reach: float | None = None
    seeds: bool = True
    follows: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is done in one norm.

    near    searches for the nearest error, once for all radii
    stages  searches in each ball, in this order
    part    samples of a "check" stage at first
    """

    near: tuple[AbstractAttack, ...]
    stages: tuple[Stage, ...]
    part: int = 64


def plan(effort: Effort, norm: Norm, *, classes: int, blind: bool = False) -> Plan:
    """The searches of an effort. Those for a near error come first, as they serve every radius and the curve.

    With two classes the one rival makes targeted searches margin searches. Where gradients are no guide (`blind`)
    every effort ends with a search without them.
    """
    chosen = {"fast": _fast, "default": _default, "high": _high}[effort](norm, classes - 1)
    if blind and not any(stage.aim == "check" for stage in chosen.stages):
        return replace(chosen, stages=(*chosen.stages, _square(norm, 500)))
    return chosen


def _near(norm: Norm, steps: int) -> AbstractAttack:
    return Ddn(steps=steps) if norm == "l2" else Fmn(loss="ce", steps=steps)


def _near_rivals(norm: Norm, steps: int, rivals: int) -> AbstractAttack:
    kind = Ddn if norm == "l2" else Fmn
    return kind(loss="targeted", steps=steps, rivals=rivals)


def _loss(steps: int) -> tuple[Stage, ...]:
    """One step, and the climb of the cross-entropy that goes on after success: it is there for the robust loss."""
    climb = Pgd(loss="ce", steps=steps, exhaustive=True)
    return (Stage(attack=Fgm(), aim="loss", seeds=False), Stage(attack=climb, aim="loss", seeds=False))


def _square(norm: Norm, queries: int) -> Stage:
    return Stage(attack=Square(queries=queries if norm == "linf" else 2 * queries), aim="check", seeds=False)


def _reach(norm: Norm, radii: float) -> float:
    """In l1 searches for near errors overestimate distances most, so more samples are worth a search in the ball."""
    return 1 + 6 * (radii - 1) if norm == "l1" else radii


def _fast(norm: Norm, rivals: int) -> Plan:
    search = Apgd(loss="targeted", steps=20, rivals=min(rivals, 2))
    return Plan(near=(_near(norm, 30),), stages=(*_loss(8), Stage(attack=search, reach=_reach(norm, 1.15))))


def _default(norm: Norm, rivals: int) -> Plan:
    """Errors that only ball searches found lay within 1.09 radii by the search for near errors in l2 and linf."""
    return Plan(near=(_near(norm, 30),), stages=(*_loss(20), *_errors(norm, rivals, 0.0), _square(norm, 500)), part=32)


def _errors(norm: Norm, rivals: int, further: float) -> tuple[Stage, ...]:
    """The searches for errors of the default effort, `further` radii beyond where they are usually found."""
    wide, narrow = _reach(norm, 1.25 + further), _reach(norm, 1.15 + further)
    targeted = Apgd(loss="targeted", rivals=min(rivals, 4))
    return (
        Stage(attack=_near_rivals(norm, 40, min(rivals, 3)), reach=wide, seeds=False),
        Stage(attack=Apgd(loss="ce"), reach=wide),
        Stage(attack=targeted, reach=narrow),
        Stage(attack=replace(targeted, skip=1), reach=narrow, follows=True),
    )


def _high(norm: Norm, rivals: int) -> Plan:
    """The default's searches with more near errors known and a wider reach, and then others."""
    reach = _reach(norm, 1.3)
    return Plan(
        near=(_near(norm, 100), _near_rivals(norm, 60, min(rivals, 4))),
        stages=(
            *_loss(50),
            *_errors(norm, rivals, 0.15),
            Stage(attack=Fab(steps=60, rivals=min(rivals, 4)), reach=reach),
            Stage(attack=Apgd(loss="targeted-dlr", rivals=min(rivals, 3)), reach=reach),
            Stage(attack=Apgd(loss="targeted", rivals=min(rivals, 4), skip=2, restarts=2), reach=reach, follows=True),
            _square(norm, 5000),
        ),
        part=64,
    )
