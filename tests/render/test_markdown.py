"""Laws of the Markdown report, over every kind of report."""

import re

import pytest

from lipcert.render import render
from lipcert.render.markdown.escape import escape
from tests.render.reports import HOSTILE, REPORTS

EVERY = pytest.mark.parametrize("name", REPORTS)


def columns(line):
    """Cells of a table row: pipes that no backslash escapes, less one."""
    return len(re.findall(r"(?<!\\)\|", line)) - 1


@EVERY
def test_every_row_of_a_table_has_as_many_cells_as_its_head(name):
    blocks = render(REPORTS[name], "markdown").split("\n\n")
    tables = [block.splitlines() for block in blocks if block.startswith("|")]
    assert bool(tables) == bool(REPORTS[name].models)
    for rows in tables:
        assert len({columns(row) for row in rows}) == 1
        assert re.fullmatch(r"\|(\s*-+:?\s*\|)+", rows[1])


@EVERY
def test_nothing_but_newlines_controls_the_page(name):
    page = render(REPORTS[name], "markdown")
    assert not [char for char in page if char != "\n" and not char.isprintable()]


def test_hostile_names_neither_mark_up_nor_link_nor_mention():
    page = render(REPORTS["hostile"], "markdown")
    assert "<script>" not in page
    assert "@everyone" not in page
    assert "`c`" not in page
    assert page.count("<!--") == 1


@pytest.mark.parametrize("char", "\\`*[]|~#$_")
def test_special_characters_are_escaped(char):
    assert escape(f"a {char}b") == f"a \\{char}b"


def test_an_underscore_inside_a_name_is_left_alone():
    assert escape("conv_1 _b_") == "conv_1 \\_b\\_"


@pytest.mark.parametrize("text", ["https://evil.example", "www.evil.example", "<b>", "@all", "a\nb", "&lt;"])
def test_links_tags_mentions_and_breaks_are_gone(text):
    shown = escape(text)
    assert not re.search(r"https?://|www\.|[<>@\n]|&lt;\w*;$", shown.replace("&lt;", "").replace("&gt;", ""))


def test_the_verdict_comes_first_and_the_numbers_are_those_of_the_terminal():
    page = render(REPORTS["full"], "markdown")
    text = render(REPORTS["full"], "text")
    assert page.index("between 81.2 % (proved) and 84.6 % (attacked)") < page.index("## ")
    for number in ("96.1 %", "2.4", "11.9 <= L <= 19.4", "3.277123 - 3.277380", "0.119"):
        assert number.replace("<", "&lt;") in page
        assert number in text


def test_hostile_text_is_still_readable():
    assert escape(HOSTILE).startswith("\\\\x1b\\[31mred\\\\x1b\\[0m")
