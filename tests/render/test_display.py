"""A report shows itself: as JSON, in a notebook, and through rich."""

import io
import json

from rich.console import Console

from lipcert.records import codec
from lipcert.render import Style, render
from tests.render import reports
from tests.render.models import full_model


def test_json_is_the_documents_own():
    report = reports.report(full_model())
    assert report.to_json() == codec.to_json(report)
    assert json.loads(report.to_json())["schema"] == "lipcert.report"


def test_a_notebook_shows_markdown():
    report = reports.report(full_model())
    assert report._repr_markdown_() == render(report, "markdown")


def test_rich_prints_the_terminal_report_at_its_own_width():
    report, stream = reports.report(full_model()), io.StringIO()
    Console(file=stream, width=100, color_system=None, legacy_windows=False).print(report)
    shown = [line.rstrip() for line in stream.getvalue().splitlines()]
    expected = [line.rstrip() for line in render(report, "text", Style(width=100)).splitlines()]
    assert shown == expected
