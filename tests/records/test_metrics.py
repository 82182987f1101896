"""Every number of a report has one id, and the id leads back to the number."""

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipcert.records import ANALYSES, Enclosure, LipschitzRecord, ModelRecord, Skipped, Soundness, codec
from lipcert.records.metrics import (
    ALIASES,
    analyses_of,
    better_of,
    look_up,
    metric_id,
    number_text,
    parse,
    readings,
    resolve,
)
from lipcert.records.metrics.known import is_known
from tests.render.models import full_model
from tests.render.reports import REPORTS

MODELS = {f"{name}-{number}": model for name, found in REPORTS.items() for number, model in enumerate(found.models)}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_each_number_has_an_id_of_its_own_that_is_known_and_leads_back(model):
    everything = readings(model)
    names = [str(reading.id) for reading in everything]
    assert len(set(names)) == len(names)
    for reading in everything:
        assert reading.skipped is not None or is_known(reading.id.path), reading.id
        assert parse(str(reading.id)) == reading.id
        if reading.lower is not None and reading.upper is not None:
            assert reading.lower <= reading.upper, reading
    for reading in everything[:: max(1, len(everything) // 40)]:
        assert reading in look_up(model, reading.id, everything).readings


def test_no_number_of_the_json_is_without_an_id():
    """Each float that stands under a measurement in the JSON is an end of some reading."""
    model = full_model()
    document = json.loads(codec.to_json(replace(REPORTS["full"], models=(model,))))["models"][0]
    known = {value for reading in readings(model) for value in (reading.lower, reading.upper, reading.reported)}
    for section in ("margins", "robustness", "certificates", "brackets", "radii"):
        for number in _numbers(document[section]):
            assert number in known, (section, number)


def _numbers(value):
    skipped = {"ci95", "counts", "quantile_ci95", "settings", "eps", "failure_probability", "confidence", "seed"}
    if isinstance(value, dict):
        left = {key: item for key, item in value.items() if key not in skipped | {"decided_by"}}
        return [number for item in left.values() for number in _numbers(item)]
    if isinstance(value, list):
        return [number for item in value for number in _numbers(item)]
    return [value] if isinstance(value, float) else []


@pytest.mark.parametrize("alias", ALIASES)
def test_each_alias_names_a_metric_that_can_be_had(alias):
    found = resolve(alias)
    assert is_known(found.path)
    assert resolve(alias.replace("_", "-")) == found
    assert resolve(str(found)) == found
    assert analyses_of(found.path) or found.path.partition(".")[0] in {"diagnostics", "fidelity"}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("claen.accuracy", "clean.accuracy"),
        ("certified.acuracy", "certified.accuracy"),
        ("lipshitz.l2", "lipschitz.l2"),
    ],
)
def test_a_misspelt_metric_is_named(typed, meant):
    with pytest.raises(ValueError, match="did you mean") as caught:
        resolve(typed)
    assert meant in str(caught.value)


def test_a_distribution_asks_which_of_its_numbers():
    with pytest.raises(ValueError, match=r"spectral_norm\.median"):
        resolve("jacobian.statistics.spectral_norm")
    assert resolve("jacobian.spectral_norm.q95").path == "jacobian.statistics.spectral_norm.q95"


def test_accuracies_are_met_from_both_sides():
    model = full_model()
    for bracket in model.brackets:
        if bracket.eps == 0:
            continue
        chosen = {"norm": bracket.norm, "eps": number_text(bracket.eps)}
        for name in ("robust.accuracy", "certified.accuracy"):
            found = look_up(model, resolve(name).with_selectors(chosen))
            if found.state == "present":
                assert found.readings[0].lower == pytest.approx(bracket.certified_accuracy)
                assert found.readings[0].upper == pytest.approx(bracket.robust_accuracy)


def test_constants_by_several_methods_are_one_quantity():
    def bound(lower, upper, soundness, method):
        value = Enclosure(lower=lower, upper=upper, soundness=soundness, method=method)
        return LipschitzRecord(norm="l2", scope="global", method=method, value=value)

    loose = bound(1.0, 9.0, Soundness.PROVED, "loose")
    tight = bound(2.0, 5.0, Soundness.PROVED, "tight")
    guess = bound(0.5, 3.0, Soundness.HEURISTIC, "guess")
    model = replace(full_model(), lipschitz=(loose, tight, guess))
    (found,) = look_up(model, resolve("lipschitz.l2")).readings
    assert (found.lower, found.upper, found.soundness) == (2.0, 5.0, Soundness.PROVED)
    (upper,) = look_up(model, resolve("lipschitz.l2.upper")).readings
    assert (upper.lower, upper.upper) == (5.0, 5.0)


def test_what_is_missing_says_why():
    model = replace(full_model(), lipschitz=Skipped(reason="no rule", operators=("sort",)), margins=None)
    gone = look_up(model, resolve("lipschitz.l2"))
    assert (gone.state, gone.reason) == ("skipped", "no rule: sort")
    assert look_up(model, resolve("clean.accuracy")).reason == "absent (not asked for)"
    other = look_up(full_model(), resolve("certified.accuracy[norm=linf,eps=0.77]"))
    assert other.state == "absent"
    assert "there is certificates.certified_accuracy" in other.reason


@given(st.text(max_size=20), st.floats(allow_nan=False, allow_infinity=False, min_value=1e-6, max_value=1e6))
def test_ids_survive_any_name_and_radius(name, eps):
    text = metric_id("layers.spectral_norm", {"name": name, "eps": eps})
    found = parse(text)
    assert dict(found.selectors)["name"] == name
    assert found.selects(found)


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("clean.accuracy", "higher"),
        ("clean.loss", "lower"),
        ("certified.radius", "higher"),
        ("robust.loss", "lower"),
        ("robust.risk", "lower"),
        ("lipschitz.linf", "lower"),
        ("undecided", "lower"),
        ("margin", "higher"),
        ("adversarial.radius", "higher"),
        ("robustness.robust_margin.median", "higher"),
        ("signature.parameters", None),
    ],
)
def test_which_way_is_better(name, better):
    assert better_of(resolve(name).path) == better


def test_every_section_says_which_analysis_makes_it():
    always = set("id path sha256 format status signature fidelity preprocess data diagnostics checks timing".split())
    for name in {field.name for field in fields(ModelRecord)} - always - {"unsupported_ops"}:
        assert set(analyses_of(f"{name}.x")) <= set(ANALYSES), name
        assert analyses_of(f"{name}.x"), name


def test_constants_over_other_balls_are_other_quantities():
    def local(upper, samples, eps):
        value = Enclosure(lower=1.0, upper=upper, soundness=Soundness.PROVED, method="m")
        return LipschitzRecord(norm="l2", scope="local", method="m", value=value, eps=eps, samples=samples)

    records = (local(9.0, 10, 0.1), local(5.0, 10, 0.1), local(3.0, 4, 0.1), local(8.0, 10, 0.2))
    found = look_up(replace(full_model(), lipschitz=records), resolve("lipschitz.value[scope=local]")).readings
    assert sorted(reading.upper for reading in found) == [3.0, 5.0, 8.0]
    assert len({str(reading.id) for reading in found}) == 3
