"""Numbers as text: lower ends rounded down, upper ends rounded up, measurements and exact values to nearest.

Rounding starts from the exact value of the binary float, so that what is printed is never more than what is known.
Shares of samples are rounded from k/n itself, which has no exact float.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from lipcert.records import Enclosure, Soundness

SPARKS = "▁▂▃▄▅▆▇█"
EIGHTHS = " ▏▎▍▌▋▊▉█"
UNDECIDED, BROKEN = "▒", "·"
_SINGLE_DIGITS = 5


def lower(value: float, digits: int = 3) -> str:
    """`value` to `digits` significant digits, rounded down."""
    return _significant(value, digits, ROUND_FLOOR)


def upper(value: float, digits: int = 3) -> str:
    """`value` to `digits` significant digits, rounded up."""
    return _significant(value, digits, ROUND_CEILING)


def nearest(value: float, digits: int = 3) -> str:
    """`value` to `digits` significant digits, rounded to nearest."""
    return _significant(value, digits, ROUND_HALF_EVEN)


def short(value: float, digits: int = 6) -> str:
    """`value` to `digits` significant digits, rounded to nearest, without trailing zeros: for what a user typed."""
    text = nearest(value, digits)
    mantissa, exponent, power = text.partition("e")
    return (mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa) + exponent + power


def both_ends(low: float | None, high: float | None) -> str:
    """What is known of a number, its lower end rounded down and its upper end up; "-" where it is nothing."""
    if low is not None and low == high:
        return short(low, 4)
    if low is not None and high is not None:
        return f"{lower(low, 4)} - {upper(high, 4)}"
    if low is not None:
        return f">= {lower(low, 4)}"
    return "-" if high is None else f"<= {upper(high, 4)}"


def _significant(value: float, digits: int, rounding: str) -> str:
    number = Context(prec=digits, rounding=rounding).plus(Decimal(value))
    if not number:
        return "0"
    padded = number.quantize(Decimal(1).scaleb(number.adjusted() - digits + 1), context=Context(prec=digits + 1))
    if -4 <= number.adjusted() <= 5:
        return format(padded, ",f")
    mantissa, _, exponent = format(padded, "e").partition("e")
    return f"{mantissa}e{int(exponent):+03d}"


def percent_down(value: float, digits: int = 1) -> str:
    """A bound in [0, 1] as a percentage with `digits` decimals, rounded down."""
    return _percent(Fraction(value), digits, ROUND_FLOOR)


def percent_up(value: float, digits: int = 1) -> str:
    """A bound in [0, 1] as a percentage with `digits` decimals, rounded up."""
    return _percent(Fraction(value), digits, ROUND_CEILING)


def share_down(value: float, samples: int) -> str:
    """The share k/n of n samples as a percentage, rounded down: 98.9 for 989 of 1000."""
    return _percent(_ratio(value, samples), share_digits(samples), ROUND_FLOOR)


def share_up(value: float, samples: int) -> str:
    """The share k/n of n samples as a percentage, rounded up."""
    return _percent(_ratio(value, samples), share_digits(samples), ROUND_CEILING)


def share(value: float, samples: int) -> str:
    """The share k/n of n samples as a percentage, rounded to nearest."""
    return _percent(_ratio(value, samples), share_digits(samples), ROUND_HALF_EVEN)


def share_digits(samples: int) -> int:
    """Decimals of a percentage of `samples`: one where that is exact, else two."""
    return 1 if samples and 1000 % samples == 0 else 2


def _ratio(value: float, samples: int) -> Fraction:
    """k/n itself where `value` is the float next to it, else the float."""
    whole = round(value * samples)
    return Fraction(whole, samples) if samples and abs(value * samples - whole) < 1e-6 else Fraction(value)


def _percent(value: Fraction, digits: int, rounding: str) -> str:
    if value in (0, 1):
        return "100 %" if value else "0 %"
    scaled = value * 100 * 10**digits
    rounded = math.floor(scaled) if rounding == ROUND_FLOOR else math.ceil(scaled)
    if rounding == ROUND_HALF_EVEN:
        rounded = round(scaled)
    return f"{Decimal(rounded).scaleb(-digits):.{digits}f} %"


def count(number: int) -> str:
    """A whole number with thousands separators."""
    return f"{number:,}"


def radius(eps: float) -> str:
    """A radius as its user wrote it: pixel steps as n/255, anything else in at most 6 significant digits."""
    steps = eps * 255
    if len(repr(eps)) > 6 and 1 <= round(steps) <= 255 and math.isclose(steps, round(steps), rel_tol=1e-9):
        return f"{round(steps)}/255"
    return short(eps)


def shape(axes: Sequence[int]) -> str:
    """A shape of one sample: 3x32x32; "scalar" without axes."""
    return "x".join(map(str, axes)) or "scalar"


def digest(sha256: str) -> str:
    """The first characters of a digest: enough to tell files apart by eye."""
    return sha256[:12]


def size(number: int) -> str:
    """A count of bytes in the unit that keeps it short."""
    value = float(number)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def duration(seconds: float) -> str:
    """A time span in words: 0.4 s, 41 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def enclosure_digits(enclosure: Enclosure) -> int:
    """Significant digits that tell the two ends apart, between 3 and 7."""
    gap = enclosure.gap
    if is_single(enclosure):
        return _SINGLE_DIGITS
    if gap == 0 or not math.isfinite(gap):
        return 7 if gap == 0 else 3
    return min(max(2 - math.floor(math.log10(gap)), 3), 7)


def is_single(enclosure: Enclosure) -> bool:
    """Whether one number says it all: the value is exact, and its ends agree to all digits that are ever printed."""
    return enclosure.soundness is Soundness.EXACT and enclosure.gap < 1e-7


def upper_end(enclosure: Enclosure, digits: int = 4) -> str:
    """The upper end alone, rounded up; the nearest decimal where it is the value itself."""
    if enclosure.upper is None:
        return "unbounded"
    return nearest(enclosure.upper, digits) if is_single(enclosure) else upper(enclosure.upper, digits)


def ends(enclosure: Enclosure) -> tuple[str, str]:
    """Both ends, each rounded outward; the upper one is "unbounded" where it does not exist."""
    digits = enclosure_digits(enclosure)
    if enclosure.upper is None:
        return lower(enclosure.lower, digits), "unbounded"
    return lower(enclosure.lower, digits), upper(enclosure.upper, digits)


def interval(enclosure: Enclosure) -> str:
    """An enclosure on one line: "3.27 - 3.28", "2.3702" where exact, ">= 3.2, unbounded"."""
    low, high = ends(enclosure)
    if enclosure.upper is None:
        return f">= {low}, unbounded"
    return upper_end(enclosure, _SINGLE_DIGITS) if is_single(enclosure) else f"{low} - {high}"


def relative_gap(enclosure: Enclosure) -> str:
    """The relative width of an enclosure: a percentage where wide, a power of ten where narrow."""
    gap = enclosure.gap
    if not math.isfinite(gap):
        return "-"
    if gap < 0.001:
        return f"{upper(gap, 1)}" if gap else "0"
    return f"{upper(100 * gap, 2)} %" if gap < 10 else f"x{upper(1 + gap, 2)}"


def sparkline(counts: Sequence[int], width: int = 12) -> str:
    """A histogram in block characters, at most `width` of them; an empty bin is the lowest block, no other is."""
    bins = _rebin(counts, width)
    top = max(bins, default=0)
    if top == 0:
        return ""
    return "".join(SPARKS[0 if not n else max(1, math.ceil(7 * n / top))] for n in bins)


def heights(values: Sequence[float], width: int = 16) -> str:
    """The first `width` values as blocks of their height; none but a zero is the lowest block."""
    shown = values[:width]
    top = max(shown, default=0.0)
    return sparkline([math.ceil(1000 * value / top) for value in shown], width) if top > 0 else ""


def percent(value: float) -> str:
    """A ratio as a percentage of two significant digits, to nearest."""
    return f"{nearest(100 * value, 2)} %"


def _rebin(counts: Sequence[int], width: int) -> list[int]:
    """Sum neighbouring bins until at most `width` are left."""
    group = max(1, math.ceil(len(counts) / width))
    return [sum(counts[start : start + group]) for start in range(0, len(counts), group)]


def bar(certified: float, attacked: float, width: int) -> str:
    """A bracket as a bar: solid up to `certified`, shaded up to `attacked`, dotted where an attack succeeded."""
    eighths = math.floor(certified * width * 8)
    solid = EIGHTHS[8] * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")
    reach = max(len(solid), math.ceil(attacked * width - 1e-9))
    shaded = UNDECIDED * (reach - len(solid))
    return solid + shaded + BROKEN * (width - len(solid) - len(shaded))
