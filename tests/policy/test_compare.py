"""What changed, and whether that is sure."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lipcert.analyses.sampling import compare_paired
from lipcert.errors import DataError
from lipcert.policy import compare_reports, differences, read_rows
from lipcert.policy.change import change
from lipcert.policy.intervals import clopper_pearson
from lipcert.policy.paired import compare_rows, mcnemar
from lipcert.records import Soundness
from lipcert.records.compare import SideRecord
from lipcert.records.metrics import MetricId, Reading
from tests.render.models import full_model
from tests.render.reports import report

SIDE = SideRecord(path="a.json", kind="report", version="0.1.0", models=1)


@pytest.mark.parametrize("samples", [1, 7, 60, 1000, 60_000])
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.9, 1])
def test_intervals_agree_with_scipy(samples, share):
    hits = round(share * samples)
    expected = stats.binomtest(hits, samples).proportion_ci(method="exact")
    assert clopper_pearson(hits, samples) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.integers(0, 200), st.integers(0, 200))
def test_mcnemar_is_the_binomial_test(one, other):
    expected = stats.binomtest(one, one + other).pvalue if one + other else 1.0
    assert mcnemar(one, other) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_agrees_with_the_one_on_tensors():
    torch = pytest.importorskip("torch")
    first, second = torch.tensor([1, 1, 1, 0, 1, 0, 1, 1]), torch.tensor([1, 0, 0, 1, 0, 0, 0, 0])
    assert compare_paired(first, second).p_value == pytest.approx(mcnemar(5, 1))
    assert mcnemar(5, 1) == float(Fraction(14, 64))


def reading(low, high, path="lipschitz.value", **more):
    return Reading(id=MetricId(path), lower=low, upper=high, soundness=Soundness.PROVED, **more)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ((1, 2), (1, 2), "same"),
        ((1, 2), (3, 4), "worse"),
        ((3, 4), (1, 2), "better"),
        ((1, 3), (1, 4), "maybe_worse"),
        ((1, 4), (1, 3), "maybe_better"),
        ((1, 4), (2, 4), "maybe_worse"),
        ((1, None), (2, None), "maybe_worse"),
    ],
)
def test_enclosures_decide_only_where_they_lie_apart(before, after, verdict):
    assert change(reading(*before), reading(*after), {}).verdict == verdict


@pytest.mark.parametrize(
    ("before", "after", "samples", "verdict"),
    [
        (0.9, 0.88, 100, "maybe_worse"),
        (0.9, 0.5, 100, "worse"),
        (0.9, 0.88, 100_000, "worse"),
        (0.5, 0.9, 60, "better"),
    ],
)
def test_shares_of_samples_are_compared_by_their_intervals(before, after, samples, verdict):
    first, second = (reading(v, v, "margins.clean_accuracy", reported=v, samples=samples) for v in (before, after))
    assert change(first, second, {}).verdict == verdict


def rows(wrong, proved=()):
    return [
        {
            "index": i,
            "label": 1,
            "prediction": 0 if i in wrong else 1,
            "verdicts": [{"norm": "linf", "eps": 0.1, "verdict": "certified" if i in proved else "unknown"}],
        }
        for i in range(40)
    ]


def test_samples_are_compared_one_by_one():
    found = {r.metric: r.counts for r in compare_rows(rows({0, 1}, {5}), rows(set(range(1, 12)), {5, 6}))}
    clean = found["margins.clean_accuracy"]
    assert (clean.both, clean.only_first, clean.only_second, clean.neither) == (28, 10, 1, 1)
    assert clean.p_value == pytest.approx(mcnemar(10, 1))
    assert found["certificates.certified_accuracy[norm=linf,eps=0.1]"].only_second == 1
    first, second = (reading(v, v, "margins.clean_accuracy", reported=v, samples=40) for v in (0.95, 0.725))
    sure = change(first, second, {"margins.clean_accuracy": clean})
    assert (sure.verdict, sure.p_value) == ("worse", clean.p_value)


def test_other_samples_are_refused(tmp_path):
    with pytest.raises(DataError, match="different labels"):
        compare_rows(rows(()), [{**row, "label": 2} for row in rows(())])
    path = tmp_path / "rows.jsonl"
    for text in ("", "{}", "no", '{"index": 0}'):
        path.write_text(text)
        with pytest.raises(DataError):
            read_rows(path)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(())))
    assert len(read_rows(path)) == 40


def compared(before, after, **settings):
    return compare_reports(before, after, sides=(SIDE, SIDE), **settings)


def test_a_report_is_the_same_as_itself():
    found = compared(report(full_model()), report(full_model()), fail_on="warning")
    assert (found.gate, found.exit_code, found.differences) == ("pass", 0, ())
    assert {c.verdict for c in found.models[0].changes} == {"same"}


def test_the_gate_looks_at_headlines():
    model = full_model()
    worse = replace(model, margins=replace(model.margins, clean_accuracy=0.3))
    for fail_on, code in (("never", 0), ("error", 1), ("warning", 1)):
        assert compared(report(model), report(worse), fail_on=fail_on).exit_code == code
    gone = compared(report(model), report(replace(model, margins=None)), fail_on="error")
    assert (gone.gate, gone.exit_code) == ("inconclusive", 3)
    assert "margins.clean_accuracy" in gone.models[0].gone
    other = replace(model, path="z.onnx", id="z")
    missing = compared(report(model, other), report(model), fail_on="error")
    assert (missing.exit_code, missing.unmatched) == (3, ("z.onnx",))


def test_what_makes_reports_incomparable_is_named():
    model = full_model()
    data = replace(model, data=replace(model.data, sha256="0" * 64))
    scaled = replace(model, preprocess=replace(model.preprocess, scale=1.0))
    balls = replace(model, robustness=model.robustness[:1], certificates=model.certificates[:1])
    assert differences(report(model), report(model)) == ()
    assert "data: sha256" in differences(report(model), report(data))[0]
    assert "scale" in differences(report(model), report(scaled))[0]
    assert "eps: " in differences(report(model), report(balls))[0]
    assert "effort: default before, high after" in differences(report(model), report(model, effort="high"))


def test_a_mean_without_an_interval_is_never_sure():
    first, second = (reading(v, v, "margins.clean_loss", reported=v, samples=60) for v in (0.1, 0.3))
    assert change(first, second, {}).verdict == "maybe_worse"
    assert change(*(replace(r, samples=None) for r in (first, second)), {}).verdict == "worse"
