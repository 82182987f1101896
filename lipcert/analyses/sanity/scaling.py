"""Scales, means and standard deviations that models are often trained with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from torch import Tensor

from lipcert.samples import Samples, per_channel

Values = tuple[float, ...]

_GREY: tuple[tuple[str, Values, Values], ...] = (
    ("MNIST's mean and standard deviation", (0.1307,), (0.3081,)),
    ("Fashion-MNIST's mean and standard deviation", (0.286,), (0.353,)),
)
_COLOUR: tuple[tuple[str, Values, Values], ...] = (
    ("CIFAR-10's mean and standard deviation", (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)),
    ("ImageNet's mean and standard deviation", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ("ImageNet's mean and values 0 to 255", (0.485, 0.456, 0.406), (1 / 255,)),
)
_ANY: tuple[tuple[str, Values, Values], ...] = (
    ("values as they are, no mean or standard deviation", (0.0,), (1.0,)),
    ("values 0 to 255", (0.0,), (1 / 255,)),
    ("values from -1 to 1", (0.5,), (0.5,)),
)
MOST_FEATURES = 64
UNIT = 1.5


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """value = raw / scale, model input = (value - mean) / std."""

    description: str
    scale: float
    mean: Values
    std: Values
    layout: str | None = None

    def apply(self, inputs: Tensor, scale: float) -> Tensor:
        """What the model reads for `inputs` = raw / `scale`."""
        shape = tuple(inputs.shape[1:])
        mean, std = (per_channel(values, shape, self.layout) for values in (self.mean, self.std))
        values = inputs if scale == self.scale else inputs * (scale / self.scale)
        return (values - mean) / std

    def options(self, current: Scaling) -> str:
        """The options that turn `current` into this."""
        pairs = (
            ("--scale", (self.scale,), (current.scale,)),
            ("--mean", self.mean, current.mean),
            ("--std", self.std, current.std),
        )
        words = [f"{option} {_text(new)}" for option, new, old in pairs if new != old]
        if self.layout is not None and self.layout != current.layout:
            words.append(f"--layout {self.layout}")
        return " ".join(words)

    def key(self) -> tuple[Values, Values]:
        """Slope and offset on the raw values: scalings with one key are one function."""
        slopes = tuple(round(1 / (self.scale * std), 9) for std in self.std)
        offsets = tuple(round(mean / self.std[i % len(self.std)], 9) for i, mean in enumerate(self.mean))
        return slopes, offsets


def scalings(samples: Samples, current: Scaling) -> tuple[Scaling, ...]:
    """Every scaling worth trying, no two the same function, `current` not among them."""
    seen = {current.key()}
    found: list[Scaling] = []
    for scaling in (*_common(samples, current), *_of_columns(samples, current)):
        if scaling.key() not in seen and _fits(scaling, samples):
            seen.add(scaling.key())
            found.append(scaling)
    return tuple(found)


def _common(samples: Samples, current: Scaling) -> Iterator[Scaling]:
    channels, layout = _channels(tuple(samples.inputs.shape[1:]), current.layout)
    known = _ANY + {1: _GREY, 3: _COLOUR}.get(channels, ())
    largest = float(samples.inputs.max()) * current.scale
    for scale in _scales(samples, current.scale):
        # Means and deviations are those of values from 0 to 1.
        for description, mean, std in known if largest / scale <= UNIT else _ANY[:1]:
            said = description if scale == current.scale else f"{description}, after division by {scale:g}"
            needed = layout if max(len(mean), len(std)) > 1 else current.layout
            yield Scaling(description=said, scale=scale, mean=mean, std=std, layout=needed)


def _scales(samples: Samples, scale: float) -> tuple[float, ...]:
    """The present scale, 1, and for values above 1 also 255 and, where they are whole numbers, the largest."""
    raw = samples.inputs * scale
    largest = float(raw.max())
    others: list[float] = []
    if largest > UNIT:
        if bool(((raw - raw.round()).abs() < 1e-3).all()):
            others.append(float(round(largest)))
        others.extend([255.0] if largest <= 255.5 else [])
        others.append(1.0)
    return tuple(dict.fromkeys([scale, *others]))


def _of_columns(samples: Samples, current: Scaling) -> Iterator[Scaling]:
    """Tabular data: each column by its own mean and deviation, or from 0 to 1."""
    if samples.inputs.ndim != 2 or not 1 < samples.inputs.shape[1] <= MOST_FEATURES or len(samples) < 8:
        return
    low, high = samples.inputs.amin(0), samples.inputs.amax(0)
    ways = (
        ("each column's own mean and standard deviation", samples.inputs.mean(0), samples.inputs.std(0)),
        ("each column from 0 to 1", low, high - low),
    )
    for description, mean, std in ways:
        if bool((std > 0).all()):
            centre, spread = (tuple(float(f"{v:.4g}") for v in t.tolist()) for t in (mean, std))
            yield Scaling(description=description, scale=current.scale, mean=centre, std=spread, layout=current.layout)


def _channels(shape: tuple[int, ...], layout: str | None) -> tuple[int, str | None]:
    """Channels of the images, and the layout their constants need; a flat sample of 3 s^2 entries counts as colour."""
    if len(shape) == 3:
        ends = {"nchw": (0,), "nhwc": (2,)}.get(layout or "", (0, 2))
        return next((shape[axis] for axis in ends if shape[axis] in {1, 3}), 0), layout
    entries = max(shape, default=0)
    if entries % 3 == 0 and round((entries / 3) ** 0.5) ** 2 == entries / 3 and entries > 3:
        return 3, layout or "nchw"
    return 1, layout


def _fits(scaling: Scaling, samples: Samples) -> bool:
    try:
        scaling.apply(samples.inputs[:1], scaling.scale)
    except ValueError:
        return False
    return True


def _text(values: Sequence[float]) -> str:
    return ",".join("1/255" if value == 1 / 255 else f"{value:g}" for value in values)
