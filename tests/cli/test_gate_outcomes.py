"""Every way out of check, compare and report: the code never depends on the format, and JSON is always one document."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from lipcert import errors
from lipcert.cli import engine
from lipcert.cli.failures import Interrupted
from lipcert.records import codec
from tests.cli.conftest import ONNX
from tests.cli.test_outcomes import strict
from tests.conftest import ROOT
from tests.render.models import full_model
from tests.render.reports import REPORTS, report

FORMATS = ("text", "json", "markdown", "sarif", "junit", "github", "csv")
COMPARE_FORMATS = ("text", "json", "markdown")

MODEL = replace(
    full_model(), jacobian=None, evaluation=None, generalization=(), normalised_margins=(), measures=(), diagnostics=()
)
WORSE = replace(MODEL, margins=replace(MODEL.margins, clean_accuracy=0.2))
ANSWERS = {
    "good.onnx": MODEL,
    "worse.onnx": WORSE,
    "broken.onnx": errors.UnreadableModelError("damaged"),
    "odd.onnx": errors.UnsupportedOperatorError("no rule", operators=("Loop",)),
    "nodata.onnx": errors.DataError("no such samples", hint="name others"),
    "bug.onnx": RuntimeError("boom"),
    "stopped.onnx": Interrupted(130),
    "ended.onnx": Interrupted(143),
}

CLEAN = '[checks."clean.accuracy"]\n'
CONFIGS = {
    "pass": CLEAN + "min = 0.5",
    "fail": CLEAN + "min = 0.999",
    "straddle": '[checks."lipschitz.l2"]\nmax = 15',
    "skipped": '[checks."certified.accuracy"]\nnorm = "l1"\neps = 0.7\nmin = 0.1',
    "warn": CLEAN + 'level = "warning"\nmin = 0.999',
    "ignored": CLEAN + "min = 0.999\n[[ignore]]\ncheck = 'clean.accuracy'\nreason = 'known'",
    "expired": CLEAN + "min = 0.999\n[[ignore]]\ncheck = 'clean.accuracy'\nreason = 'old'\nexpires = 2020-01-01",
    "regress": CLEAN + 'regression = "1%"',
    "both": CLEAN + 'min = 0.999\n[checks."lipschitz.l2"]\nmax = 15',
    "typo": "chekcs = 1",
    "syntax": "= 3",
    "empty": "schema = 1",
    "metric": '[checks."claen.accuracy"]\nmin = 1',
    "noball": '[checks."certified.accuracy"]\neps = 0.1\nmin = 0.1',
}

CHECKS = [
    ("pass good.onnx", 0),
    ("pass good.onnx worse.onnx --check clean.accuracy", 1),
    ("fail good.onnx", 1),
    ("fail good.onnx --exit-zero", 0),
    ("straddle good.onnx", 3),
    ("straddle good.onnx --exit-zero", 3),
    ("straddle good.onnx --fail-on never", 0),
    ("both good.onnx", 1),
    ("both good.onnx --exit-zero", 3),
    ("both good.onnx --check lipschitz.l2", 3),
    ("skipped good.onnx", 3),
    ("warn good.onnx", 0),
    ("warn good.onnx --fail-on warning", 1),
    ("ignored good.onnx", 0),
    ("expired good.onnx", 1),
    ("regress good.onnx", 3),
    ("regress good.onnx --baseline good.json", 0),
    ("regress worse.onnx --baseline good.json", 1),
    ("regress good.onnx --baseline absent.json", 2),
    ("regress good.onnx --baseline text.json", 2),
    ("regress good.onnx --baseline future.json", 2),
    ("regress good.onnx --baseline compare.json", 2),
    ("pass broken.onnx", 3),
    ("pass broken.onnx --exit-zero", 3),
    ("pass odd.onnx", 3),
    ("pass bug.onnx", 3),
    ("pass nodata.onnx", 2),
    ("pass stopped.onnx", 130),
    ("pass ended.onnx", 143),
    ("pass good.onnx broken.onnx", 3),
    ("fail good.onnx broken.onnx", 1),
    ("fail broken.onnx good.onnx --exit-zero", 3),
    ("fail good.onnx nodata.onnx", 2),
    ("fail good.onnx stopped.onnx", 130),
    ("pass absent.onnx", 2),
    ("pass none*.onnx", 4),
    ("pass hollow", 4),
    ("typo good.onnx", 2),
    ("syntax good.onnx", 2),
    ("empty good.onnx", 2),
    ("metric good.onnx", 2),
    ("noball good.onnx", 2),
    ("absent good.onnx", 2),
    ("pass good.onnx --check nothing", 2),
    ("pass good.onnx --fail-on sometimes", 2),
    ("pass good.onnx --report nosuch=x", 2),
    ("pass good.onnx --eps x", 2),
    ("pass good.onnx --no-such-option", 2),
]
COMPARISONS = [
    ("good.json good.json", 0),
    ("good.json worse.json", 0),
    ("good.json worse.json --fail-on error", 1),
    ("good.json worse.json --fail-on error --exit-zero", 0),
    ("good.json gone.json --fail-on error", 3),
    ("worse.json good.json --fail-on warning", 0),
    ("good.json other.json", 2),
    ("good.json other.json --force", 0),
    ("good.json absent.json", 2),
    ("good.json text.json", 2),
    ("good.json future.json", 2),
    ("good.json failed.json", 2),
    ("good.json hollow", 2),
    ("good.json good.json --per-sample one.jsonl", 2),
    ("good.json good.json --fail-on x", 2),
    ("good.json broken.onnx", 3),
]
STORED = [("good.json", 0), ("failed.json", 0), ("text.json", 2), ("future.json", 2), ("absent.json", 2)]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with models, configurations and reports, and an engine that knows its answers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(engine, "analyze_file", answer)
    for name in ANSWERS:
        (tmp_path / name).write_bytes(ONNX)
    for name, text in CONFIGS.items():
        (tmp_path / f"{name}.toml").write_text(text)
    other = replace(MODEL, data=replace(MODEL.data, sha256="0" * 64))
    reports = {"good": report(MODEL), "worse": report(WORSE), "other": report(other), "failed": REPORTS["failed"]}
    reports["gone"] = report(replace(MODEL, margins=None))
    for name, found in reports.items():
        (tmp_path / f"{name}.json").write_text(codec.to_json(found))
    future = codec.to_json(report(MODEL)).replace('"schema_version": "1', '"schema_version": "9')
    (tmp_path / "future.json").write_text(future)
    (tmp_path / "compare.json").write_text('{"schema": "lipcert.compare", "schema_version": "1.0"}')
    (tmp_path / "text.json").write_text("{ no JSON")
    (tmp_path / "hollow").mkdir()
    return tmp_path


def answer(request, _progress, _keep, **_):
    found = ANSWERS[request.model.name]
    if isinstance(found, BaseException):
        raise found
    if request.per_sample is not None:
        right = 10 if found is MODEL else 2
        rows = [{"index": i, "label": 1, "prediction": int(i < right)} for i in range(12)]
        request.per_sample.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return report(replace(found, path=str(request.model), id=request.model.stem))


@pytest.fixture(scope="session")
def schemas():
    return {f"lipcert.{name}": Draft202012Validator(codec.json_schema(name)) for name in ("report", "compare")}


def judge(lipcert, schemas, arguments, code, formats):
    for name in formats:
        outcome = lipcert(*arguments, "-f", name)
        assert outcome.code == code, (name, outcome.err)
        assert "Traceback" not in outcome.err
        if name == "json":
            document = strict(outcome.out)
            assert schemas[document["schema"]].is_valid(document), document
            assert document.get("summary", document).get("exit_code") == code
        if code == 1 and name == "text":
            assert outcome.out.startswith(("FAIL", "WORSE"))


@pytest.mark.parametrize(("line", "code"), CHECKS, ids=[line for line, _ in CHECKS])
def test_check(lipcert, place, schemas, line, code):
    config, *rest = line.split()
    judge(lipcert, schemas, ["check", "--config", f"{config}.toml", *rest, "-q"], code, FORMATS)


@pytest.mark.parametrize(("line", "code"), COMPARISONS, ids=[line for line, _ in COMPARISONS])
def test_compare(lipcert, place, schemas, line, code):
    judge(lipcert, schemas, ["compare", *line.split(), "-q"], code, COMPARE_FORMATS)


@pytest.mark.parametrize(("line", "code"), STORED, ids=[line for line, _ in STORED])
def test_report(lipcert, place, schemas, line, code):
    for name in FORMATS:
        outcome = lipcert("report", line, "-f", name)
        assert outcome.code == code, outcome.err
        if name == "json":
            document = strict(outcome.out)
            assert schemas[document["schema"]].is_valid(document)


def test_several_reports_come_from_one_run(lipcert, place, monkeypatch):
    asked = []

    def once(request, *rest, **more):
        asked.append(request)
        return answer(request, *rest, **more)

    monkeypatch.setattr(engine, "analyze_file", once)
    extra = [f"--report={name}=out.{name}" for name in FORMATS if name != "github"]
    outcome = lipcert("check", "good.onnx", "--config", "fail.toml", *extra)
    assert outcome.code == 1
    assert len(asked) == 1
    assert asked[0].settings.analyses == ("margins",)
    assert json.loads((place / "out.json").read_text())["models"][0]["checks"][0]["line"] == 1
    assert all((place / f"out.{name}").stat().st_size for name in FORMATS if name != "github")
    assert "good.onnx: 1 fail of 1" in outcome.err


def test_only_what_the_checks_need_is_asked_for(lipcert, place, monkeypatch):
    asked = []

    def note(request, *rest, **more):
        asked.append(request)
        return answer(request, *rest, **more)

    monkeypatch.setattr(engine, "analyze_file", note)
    (place / "c.toml").write_text(
        '[data]\npath = "d.npz"\nsamples = 7\n[preprocess]\nmean = [0.5]\n[analysis]\nseed = 3\n'
        '[checks."certified.accuracy"]\nnorm = "linf"\neps = "2/255"\nmin = 0.1\n[checks."lipschitz.l1"]\nmax = 3\n'
    )
    monkeypatch.setenv("LIPCERT_SEED", "5")
    lipcert("check", "good.onnx", "--config", "c.toml", "--samples", "9")
    (request,) = asked
    assert request.settings.analyses == ("lipschitz", "certificates")
    assert request.settings.eps == {"linf": (2 / 255,)}
    assert (request.data, request.mean) == ("d.npz", (0.5,))
    assert (request.settings.samples, request.settings.seed) == (9, 5)
    document = strict(lipcert("config", "show", "--config", "c.toml", "--samples", "9", "--json").out)
    Draft202012Validator(codec.json_schema("config")).validate(document)
    shown = document["settings"]
    origins = {name: shown[name]["origin"] for name in ("samples", "seed", "mean", "effort")}
    assert origins == {
        "samples": "option --samples",
        "seed": "environment LIPCERT_SEED",
        "mean": "c.toml:5",
        "effort": "default",
    }


def test_without_a_configuration_nothing_passes(lipcert, place):
    outcome = lipcert("check", "good.onnx")
    assert outcome.code == 2
    assert "lipcert init" in outcome.err


def test_init_writes_what_check_then_passes(lipcert, place):
    assert lipcert("init", "good.onnx", "--data", "d.npz").code == 0
    text = (place / "lipcert.toml").read_text()
    assert '[checks."clean.accuracy"]' in text
    assert text.count("# now") >= 4
    again = lipcert("init", "good.onnx", "--data", "d.npz")
    assert again.code == 2
    assert "--overwrite" in again.err
    assert lipcert("init", "good.onnx", "--data", "d.npz", "--overwrite").code == 0
    outcome = lipcert("check", "good.onnx", "-f", "json")
    states = {check["id"]: check["state"] for check in strict(outcome.out)["models"][0]["checks"]}
    assert states["clean.accuracy"] == "pass"
    assert {state for name, state in states.items() if not name.startswith("diagnostics")} == {"pass"}


def test_two_models_are_analysed_and_compared_sample_by_sample(lipcert, place):
    outcome = lipcert("compare", "good.onnx", "worse.onnx", "--data", "d.npz", "-f", "json", "-q")
    document = strict(outcome.out)
    assert outcome.code == 0
    assert (document["before"]["kind"], document["after"]["kind"]) == ("model", "model")
    (paired,) = document["models"][0]["paired"]
    assert (paired["metric"], paired["counts"]["only_first"]) == ("margins.clean_accuracy", 8)
    (clean,) = (c for c in document["models"][0]["changes"] if c["metric"] == "margins.clean_accuracy")
    assert clean["verdict"] == "worse"
    assert clean["p_value"] == paired["counts"]["p_value"]


def test_reports_are_compared_without_torch(lipcert, place):
    script = (
        "import sys; from lipcert.cli.entry import run; code = run(sys.argv[1:]); "
        "heavy = {'torch', 'numpy', 'scipy', 'onnx', 'onnxruntime', 'matplotlib'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else code)"
    )
    for line in ("compare good.json worse.json", "config show"):
        done = subprocess.run(
            [sys.executable, "-c", script, *line.split()],
            cwd=place,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (line, done.stderr)
