"""How bounds on unseen inputs are printed."""

from dataclasses import replace

import pytest

from lipcert.render import render
from tests.render.models import bound, full_model
from tests.render.reports import report

KINDS = pytest.mark.parametrize("kind", ["text", "markdown"])


def page(kind, **changes):
    model = full_model()
    return render(report(replace(model, **changes)), kind).replace("\\", "")


@KINDS
def test_a_vacuous_bound_is_never_a_percentage(kind):
    line = next(line for line in page(kind).splitlines() if "bartlett" in line and "10^" in line)
    assert "10^7.70 vacuous" in line
    assert "missed by 11.7 %" in line


@KINDS
def test_a_bound_that_says_something_is_a_percentage_rounded_up(kind):
    line = next(line for line in page(kind).splitlines() if "golowich" in line)
    assert "50.2 %" in line
    assert "vacuous" not in line


@KINDS
def test_what_nobody_verified_says_so(kind):
    assert "UNVERIFIED, no guarantee" in next(line for line in page(kind).splitlines() if "farnia-fgm" in line)


@KINDS
def test_a_missing_bound_has_its_reason(kind):
    assert "robust-pac-bayes: give the training samples with --train-data" in page(kind)


@KINDS
def test_an_upper_end_of_one_is_called_vacuous(kind):
    one = bound("holdout-clopper-pearson", 0.0, lower=0.0, terms={"upper": 1.0})
    assert "100 % vacuous" in page(kind, generalization=(one,))


@KINDS
def test_brackets_of_training_samples_are_not_printed(kind):
    model = full_model()
    shown = page(kind, data=replace(model.data, split="train"))
    assert "nothing follows for unseen inputs" in shown
    assert "12.8 - 21.5 %" not in shown
    assert "12.8 - 21.5 %" in page(kind)
