"""The table with one row a sample: the same numbers in both formats, strict, and the same bytes each time."""

import io
import json
import math

import numpy as np
import pytest
import torch

import lipcert
from lipcert.errors import DataError, UsageError
from lipcert.pipeline import AnalyzeRequest, analyze_file, per_sample_format
from lipcert.pipeline.per_sample import as_arrays, as_lines, as_parquet, finite
from lipcert.pipeline.per_sample_format import is_binary
from lipcert.pipeline.per_sample_reading import read_binary
from lipcert.policy.paired import compare_rows
from lipcert.records import AnalyzeSettings

ONLY = ("jacobian", "margins", "robustness", "certificates")


@pytest.fixture(scope="module")
def written(sample_models, tmp_path_factory):
    """Both tables of one run each, and the report."""
    folder = tmp_path_factory.mktemp("tables")
    reports = []
    for name in ("first.jsonl", "again.jsonl", "first.npz"):
        settings = AnalyzeSettings(analyses=("jacobian", "margins"), samples=20, deterministic=True)
        request = AnalyzeRequest(
            model=sample_models / "digits_mlp.onnx",
            data=str(sample_models / "digits_test.npz"),
            per_sample=folder / name,
            settings=settings,
        )
        reports.append(analyze_file(request))
    return folder, reports[0].models[0]


def _strict(text):
    def refuse(constant):
        raise ValueError(constant)

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def test_rows_say_what_the_report_says(written):
    folder, model = written
    rows = _strict((folder / "first.jsonl").read_text(encoding="utf-8"))
    assert [row["index"] for row in rows] == list(range(20))
    assert list(rows[0])[:4] == ["index", "label", "prediction", "margin"]
    right = [row["prediction"] == row["label"] for row in rows]
    assert sum(right) / 20 == model.margins.clean_accuracy
    assert [row["margin"] > 0 for row in rows] == right
    steepest = max(row["jacobian"]["spectral_norm"] for row in rows)
    assert steepest == pytest.approx(model.jacobian.statistics["spectral_norm"].max, rel=1e-12)


def test_the_same_run_writes_the_same_bytes(written):
    folder, _ = written
    assert (folder / "first.jsonl").read_bytes() == (folder / "again.jsonl").read_bytes()
    assert sorted(path.name for path in folder.iterdir()) == ["again.jsonl", "first.jsonl", "first.npz"]


def test_arrays_hold_the_same_numbers(written):
    folder, _ = written
    rows = _strict((folder / "first.jsonl").read_text(encoding="utf-8"))
    with np.load(folder / "first.npz", allow_pickle=False) as arrays:
        assert arrays["schema"].item().startswith(b"lipcert.per_sample ")
        assert arrays["label"].tolist() == [row["label"] for row in rows]
        assert arrays["label"].dtype == np.int64
        assert arrays["margin"].tolist() == [row["margin"] for row in rows]
        norms = arrays["jacobian.spectral_norm"].tolist()
    assert norms == [row["jacobian"]["spectral_norm"] for row in rows]


def test_what_is_missing_or_not_finite_is_null_and_nan():
    rows = [
        finite({"index": 0, "r": {"l2": math.inf}, "v": ({"norm": "linf", "eps": 0.1, "verdict": "certified"},)}),
        finite({"index": 1, "r": {"l2": torch.tensor(0.5)}, "v": ({"norm": "linf", "eps": 0.1, "verdict": None},)}),
    ]
    assert rows[0]["r"] == {"l2": None}
    assert _strict(as_lines(rows).decode())[1]["r"] == {"l2": 0.5}
    with np.load(io.BytesIO(as_arrays(rows)), allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["r.l2"], [math.nan, 0.5])
        assert arrays["v[norm=linf,eps=0.1].verdict"].tolist() == ["certified", ""]
        assert arrays["index"].dtype == np.int64


def test_a_parquet_table_holds_the_same_columns(written):
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = _strict((written[0] / "first.jsonl").read_text(encoding="utf-8"))
    rows[3]["jacobian"]["first_order_distance"]["l2"] = None
    found = parquet.read_table(io.BytesIO(as_parquet(rows)))
    assert found.schema.metadata[b"schema"].startswith(b"lipcert.per_sample ")
    assert found["label"].to_pylist() == [row["label"] for row in rows]
    distances = [row["jacobian"]["first_order_distance"]["l2"] for row in rows]
    assert found["jacobian.first_order_distance.l2"].to_pylist() == distances
    whole = as_parquet([{"index": 0, "x": None, "y": 1}, {"index": 1, "x": None, "y": 0.5}])
    assert [str(kind) for kind in parquet.read_schema(io.BytesIO(whole)).types] == ["int64", "double", "double"]


TABLES = {".npz": as_arrays, ".parquet": as_parquet}


@pytest.mark.parametrize("suffix", TABLES)
@pytest.mark.parametrize("labelled", [True, False])
def test_what_is_read_back_answers_every_question_alike(tmp_path, suffix, labelled):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    rows = [
        {
            "index": i,
            "label": i % 3 if labelled else None,
            "prediction": 1,
            "margin": 0.5,
            "verdicts": [
                {"norm": "linf", "eps": 2 / 255, "verdict": "certified" if i % 2 else "unknown", "method": "interval"},
                {"norm": "l2", "eps": 0.5, "verdict": "misclassified" if i % 5 else "falsified", "method": ""},
            ],
        }
        for i in range(30)
    ]
    (tmp_path / "rows").write_bytes(TABLES[suffix](rows))
    assert is_binary(tmp_path / "rows")
    back = read_binary(tmp_path / "rows")
    assert compare_rows(back, rows) == compare_rows(rows, rows)
    assert {r.counts.only_first + r.counts.only_second for r in compare_rows(back, rows)} == {0}


@pytest.mark.parametrize("table", [[{"index": 0, "x": 1}], [{"index": "a", "label": 0, "prediction": 0}]])
@pytest.mark.parametrize("suffix", TABLES)
def test_other_tables_are_refused(tmp_path, suffix, table):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / "rows"
    whole = TABLES[suffix](table)
    for content in (whole, whole[:40]):
        path.write_bytes(content)
        with pytest.raises(DataError):
            read_binary(path)


def test_without_pyarrow_a_parquet_table_is_refused_before_any_work(monkeypatch, sample_models, tmp_path):
    monkeypatch.setattr(per_sample_format, "find_spec", lambda _: None)
    settings = AnalyzeSettings(analyses=("margins",))
    with pytest.raises(UsageError, match="pyarrow") as refused:
        lipcert.analyze(
            sample_models / "digits_mlp.onnx",
            sample_models / "digits_test.npz",
            settings=settings,
            per_sample=tmp_path / "rows.parquet",
        )
    assert "lipcert[parquet]" in refused.value.hint


def test_python_gives_what_the_command_line_gives(sample_models, tmp_path):
    with np.load(sample_models / "digits_test.npz") as data:
        images, labels = data["images"][:20], data["labels"][:20]
    settings = AnalyzeSettings(analyses=("jacobian", "robustness"), effort="fast", eps={"linf": (0.1,)}, seeds=1)
    report = lipcert.analyze(
        str(sample_models / "digits_mlp.onnx"),
        images,
        labels,
        settings=settings,
        train_data=(images[:10], labels[:10]),
        per_sample=str(tmp_path / "rows.jsonl"),
        save_adversarials=tmp_path / "worst.npz",
    )
    assert len(_strict((tmp_path / "rows.jsonl").read_text(encoding="utf-8"))) == 20
    assert "clean_loss" in {gap.quantity for gap in report.models[0].jacobian.gaps}
    with np.load(tmp_path / "worst.npz") as kept:
        assert kept["clean"].shape[0] == 20
    with pytest.raises(UsageError, match="a pair of images and labels"):
        lipcert.analyze(sample_models / "digits_mlp.onnx", images, labels, train_data=images)


def test_a_stopped_run_writes_the_columns_that_were_done(sample_models, tmp_path):
    def stop(name, *_):
        if name == "robustness":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lipcert.analyze(
            sample_models / "digits_mlp.onnx",
            sample_models / "digits_test.npz",
            settings=AnalyzeSettings(samples=12, effort="fast", analyses=("jacobian", "margins", "robustness")),
            per_sample=tmp_path / "rows.jsonl",
            progress=stop,
        )
    rows = _strict((tmp_path / "rows.jsonl").read_text(encoding="utf-8"))
    assert len(rows) == 12
    assert "spectral_norm" in rows[0]["jacobian"]
    assert "adversarial_radius" not in rows[0]


def test_numbers_come_back_to_the_bit():
    values = [0.1, 1 / 3, 5e-324, 1.7e308, -0.0]
    rows = [{"index": i, "value": value} for i, value in enumerate(values)]
    assert [row["value"] for row in _strict(as_lines(rows).decode())] == values
    with np.load(io.BytesIO(as_arrays(rows))) as arrays:
        assert arrays["value"].tolist() == values
