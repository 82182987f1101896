"""Comparisons as text, Markdown and JSON."""

import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from lipcert.policy import compare_reports
from lipcert.records import codec
from lipcert.records.compare import SideRecord
from lipcert.render import Style
from lipcert.render.comparison import FORMATS, render_comparison
from lipcert.render.comparison.markdown import MOST
from lipcert.render.comparison.wording import reason, reasons
from tests.render.models import full_model, layer
from tests.render.reports import HOSTILE, report


def side(path="a.json"):
    return SideRecord(path=path, kind="report", version="0.1.0", models=1)


def compared(before, after, name="a.json", **more):
    return compare_reports(report(*before), report(*after), sides=(side(name), side(name)), **more)


MODEL = full_model()
WORSE = replace(MODEL, margins=replace(MODEL.margins, clean_accuracy=0.3))


@pytest.mark.parametrize("width", [60, 80, 160])
@pytest.mark.parametrize("full", [False, True])
def test_the_verdict_comes_first_and_nothing_is_wider_than_asked(width, full):
    text = render_comparison(compared([MODEL], [WORSE]), "text", Style(width=width), full=full)
    assert text.startswith("WORSE")
    assert max(map(len, text.splitlines())) <= width
    assert "clean.accuracy" in text


def test_what_is_left_open_has_a_question_mark():
    near = replace(MODEL, margins=replace(MODEL.margins, clean_accuracy=MODEL.margins.clean_accuracy - 0.001))
    text = render_comparison(compared([MODEL], [near]), "text", Style())
    assert text.startswith("PERHAPS WORSE")
    assert "worse?" in text
    assert "the 95 % intervals overlap" in text


def test_names_are_inert_in_every_format():
    model = replace(MODEL, path=HOSTILE, id=HOSTILE, layers=(layer(HOSTILE),))
    other = replace(model, layers=(layer(HOSTILE, frobenius_norm=layer("x", norm=None).spectral_norm),))
    found = compared([model], [other], HOSTILE)
    for name in FORMATS:
        text = render_comparison(found, name, Style(), full=True)
        assert "\x1b" not in text
        assert "\u202e" not in text or name == "json"
        if name == "markdown":
            assert "<script>" not in text
            assert "@everyone" not in text
        if name == "text":
            assert all(line.isprintable() for line in text.splitlines())


def test_ascii_is_enough():
    text = render_comparison(compared([MODEL], [WORSE]), "text", Style(unicode=False))
    assert text.isascii()


def test_a_comment_holds_as_many_models_as_fit():
    light = replace(WORSE, jacobian=None, layers=(), generalization=(), robustness=())
    many = [replace(light, path=f"zoo/{number}.onnx", id=str(number)) for number in range(200)]
    before = [replace(light, margins=MODEL.margins, path=model.path, id=model.id) for model in many]
    text = render_comparison(compared(before, many), "markdown")
    assert len(text) <= MOST + 300
    assert "more models are left out here" in text


def test_json_is_strict_and_meets_its_schema():
    text = render_comparison(compared([MODEL], [WORSE], fail_on="error"), "json")
    document = json.loads(text, parse_constant=pytest.fail)
    Draft202012Validator(codec.json_schema("compare")).validate(document)
    assert document["gate"] == "fail"
    assert codec.read(text, type(compared([MODEL], [WORSE]))).exit_code == 1


def test_below_a_narrow_table_each_reason_stands_once():
    first = next(change for change in compared([MODEL], [WORSE]).models[0].changes if reason(change))
    few = [replace(first, metric=f"margins.{name}", reason="few") for name in ("a", "b")]
    many = [replace(first, metric=f"margins.m{i}", reason="many") for i in range(9)]
    assert reasons([*few, *many]) == ["margins.a, margins.b: few", "elsewhere many"]
    assert reasons(few) == ["margins.a, margins.b: few"]
    assert reasons([replace(first, verdict="same")]) == []
