"""What is printed is never more than what is known."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.records import Enclosure, Soundness
from lipcert.render import notation
from lipcert.render.figure import inequality

FINITE = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
SIGNED = st.floats(allow_nan=False, allow_infinity=False)
LAW = settings(max_examples=200, deadline=None)


def exact(text):
    return Fraction(text.replace(",", ""))


@LAW
@given(SIGNED, st.integers(1, 8))
def test_lower_is_below_and_upper_above(value, digits):
    assert exact(notation.lower(value, digits)) <= Fraction(value) <= exact(notation.upper(value, digits))


@LAW
@given(SIGNED.filter(lambda value: abs(value) > 1e-300), st.integers(2, 8))
def test_rounding_moves_by_less_than_one_unit_of_the_last_digit(value, digits):
    for rounded in (notation.lower(value, digits), notation.upper(value, digits), notation.nearest(value, digits)):
        assert abs(exact(rounded) - Fraction(value)) <= abs(Fraction(value)) * Fraction(10) ** (1 - digits)


@LAW
@given(FINITE, FINITE)
def test_printed_enclosures_hold_the_true_ones(one, other):
    low, high = sorted((one, other))
    enclosure = Enclosure(lower=low, upper=high, soundness=Soundness.PROVED, method="test")
    printed_low, printed_high = notation.ends(enclosure)
    assert exact(printed_low) <= Fraction(low)
    assert Fraction(high) <= exact(printed_high)
    assert notation.interval(enclosure) == f"{printed_low} - {printed_high}"


@LAW
@given(FINITE)
def test_a_single_number_is_the_nearest_decimal(value):
    enclosure = Enclosure(lower=value, upper=value, soundness=Soundness.EXACT, method="test")
    shown = notation.interval(enclosure)
    assert shown == notation.nearest(value, 5)
    assert abs(exact(shown) - Fraction(value)) <= Fraction(value) / 10**4 / 2


def test_an_exact_value_is_not_rounded_up_by_its_last_float():
    half = Enclosure(lower=0.5 - 1e-15, upper=0.5 + 1e-15, soundness=Soundness.EXACT, method="test")
    assert notation.interval(half) == "0.50000"
    assert inequality(half, "L", "lipschitz.value") == "L = 0.50000"
    assert notation.upper_end(half) == "0.5000"
    proved = Enclosure(lower=0.5 - 1e-15, upper=0.5 + 1e-15, soundness=Soundness.PROVED, method="test")
    assert notation.upper_end(proved) == "0.5001"


def test_an_end_that_does_not_exist_is_said_in_words():
    enclosure = Enclosure(lower=1.0, upper=None, unbounded=True, soundness=Soundness.PROVED, method="test")
    assert notation.interval(enclosure) == ">= 1.00, unbounded"
    assert inequality(enclosure, "L", "lipschitz.value") == "1.00 <= L, no upper end"
    assert notation.relative_gap(enclosure) == "-"


@LAW
@given(st.floats(0, 1), st.integers(0, 4))
def test_percentages_of_bounds_round_outward(value, digits):
    low, high = notation.percent_down(value, digits), notation.percent_up(value, digits)
    assert exact(low.removesuffix(" %")) <= Fraction(value) * 100 <= exact(high.removesuffix(" %"))


@LAW
@given(st.integers(1, 20_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_shares_are_rounded_from_the_counts(pair):
    hits, samples = pair
    value = hits / samples
    low, high = notation.share_down(value, samples), notation.share_up(value, samples)
    assert exact(low.removesuffix(" %")) <= Fraction(100 * hits, samples) <= exact(high.removesuffix(" %"))
    if hits < samples:
        assert low != "100 %"
    if samples in {100, 1000}:
        assert low == high


@pytest.mark.parametrize(("value", "text"), [(0.989, "98.9 %"), (0.0, "0 %"), (1.0, "100 %"), (0.001, "0.1 %")])
def test_a_share_that_fits_is_printed_as_it_is(value, text):
    assert notation.share_down(value, 1000) == notation.share_up(value, 1000) == notation.share(value, 1000) == text


@pytest.mark.parametrize(
    ("eps", "text"),
    [(8 / 255, "8/255"), (2 / 255, "2/255"), (0.1, "0.1"), (0.25, "0.25"), (1.5, "1.5"), (0.123456789, "0.123457")],
)
def test_radii_read_as_they_were_written(eps, text):
    assert notation.radius(eps) == text


@LAW
@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 60))
def test_a_bar_fills_its_width_and_never_shows_more_than_is_certified(one, other, width):
    certified, attacked = sorted((one, other))
    drawn = notation.bar(certified, attacked, width)
    solid = sum(notation.EIGHTHS.index(char) / 8 for char in drawn if char in notation.EIGHTHS)
    assert len(drawn) == width
    assert solid <= certified * width + 1e-9
    assert len(drawn.rstrip(notation.BROKEN)) >= math.floor(attacked * width)


@LAW
@given(st.lists(st.integers(0, 10**6), max_size=60), st.integers(1, 24))
def test_sparklines_tell_empty_bins_from_full_ones(counts, width):
    drawn = notation.sparkline(counts, width)
    assert len(drawn) <= width
    if len(counts) <= width and any(counts):
        assert [char == notation.SPARKS[0] for char in drawn] == [count == 0 for count in counts]
        assert notation.SPARKS[-1] in drawn


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.42, "0.4 s"), (41.2, "41 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations(seconds, text):
    assert notation.duration(seconds) == text


def test_sizes():
    assert [notation.size(n) for n in (12, 1500, 2_500_000, 3_100_000_000)] == ["12 B", "1.5 kB", "2.5 MB", "3.1 GB"]
