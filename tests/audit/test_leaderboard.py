"""The document on a zoo: its schema, its ranks, its renderings."""

import csv
import io
import json
from importlib import resources

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipcert.audit.plan import Member, Plan
from lipcert.audit.report import audit_report
from lipcert.errors import EnclosureError
from lipcert.records import codec
from lipcert.records.audit import AuditBall, AuditLipschitz, AuditReport
from lipcert.render import Style
from lipcert.render.audit import AUDIT_FORMATS, render_audit

HOSTILE = "=cmd|'/c calc'!A1 <script>x</script> \x1b[2J ##[error] | ` "


def member(number, *, name=None, family=""):
    key = f"{number:040x}"
    return Member(name=name or f"net-{number}", path=f"/zoo/net-{number}", family=family, key=key, sha256="0" * 64)


def row(low, high, *, data="d", lipschitz=("l2", 1.5, 9.25)):
    point = ["linf", 0.1, low, high, max(0.0, low - 0.1), min(1.0, high + 0.1), 0.95]
    counts = {"parameters": 10, "classes": 3, "samples": 50, "clean": high, "data": data}
    more = {"points": [point], "lipschitz": list(lipschitz), "spark": [1, 5, 2]}
    return {"status": "analyzed", "format": "onnx", **counts, **more}


def failed():
    error = {"code": "model.crashed", "phase": "run", "message": HOSTILE, "hint": HOSTILE, "operators": []}
    return {"status": "inconclusive", "error": error}


def board(*rows, families=()):
    names = [*families, *[""] * (len(rows) - len(families))]
    plan = Plan(members=tuple(member(n, family=names[n]) for n in range(len(rows))), requests=())
    return audit_report(plan, {f"{n:040x}": each for n, each in enumerate(rows) if each is not None})


def ranks(report):
    return {model.name: model.balls[0].rank for model in report.models if model.balls}


def test_places_are_what_the_intervals_leave_open():
    found = board(row(0.1, 0.2), row(0.5, 0.6), row(0.55, 0.65), row(0.9, 0.95))
    assert ranks(found) == {"net-0": (4, 4), "net-1": (2, 3), "net-2": (2, 3), "net-3": (1, 1)}
    assert [model.name for model in found.models] == ["net-3", "net-2", "net-1", "net-0"]


def test_models_on_other_data_are_not_compared():
    found = board(row(0.1, 0.2, data="a"), row(0.9, 0.95, data="b"))
    assert set(ranks(found).values()) == {(1, 1)}


def test_what_is_not_known_stands_last_and_the_text_leaves_out_what_is_to_do():
    found = board(None, failed(), row(0.1, 0.2), row(0.5, 0.6))
    assert [model.name for model in found.models] == ["net-3", "net-2", "net-1", "net-0"]
    text = render_audit(found, "text")
    assert "net-0" not in text
    assert "1 to do" in text
    assert "net-0" in render_audit(found, "csv")


def test_warnings_stand_beside_the_numbers_they_are_about():
    notes = [{"id": "data.preprocessing", "level": "warning", "message": "fed otherwise", "hint": "--scale 16"}]
    report = board({**row(0.1, 0.2), "warnings": notes}, row(0.5, 0.6))
    assert [len(model.warnings) for model in report.models] == [0, 1]
    for format_name in ("text", "markdown", "html"):
        text = render_audit(report, format_name)
        assert "analyzed, 1 warning" in text
        assert "fed otherwise" in text
        assert "scale 16" in text


@pytest.mark.parametrize(("place", "title"), [(2, "certified linf 0.1"), (3, "attacked linf 0.1")])
def test_a_ball_without_intervals_is_shown_but_not_ranked(place, title):
    found = row(0.5, 0.6)
    point = [*found["points"][0][:2], *[None] * 5]
    point[place] = 0.5
    report = board({**found, "points": [point]}, {**found, "points": []})
    assert ranks(report) == {"net-0": None}
    text = render_audit(report, "text")
    assert title in text
    assert "50.0 %" in text
    assert "rank:" not in text


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted), min_size=1, max_size=8))
def test_ranks_agree_with_counting_all_pairs(ends):
    found = board(*(row(low, high) for low, high in ends))
    balls = {model.name: model.balls[0] for model in found.models}
    for ball in balls.values():
        others = [other.true_accuracy for other in balls.values()]
        better = sum(low > ball.true_accuracy[1] for low, _ in others)
        worse = sum(high < ball.true_accuracy[0] for _, high in others)
        assert ball.rank == (1 + better, len(others) - worse)


def test_the_counts_and_the_exit_code():
    found = board(row(0.1, 0.2), failed(), None).summary
    assert (found.models, found.analyzed, found.inconclusive, found.pending, found.exit_code) == (3, 1, 1, 1, 3)
    usage = {"status": "inconclusive", "error": {**failed()["error"], "code": "data"}}
    assert board(row(0.1, 0.2), usage).summary.exit_code == 2
    assert board(row(0.1, 0.2)).summary.exit_code == 0


def test_records_refuse_what_cannot_be():
    with pytest.raises(EnclosureError):
        AuditBall(norm="l2", eps=0.1, certified_accuracy=0.5, robust_accuracy=0.4)
    with pytest.raises(EnclosureError):
        AuditLipschitz(norm="l2", lower=2.0, upper=1.0)


def test_the_document_keeps_to_its_schema():
    text = render_audit(board(row(0.1, 0.2), failed(), None), "json")
    shipped = resources.files("lipcert.records").joinpath("audit.schema.json").read_text(encoding="utf-8")
    assert shipped == codec.schema_text("audit")
    jsonschema.validate(json.loads(text), json.loads(shipped))
    assert codec.to_json(codec.read(text, AuditReport)) == text


@pytest.mark.parametrize("format_name", AUDIT_FORMATS)
@pytest.mark.parametrize("width", [80, 160])
def test_names_are_text_in_every_format(format_name, width):
    plan = Plan(members=(member(1, name=HOSTILE, family=HOSTILE), member(2), member(3, name=HOSTILE * 9)), requests=())
    found = audit_report(plan, {f"{1:040x}": row(0.1, 0.2), f"{3:040x}": failed()})
    text = render_audit(found, format_name, Style(width=width))
    assert "\x1b" not in text.replace("\\u001b", "")
    if format_name in {"markdown", "html"}:
        assert "<script>" not in text
    if format_name == "csv":
        assert sorted(line[0][:1] for line in csv.reader(io.StringIO(text)))[:2] == ["'", "'"]


def test_the_text_fits_a_terminal():
    found = board(row(0.1, 0.2), row(0.3, 0.4), failed(), families=("a", "b"))
    lines = render_audit(found, "text", Style(width=80)).splitlines()
    assert max(map(len, lines)) <= 100
    assert render_audit(found, "text", Style(width=80, unicode=False)).isascii()


def test_a_page_of_two_hundred_models_is_small():
    found = board(*(row(n / 400, n / 300) for n in range(200)))
    assert len(render_audit(found, "html").encode()) < 400_000
