"""Annotations of GitHub Actions."""

import re
from dataclasses import replace

import pytest

from lipcert.render import render
from tests.render.checks import check, checked_model
from tests.render.reports import REPORTS, gated

COMMAND = re.compile(r"::(error|warning|notice) (?:[a-z]+=[^,:\n]*,?)+::[^\n]+")


@pytest.mark.parametrize("name", REPORTS)
def test_every_line_but_the_last_is_one_command(name):
    *commands, last = render(REPORTS[name], "github").splitlines()
    assert all(COMMAND.fullmatch(line) for line in commands)
    assert last.startswith("lipcert: ")
    assert len(commands) <= 10


def test_a_failed_check_is_annotated_where_it_is_declared():
    first = render(REPORTS["checked"], "github").splitlines()[0]
    assert first == (
        "::error file=lipcert.toml,line=7,title=clean.accuracy%3A mnist_conv.onnx::"
        "98.9 %25 is below 99.5 %25%0Ahint: train longer"
    )


def test_nothing_undecided_reads_as_passed():
    shown = render(REPORTS["checked"], "github")
    assert "::warning file=lipcert.toml,line=20,title=lipschitz.l2%3A mnist_conv.onnx::inconclusive: " in shown
    assert shown.endswith("1 pass, 2 fail, 1 error, 1 inconclusive, 1 skipped, 1 ignored; gate: fail\n")


@pytest.mark.parametrize("count", [9, 10, 11, 200])
def test_at_most_ten_annotations_and_the_rest_is_counted(count):
    model = replace(checked_model(*(check("fail", id=f"check{i}") for i in range(count))), diagnostics=())
    *commands, _ = render(gated(model), "github").splitlines()
    assert len(commands) == min(count, 10)
    if count > 10:
        assert commands[-1].endswith(f"::{count - 9} more findings in the summary")
