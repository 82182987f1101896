"""`lipcert report`: a stored report in any format, and files that are none."""

import base64
import json
import subprocess
import sys

import pytest

from lipcert.cli import outputs
from lipcert.pipeline.adversarials_format import SHEET_MARKS
from lipcert.records import codec
from lipcert.render import FORMATS, render
from lipcert.render.html import pictures
from tests.render.reports import REPORTS


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "net.json"
    path.write_text(codec.to_json(REPORTS["full"]), encoding="utf-8")
    return path


def changed(path, **fields):
    document = json.loads(path.read_text(encoding="utf-8")) | fields
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_a_stored_report_is_shown_as_the_run_would_have_shown_it(lipcert, stored, name, plain):
    done = lipcert("report", stored, "-f", name)
    assert done.code == 0
    assert (done.err == "") == (name != "html")
    if name != "text":
        assert done.out == render(REPORTS["full"], name)


def test_without_a_format_it_is_for_reading(lipcert, stored):
    assert "VERDICT" in lipcert("report", stored).out


def test_several_files_from_one_run(lipcert, stored, tmp_path):
    done = lipcert("report", stored, "--report", f"markdown={tmp_path / 'a.md'}", "-o", tmp_path / "b.json")
    assert (done.code, done.out) == (0, "")
    assert (tmp_path / "b.json").read_text(encoding="utf-8") == stored.read_text(encoding="utf-8")
    assert (tmp_path / "a.md").read_text(encoding="utf-8").startswith("<!-- lipcert.report")


def test_it_never_exits_with_the_code_of_the_run_it_shows(lipcert, tmp_path):
    path = tmp_path / "failed.json"
    path.write_text(codec.to_json(REPORTS["failed"]), encoding="utf-8")
    assert REPORTS["failed"].summary.exit_code == 3
    assert lipcert("report", path).code == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"\x80\x04}q\x00.", "not UTF-8"),
        (b"[1, 2]", "a JSON object was expected, got list"),
        (b'{"models": []}', "no schema is named"),
        (b'{"schema": "lipcert.certify", "schema_version": "1.0"}', "its schema is 'lipcert.certify'"),
        (b'{"schema": "lipcert.report", "schema_version": 3}', "no readable schema_version"),
        (b'{"schema": "lipcert.report", "schema_version": "2.0"}', "reads up to 1.x"),
        (b'{"schema": "lipcert.report", "schema_version": "1.0"}', "damaged lipcert report: tool"),
        (b'{"schema": NaN}', "NaN is no number"),
        (b'{"schema": 1e999}', "too large for a float"),
        (b"[" * 100_000, "is no"),
        (b'{"schema": "lipcert.report", }', "line 1, column"),
    ],
)
def test_what_is_no_report_is_said_in_words(lipcert, tmp_path, content, words):
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    done = lipcert("report", path)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert "Traceback" not in done.err


def test_a_truncated_report_is_damaged_wherever_it_ends(lipcert, stored):
    whole = stored.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.9999):
        stored.write_bytes(whole[: int(share * len(whole))])
        done = lipcert("report", stored)
        assert done.code == 2
        assert "no complete JSON document" in done.err


def test_a_later_minor_version_is_read_and_what_it_adds_left_out(lipcert, stored):
    assert lipcert("report", changed(stored, schema_version="1.99", later={"x": 1})).code == 0


def test_a_contradiction_is_found_when_read(lipcert, stored):
    document = json.loads(stored.read_text(encoding="utf-8"))
    document["models"][0]["brackets"][2]["certified_accuracy"] = 0.9
    done = lipcert("report", changed(stored, models=document["models"]))
    assert done.code == 2
    assert "damaged" in done.err


@pytest.mark.parametrize("argument", ["gone.json", "."])
def test_a_path_without_a_report(lipcert, argument):
    assert lipcert("report", argument).code == 2


def test_json_errors_are_one_document(lipcert, tmp_path):
    done = lipcert("report", tmp_path / "gone.json", "--json")
    assert json.loads(done.out)["summary"]["exit_code"] == 2


def test_stdin_is_read_without_torch_or_numpy(stored):
    code = (
        "import sys; from lipcert.cli.entry import run; code = run(['report', '-']);"
        "print([m for m in ('torch', 'onnx', 'numpy', 'scipy') if m in sys.modules], code, file=sys.stderr)"
    )
    with stored.open("rb") as file:
        done = subprocess.run([sys.executable, "-c", code], stdin=file, capture_output=True, check=True, timeout=60)
    assert done.stderr.decode().split("\n")[-2] == "[] 0"
    assert b"VERDICT" in done.stdout


@pytest.fixture
def plain(monkeypatch):
    """An installation without matplotlib, whose pages are made at once."""
    for module in (outputs, pictures):
        monkeypatch.setattr(module, "find_spec", lambda _: None)


def test_a_sheet_of_adversarial_examples_stands_in_the_page(lipcert, stored, tmp_path, plain):
    sheet, page = tmp_path / "adversarials.png", tmp_path / "net.html"
    sheet.write_bytes(b"".join(SHEET_MARKS))
    done = lipcert("report", stored, "--sheet", sheet, "-o", page)
    assert done.code == 0
    assert f'src="data:image/png;base64,{base64.b64encode(sheet.read_bytes()).decode()}"' in page.read_text("utf-8")


def test_a_sheet_that_is_none_is_refused(lipcert, stored, tmp_path, plain):
    other = tmp_path / "other.png"
    other.write_bytes(b"\x89PNG\r\n\x1a\n")
    for name in (other, tmp_path / "gone.png"):
        done = lipcert("report", stored, "--sheet", name, "-f", "html")
        assert (done.code, done.out) == (2, "")


def test_without_matplotlib_the_page_comes_without_plots_and_a_hint(lipcert, stored, plain):
    done = lipcert("report", stored, "-f", "html")
    assert done.code == 0
    assert "pip install 'lipcert[html]'" in done.err
    assert "<svg" not in done.out


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize(
    ("suffix", "first"),
    [
        (".html", "<!DOCTYPE html>"),
        (".csv", "model,path,"),
        (".sarif", "{"),
        (".xml", "<?xml"),
        (".md", "<!-- lipcert.report"),
        (".json", "{"),
    ],
)
def test_a_suffix_chooses_the_format_and_the_file_may_be_written_again(lipcert, stored, tmp_path, suffix, first):
    target = tmp_path / f"out{suffix}"
    for _ in range(2):
        assert lipcert("report", stored, "-o", target).code == 0
        assert target.read_text(encoding="utf-8").startswith(first)
    target.write_text("precious", encoding="utf-8")
    assert lipcert("report", stored, "-o", target).code == 2
    assert lipcert("report", stored, "-o", target, "--overwrite").code == 0
