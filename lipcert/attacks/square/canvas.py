"""Samples seen as images, and windows in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

_COLOURS = (1, 3, 4)


@final
@dataclass(frozen=True, slots=True)
class Canvas:
    """A sample's shape read as channels x rows x columns: a vector is one row, a matrix one channel.

    The last axis holds the channels where it alone has as many entries as colours have; else the first axis does.
    """

    shape: tuple[int, ...]

    def lay(self, samples: Tensor) -> Tensor:
        """The samples as (N, channels, rows, columns)."""
        if len(self.shape) != 3:
            rows = 1 if len(self.shape) < 2 else self.shape[0]
            return samples.reshape(len(samples), 1, rows, -1)
        return samples.movedim(-1, 1) if self._channels_last else samples

    def lift(self, pictures: Tensor) -> Tensor:
        """Back to the samples' own shape."""
        if len(self.shape) == 3 and self._channels_last:
            pictures = pictures.movedim(1, -1)
        return pictures.reshape(len(pictures), *self.shape)

    @property
    def _channels_last(self) -> bool:
        return self.shape[2] in _COLOURS and self.shape[0] not in _COLOURS


def window_sides(rows: int, columns: int, share: float) -> tuple[int, int]:
    """Sides of a window with that share of the area, as near to a square as the picture's shape lets it be."""
    area = share * rows * columns
    height = min(max(1, round(area**0.5)), rows)
    return height, min(max(1, round(area / height)), columns)


def place(corner: Tensor, side: int, length: int) -> Tensor:
    """First entry of a window of `side` on an axis, from uniform numbers in [0, 1), shape (N,), int64."""
    room = length - side + 1
    return (corner * room).floor().to(torch.int64).clamp_max(room - 1)
