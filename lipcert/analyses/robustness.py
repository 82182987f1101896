"""Loss and accuracy under attack, ball by ball."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from lipcert.analyses.base import eps_space
from lipcert.attacks import AbstractAttack, Ball, Fgm, Outcome, Pgd, Target, run_attack, score_clean, worst_of
from lipcert.progress import Progress, silent
from lipcert.records import AttackRecord, Effort, Norm, RobustnessRecord


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Attacked:
    """One ball: its record, and the worst found for each sample."""

    ball: Ball
    record: RobustnessRecord
    outcome: Outcome


@final
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Robustness:
    """The clean samples by the scorer, and each ball in the order of the radii asked for, norm by norm."""

    clean: Outcome
    attacked: tuple[Attacked, ...]


def analyze_robustness(
    target: Target,
    eps: Mapping[Norm, Sequence[float]],
    *,
    input_range: tuple[float, float] | None = None,
    effort: Effort = "default",
    seed: int = 0,
    batch_size: int = 256,
    progress: Progress = silent,
) -> Robustness:
    """Run the attacks of `effort` in every ball.

    What is found in a ball counts in every larger one of its norm, so loss and accuracy are monotone in eps.
    """
    clean = score_clean(target, batch_size=batch_size)
    attacks = choose_attacks(effort, classes=_classes(target))
    balls = [Ball(norm=n, eps=level, input_range=input_range) for n, levels in eps.items() for level in sorted(levels)]
    watch = _Watch(progress, len(target.clean), len(balls) * len(attacks))
    results: list[Attacked] = []
    for ball in balls:
        inner = results[-1].outcome if results and results[-1].ball.norm == ball.norm else clean
        results.append(_attack(target, ball, attacks, clean, inner, seed=seed, batch_size=batch_size, watch=watch))
    return Robustness(clean=clean, attacked=tuple(results))


def choose_attacks(effort: Effort, *, classes: int) -> tuple[AbstractAttack, ...]:
    """The attacks of an effort. Climbing the cross-entropy goes on after success: it is there for the robust loss.

    With two classes the one rival makes the targeted search the margin search.
    """
    steps, starts, rivals = {"fast": (10, 1, 1), "default": (20, 1, 3), "high": (50, 3, 9)}[effort]
    if classes > 2 and rivals > 1:
        search = Pgd(loss="targeted", steps=steps, restarts=min(rivals, 2 * (classes - 1)))
    else:
        search = Pgd(loss="margin", steps=steps, restarts=min(rivals, 2 * starts))
    return (Fgm(), Pgd(loss="ce", steps=steps, restarts=starts, exhaustive=True), search)


def _attack(
    target: Target,
    ball: Ball,
    attacks: Sequence[AbstractAttack],
    clean: Outcome,
    inner: Outcome,
    *,
    seed: int,
    batch_size: int,
    watch: _Watch,
) -> Attacked:
    worst, records = inner, []
    for attack in attacks:
        outcome = run_attack(target, attack, ball, clean, seed=seed, batch_size=batch_size, finished=watch.at)
        watch.next()
        worst = worst_of([worst, outcome])
        records.append(
            AttackRecord(
                attack=attack.name,
                robust_loss=outcome.mean_loss,
                robust_accuracy=outcome.accuracy,
                settings=attack.settings,
            )
        )
    record = RobustnessRecord(
        norm=ball.norm,
        eps=ball.eps,
        eps_space=eps_space(ball.input_range),
        clipped=ball.input_range is not None,
        samples=len(target.clean),
        clean_loss=clean.mean_loss,
        clean_accuracy=clean.accuracy,
        attacks=tuple(records),
        robust_loss=worst.mean_loss,
        robust_accuracy=worst.accuracy,
    )
    return Attacked(ball=ball, record=record, outcome=worst)


def _classes(target: Target) -> int:
    return int(target.scorer(target.clean[:1]).shape[1])


@final
class _Watch:
    """Progress over runs of equal length."""

    def __init__(self, progress: Progress, samples: int, runs: int) -> None:
        self._progress, self._samples, self._total, self._done = progress, samples, samples * runs, 0
        progress("robustness", 0, self._total)

    def at(self, samples: int) -> None:
        self._progress("robustness", self._done + samples, self._total)

    def next(self) -> None:
        self._done += self._samples
