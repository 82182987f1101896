"""The table of all numbers."""

import csv
import io

import pytest

from lipcert.records.metrics import readings
from lipcert.render import render
from lipcert.render.csv_table import HEAD
from tests.render.reports import REPORTS

EVERY = pytest.mark.parametrize("name", REPORTS)


def rows(name):
    return list(csv.DictReader(io.StringIO(render(REPORTS[name], "csv"))))


@EVERY
def test_one_line_a_row_and_no_cell_computes(name):
    text = render(REPORTS[name], "csv")
    assert text.splitlines()[0] == ",".join(HEAD)
    assert len(text.splitlines()) == 1 + len(rows(name))
    for row in rows(name):
        assert None not in row
        names = (row[column] for column in ("model", "path", "id", "message"))
        assert not [cell for cell in names if cell.lstrip().startswith(("=", "+", "-", "@"))]


@EVERY
def test_every_metric_stands_in_it_to_the_last_digit(name):
    for model in REPORTS[name].models[:1]:
        known = [reading for reading in readings(model) if reading.skipped is None]
        shown = [row for row in rows(name) if row["kind"] == "metric" and not row["state"]]
        assert len(shown) >= len(known)
        for reading, row in zip(known, shown, strict=False):
            assert [float(row[end]) if row[end] else None for end in ("lower", "upper")] == [
                reading.lower,
                reading.upper,
            ]


def test_what_is_skipped_or_not_passed_says_so():
    checks = {row["id"]: row["state"] for row in rows("checked") if row["kind"] == "check"}
    assert checks["layers.spectral_outlier"] == "ignored"
    assert checks["lipschitz.l2"] == "inconclusive"
    assert "skipped" in {row["state"] for row in rows("all_skipped")}
    assert rows("failed")[0]["state"] == "error"
