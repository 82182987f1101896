"""Tables of samples are compared in whatever form they were written."""

import json

import pytest

from lipcert.pipeline.per_sample import as_arrays, as_lines
from lipcert.records import codec
from tests.render.models import full_model
from tests.render.reports import report


def rows(right):
    return [{"index": i, "label": 1, "prediction": int(i < right)} for i in range(12)]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a report and two tables."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.json").write_text(codec.to_json(report(full_model())))
    (tmp_path / "a.npz").write_bytes(as_arrays(rows(10)))
    (tmp_path / "b.jsonl").write_bytes(as_lines(rows(2)))
    return tmp_path


def test_tables_of_every_form_are_compared(lipcert, place):
    outcome = lipcert("compare", "r.json", "r.json", "--per-sample", "a.npz,b.jsonl", "--json")
    (paired,) = json.loads(outcome.out)["models"][0]["paired"]
    assert paired["metric"] == "margins.clean_accuracy"
    assert (paired["counts"]["only_first"], paired["counts"]["both"]) == (8, 2)


def test_a_damaged_table_is_bad_data(lipcert, place):
    (place / "a.npz").write_bytes((place / "a.npz").read_bytes()[:50])
    outcome = lipcert("compare", "r.json", "r.json", "--per-sample", "a.npz,b.jsonl")
    assert outcome.code == 2
    assert "a.npz" in outcome.err
