"""The table of samples goes where it may go, and nowhere else."""

import pytest

from lipcert.cli import tables
from lipcert.pipeline.per_sample import as_arrays, as_lines, as_parquet

ROWS = [{"index": 0, "label": 3, "prediction": 3, "margin": 0.5}]


@pytest.mark.parametrize("name", ["rows.csv", "rows", "rows.jsonl.gz"])
def test_an_unknown_suffix_is_refused_before_the_work(lipcert, model, requests, tmp_path, name):
    outcome = lipcert("analyze", model, "--per-sample", tmp_path / name)
    assert outcome.code == 2
    assert ".jsonl, .npz or .parquet" in outcome.err
    assert not requests


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.npz", "ROWS.JSONL"])
def test_a_known_suffix_is_passed_on(lipcert, model, requests, tmp_path, name):
    assert lipcert("analyze", model, "--per-sample", tmp_path / name).code == 0
    assert requests[0].per_sample == tmp_path / name


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.npz"])
def test_a_foreign_file_stays(lipcert, model, requests, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b'{"index": 0, "mine": 1}\n')
    outcome = lipcert("analyze", model, "--per-sample", path)
    assert outcome.code == 2
    assert "--overwrite" in outcome.err
    assert not requests
    assert lipcert("analyze", model, "--per-sample", path, "--overwrite").code == 0


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.npz"])
def test_an_earlier_table_may_be_replaced(lipcert, model, requests, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(as_lines(ROWS) if name == "rows.jsonl" else as_arrays(ROWS))
    assert tables.is_table(path)
    assert lipcert("analyze", model, "--per-sample", path).code == 0


@pytest.mark.parametrize("place", ["folder.jsonl", "nowhere/rows.jsonl"])
def test_a_place_that_cannot_hold_a_file_is_refused(lipcert, model, requests, tmp_path, place):
    (tmp_path / "folder.jsonl").mkdir()
    assert lipcert("analyze", model, "--per-sample", tmp_path / place).code == 2
    assert not requests


def test_two_results_in_one_file_are_refused(lipcert, model, requests, tmp_path):
    path = tmp_path / "rows.jsonl"
    assert lipcert("analyze", model, "-o", path, "--per-sample", path).code == 2
    assert not requests


def test_a_table_needs_samples(lipcert, sample_models, tmp_path):
    outcome = lipcert("analyze", sample_models / "mnist_conv.onnx", "--per-sample", tmp_path / "rows.jsonl")
    assert outcome.code == 2
    assert "--data" in outcome.err


def test_an_earlier_parquet_table_is_told_from_anothers(tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    ours, other = tmp_path / "rows.parquet", tmp_path / "other.parquet"
    ours.write_bytes(as_parquet(ROWS))
    parquet.write_table(arrow.table({"index": [0]}), other)
    assert tables.is_table(ours)
    assert not tables.is_table(other)
