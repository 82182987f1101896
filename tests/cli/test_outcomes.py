"""Exit codes, stdout and stderr on every way out."""

import json
import signal

import pytest

from lipcert import errors
from lipcert.cli import engine
from lipcert.cli.entry import wants_json
from lipcert.cli.failures import Interrupted


def refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


def strict(text):
    return json.loads(text, parse_constant=refuse)


def failing(error):
    def analyze_file(*_args, **_kwargs):
        raise error

    return analyze_file


FAILURES = [
    (errors.UsageError("u"), 2, "usage"),
    (errors.ConfigurationError("c"), 2, "configuration"),
    (errors.DataError("d", hint="h"), 2, "data"),
    (errors.NoModelError("n"), 4, "no_model"),
    (errors.UnreadableModelError("m"), 3, "model.unreadable"),
    (errors.RefusedModelError("m"), 3, "model.refused"),
    (errors.UnsupportedOperatorError("m", operators=("Loop",)), 3, "model.unsupported_operator"),
    (errors.NonFiniteModelError("m"), 3, "model.non_finite"),
    (errors.EnclosureError("e"), 3, "internal.enclosure"),
    (RuntimeError("boom"), 3, "internal"),
    (SystemExit(1), 3, "internal"),
    (MemoryError(), 3, "memory"),
    (KeyboardInterrupt(), 130, "interrupted"),
    (Interrupted(143), 143, "interrupted"),
]
EVERY = pytest.mark.parametrize(("error", "code", "name"), FAILURES, ids=lambda value: str(value) or "-")


@EVERY
def test_no_failure_exits_with_one(lipcert, model, monkeypatch, tmp_path, error, code, name):  # noqa: PLR0917  fixtures
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(engine, "analyze_file", failing(error))
    outcome = lipcert("analyze", model)
    assert outcome.code == code
    assert outcome.out == ""
    assert ("interrupted" if isinstance(error, Interrupted) else str(error)) in outcome.err
    assert "Traceback" not in outcome.err


@EVERY
def test_every_failure_is_one_strict_document(lipcert, model, monkeypatch, tmp_path, error, code, name):  # noqa: PLR0917  fixtures
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(engine, "analyze_file", failing(error))
    outcome = lipcert("analyze", model, "-f", "json")
    document = strict(outcome.out)
    assert outcome.code == document["summary"]["exit_code"] == code
    assert document["errors"][0]["code"] == name
    assert document["errors"][0]["model"] == str(model)
    assert document["models"] == []


def test_a_traceback_is_kept_or_shown(lipcert, model, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(engine, "analyze_file", failing(RuntimeError("boom")))
    quiet = lipcert("analyze", model)
    (log,) = tmp_path.glob("lipcert-*.log")
    assert str(log) in quiet.err
    assert "boom" in log.read_text(encoding="utf-8")
    assert "Traceback" in lipcert("analyze", model, "-v").err


def test_the_first_line_names_the_file_and_the_result_stands_alone(lipcert, model, requests):
    outcome = lipcert("analyze", model)
    assert outcome.err.splitlines()[0].startswith("net.onnx: ONNX, 15 B, sha256 ")
    assert "layers: done in" in outcome.err
    assert outcome.out.startswith("mnist_conv.onnx\n")
    assert lipcert("analyze", model, "-q").err == ""


def test_json_stands_alone_on_stdout(lipcert, model, requests):
    outcome = lipcert("analyze", model, "--json")
    assert strict(outcome.out)["models"][0]["id"] == "mnist_conv"


@pytest.mark.parametrize(
    ("name", "make", "code", "words"),
    [
        ("missing.onnx", lambda _: None, 2, "does not exist"),
        ("folder", lambda p: p.mkdir(), 4, "holds no model"),
        ("full", lambda p: (p.mkdir(), (p / "a.onnx").write_bytes(b"x")), 2, "one file is needed"),
        ("*.pt", lambda _: None, 4, "matches no file"),
        ("weights.pt", lambda p: p.write_bytes(b"\x80\x02}q\x00."), 3, "pickle"),
        ("empty.onnx", lambda p: p.write_bytes(b""), 3, "empty"),
        ("text.onnx", lambda p: p.write_bytes(b"hello there"), 3, "neither"),
        ("x" * 300, lambda _: None, 2, "no usable path"),
    ],
)
def test_paths(lipcert, tmp_path, requests, name, make, code, words):  # noqa: PLR0917  fixtures
    make(tmp_path / name)
    outcome = lipcert("analyze", tmp_path / name)
    assert (outcome.code, words in outcome.err) == (code, True)
    assert not requests


def test_a_near_miss_in_the_folder_is_named(lipcert, model):
    assert "did you mean net.onnx" in lipcert("analyze", model.with_name("nett.onnx")).err


def test_no_command_shows_the_help_on_stderr_and_is_a_usage_error(lipcert):
    outcome = lipcert()
    assert (outcome.code, outcome.out) == (2, "")
    assert "analyze" in outcome.err


def test_hostile_messages_do_not_reach_the_terminal(lipcert, model, monkeypatch):
    monkeypatch.setattr(engine, "analyze_file", failing(errors.DataError("\x1b]0;owned\x07 bad", hint="\x1b[2J")))
    outcome = lipcert("analyze", model)
    assert "\x1b" not in outcome.err
    assert "\\x1b[2J" in outcome.err


def test_signals_are_given_back(lipcert, model, requests):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    lipcert("analyze", model)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["analyze", "-f", "json"], True),
        (["-fjson"], True),
        (["--format=json"], True),
        (["--json"], True),
        (["-f", "json", "--format", "text"], False),
        (["--", "--json"], False),
        (["-f"], False),
        ([], False),
    ],
)
def test_json_is_recognised_in_an_unparsed_command_line(arguments, answer):
    assert wants_json(arguments) is answer
