"""Names out of files are text in every format, whatever they hold."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from lipcert.render import FORMATS, Style, render
from tests.render.pages import page as hostile_page
from tests.render.reports import HOSTILE, REPORTS

EVERY = pytest.mark.parametrize("name", FORMATS)
ESCAPE, OVERRIDE = "\x1b", "\u202e"


def page(name, **style):
    return hostile_page("hostile") if name == "html" else render(REPORTS["hostile"], name, Style(**style))


@EVERY
def test_nothing_moves_the_cursor_or_turns_the_text_around(name):
    text = page(name)
    if name == "json":
        assert json.loads(text)["models"][0]["id"] == HOSTILE
        text = text.replace(OVERRIDE, "")  # JSON is for programs, and must give names back as they are
    text = text.replace("\N{NO-BREAK SPACE}%", " %")
    assert not [char for char in text if char != "\n" and not char.isprintable()]
    assert ESCAPE not in text


@EVERY
def test_a_format_that_can_hold_markup_holds_none_of_theirs(name):
    text = page(name)
    if name in {"html", "markdown", "junit"}:
        assert "<script" not in text.lower()
    if name == "junit":
        assert {element.tag for element in ET.fromstring(text).iter()} <= {
            "testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out",
        }  # fmt: skip
    if name == "csv":
        assert all(len(row) == 11 for row in csv.reader(io.StringIO(text)))
    if name == "html":
        parser = Tags()
        parser.feed(text)
        assert not parser.seen & {"script", "iframe", "object", "embed", "link", "img", "base", "form", "b"}
        assert not [key for key in parser.attributes if key.startswith("on")]


@EVERY
def test_no_line_begins_a_workflow_command(name):
    lines = [line.strip() for line in page(name, width=80).splitlines()]
    commands = [line for line in lines if line.startswith("::")]
    assert bool(commands) == (name == "github")
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in commands)
    assert name == "json" or not [line for line in lines if "##[" in line]


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen, self.attributes = set(), set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.attributes |= {key for key, _ in attrs}
