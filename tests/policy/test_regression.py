"""Numbers against an earlier report."""

from dataclasses import replace

import pytest

from lipcert.policy import Baseline, evaluate
from lipcert.policy.config import Config, RawCheck
from lipcert.records import Enclosure, LipschitzRecord, Soundness
from tests.render.models import full_model
from tests.render.reports import report


def judged(model, earlier, table, name="clean.accuracy"):
    config = Config(checks={name: RawCheck(table=table, source="c.toml", line=1)})
    baseline = None if earlier is None else Baseline(report(earlier), "main.json")
    return evaluate(model, config, baseline)[0]


def clean(share):
    model = full_model()
    return replace(model, margins=replace(model.margins, clean_accuracy=share))


@pytest.mark.parametrize(
    ("now", "tolerance", "state"),
    [
        (0.90, "1%", "pass"),
        (0.95, 0, "pass"),
        (0.892, "1%", "pass"),
        (0.890, "1%", "fail"),
        (0.89, 0.01, "pass"),
        (0.8899, 0.01, "fail"),
        (0.8999, 0, "fail"),
    ],
)
def test_a_number_may_be_worse_by_its_tolerance_and_no_more(now, tolerance, state):
    found = judged(clean(now), clean(0.90), {"regression": tolerance})
    assert (found.state, found.baseline) == (state, 0.90)


def lipschitz(lower, upper):
    value = Enclosure(lower=lower, upper=upper, soundness=Soundness.PROVED, method="m")
    return replace(full_model(), lipschitz=(LipschitzRecord(norm="l2", scope="global", method="m", value=value),))


def test_the_guaranteed_end_is_compared():
    table = {"regression": "10%"}
    assert judged(lipschitz(1, 11), lipschitz(9, 10), table, "lipschitz.l2").state == "pass"
    worse = judged(lipschitz(1, 11.5), lipschitz(9, 10), table, "lipschitz.l2")
    assert worse.state == "fail"
    assert worse.baseline == 10
    assert "upper end" in worse.message


def test_without_a_comparable_baseline_nothing_passes():
    table = {"min": 0.1, "regression": "1%"}
    model = clean(0.9)
    assert judged(model, None, table).state == "skipped"
    assert judged(model, replace(model, data=replace(model.data, sha256="0" * 64)), table).state == "inconclusive"
    assert judged(model, replace(model, data=replace(model.data, samples=7)), table).state == "inconclusive"
    shifted = replace(model, preprocess=replace(model.preprocess, scale=1.0))
    assert judged(model, shifted, table).state == "inconclusive"
    assert judged(model, replace(model, margins=None), table).state == "inconclusive"
    assert judged(model, replace(model, id="other", path="other.onnx"), table).state == "pass"
    config = Config(checks={"clean.accuracy": RawCheck(table=table, source="c", line=1)})
    others = Baseline(report(replace(model, id="a", path="a"), replace(model, id="b", path="b")), "main.json")
    assert evaluate(model, config, others)[0].state == "inconclusive"


def test_a_failed_threshold_beats_a_missing_baseline():
    assert judged(clean(0.5), None, {"min": 0.9, "regression": "1%"}).state == "fail"
