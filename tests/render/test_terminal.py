"""Laws of the terminal report, over every kind of report."""

from dataclasses import replace

import pytest
from rich.cells import cell_len

from lipcert.records import DiagnosticRecord, Skipped
from lipcert.render import Style, render
from tests.render.reports import REPORTS, full_model, report, without_data

EVERY = pytest.mark.parametrize("name", REPORTS)


def text(name, **style):
    return render(REPORTS[name], "text", Style(**style))


@EVERY
@pytest.mark.parametrize("width", [80, 120, 160])
@pytest.mark.parametrize("form", [{}, {"unicode": False}, {"dense": True}])
def test_no_line_is_wider_than_the_terminal(name, width, form):
    lines = text(name, width=width, **form).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)


@EVERY
def test_ascii_alone_where_the_stream_can_do_no_more(name):
    assert text(name, width=80, unicode=False).isascii()


@EVERY
def test_only_newlines_control_the_terminal(name):
    shown = text(name, width=120)
    assert not [char for char in shown if char != "\n" and not char.isprintable()]


@EVERY
def test_colour_adds_colour_and_nothing_else(name):
    import re

    plain, coloured = text(name, width=80), text(name, width=80, color=True)
    sequences = re.compile(r"\x1b\[[0-9;]*m")
    stripped = [line.rstrip() for line in sequences.sub("", coloured).splitlines()]
    assert stripped == plain.splitlines()
    assert plain != coloured


def test_hostile_names_are_shown_not_obeyed():
    shown = text("hostile", width=160, color=True)
    assert "\\x1b[31mred" in shown
    assert "\x1b[31mred" not in shown
    assert "[bold]b[/bold]" in shown.replace("\n", "")
    assert "\\u202e" in shown


def test_the_verdict_stands_first_and_carries_units_and_both_sides():
    shown = text("full", width=160)
    verdict = shown.index("VERDICT")
    assert verdict < min(shown.index(title) for title in ("ROBUST ACCURACY", "LIPSCHITZ", "JACOBIAN", "LAYERS"))
    line = next(line for line in shown.splitlines() if "linf 0.1:" in line)
    assert "81.2 % (proved)" in line
    assert "84.6 % (attacked)" in line
    assert "input [0, 1] before normalisation" in shown[verdict : verdict + 80]


def test_preprocessing_and_fidelity_stand_at_the_top():
    head = text("full", width=160).split("VERDICT")[0]
    assert "(x / 255 - mean) / std" in head
    assert "input range [0, 1]" in head
    assert "agrees with onnxruntime to 3e-07" in head


def test_without_data_the_report_says_what_data_would_add():
    shown = text("without_data", width=160)
    assert "--data FILE adds Jacobian norms, margins, robust loss" in shown
    assert "11.9 <= L <= 19.4" in shown.split("ROBUST")[0].split("VERDICT")[1]
    assert "ROBUST ACCURACY" not in shown


def test_an_error_among_the_diagnostics_stands_in_the_verdict():
    note = DiagnosticRecord(id="data.chance", level="error", message="no better than chance")
    shown = render(report(replace(full_model(), diagnostics=(note,))), "text")
    assert "DOUBTFUL until data.chance is settled" in shown.split("VERDICT")[1].split("ROBUST")[0]


def test_where_nothing_is_certified_the_verdict_says_how_far_certificates_reach():
    model = full_model()
    open_ball = replace(model.brackets[2], certified_accuracy=0.0, undecided=0.846)
    shown = render(report(replace(model, brackets=(open_ball,))), "text")
    assert "no certificate at this radius" in shown
    assert "Half of the samples are certified up to linf 0.0682 (proved)." in shown


def test_what_waits_for_data_is_named_once():
    waiting = Skipped(reason="it needs samples")
    model = replace(without_data(), jacobian=waiting, margins=waiting, robustness=waiting, certificates=waiting)
    shown = render(report(model), "text").split("SKIPPED")[1]
    assert "it needs samples" not in shown
    assert "--data FILE adds" in shown


def test_without_labels_the_report_says_what_labels_would_add():
    model = full_model()
    blind = replace(model, data=replace(model.data, labelled=False), margins=None, brackets=(), robustness=())
    assert "--labels FILE adds margins" in render(report(blind), "text")


def test_what_was_skipped_says_why():
    shown = text("all_skipped", width=160)
    for name in ("layers", "lipschitz", "jacobian", "robustness", "certificates"):
        assert f"  {name} " in shown.split("SKIPPED")[1]
    assert "no rule for these operators (operators: sort, topk)" in shown


def test_wide_terminals_show_more():
    narrow, wide = text("full", width=80), text("full", width=160)
    assert "Frobenius" not in narrow
    assert "Frobenius" in wide
    assert len(text("full", width=160, dense=True).splitlines()) < len(wide.splitlines())


def test_a_layer_with_a_note_has_a_star():
    shown = text("full", width=160)
    assert "fc1 *" in shown
    assert "* fc1: l1_norm skipped: the operator is too large" in shown


def test_failures_are_shown_with_their_hints():
    shown = text("failed", width=120)
    assert "model.unsupported_operator" in shown
    assert "[NonZero, Loop]" in shown
    assert "hint: Export without them." in shown


ALONE = [
    (
        {"lipschitz", "certificates", "brackets"},
        "linf 0.1: at most 84.6 % (attacked) of these 1,000 samples are robust.",
    ),
    ({"lipschitz", "robustness", "brackets"}, "linf 0.1: at least 81.2 % (proved) of these 1,000 samples are robust."),
    ({"lipschitz", "robustness", "certificates", "brackets"}, "98.9 % of these 1,000 samples are classified rightly"),
    (
        {"lipschitz", "robustness", "certificates", "brackets", "margins"},
        "the error on inputs drawn like these lies between 0.4 % and 1.9 % (probabilistic, if they are fresh draws",
    ),
    (
        {"lipschitz", "robustness", "certificates", "brackets", "margins", "generalization"},
        "No verdict on robustness",
    ),
]


@pytest.mark.parametrize(("absent", "words"), ALONE)
def test_the_verdict_is_what_the_analyses_asked_for_say(absent, words):
    empty = {name: None if name == "margins" else () for name in absent}
    shown = render(report(replace(full_model(), **empty)), "text", Style(width=160))
    assert words in shown.split("VERDICT")[1].split("\n\n")[0]
    assert "Nothing could be concluded" not in shown


def test_one_logit_is_told_as_such():
    model = full_model(classes=2)
    one = replace(model, signature=replace(model.signature, head="single_logit"))
    assert "one logit z read as the scores 0 and z" in render(report(one), "text", Style(width=160))
