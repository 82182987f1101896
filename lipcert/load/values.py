"""From raw values to data units: float32, divided by the scale, finite, inside the declared range."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lipcert.errors import DataError
from lipcert.load.formats.base import Array

Range = tuple[float, float]


def scale_of(raw: Array, scale: float | None) -> float:
    """What the raw values are divided by: as told, else 255 for bytes, else 1."""
    if scale is not None:
        return float(scale)
    return 255.0 if raw.dtype == np.uint8 else 1.0


def range_of(raw: Array, scale: float, input_range: Range | None) -> Range | None:
    """The range of valid values: as told, else that of a byte, else unknown."""
    if input_range is not None:
        return input_range
    return (0.0, 255.0 / scale) if raw.dtype == np.uint8 else None


def values_note(raw: Array, scale: float, *, told: bool) -> str:
    """How the values were read, in words."""
    if raw.dtype.kind in "iub" and raw.dtype != np.uint8 and not told:
        return f"values: {raw.dtype} taken as they are, not as pixels; --scale 255 reads them as pixels in [0, 1]"
    return f"values: {raw.dtype}, taken as they are" if scale == 1 else f"values: {raw.dtype} / {scale:g}"


def to_data_units(raw: Array, *, scale: float, input_range: Range | None, path: str) -> npt.NDArray[np.float32]:
    """Raw values / scale as float32.

    Raises DataError on no samples, other dtypes, NaN or infinity, and values outside the range.
    Bytes and whole numbers are divided in float32, as `images.float() / 255` does; wider floats before rounding.
    """
    if raw.ndim < 2 or not len(raw):
        raise DataError(
            f"expected samples of shape (N, ...) with N of 1 or more in {path}, got shape {raw.shape}",
            hint="the first axis counts the samples",
        )
    if raw.dtype.kind not in "biuf":
        raise DataError(
            f"expected numbers as inputs in {path}, got dtype {raw.dtype}",
            hint="store them as uint8, an integer or a floating dtype",
        )
    with np.errstate(over="ignore", invalid="ignore"):
        if raw.dtype.kind == "f":
            values = (raw if scale == 1 else raw / raw.dtype.type(scale)).astype(np.float32)
        else:
            values = raw.astype(np.float32) / np.float32(scale)
    _check_finite(values, path)
    if input_range is not None:
        _check_inside(values, input_range, path)
    return np.ascontiguousarray(values)


def _check_finite(values: npt.NDArray[np.float32], path: str) -> None:
    bad = ~np.isfinite(values)
    count = int(np.count_nonzero(bad))
    if count:
        index = np.unravel_index(int(np.argmax(bad)), values.shape)
        raise DataError(
            f"expected finite values in {path}; {count:,} of {values.size:,} are not, the first is "
            f"{float(values[index])} at {_place(index)}",
            hint="remove or impute these samples; lipcert does neither",
        )


def _check_inside(values: npt.NDArray[np.float32], input_range: Range, path: str) -> None:
    low, high = np.float32(input_range[0]), np.float32(input_range[1])
    bad = (values < low) | (values > high)
    count = int(np.count_nonzero(bad))
    if count:
        index = np.unravel_index(int(np.argmax(bad)), values.shape)
        raise DataError(
            f"expected values in the input range [{low:g}, {high:g}] in {path}; {count:,} of {values.size:,} are "
            f"outside, the first is {float(values[index]):g} at {_place(index)}",
            hint="--scale divides the stored values first, and --input-range is in the units after that",
        )


def _place(index: tuple[np.intp, ...]) -> str:
    sample, *position = (int(entry) for entry in index)
    return f"sample {sample}, position {tuple(position)}" if position else f"sample {sample}"
