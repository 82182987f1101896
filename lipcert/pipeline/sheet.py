"""A sheet of pictures: clean, adversarial, and their difference, amplified."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from lipcert.analyses.robustness import Attacked, Robustness
from lipcert.pipeline.adversarials_format import SCHEMA, VERSION
from lipcert.pipeline.png import encode_png
from lipcert.samples import Samples

_ROWS = 12
_LEAST_SIDE = 64
_GAP = 4
_COLOURS = (1, 3)


def is_picture(shape: tuple[int, ...]) -> bool:
    """Whether samples of this shape can be shown: grey or colour, either axis order, no thread of pixels."""
    return len(shape) == 2 or (len(shape) == 3 and (shape[0] in _COLOURS or shape[2] in _COLOURS))


def draw_sheet(robustness: Robustness, samples: Samples) -> bytes | None:
    """A PNG with a row for each of the first samples broken in the largest balls, norm by norm; None where none is.

    Three pictures a row: the clean sample, the error found, and grey plus their difference stretched to full contrast.
    """
    widest = {one.ball.norm: one for one in sorted(robustness.attacked, key=lambda one: one.ball.eps)}
    share = max(1, _ROWS // max(len(widest), 1))
    rows = [row for one in widest.values() for row in _rows(one, robustness, samples, share)]
    if not rows:
        return None
    sheet = torch.cat([functional.pad(row, (0, 0, 0, 0, 0, _GAP), value=1.0) for row in rows])
    pixels = (sheet.clamp(0, 1) * 255).round().to(torch.uint8)
    grey = bool((pixels == pixels[:, :, :1]).all())
    return encode_png(pixels[:, :, 0] if grey else pixels, comment=f"{SCHEMA} {VERSION}")


def _rows(one: Attacked, robustness: Robustness, samples: Samples, most: int) -> list[Tensor]:
    clean, worst = robustness.clean, one.outcome
    broken = (worst.broken & ~clean.broken).nonzero()[:most, 0]
    low, high = samples.input_range or (float(clean.inputs.min()), float(clean.inputs.max()))
    width = max(high - low, 1e-12)
    drawn = []
    for row in broken.tolist():
        before, after = (_colours((image - low) / width) for image in (clean.inputs[row], worst.inputs[row]))
        step = after - before
        contrast = 0.5 + 0.5 * step / step.abs().amax().clamp_min(1e-12)
        drawn.append(torch.cat([_enlarged(picture) for picture in (before, after, contrast)], dim=1))
    return drawn


def _colours(image: Tensor) -> Tensor:
    """An image as (H, W, 3), float32."""
    image = image.detach().to("cpu", torch.float32)
    if image.ndim == 2:
        image = image[None]
    if image.shape[0] in _COLOURS:
        image = image.movedim(0, -1)
    return image.expand(*image.shape[:2], 3)


def _enlarged(picture: Tensor) -> Tensor:
    """The picture with every pixel repeated until its shorter side is large enough to see, and a gap on its right."""
    times = max(1, -(-_LEAST_SIDE // min(picture.shape[:2])))
    large = picture.repeat_interleave(times, dim=0).repeat_interleave(times, dim=1)
    return functional.pad(large, (0, 0, 0, _GAP), value=1.0)
