"""Preprocessing settings as given: by options, by a sidecar, by a configuration; and which of them counts."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, final

from lipcert.errors import ConfigurationError
from lipcert.load.fit import Layout
from lipcert.load.numbers import parse_number, parse_numbers
from lipcert.load.preprocess import Preprocess
from lipcert.load.values import Range

KEYS = ("scale", "mean", "std", "layout", "input_range")
_LEAST, _MOST = 2.0**-126, 2.0**127  # of the normal float32 numbers, in which the model reads its input


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PreprocessSettings:
    """The settings one source gives; those it does not name are absent from `values`.

    source  "options", "environment", or the file's name
    """

    source: str
    values: Mapping[str, float | tuple[float, ...] | Layout | Range] = field(default_factory=dict)


def parse_settings(table: Mapping[str, object], source: str) -> PreprocessSettings:
    """Settings from options or a TOML table; None stands for an option that was not given.

    Raises ConfigurationError on a key or a value that cannot be used, naming `source`.
    """
    given = {key.replace("-", "_"): value for key, value in table.items() if value is not None}
    refuse_unknown(given, KEYS, f"[preprocess] in {source}")
    return PreprocessSettings(source=source, values={key: _parse(key, value, source) for key, value in given.items()})


def resolve_preprocess(layers: Sequence[PreprocessSettings]) -> Preprocess:
    """The preprocessing in use; for each setting the first source that names it counts."""
    chosen: dict[str, object] = {}
    origin: dict[str, list[str]] = {}
    for layer in layers:
        for key, value in layer.values.items():
            if key not in chosen:
                chosen[key] = value
                origin.setdefault(layer.source, []).append(key)
    said = "; ".join(f"{', '.join(keys)} from {source}" for source, keys in origin.items())
    return Preprocess(**chosen, source=said or "default")  # type: ignore[arg-type]


def refuse_unknown(given: Mapping[str, object], known: Sequence[str], where: str) -> None:
    """Raise ConfigurationError on the first key that is not known, with the one that was probably meant."""
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise ConfigurationError(
                f"unknown key {key!r} in {where}",
                hint=f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}",
            )


def _parse(key: str, value: object, source: str) -> float | tuple[float, ...] | Layout | Range:
    if key == "layout":
        return _parse_layout(value, source)
    if key == "scale":
        return _positive((parse_number(value, key, source),), key, source)[0]
    numbers = parse_numbers(value, key, source)
    if key == "std":
        return _positive(numbers, key, source)
    if key == "input_range":
        return _parse_range(numbers, source)
    if any(abs(number) > _MOST for number in numbers):
        raise ConfigurationError(
            f"expected float32 numbers for {key} in {source}, got {max(numbers, key=abs):g}",
            hint="mean is in data units: 0.5 for images in [0, 1]",
        )
    return numbers


def _parse_layout(value: object, source: str) -> Layout:
    lowered: Literal["nchw", "nhwc"] | None = {"nchw": "nchw", "nhwc": "nhwc"}.get(str(value).lower())  # type: ignore[assignment]
    if lowered is None:
        raise ConfigurationError(
            f"expected layout nchw or nhwc in {source}, got {value!r}",
            hint="it names where the model has its channels: before height and width, or after",
        )
    return lowered


def _positive(numbers: tuple[float, ...], key: str, source: str) -> tuple[float, ...]:
    bad = next((number for number in numbers if not _LEAST <= number <= _MOST), None)
    if bad is not None:
        fault = "a positive" if bad <= 0 else "float32 numbers for"
        raise ConfigurationError(
            f"expected {fault} {key} in {source}, got {bad:g}",
            hint="the model sees (raw / scale - mean) / std, in float32",
        )
    return numbers


def _parse_range(numbers: tuple[float, ...], source: str) -> Range:
    if len(numbers) != 2 or not numbers[0] < numbers[1]:
        shown = ", ".join(f"{number:g}" for number in numbers)
        raise ConfigurationError(
            f"expected an input range LO,HI with LO < HI in {source}, got {shown}", hint="for instance 0,1"
        )
    return numbers[0], numbers[1]
