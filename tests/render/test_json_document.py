"""The JSON document: strict, complete, and read back as what it was."""

import json
from dataclasses import replace
from importlib import resources

import jsonschema
import pytest

from lipcert.records import codec
from lipcert.render import render
from tests.render.reports import REPORTS, full_model, report

EVERY = pytest.mark.parametrize("name", REPORTS)


def refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


@EVERY
def test_a_report_survives_the_round_trip(name):
    document = render(REPORTS[name], "json")
    assert codec.from_json(document) == REPORTS[name]


@EVERY
def test_documents_are_strict_and_hold_to_the_schema(name):
    document = json.loads(render(REPORTS[name], "json"), parse_constant=refuse)
    jsonschema.validate(document, codec.json_schema(), cls=jsonschema.Draft202012Validator)


def test_a_file_name_that_is_no_unicode_is_still_written():
    odd = report(replace(full_model(), path="model\udc80.onnx"))
    text = render(odd, "json")
    assert json.loads(text.encode("utf-8"))["models"][0]["path"] == r"model\udc80.onnx"
    assert codec.from_json(text).models[0].path == r"model\udc80.onnx"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(value):
    odd = report(replace(full_model(), timing={"load": value}))
    with pytest.raises(ValueError, match=r"timing\.load"):
        render(odd, "json")


def test_the_shipped_schema_is_that_of_the_records():
    shipped = resources.files("lipcert.records").joinpath("report.schema.json").read_text(encoding="utf-8")
    assert shipped == codec.schema_text(), (
        "The records changed. Raise SCHEMA_VERSION in lipcert/records/report.py (minor where fields were added, major "
        "where any changed or went) and write codec.schema_text() to lipcert/records/report.schema.json."
    )
