"""`lipcert inspect`: several files, one document, one exit code."""

import json
from dataclasses import replace

import pytest

from lipcert import errors
from lipcert.cli import engine
from lipcert.records import InspectRecord, InspectReport, LayerSketch, OperatorRecord, Skipped
from lipcert.records.tool import tool_record
from lipcert.render import Style
from lipcert.render.terminal import render_inspection
from tests.render.reports import HOSTILE, full_model

MODEL = full_model()
RECORD = InspectRecord(
    id="net",
    path="net.onnx",
    sha256="ab" * 32,
    size_bytes=651_234,
    format="onnx",
    description="ONNX opset 17",
    status="partly",
    signature=MODEL.signature,
    fidelity=MODEL.fidelity,
    nodes=43,
    analysable_nodes=41,
    operators=(
        OperatorRecord(op="relu", count=30, tier="bounds"),
        OperatorRecord(op="convolution", count=11, tier="bounds"),
        OperatorRecord(op="sort", count=2, tier="gradient"),
    ),
    layers=(
        LayerSketch(
            name="conv1",
            op="convolution",
            description="conv 1->16 4x4 /2 @28x28",
            input_shape=(1, 28, 28),
            output_shape=(16, 14, 14),
            parameters=272,
        ),
    ),
)
GONE = Skipped(reason="no interpretation", operators=("NonZero",))
BLOCKED = replace(
    RECORD,
    status="blocked",
    signature=GONE,
    fidelity=GONE,
    operators=(OperatorRecord(op="NonZero", count=1, tier="unsupported"),),
)


@pytest.fixture
def inspected(monkeypatch):
    """Answers by file name: a record to give or an error to raise."""
    answers = {}

    def answer(path, _shape, _name, **_):
        found = answers.get(path.name, RECORD)
        if isinstance(found, Exception):
            raise found
        return replace(found, path=str(path))

    monkeypatch.setattr(engine, "inspect_file", answer)
    return answers


def test_a_file_is_told_in_words(lipcert, model, inspected):
    outcome = lipcert("inspect", model)
    assert outcome.code == 0
    for words in ("ONNX opset 17", "651.2 kB", "analysable: 41 of 43; blocked by sort", "relu 30", "conv1", "1x28x28"):
        assert words in outcome.out


def test_a_folder_is_one_document(lipcert, model, inspected):
    model.with_name("b.onnx").write_bytes(model.read_bytes())
    model.with_name("notes.txt").write_text("hello")
    outcome = lipcert("inspect", model.parent, "--json")
    document = json.loads(outcome.out)
    assert document["schema"] == "lipcert.inspect"
    assert [entry["path"] for entry in document["models"]] == [str(model.with_name("b.onnx")), str(model)]


def test_one_bad_file_does_not_hide_the_others(lipcert, model, inspected):
    model.with_name("a.onnx").write_bytes(model.read_bytes())
    inspected["a.onnx"] = errors.RefusedModelError("two inputs", hint="export one")
    outcome = lipcert("inspect", model.parent, "-f", "json")
    document = json.loads(outcome.out)
    assert outcome.code == document["exit_code"] == 3
    assert document["errors"][0]["message"] == "two inputs"
    assert len(document["models"]) == 1
    assert "hint: export one" in lipcert("inspect", model.parent).out


def test_a_blocked_file_is_not_a_success(lipcert, model, inspected):
    inspected["net.onnx"] = BLOCKED
    outcome = lipcert("inspect", model)
    assert outcome.code == 3
    assert "NonZero" in outcome.out


def test_an_internal_error_is_about_its_file(lipcert, model, inspected, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    inspected["net.onnx"] = RuntimeError("boom")
    outcome = lipcert("inspect", model, "--json")
    assert outcome.code == 3
    (error,) = json.loads(outcome.out)["errors"]
    assert error["model"] == str(model)
    assert str(next(tmp_path.glob("lipcert-*.log"))) in error["hint"]


def test_a_file_that_needs_another_command_line_is_a_usage_error(lipcert, model, inspected):
    inspected["net.onnx"] = errors.UsageError("no shape", hint="--input-shape")
    assert lipcert("inspect", model).code == 2


@pytest.mark.parametrize("width", [80, 160])
def test_hostile_names_stay_in_their_columns(width):
    layer = replace(RECORD.layers[0], name=HOSTILE, description=HOSTILE)
    record = replace(RECORD, path=HOSTILE, description=HOSTILE, layers=(layer,), notes=(HOSTILE,))
    shown = render_inspection(
        InspectReport(tool=tool_record(), models=(record, BLOCKED), exit_code=3), Style(width=width, unicode=False)
    )
    assert shown.isascii()
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= width
