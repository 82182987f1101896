"""Images stored with their pixels or channels in another order, or inverted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import final

from torch import Tensor

from lipcert.samples import Samples

SMALLEST = 5

# Shape of the image, then its channel, row and column axes, counted with the batch axis.
View = tuple[tuple[int, ...], int, int, int]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """A change to the stored values. `advice` is the option or the edit of the data that makes it."""

    description: str
    advice: str
    change: Callable[[Tensor], Tensor]


AS_STORED = Arrangement(description="", advice="", change=lambda inputs: inputs)


def arrangements(samples: Samples, layout: str | None) -> tuple[Arrangement, ...]:
    """Every arrangement worth trying on these samples, the stored one not among them."""
    view = _image_of(tuple(samples.inputs.shape[1:]), layout)
    return () if view is None else (*_inverted(samples), *_in_space(tuple(samples.inputs.shape[1:]), view))


def _inverted(samples: Samples) -> Iterator[Arrangement]:
    low, high = samples.input_range or (float(samples.inputs.min()), float(samples.inputs.max()))
    yield Arrangement(
        description="inverted images",
        advice=f"store the images inverted: {low + high:g} - x in the units after --scale",
        change=lambda inputs: (low + high) - inputs,
    )


def _in_space(shape: tuple[int, ...], view: View) -> Iterator[Arrangement]:
    """Transposed pixels, reversed channels; for flat samples also the other order of flattening."""
    image, channel, rows, columns = view

    def arranged(change: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        return lambda inputs: change(inputs.reshape(-1, *image)).reshape(inputs.shape)

    if image[rows - 1] == image[columns - 1] > 1:
        advice = "swap height and width of the stored images"
        yield Arrangement(
            description="transposed images", advice=advice, change=arranged(lambda x: x.transpose(rows, columns))
        )
    if image[channel - 1] == 3:
        advice = "reverse the channel axis of the stored images"
        yield Arrangement(description="channels as BGR", advice=advice, change=arranged(lambda x: x.flip(channel)))
        if sum(length != 1 for length in shape) == 1:
            yield from _flattened_otherwise(image)


def _flattened_otherwise(image: tuple[int, ...]) -> Iterator[Arrangement]:
    """A flat colour image whose entries run channel by channel where the model wants pixel by pixel, or the reverse."""
    channels, height, width = image
    yield Arrangement(
        description="pixels flattened channel last",
        advice="--layout nhwc, with the samples stored as images",
        change=lambda x: x.reshape(-1, *image).permute(0, 2, 3, 1).reshape(x.shape),
    )
    yield Arrangement(
        description="pixels flattened channel first",
        advice="--layout nchw, with the samples stored as images",
        change=lambda x: x.reshape(-1, height, width, channels).permute(0, 3, 1, 2).reshape(x.shape),
    )


def _image_of(shape: tuple[int, ...], layout: str | None) -> View | None:
    """The image a sample is; None for a table. A flat sample counts as a square image from 5x5 on."""
    if len(shape) == 3 and sum(length != 1 for length in shape) > 1:
        last = layout == "nhwc" or (layout is None and shape[0] not in {1, 3} and shape[2] in {1, 3})
        return (shape, 3, 1, 2) if last else (shape, 1, 2, 3)
    if len(shape) == 2 and min(shape) > 1:
        return (1, *shape), 1, 2, 3
    entries = math.prod(shape)
    for channels in (1, 3):
        side = math.isqrt(entries // channels)
        if side >= SMALLEST and channels * side * side == entries:
            return (channels, side, side), 1, 2, 3
    return None
