"""From a check as it stands in the file to one that can be judged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from lipcert.errors import ConfigurationError
from lipcert.policy.config import CheckSpec, RawCheck, Tolerance
from lipcert.policy.schema import CHECK_KEYS, LEVELS, SELECTORS
from lipcert.records import Soundness
from lipcert.records.metrics import MetricId, as_number, better_of, number_text, resolve


def check_spec(name: str, raw: RawCheck) -> CheckSpec | None:
    """The check called `name`; None where its level is "off". Raises ConfigurationError with the place."""
    where = place(f'checks."{name}"', raw.source, raw.line)
    table = {key.replace("-", "_"): value for key, value in raw.table.items()}
    refuse_unknown(table, (*CHECK_KEYS, *SELECTORS), where)
    level = word(table.get("level", "error"), LEVELS, f"level of {where}")
    metric = _metric(name, table, where)
    if level == "off":
        return None
    minimum, maximum = _number(table, "min", where), _number(table, "max", where)
    regression = _tolerance(table.get("regression"), where)
    if minimum is None and maximum is None and regression is None:
        raise ConfigurationError(
            f"{where} asks for nothing", hint='give it min, max or regression, or level = "off" to leave it out'
        )
    if minimum is not None and maximum is not None and minimum > maximum:
        raise ConfigurationError(f"{where} has min {minimum:g} above max {maximum:g}")
    better = _better(table, metric, minimum, maximum)
    if regression is not None and better is None:
        raise ConfigurationError(
            f"{where} asks for a regression, and {metric} is better neither way by itself",
            hint='say better = "higher" or better = "lower"',
        )
    return CheckSpec(
        id=name,
        metric=metric,
        level=level,  # type: ignore[arg-type]
        minimum=minimum,
        maximum=maximum,
        regression=regression,
        better=better,  # type: ignore[arg-type]
        accept=Soundness(word(table.get("accept", "probabilistic"), [*Soundness], f"accept of {where}")),
        source=raw.source,
        line=raw.line,
    )


def place(what: str, source: str, line: int | None) -> str:
    """What and where, for messages."""
    return f"[{what}] in {source}" if line is None else f"[{what}] in {source}:{line}"


def refuse_unknown(given: Mapping[str, object], known: Sequence[str], where: str) -> None:
    """Raise ConfigurationError on the first key that is not known, with the one that was probably meant."""
    for key in given:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            shown = [name.replace("_", "-") for name in (near or known)]
            raise ConfigurationError(
                f"unknown key {key.replace('_', '-')!r} in {where}",
                hint=f"did you mean {shown[0]!r}?" if near else f"known: {', '.join(shown)}",
            )


def word(value: object, known: Sequence[str], where: str) -> str:
    """One of the known words."""
    if isinstance(value, str) and value.lower() in known:
        return value.lower()
    near = get_close_matches(str(value).lower(), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    raise ConfigurationError(f"{where} is {value!r}, which is not known", hint=hint)


def _metric(name: str, table: Mapping[str, Any], where: str) -> MetricId:
    asked = table.get("metric", name)
    if not isinstance(asked, str):
        raise ConfigurationError(f"metric of {where} is {asked!r}, a metric's id is needed")
    try:
        metric = resolve(asked)
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        raise ConfigurationError(f"{where}: {message}", hint=hint) from None
    chosen = {key: _selector(key, table[key], where) for key in SELECTORS if key in table}
    return metric.with_selectors(chosen)


def _selector(key: str, value: object, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ConfigurationError(f"{key} of {where} is {value!r}, a word or a number is needed")
    if key == "eps":
        radius = as_number(str(value))
        if radius is None or not 0 <= radius < math.inf:
            raise ConfigurationError(f"eps of {where} is {value!r}", hint='a radius is 0.1 or "2/255"')
        return number_text(radius)
    return number_text(value) if isinstance(value, float) else str(value)


def _number(table: Mapping[str, Any], key: str, where: str) -> float | None:
    value = table.get(key)
    if value is None:
        return None
    number = None
    if not isinstance(value, bool) and isinstance(value, str | int | float):
        text = str(value).strip()
        number = as_number(text.removesuffix("%").strip())
        number = number / 100 if number is not None and text.endswith("%") else number
    if number is None or not math.isfinite(number):
        raise ConfigurationError(
            f"{key} of {where} is {value!r}, a finite number is needed", hint='0.9, "2/255", "90%"'
        )
    return number


def _tolerance(value: object, where: str) -> Tolerance | None:
    if value is None:
        return None
    amount = _number({"regression": value}, "regression", where) or 0.0
    if amount < 0:
        raise ConfigurationError(f"regression of {where} is {value!r}, it must not be negative")
    return Tolerance(amount=amount, relative=str(value).strip().endswith("%"), text=str(value).strip())


def _better(table: Mapping[str, Any], metric: MetricId, minimum: float | None, maximum: float | None) -> str | None:
    """The word given, else the side of the threshold, else what the metric is."""
    if "better" in table:
        return word(table["better"], ("higher", "lower"), f"better of {metric}")
    if (minimum is None) != (maximum is None):
        return "higher" if minimum is not None else "lower"
    return better_of(metric.path)
