"""Two models on the same samples, from the tables with one row a sample."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from lipcert.errors import DataError
from lipcert.records import PairedRecord
from lipcert.records.compare import PairedChangeRecord
from lipcert.records.metrics import metric_id

Row = Mapping[str, Any]


def mcnemar(only_first: int, only_second: int) -> float:
    """Probability, were neither model better, of a split of the samples they differ on at least this uneven.

    Source: McNemar, Psychometrika 12 (1947), in its exact binomial form.
    """
    tosses, fewer = only_first + only_second, min(only_first, only_second)
    if 2 * fewer >= tosses:
        return 1.0
    outcomes: int = sum(math.comb(tosses, count) for count in range(fewer + 1))
    return min(1.0, float(Fraction(2 * outcomes, 2**tosses)))


def read_rows(path: Path) -> list[Row]:
    """The rows of a table that --per-sample wrote as .jsonl. Raises DataError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is no readable table of samples", hint="analyze --per-sample writes one") from error
    try:
        rows = [json.loads(line) for line in lines if line.strip()]
    except ValueError as error:
        raise DataError(f"{path} is no table of samples: {error}", hint="rows of JSON are read here") from error
    if not rows or not all(isinstance(row, dict) and {"index", "label", "prediction"} <= row.keys() for row in rows):
        raise DataError(
            f"{path} is no table of samples: rows with index, label and prediction are needed",
            hint="--per-sample FILE.jsonl of analyze writes them",
        )
    return rows


def compare_rows(before: Sequence[Row], after: Sequence[Row]) -> tuple[PairedChangeRecord, ...]:
    """The exact McNemar test of every share that both tables hold. Raises DataError where the samples differ."""
    first, second = _by_index(before), _by_index(after)
    shared = [index for index in first if index in second]
    wrong = next((index for index in shared if first[index].get("label") != second[index].get("label")), None)
    if wrong is not None or not shared:
        what = "no sample in common" if wrong is None else f"different labels for sample {wrong}"
        raise DataError(f"the two tables of samples have {what}", hint="both models must be given the same data")
    pairs = [(first[index], second[index]) for index in shared]
    return tuple(_paired(name, pairs, passes) for name, passes in _questions(pairs))


def _by_index(rows: Sequence[Row]) -> dict[int, Row]:
    return {int(row["index"]): row for row in rows}


def _questions(pairs: Sequence[tuple[Row, Row]]) -> list[tuple[str, Callable[[Row], bool]]]:
    """What can be asked of each sample of both tables: is it right, proved, unbroken?"""
    found: list[tuple[str, Callable[[Row], bool]]] = []
    if all(row.get("label") is not None for pair in pairs for row in pair):
        found.append(("margins.clean_accuracy", lambda row: bool(row["prediction"] == row["label"])))
    balls = [key for key in _balls(pairs[0][0]) if all(key in _balls(row) for pair in pairs for row in pair)]
    for norm, eps in balls:
        chosen = {"norm": norm, "eps": eps}
        for name, wanted in _VERDICTS.items():
            found.append((metric_id(name, chosen), _asked((norm, eps), wanted)))
    return found


def _balls(row: Row) -> dict[tuple[str, float], str]:
    verdicts = row.get("verdicts") or ()
    return {(str(v["norm"]), float(v["eps"])): str(v["verdict"]) for v in verdicts}


def _asked(ball: tuple[str, float], wanted: frozenset[str]) -> Callable[[Row], bool]:
    return lambda row: _balls(row)[ball] in wanted


_VERDICTS = {
    "certificates.certified_accuracy": frozenset({"certified"}),
    "robustness.robust_accuracy": frozenset({"certified", "unknown"}),
}


def _paired(name: str, pairs: Sequence[tuple[Row, Row]], passes: Callable[[Row], bool]) -> PairedChangeRecord:
    outcomes = [(passes(one), passes(other)) for one, other in pairs]
    only_first, only_second = outcomes.count((True, False)), outcomes.count((False, True))
    return PairedChangeRecord(
        metric=name,
        counts=PairedRecord(
            samples=len(outcomes),
            both=outcomes.count((True, True)),
            only_first=only_first,
            only_second=only_second,
            neither=outcomes.count((False, False)),
            p_value=mcnemar(only_first, only_second),
        ),
    )
