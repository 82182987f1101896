"""Nothing that is not surely met is ever counted as passed."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.policy import evaluate, exit_code, gate, is_unsure
from lipcert.policy.config import CheckSpec, Config, IgnoreSpec, RawCheck
from lipcert.policy.threshold import judge_thresholds
from lipcert.records import CheckRecord, Enclosure, LipschitzRecord, Skipped, Soundness
from lipcert.records.metrics import MetricId, Reading, readings
from tests.render.models import full_model

STATES = ("pass", "fail", "skipped", "inconclusive", "error")
RANK = {"note": 0, "warning": 1, "error": 2}


@st.composite
def checks(draw):
    return CheckRecord(
        id="x",
        metric="lipschitz.value",
        level=draw(st.sampled_from(["note", "warning", "error"])),
        state=draw(st.sampled_from(STATES)),
        message="m",
        ignored=draw(st.sampled_from([None, None, "reason"])),
    )


@settings(max_examples=300)
@given(st.lists(checks(), max_size=5), st.sampled_from(["error", "warning", "never"]), st.integers(0, 2), st.booleans())
def test_only_passes_pass(found, fail_on, failures, exit_zero):
    counted = [c for c in found if c.ignored is None and fail_on != "never" and RANK[c.level] >= RANK[fail_on]]
    verdict = gate(found, fail_on, failures=failures)
    code = exit_code(verdict, unsure=is_unsure(found, fail_on, failures=failures), exit_zero=exit_zero)
    failed = any(c.state == "fail" for c in counted)
    unsure = failures > 0 or any(c.state not in {"pass", "fail"} for c in counted)
    assert (verdict == "fail") == failed
    assert (verdict == "pass") == (bool(counted) and not failures and all(c.state == "pass" for c in counted))
    assert (code == 1) == (failed and not exit_zero)
    if code == 0:
        assert not unsure
        assert exit_zero or not failed
    if unsure and not failed:
        assert code == 3


numbers = st.floats(-1e6, 1e6, allow_nan=False)


@st.composite
def known(draw):
    low, high = sorted((draw(numbers), draw(numbers)))
    return Reading(
        id=MetricId("lipschitz.value"),
        lower=draw(st.sampled_from([low, low, None])),
        upper=draw(st.sampled_from([high, high, None])),
        soundness=draw(st.sampled_from(list(Soundness))),
        reported=draw(st.sampled_from([None, low])),
    )


@settings(max_examples=300)
@given(known(), numbers, st.sampled_from(["minimum", "maximum"]), st.sampled_from(list(Soundness)))
def test_a_threshold_passes_only_where_every_value_left_open_meets_it(reading, limit, side, accept):
    spec = CheckSpec(id="x", metric=reading.id, level="error", accept=accept, **{side: limit})
    (judgement,) = judge_thresholds(reading, spec)
    low = -float("inf") if reading.lower is None else reading.lower
    high = float("inf") if reading.upper is None else reading.upper
    meets = low >= limit if side == "minimum" else high <= limit
    breaks = high < limit if side == "minimum" else low > limit
    if judgement.state == "pass":
        assert meets
    if judgement.state == "fail":
        assert breaks
    if not meets and not breaks:
        assert judgement.state == "inconclusive"
    assert judgement.state != "inconclusive" or judgement.hint


@pytest.mark.parametrize("soundness", Soundness)
def test_what_is_not_proved_never_passes_a_max_by_itself(soundness):
    reading = Reading(id=MetricId("lipschitz.value"), lower=1.0, upper=2.0, soundness=soundness)
    spec = CheckSpec(id="x", metric=reading.id, level="error", maximum=3.0)
    weak = soundness in {Soundness.ESTIMATE, Soundness.HEURISTIC}
    assert judge_thresholds(reading, spec)[0].state == ("inconclusive" if weak else "pass")
    assert judge_thresholds(reading, replace(spec, accept=soundness))[0].state == "pass"
    assert judge_thresholds(reading, replace(spec, maximum=0.5))[0].state == "fail"


def config(ignores=(), **tables):
    raw = {name.replace("_", "."): RawCheck(table=table, source="c.toml", line=3) for name, table in tables.items()}
    return Config(path="c.toml", checks=raw, ignores=tuple(ignores))


def one(model, ignores=(), **tables):
    return evaluate(model, config(ignores, **tables), today=date(2027, 1, 1))[0]


def test_the_side_that_makes_it_sure_decides():
    value = Enclosure(lower=10.0, upper=20.0, soundness=Soundness.PROVED, method="m")
    model = replace(full_model(), lipschitz=(LipschitzRecord(norm="l2", scope="global", method="m", value=value),))
    states = {limit: one(model, lipschitz_l2={"max": limit}) for limit in (9, 10, 15, 20, 21)}
    assert {limit: found.state for limit, found in states.items()} == {
        9: "fail",
        10: "inconclusive",
        15: "inconclusive",
        20: "pass",
        21: "pass",
    }
    assert "--effort high" in states[15].hint
    assert (states[15].lower, states[15].upper, states[15].line) == (10.0, 20.0, 3)
    assert one(model, x={"metric": "lipschitz.l2.upper", "max": 15}).state == "fail"


def test_several_numbers_are_judged_by_the_worst():
    model = full_model()
    norms = [layer.spectral_norm.upper for layer in model.layers if not isinstance(layer.spectral_norm, Skipped)]
    assert one(model, layers_norm={"max": max(norms)}).state in {"pass", "skipped"}
    found = one(model, layers_norm={"max": min(norms) * 0.5})
    assert found.state == "fail"
    assert "name=" in found.metric


def test_what_is_missing_is_skipped_and_says_why():
    model = replace(full_model(), lipschitz=Skipped(reason="no rule", operators=("sort",)), margins=None)
    assert (one(model, lipschitz_l2={"max": 1}).state, one(model, lipschitz_l2={"max": 1}).message) == (
        "skipped",
        "no rule: sort",
    )
    assert one(model, clean_accuracy={"min": 0}).state == "skipped"
    assert one(replace(model, status="inconclusive"), clean_accuracy={"min": 0}).state == "error"


@pytest.mark.parametrize(("expires", "in_force"), [(None, True), (date(2027, 1, 1), True), (date(2026, 12, 31), False)])
def test_an_expired_ignore_is_no_longer_heeded_and_is_reported(expires, in_force):
    rule = IgnoreSpec(check="clean.accuracy", model="*", reason="why", expires=expires, source="c.toml", line=9)
    found = one(full_model(), [rule], clean_accuracy={"min": 1.0})
    assert found.state == "fail"
    assert (found.ignored == "why") == in_force
    assert ("its ignore ended on 2026-12-31" in found.message) == (not in_force)
    assert gate([found], "error") == ("none" if in_force else "fail")
    elsewhere = replace(rule, model="other/*")
    assert one(full_model(), [elsewhere], clean_accuracy={"min": 1.0}).ignored is None


EVERYTHING = readings(full_model())


@pytest.mark.parametrize("reading", EVERYTHING[:: len(EVERYTHING) // 30], ids=lambda reading: str(reading.id))
def test_any_number_of_a_report_can_be_checked_and_passes_only_when_sure(reading):
    def state(**table):
        return one(full_model(), x={"metric": str(reading.id), "accept": "heuristic", **table}).state

    if reading.skipped is not None:
        assert state(max=1e300) == "skipped"
        return
    assert state(max=-1e-300 if reading.lower is None else reading.lower - 1) != "pass"
    assert state(max=1e300) == ("inconclusive" if reading.upper is None else "pass")
    assert state(min=-1e300) == ("inconclusive" if reading.lower is None else "pass")
    if reading.lower is not None and reading.upper is not None and reading.lower < reading.upper:
        middle = (reading.lower + reading.upper) / 2
        assert {state(max=middle), state(min=middle)} == {"inconclusive"}
