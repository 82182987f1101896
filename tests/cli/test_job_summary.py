"""The page of a GitHub job."""

import pytest

from lipcert.cli.job_summary import fitted
from lipcert.records import codec
from lipcert.render import render
from tests.render.reports import REPORTS


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "net.json"
    path.write_text(codec.to_json(REPORTS["checked"]), encoding="utf-8")
    return path


def test_the_report_is_appended_and_annotations_go_to_stdout(lipcert, stored, tmp_path, monkeypatch):
    page = tmp_path / "summary.md"
    page.write_text("earlier step\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    done = lipcert("report", stored, "-f", "github")
    assert done.out.startswith("::error file=lipcert.toml,line=7,")
    assert page.read_text(encoding="utf-8") == "earlier step\n" + render(REPORTS["checked"], "markdown")


def test_other_formats_leave_the_summary_alone(lipcert, stored, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    assert lipcert("report", stored, "-f", "text").code == 0
    assert not (tmp_path / "summary.md").exists()


def test_a_summary_that_cannot_be_written_fails_nothing(lipcert, stored, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "gone" / "summary.md"))
    done = lipcert("report", stored, "-f", "github")
    assert done.code == 0
    assert "could not be written" in done.err


def test_what_is_too_long_is_cut_at_a_line_and_says_so():
    text = "".join(f"| row {i} | ü |\n" for i in range(100))
    short = fitted(text, 500)
    assert len(short.encode()) <= 500
    assert "--report markdown=FILE" in short
    assert text.startswith(short.split("\n\n_The rest")[0] + "\n")
    assert fitted(text, len(text.encode())) == text
    assert fitted(text, 10) == ""
