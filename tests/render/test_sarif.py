"""SARIF by its schema, and by what code scanning asks beyond it."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from lipcert.render import render
from lipcert.render.findings import relative
from tests.render.checks import check, checked_model
from tests.render.reports import REPORTS, gated

SCHEMA = Path(__file__).parent / "standards" / "sarif-2.1.0.schema.json"
EVERY = pytest.mark.parametrize("name", REPORTS)


@pytest.fixture(scope="module")
def validator():
    return jsonschema.Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def log(report):
    return json.loads(render(report, "sarif"))


def results(report):
    return log(report)["runs"][0]["results"]


def test_the_schema_can_tell_a_log_from_none(validator):
    broken = log(REPORTS["checked"])
    del broken["runs"][0]["results"][0]["message"]
    assert list(validator.iter_errors(broken))


@EVERY
def test_every_log_validates(validator, name):
    assert list(validator.iter_errors(log(REPORTS[name]))) == []


@EVERY
def test_code_scanning_can_take_every_result(name):
    run = log(REPORTS[name])["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        uri = place["artifactLocation"]["uri"]
        assert uri
        assert not uri.startswith(("/", "file:"))
        assert ".." not in uri.split("/")
        assert place["region"]["startLine"] >= 1
        assert result["level"] in {"error", "warning", "note"}
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["partialFingerprints"]["primaryLocationLineHash"]


def test_a_check_that_did_not_pass_lies_at_the_line_that_declares_it():
    found = {result["ruleId"]: result for result in results(REPORTS["checked"])}
    place = found["clean.accuracy"]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "lipcert.toml"
    assert place["region"] == {"startLine": 7}
    assert {name: result["properties"]["state"] for name, result in found.items()} == {
        "clean.accuracy": "fail",
        "clean.loss": "fail",
        "layers.norm": "error",
        "lipschitz.l2": "inconclusive",
        "robust.loss": "skipped",
        "data.preprocessing": "fail",
    }


def test_what_passed_or_is_ignored_is_no_result():
    found = {result["ruleId"] for result in results(REPORTS["checked"])}
    assert not found & {"certified.accuracy", "layers.spectral_outlier"}


def test_fingerprints_know_the_model_and_the_check_and_no_value():
    first = checked_model(check("fail", lower=0.7, message="70 %", line=3))
    moved = checked_model(check("fail", lower=0.6, message="60 %", line=9), sha256="0" * 64)
    other = replace(first, path="models/other.onnx")
    prints = [
        next(r for r in results(gated(m)) if r["ruleId"] == "certified.accuracy")["partialFingerprints"]
        for m in (first, moved, other)
    ]
    assert prints[0] == prints[1] != prints[2]


def test_one_result_a_model_and_check():
    models = (checked_model(check("fail")), replace(checked_model(check("fail")), path="models/b.onnx"))
    found = [r for r in results(gated(*models)) if r["ruleId"] == "certified.accuracy"]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("zoo/a.onnx", "zoo/a.onnx"),
        ("./zoo//a.onnx", "zoo/a.onnx"),
        ("/home/me/a.onnx", "a.onnx"),
        ("../a.onnx", "a.onnx"),
        ("C:\\zoo\\a.onnx", "a.onnx"),
        ("zoo\\a.onnx", "zoo/a.onnx"),
        ("", ""),
    ],
)
def test_places_stay_inside_the_repository(path, expected):
    assert relative(path) == expected
