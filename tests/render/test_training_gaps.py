"""How training is set beside test samples, and what is measured inside the network, in print."""

from dataclasses import replace

import pytest

from lipcert.records import (
    AllLayerMarginRecord,
    MeasureRecord,
    ResilienceRecord,
    Skipped,
    Soundness,
    TrainingGapRecord,
)
from lipcert.render import render
from lipcert.render.explain import find, read
from lipcert.render.style import Style
from tests.render.jacobians import spread
from tests.render.models import full_model
from tests.render.reports import report

KINDS = pytest.mark.parametrize("kind", ["text", "markdown"])
SIZES = {"train_samples": 400, "test_samples": 100}
GAPS = (
    TrainingGapRecord(quantity="clean_loss", train=0.0121, test=0.0773, gap=0.0652, ci95=(0.03, 0.11), **SIZES),
    TrainingGapRecord(
        quantity="robust_accuracy",
        norm="linf",
        eps=8 / 255,
        attack="fgm + pgd-ce",
        train=0.94,
        test=0.88,
        gap=-0.06,
        ci95=(-0.1, 0.01),
        **SIZES,
    ),
)
DEEP = AllLayerMarginRecord(split="train", layers=("fc1", "fc2"), upper=spread(0.2), wrong=1, unmet=0)
PLACES = tuple(
    ResilienceRecord(place=name, split="train", activation=spread(3.0), jacobian=spread(2.0), sensitivity=spread(s))
    for name, s in (("input", 2.0), ("fc1", 5.0))
)
MEASURES = tuple(MeasureRecord(measure=f"pacbayes_{name}", value=0.125) for name in ("sigma", "mag_sigma"))


def page(kind, width=160, *, verbose=False, **changes):
    fields = {"training_gaps": GAPS, "all_layer_margin": DEEP, "noise_resilience": PLACES, "measures": MEASURES}
    model = replace(full_model(), **(fields | changes))
    return render(report(model), kind, Style(width=width, verbose=verbose)).replace("\\", "")


@KINDS
def test_means_gap_and_interval_stand_in_one_row(kind):
    lines = page(kind).splitlines()
    loss = next(line for line in lines if "clean loss" in line and "+0.065" in line)
    assert all(word in loss for word in ("0.0121", "0.0773", "+0.030 to +0.11"))
    share = next(line for line in lines if "robust accuracy, linf 8/255" in line)
    assert all(word in share for word in ("94.00 %", "88.0 %", "-6.0 pp", "-10 to +1.0"))
    assert any("linf: fgm + pgd-ce on 400 samples of each" in line for line in lines)


@KINDS
def test_every_number_has_its_word_or_mark(kind):
    lines = page(kind, verbose=True).splitlines()
    mark = {"text": ("~", "?"), "markdown": ("estimate", "heuristic")}[kind]
    for word, evidence in (("clean loss", 0), ("linf 8/255", 0), ("all-layer, at most", 1)):
        assert any(word in line and mark[evidence] in line for line in lines), word
    assert any("noise at fc1 can reach the logits 17" in line and "estimate" in line for line in lines)
    assert any("sigma 0.125" in line and "heuristic" in line for line in lines)


@pytest.mark.parametrize("verbose", [False, True])
def test_it_fits_a_narrow_terminal(verbose):
    lines = page("text", 80, verbose=verbose).splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.strip().startswith("robust accuracy, linf 8/255") for line in lines)


def test_what_could_not_be_had_has_its_reason():
    shown = page("text", all_layer_margin=Skipped(reason="no time"), noise_resilience=Skipped(reason="many classes"))
    assert "all-layer margin: no time" in shown
    assert "noise inside the network: many classes" in shown


def test_every_quantity_is_explained():
    text = read(find("training_gaps"))
    quantities = ("clean_loss", "clean_accuracy", "margin", "robust_loss", "robust_accuracy", "excess_loss")
    assert all(name in text for name in quantities)
    fields = {name for name in ResilienceRecord.__dataclass_fields__ if name not in {"place", "split", "soundness"}}
    assert all(name in read(find("noise_resilience")) for name in fields)
    assert all(name in read(find("all_layer_margin")) for name in ("upper", "wrong", "unmet"))
    assert all(one.soundness is not Soundness.PROVED for one in (*GAPS, DEEP, *PLACES))
