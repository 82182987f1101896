"""Numbers as text that remember what they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from string import Formatter
from typing import Any, Literal, Self, final

from lipcert.records import Enclosure
from lipcert.records.metrics import metric_id
from lipcert.records.metrics.walk import selectors_of
from lipcert.render import notation

End = Literal["", "lower", "upper"]


@final
class Figure(str):
    """A number as it is shown, with its metric's id and its exact value; for every other purpose a string.

    end  which end of an enclosure it is; empty where the metric is one number
    """

    __slots__ = ("end", "metric", "value")
    metric: str
    value: float
    end: End

    def __new__(cls, text: str, metric: str, value: float, end: End = "") -> Self:
        """Hold `value` of `metric`, shown as `text`."""
        figure = super().__new__(cls, text)
        figure.metric, figure.value, figure.end = metric, value, end
        return figure


@final
class Sentence(str):
    """Words with figures among them, which remember what they are; for every other purpose a string."""

    __slots__ = ("parts",)
    parts: tuple[str, ...]

    def __new__(cls, *parts: str) -> Self:
        """Hold `parts`, one after the other; those of a sentence among them stand for it."""
        whole = super().__new__(cls, "".join(parts))
        whole.parts = tuple(
            inner for part in parts for inner in (part.parts if isinstance(part, Sentence) else (part,)) if inner
        )
        return whole


def sentence(template: str, **named: str) -> Sentence:
    """`template` with each {name} replaced by what is named so: words, figures, or sentences."""
    pieces: list[str] = []
    for words, name, _, _ in Formatter().parse(template):
        pieces += [words, *([] if name is None else [named[name]])]
    return Sentence(*pieces)


def selectors(record: Any) -> tuple[tuple[str, object], ...]:
    """What tells a record from others of its kind, as ids of metrics name it."""
    return selectors_of(record)


Selectors = Mapping[str, object] | Iterable[tuple[str, object]]


def figure(text: str, value: float, path: str, selectors: Selectors = ()) -> Figure:
    """`value` shown as `text`; path and selectors make the metric's id."""
    return Figure(text, metric_id(path, selectors), value)


def ends(enclosure: Enclosure, path: str, selectors: Selectors = ()) -> tuple[str, ...]:
    """An enclosure in parts, as `notation.interval` writes it."""
    name = metric_id(path, selectors)
    low, high = notation.ends(enclosure)
    if enclosure.upper is None:
        return ">= ", Figure(low, name, enclosure.lower, "lower"), ", unbounded"
    if notation.is_single(enclosure):
        return (Figure(notation.interval(enclosure), name, enclosure.upper, "upper"),)
    return Figure(low, name, enclosure.lower, "lower"), " – ", Figure(high, name, enclosure.upper, "upper")


def upper_end(enclosure: Enclosure, path: str, selectors: Selectors = (), digits: int = 4) -> str:
    """The upper end of an enclosure, as `notation.upper_end` writes it."""
    shown = notation.upper_end(enclosure, digits)
    return shown if enclosure.upper is None else Figure(shown, metric_id(path, selectors), enclosure.upper, "upper")


def inequality(enclosure: Enclosure, symbol: str, path: str, selectors: Selectors = ()) -> Sentence:
    """An enclosure as a statement: "11.9 <= L <= 19.4"."""
    name = metric_id(path, selectors)
    low, high = notation.ends(enclosure)
    least = Figure(low, name, enclosure.lower, "lower")
    if enclosure.upper is None:
        return sentence("{least} <= {symbol}, no upper end", least=least, symbol=symbol)
    if notation.is_single(enclosure):
        value = Figure(notation.interval(enclosure), name, enclosure.upper, "upper")
        return sentence("{symbol} = {value}", symbol=symbol, value=value)
    most = Figure(high, name, enclosure.upper, "upper")
    return sentence("{least} <= {symbol} <= {most}", least=least, symbol=symbol, most=most)
