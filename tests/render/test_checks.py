"""Checks and gates in words: nothing that did not pass ever reads as passed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipcert.render import Style, render
from lipcert.render.findings import findings
from lipcert.render.wording.checks import gates, limit, tally, value, word
from tests.render.checks import check, checked_model, every_state
from tests.render.pages import page
from tests.render.reports import REPORTS, full_model, gated, hostile, report

STATES = ("pass", "fail", "error", "inconclusive", "skipped")


@given(st.lists(st.tuples(st.sampled_from(STATES), st.sampled_from([None, "legacy"])), max_size=30))
def test_what_did_not_pass_is_never_counted_as_passed(drawn):
    checks = [check(state, ignored=ignored) for state, ignored in drawn]
    passed = sum(state == "pass" for state, _ in drawn)
    counted = dict(reversed(part.split(" ", 1)) for part in tally(checks).split(", ")) if checks else {}
    assert int(counted.get("pass", 0)) == passed
    assert sum(int(number) for name, number in counted.items() if name != "checks") == len(drawn)
    for each in checks:
        assert (word(each) == "pass") == (each.state == "pass")
        assert gates(each) == (each.state != "pass" and each.ignored is None)
    model = replace(checked_model(*checks) if checks else full_model(), diagnostics=())
    assert len(findings(gated(model))) == sum(map(gates, checks))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"lower": 0.5, "upper": 0.5}, "0.5"),
        ({"lower": 0.1234567, "upper": 0.1234568}, "0.1234 - 0.1235"),
        ({"lower": 2.0, "upper": None}, ">= 2.000"),
        ({"lower": None, "upper": 2.0}, "<= 2.000"),
        ({"lower": None, "upper": None}, "-"),
    ],
)
def test_ends_are_rounded_outward(changes, expected):
    assert value(check(**changes)) == expected


def test_what_was_asked_is_said_whole():
    asked = check(minimum=0.8, maximum=0.9, regression="1%", baseline=0.85)
    assert limit(asked) == ">= 0.8 and <= 0.9 and worse by at most 1% than 0.85"


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_the_gate_comes_first_and_every_check_has_its_state(form):
    shown = page("checked", form)
    assert shown.index("GATE FAILS") < shown.index("between 81.2")
    for each in every_state():
        assert each.id in shown.replace("<wbr>", "")
        assert word(each) in shown
    assert "train longer" in shown
    assert "legacy, retired in Q1, until 2027-03-31" in shown


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_without_checks_there_is_no_gate(form):
    assert "GATE " not in page("several", form)


def test_a_passed_gate_says_so_in_words_and_ascii():
    shown = render(REPORTS["passed"], "text", Style(width=80, unicode=False))
    assert shown.startswith("GATE PASSES  1 pass\n")


@pytest.mark.parametrize("model", [full_model(), checked_model(), hostile()])
def test_markdown_of_a_thousand_models_fits_a_job_summary(model):
    page = render(gated(*[model] * 1000), "markdown")
    assert len(page.encode()) <= 900_000
    assert page.count("\n| ") >= 1000


def test_many_models_are_a_table_and_what_held_the_gate_up():
    shown = render(gated(*[checked_model()] * 6), "text", Style(width=100))
    assert shown.startswith("GATE FAILS  6 pass, 12 fail")
    assert "CHECKS THAT DID NOT PASS" in shown
    assert "JACOBIAN" not in shown
    assert "JACOBIAN" in render(report(*[full_model()] * 6), "text", Style(verbose=True))
