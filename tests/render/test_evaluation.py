"""Whether the attacks can be believed stands where it is read."""

import re
from dataclasses import replace

import pytest

from lipcert.analyses.evaluation import CHECKS
from lipcert.records import (
    AdversarialRadiusRecord,
    CurvePoint,
    EvaluationCheck,
    EvaluationRecord,
    SamplingRecord,
    SeedRecord,
)
from lipcert.render import Style, render
from lipcert.render.explain import find, read
from tests.render.models import SPACE, full_model, spread
from tests.render.reports import report


def check(name, status="pass", ball="", value=0.0):
    return EvaluationCheck(
        id=f"evaluation.{name}",
        status=status,
        ball=ball,
        value=None if status == "skipped" else value,
        threshold=None if status == "skipped" else 0.04,
        samples=32,
        message=f"what {name} found",
        hint="what to do" if status in ("warn", "fail") else "",
        reference="somewhere",
    )


def evaluated(*checks):
    found = {c.status for c in checks}
    verdict = "broken" if "fail" in found else "doubtful" if "warn" in found else "sound"
    model = full_model()
    sampling = SamplingRecord(samples=1000, confidence=0.95, robust_accuracy=(0.8221, 0.8679), robust_loss=(0.48, 0.56))
    radii = AdversarialRadiusRecord(
        norm="linf",
        eps_space=SPACE,
        clipped=True,
        samples=1000,
        found=990,
        adversarial_radius=spread(0.02, 990),
        curve=(CurvePoint(eps=0.0, robust_accuracy=0.989),),
    )
    return replace(
        model,
        robustness=tuple(replace(record, sampling=sampling, gradients=1234) for record in model.robustness),
        adversarial_radii=(radii,),
        evaluation=EvaluationRecord(verdict=verdict, checks=checks),
    )


SOUND = evaluated(check("planted"), check("noise"), check("gap", "skipped"))
DOUBTFUL = evaluated(check("planted"), check("black_box", "warn", "linf 0.1", 0.08))
BROKEN = evaluated(check("zero_gradient", "fail", value=1.0), check("noise", "warn"))
FORMATS = pytest.mark.parametrize("format_name", ["text", "markdown"])


def shown(model, format_name="text", **style):
    return render(report(model), format_name, Style(**{"width": 100} | style))


@FORMATS
def test_the_verdict_counts_checks_and_notes(format_name):
    assert "evaluation: sound (2 checks pass, 1 note)" in shown(SOUND, format_name)
    assert "evaluation: doubtful (1 warn, 1 check passes)" in shown(DOUBTFUL, format_name)


@FORMATS
def test_what_did_not_pass_is_always_shown_with_what_to_do(format_name):
    text = shown(DOUBTFUL, format_name)
    for part in ("evaluation.black", "what black", "linf 0.1", "what to do", "passes up to 0.04"):
        assert part.replace("_", "\\_") in text or part in text


@FORMATS
def test_attacks_that_do_not_work_stand_in_the_verdict(format_name):
    text = shown(BROKEN, format_name)
    assert text.index("The attacks do not work on this model") < text.index("samples are robust")
    assert "The attacks" not in shown(SOUND, format_name)


def test_passing_checks_wait_for_verbose():
    assert "evaluation.planted" not in shown(SOUND)
    text = shown(SOUND, verbose=True)
    assert "evaluation.planted: what planted found" in text
    assert "note" in text


@FORMATS
def test_sampling_error_is_not_optimality(format_name):
    text = " ".join(shown(SOUND, format_name).split())
    assert "82.2 - 86.8 %" in text
    assert "no interval covers that" in text


@pytest.mark.parametrize("format_name", ["text", "markdown", "html"])
def test_the_rows_of_a_ball_add_up(format_name):
    record = replace(SOUND.robustness[1], attacks=tuple(replace(a, broken=40) for a in SOUND.robustness[1].attacks))
    text = shown(replace(SOUND, robustness=(record,)), format_name)
    row = next(line for line in re.sub("</tr>", "\n", text).splitlines() if "nearest errors" in line)
    row = re.sub("<[^>]*>", " ", row) if format_name == "html" else row
    assert "63" in row  # of 143 broken, the two attacks were first with 40 each
    assert "92.6" in row  # 98.9 % less 63 of 1,000


def _seeded(unseen, *accuracies):
    seeds = tuple(SeedRecord(seed=seed, robust_loss=0.5, robust_accuracy=one) for seed, one in enumerate(accuracies))
    return replace(SOUND, robustness=tuple(replace(each, seeds=seeds, unseen=unseen) for each in SOUND.robustness))


EVERYWHERE = pytest.mark.parametrize("format_name", ["text", "markdown", "html"])


@EVERYWHERE
def test_what_further_seeds_would_break_is_called_an_estimate(format_name):
    text = re.sub("</?data[^>]*>", "", shown(_seeded(2.53, 0.85, 0.846, 0.85), format_name))
    text = " ".join(text.split())
    assert "linf 0.1: 3 seeds broke 139 to 143 samples each, 143 together; " in text
    assert "more seeds would break about 2.5 more" in text
    assert "ESTIMATE, no bound" in text


@EVERYWHERE
@pytest.mark.parametrize("model", [_seeded(None, 0.85, 0.846), _seeded(0.0, 0.989, 0.989, 0.989), SOUND])
def test_nothing_is_estimated_from_two_seeds_or_from_no_error(format_name, model):
    assert "ESTIMATE" not in shown(model, format_name).replace("(ESTIMATE, no certificate)", "")


@FORMATS
def test_distances_of_errors_are_rounded_up(format_name):
    text = shown(SOUND, format_name)
    assert "nearest error" in text
    assert "0.0683" in text
    assert "990" in text


@pytest.mark.parametrize("width", [60, 80, 160])
@pytest.mark.parametrize("dense", [False, True])
def test_no_line_is_too_wide(width, dense):
    for model in (SOUND, DOUBTFUL, BROKEN):
        assert max(map(len, shown(model, width=width, dense=dense, verbose=True).splitlines())) <= width


def test_every_check_is_explained():
    for name in CHECKS:
        page = find(f"evaluation.{name}")
        assert page is not None, name
        assert name in read(page)
