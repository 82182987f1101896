"""JUnit XML by the rules of Jenkins' schema (junit-10.xsd of its xunit plugin)."""

import re
import xml.etree.ElementTree as ET

import pytest

from lipcert.render import render
from tests.render.reports import REPORTS

EVERY = pytest.mark.parametrize("name", REPORTS)
REQUIRED = {"testsuites": set(), "testsuite": {"name", "tests", "failures", "errors"}, "testcase": {"name"}}
ALLOWED = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": set(
        "name tests failures errors group time skipped timestamp hostname id package file log url".split()
    ),
    "testcase": {"name", "time", "classname", "group"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set(),
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase", "system-out"},
    "testcase": {"skipped", "error", "failure", "system-out"},
}
TIME = re.compile(r"\d{1,12}(\.\d*)?")


def root(report):
    return ET.fromstring(render(report, "junit"))


@EVERY
def test_every_element_and_attribute_is_in_the_schema(name):
    tree = root(REPORTS[name])
    assert tree.tag == "testsuites"
    for element in tree.iter():
        assert REQUIRED.get(element.tag, set()) <= set(element.attrib) <= ALLOWED[element.tag]
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
        assert TIME.fullmatch(element.get("time", "0"))


@EVERY
def test_the_counts_are_those_of_the_cases(name):
    tree = root(REPORTS[name])
    for suite in (tree, *tree):
        cases = list(suite.iter("testcase"))
        outcomes = [child.tag for case in cases for child in case]
        assert int(suite.get("tests")) == len(cases)
        assert int(suite.get("failures")) == outcomes.count("failure")
        assert int(suite.get("errors")) == outcomes.count("error")
        assert int(suite.get("skipped", outcomes.count("skipped"))) == outcomes.count("skipped")


@EVERY
def test_a_suite_a_model_and_a_case_a_check(name):
    report = REPORTS[name]
    suites = list(root(report))
    assert len(suites) == len(report.models) + len(report.errors)
    for model, suite in zip(report.models, suites, strict=False):
        assert len(suite.findall("testcase")) == max(len(model.checks), 1)


def test_outcomes_follow_the_states():
    cases = {case.get("name").split(" ")[0]: case for case in root(REPORTS["checked"]).iter("testcase")}
    outcome = {name: [child.tag for child in case] for name, case in cases.items()}
    assert outcome == {
        "certified.accuracy": [],
        "clean.accuracy": ["failure"],
        "clean.loss": ["failure"],
        "lipschitz.l2": ["error"],
        "layers.norm": ["error"],
        "robust.loss": ["skipped"],
        "layers.spectral_outlier": ["skipped"],
    }
    assert "hint: train longer" in cases["clean.accuracy"][0].text
    assert "retired in Q1, until 2027-03-31" in cases["layers.spectral_outlier"][0].get("message")


def test_a_model_that_could_not_be_read_is_an_error():
    (suite,) = root(REPORTS["failed"])
    assert suite.get("name") == "broken.onnx"
    assert suite.find("testcase/error").get("type") == "model.unsupported_operator"
