"""Bounds on unseen inputs, from files to the printed report."""

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lipcert.analyses.generalization import BOUNDS
from lipcert.analyses.generalization.posterior import PLANS
from lipcert.pipeline import AnalyzeRequest, analyze_file
from lipcert.records import AnalyzeSettings, Skipped, Soundness
from lipcert.render import render
from lipcert.render.explain import find, read

FEW: Path | None = None
ONLY = ("margins", "generalization")


@pytest.fixture(scope="module", autouse=True)
def few(sample_models, tmp_path_factory):
    """Some of the training samples, in a file of their own."""
    global FEW  # noqa: PLW0603  a file of this module's
    whole_file = np.load(sample_models / "digits_train.npz")
    FEW = tmp_path_factory.mktemp("training") / "few.npz"
    np.savez(FEW, **{name: whole_file[name][:200] for name in whole_file.files})


def analyzed(sample_models, name="digits_mlp", *, data="digits_test", analyses=ONLY, train=True, **given):
    request = AnalyzeRequest(
        model=sample_models / f"{name}.onnx",
        data=None if data is None else str(sample_models / f"{data}.npz"),
        train_data=str(FEW) if train else None,
        settings=AnalyzeSettings(analyses=analyses, **given),
    )
    return analyze_file(request)


@pytest.fixture(scope="module")
def whole(sample_models):
    analyses = ("margins", "robustness", "certificates", "generalization")
    return analyzed(sample_models, analyses=analyses, samples=40, eps={"linf": (0.01, 0.02), "l2": (0.1,)})


def test_every_bound_has_a_value_and_a_word(whole):
    found = whole.models[0].generalization
    assert not isinstance(found, Skipped)
    assert {one.bound for one in found} >= {*BOUNDS, "holdout-clopper-pearson", "holdout-union", "holdout-dkw"}
    assert all(one.soundness in set(Soundness) for one in found)
    assert {one.bound for one in found if one.missing} <= {"farnia-pgm", "farnia-wrm"}
    for one in found:
        if one.bound in BOUNDS:
            assert one.vacuous
            assert 2 < one.log10_value < 30


def test_brackets_agree_with_those_of_the_samples(whole):
    model = whole.models[0]
    alone = [one for one in model.generalization if one.bound == "holdout-clopper-pearson"]
    for one, bracket in zip(alone, model.brackets, strict=True):
        assert one.lower == pytest.approx(bracket.population_risk.lower, rel=1e-9)
        assert one.terms["upper"] == pytest.approx(bracket.population_risk.upper, rel=1e-9)


@pytest.mark.parametrize("kind", ["text", "markdown"])
def test_nothing_vacuous_is_printed_without_the_word(whole, kind):
    page = render(whole, kind)
    lines = [line for line in page.splitlines() if any(name in line for name in BOUNDS) and "10^" in line]
    assert len(lines) == 11
    assert all("vacuous" in line for line in lines)
    assert "UNVERIFIED" in page
    assert "assumes fresh samples" in page


def test_every_bound_term_and_measure_is_explained(whole):
    model = whole.models[0]
    for one in model.generalization:
        page = find(one.bound)
        assert page is not None, one.bound
        assert all(term in read(page) for term in one.terms if term != "eps"), one.bound
    text = read(find("measures"))
    assert len(model.measures) > 8
    assert all(one.measure in text for one in model.measures)
    text = read(find("normalised_margins"))
    assert all(one.normalisation in text for one in model.normalised_margins)


def test_training_samples_as_data_take_the_guarantee_away(sample_models):
    analyses = ("margins", "robustness", "certificates", "generalization")
    report = analyzed(
        sample_models,
        data="digits_train",
        analyses=analyses,
        samples=30,
        eps={"linf": (0.01,)},
        train=False,
        split="train",
    )
    model = report.models[0]
    assert model.data.split == "train"
    page = render(report, "text")
    assert "nothing follows for unseen inputs" in page
    assert "confidence" not in page.split("CERTIFICATES")[0]
    holdout = [one for one in model.generalization if one.bound.startswith("holdout")]
    assert holdout
    assert not any(one.guarantee for one in holdout)
    assert [one.terms["samples"] for one in model.generalization if one.bound == "bartlett"] == [30]


def test_test_samples_are_never_taken_for_training_samples(sample_models):
    model = analyzed(sample_models, train=False, split="test").models[0]
    named = [one for one in model.generalization if one.bound in BOUNDS]
    assert all("--train-data" in one.missing for one in named)
    assert model.measures == ()
    assert {one.split for one in model.normalised_margins} == {"test"}
    assert "as --split test says" in render(analyzed(sample_models, train=False, split="test"), "text")


def test_branches_are_refused_with_the_operator(sample_models):
    model = analyzed(sample_models, "digits_residual", effort="fast").models[0]
    layerwise = [one for one in model.generalization if one.bound == "layerwise-pac-bayes"]
    assert all("add" in one.missing for one in model.generalization if one.bound in BOUNDS and one not in layerwise)
    assert len(layerwise) == 5
    assert not any(one.missing for one in layerwise)
    assert model.normalised_margins == ()
    assert {"param_norm", "log_prod_of_spec"} <= {one.measure for one in model.measures}


def test_without_data_it_waits_for_them(sample_models):
    request = AnalyzeRequest(
        model=sample_models / "digits_mlp.onnx", settings=AnalyzeSettings(analyses=("layers", *ONLY))
    )
    report = analyze_file(request)
    assert isinstance(report.models[0].generalization, Skipped)
    assert json.loads(report.to_json())["models"][0]["generalization"]["status"] == "skipped"


def test_training_samples_are_set_beside_those_of_the_test(whole):
    model = whole.models[0]
    found = {(one.quantity, one.norm): one for one in model.training_gaps}
    sizes = found["clean_loss", None]
    assert (sizes.train_samples, sizes.test_samples) == (200, 40)
    assert sizes.test == pytest.approx(model.margins.clean_loss)
    assert found["clean_accuracy", None].test == pytest.approx(model.margins.clean_accuracy)
    for norm in ("linf", "l2"):
        robust, excess = (found[name, norm] for name in ("robust_loss", "excess_loss"))
        assert 0 <= excess.train <= robust.train
        assert robust.attack
        assert robust.train_samples == robust.test_samples
        assert robust.eps == {"linf": 0.02, "l2": 0.1}[norm]
    assert all(one.ci95[0] <= one.gap <= one.ci95[1] for one in model.training_gaps)


def test_what_is_inside_is_measured_on_training_samples(whole):
    model = whole.models[0]
    assert model.all_layer_margin.split == "train"
    assert model.all_layer_margin.soundness is Soundness.HEURISTIC
    assert [one.place for one in model.noise_resilience] == ["input", *model.all_layer_margin.layers]
    assert {"pacbayes_sigma", "pacbayes_orig"} <= {one.measure for one in model.measures}


def test_robust_margins_are_certified_and_not_attacked(sample_models):
    """A ball in which linear bounds prove most: what is missed is no less than what attacks break."""
    model = analyzed(sample_models, analyses=("generalization",), eps={"linf": (0.01,)}, samples=20).models[0]
    (robust,) = (one for one in model.generalization if one.bound == "robust-pac-bayes")
    (clean,) = (one for one in model.generalization if one.bound == "neyshabur")
    gap = next(one for one in model.training_gaps if one.quantity == "robust_accuracy")
    assert robust.terms["missed"] >= clean.terms["missed"]
    assert robust.terms["missed"] < 0.5
    assert robust.terms["missed"] >= 1 - gap.train - 0.2


def test_a_time_budget_holds_for_the_searches_too(sample_models, monkeypatch):
    monkeypatch.setitem(PLANS, "default", replace(PLANS["default"], steps=10**6, draws=10**6, seconds=1e9))
    start = time.perf_counter()
    model = analyzed(sample_models, analyses=("generalization",), time_budget=4.0).models[0]
    assert time.perf_counter() - start < 60  # without a limit it would take hours
    (posterior,) = (one for one in model.generalization if one.bound == "pac-bayes-posterior")
    assert posterior.missing or posterior.terms["steps"] < 10**6


@pytest.mark.parametrize(
    ("split", "words"), [("test", "%"), ("unknown", "then say --split test"), ("train", "nothing")]
)
def test_generalization_alone_has_a_verdict(sample_models, split, words):
    report = analyzed(sample_models, analyses=("generalization",), train=False, split=split, samples=50, effort="fast")
    verdict = render(report, "text").split("VERDICT")[1].split("\n\n")[0]
    assert words in verdict
    assert "Nothing could be concluded" not in verdict
    assert ("(probabilistic" in verdict) is (split != "train")
