"""The radii attacked and certified when none is asked for."""

from __future__ import annotations

from lipcert.records import AnalyzeSettings, Norm
from lipcert.samples import Samples

NORMS: tuple[Norm, ...] = ("linf", "l2")
"""The norms where none is asked for."""

UNIT_RADII: dict[Norm, tuple[float, ...]] = {"linf": (2 / 255, 8 / 255), "l2": (0.25, 0.5), "l1": (4.0, 12.0)}
"""For inputs in [0, 1]: the radii of the image literature."""

SHARES = (0.01, 0.05)
"""Otherwise: these shares of the input range, for every norm."""


def radii(settings: AnalyzeSettings, samples: Samples) -> dict[Norm, tuple[float, ...]]:
    """Norm -> radii in data units, as asked; an empty list, or no norm at all, asks for the defaults.

    Where the input range is not known, the defaults are taken from the samples' own.
    """
    asked = settings.eps or dict.fromkeys(NORMS, ())
    default = default_radii(samples)
    return {norm: asked[norm] or default[norm] for norm in UNIT_RADII if norm in asked}


def default_radii(samples: Samples) -> dict[Norm, tuple[float, ...]]:
    """Norm -> the radii taken where none is asked for."""
    if samples.input_range == (0.0, 1.0):
        return UNIT_RADII
    low, high = samples.input_range or (float(samples.inputs.min()), float(samples.inputs.max()))
    width = (high - low) or 1.0
    return {norm: tuple(share * width for share in SHARES) for norm in UNIT_RADII}
