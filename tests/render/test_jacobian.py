"""The section on the Jacobian: a few lines first, every number of the record behind -v and in Markdown."""

from dataclasses import replace

import pytest
from rich.cells import cell_len

from lipcert.render import Style, render
from lipcert.render.wording.jacobian import readings
from lipcert.render.wording.jacobian_tables import tables
from tests.render.jacobians import full_jacobian, skipped_jacobian
from tests.render.reports import full_model, report

RECORDS = {"full": full_jacobian, "two classes": lambda: full_jacobian(2), "skipped": skipped_jacobian}
EVERY = pytest.mark.parametrize("name", RECORDS)


def _shown(record, form="text", **style):
    return render(report(replace(full_model(), jacobian=record)), form, Style(**style))


def _section(shown):
    return shown.split("JACOBIAN", 1)[1].split("\n\n", 1)[0].splitlines()[1:]


@EVERY
@pytest.mark.parametrize("width", [80, 100, 160])
@pytest.mark.parametrize("form", [{}, {"unicode": False}, {"verbose": True}, {"verbose": True, "dense": True}])
def test_no_line_is_wider_than_the_terminal(name, width, form):
    lines = _shown(RECORDS[name](), width=width, **form).splitlines()
    assert max(map(cell_len, lines)) <= width


def test_five_lines_and_two_plots_come_first():
    found = readings(full_jacobian())
    assert [each.name for each in found][:5] == ["spectral norm", "spectrum", "boundary", "linearity", "robust loss"]
    assert [bool(each.plot) for each in found] == [True, True] + [False] * (len(found) - 2)
    assert all(len(each.text) <= 130 for each in found[:5])


def test_the_lines_say_the_numbers():
    lines = {each.name: each.text for each in readings(full_jacobian())}
    assert lines["spectral norm"] == "median 3.41, 95 % 7.80, largest 11.9"
    assert lines["boundary"] == "to first order at l2 1.02 (medians)"
    assert lines["robust loss"].startswith("clean 0.031; ")
    assert "linf 8/255: first-order" in lines["robust loss"]
    assert "attacked >= 0.37" in lines["robust loss"]
    assert lines["train -> test"].startswith("clean loss 0.0100 -> 0.0400")
    assert "3 samples lie on a plateau" in lines["caution"]


def test_a_lower_bound_is_shown_as_one():
    (line,) = readings(skipped_jacobian())
    assert line.text.startswith("median >= 3.41")


def test_tables_wait_for_verbose():
    plain, verbose = (_shown(full_jacobian(), width=120, verbose=flag) for flag in (False, True))
    assert "-v shows all tables" in plain
    assert "Operator norms" not in plain
    assert "-v shows all tables" not in verbose
    for table in tables(full_jacobian()):
        assert table.title in verbose


def test_every_row_is_as_long_as_its_head():
    for record in (make() for make in RECORDS.values()):
        for table in tables(record):
            assert all(len(row) == len(table.head) for row in table.rows), table.title


def test_radii_are_shown_as_they_were_asked_for():
    (gaps,) = (table for table in tables(full_jacobian()) if table.title == "Training and test samples")
    assert [row[0] for row in gaps.rows] == ["clean loss", "pairwise linf 8/255"]


@EVERY
def test_markdown_holds_the_same_tables(name):
    shown = _shown(RECORDS[name](), "markdown")
    assert shown.count("<details>") == shown.count("</details>")
    for table in tables(RECORDS[name]()):
        for note in table.notes:
            assert note.split(";")[0].split(":")[0] in shown.replace("\\", "")


def test_ascii_plots_where_only_ascii_will_do():
    assert _shown(full_jacobian(), width=80, unicode=False, verbose=True).isascii()
