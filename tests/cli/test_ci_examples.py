"""What the README, the action and the hook tell a build to run is run here."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.test_outcomes import strict

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README[README.index("## Gate a build") : README.index("## Develop")]


def blocks(language):
    found = (block.partition("\n") for block in SECTION.split("```")[1::2])
    return [text for name, _, text in found if name == language]


@pytest.fixture
def project(tmp_path, monkeypatch, sample_models):
    """A repository with one model, its data and no configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIPCERT_NO_ISOLATION", "1")
    shutil.copy(sample_models / "digits_mlp.onnx", tmp_path / "model.onnx")
    shutil.copy(sample_models / "digits_mlp.lipcert.toml", tmp_path / "model.lipcert.toml")
    shutil.copy(sample_models / "digits_test.npz", tmp_path / "test.npz")
    return tmp_path


def test_a_regression_is_caught_from_configuration_to_comment(lipcert, project, sample_models):
    (project / "lipcert.toml").write_text(blocks("toml")[0])
    main, check, compare = (shlex.split(line)[1:] for line in blocks("sh")[0].strip().splitlines())
    assert lipcert(*main).code == 0
    shutil.copy(sample_models / "digits_residual.onnx", project / "model.onnx")
    red = lipcert(*check)
    assert red.code == 1
    printed = [_masked(line) for line in red.out.splitlines()]
    for line in filter(None, blocks("")[0].splitlines()):
        assert _masked(line) in printed
    found = strict((project / "pr.json").read_text())["models"][0]["checks"]
    (failed,) = (check for check in found if check["state"] == "fail")
    line = (project / "lipcert.toml").read_text().splitlines()[failed["line"] - 1]
    assert line == '[checks."certified.accuracy"]'
    location = strict((project / "pr.sarif").read_text())["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "lipcert.toml"
    assert location["region"]["startLine"] == failed["line"]
    assert "<failure" in (project / "pr.xml").read_text()
    assert lipcert(*compare).code == 0
    comment = (project / "comment.md").read_text()
    assert "| certified.accuracy linf 8/255 |" in comment
    assert len(comment) < 65_536


def _masked(line):
    """A line without its numbers, which better bounds move, and without the width of its gaps."""
    return re.sub(r"\s+", " ", re.sub(r"[\d.]*\d", "#", line)).strip()


CHEAP = 'fail-on = "error"\n[checks."layers.spectral-outlier"]\nmax = {limit}\n'


def steps():
    return yaml.safe_load((ROOT / ".github" / "action.yml").read_text())["runs"]["steps"]


def test_the_action_hands_inputs_over_by_the_environment_alone():
    for step in steps():
        assert "${{" not in step["run"]


@pytest.mark.parametrize(("limit", "code"), [(0.5, 1), pytest.param(100, 0, marks=pytest.mark.slow)])
def test_the_action_runs(lipcert, project, limit, code):
    (project / "lipcert.toml").write_text(CHEAP.format(limit=limit))
    assert lipcert("check", "model.onnx", "--fail-on", "never", "--report", "json=main.json").code == 0
    (check,) = (step for step in steps() if step["name"] == "Check")
    environment = {
        **os.environ,
        **dict.fromkeys(check["env"], ""),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "MODELS": "model.onnx\n",
        "LIPCERT_BASELINE": "main.json",
        "GITHUB_STEP_SUMMARY": str(project / "summary.md"),
        "GITHUB_ACTIONS": "true",
    }
    script = re.sub(r"\blipcert (check|compare)", rf"{sys.executable} -m lipcert \1", check["run"])
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        env=environment,
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert ("::error" in done.stdout) == (code == 1)
    assert strict((project / "lipcert.json").read_text())["summary"]["exit_code"] == code
    assert (project / "lipcert.sarif").stat().st_size
    assert (project / "summary.md").stat().st_size
    assert "lipcert: same" in (project / "lipcert.md").read_text()


def test_the_gitlab_job_runs(lipcert, project):
    (project / "lipcert.toml").write_text(CHEAP.format(limit=0.5))
    job = yaml.safe_load(blocks("yaml")[1])["lipcert"]
    install, check = job["script"]
    assert install == "pip install lipcert"
    (project / "models").mkdir()
    shutil.copy(project / "model.onnx", project / "models" / "model.onnx")
    assert lipcert(*shlex.split(check)[1:]).code == 1
    assert "<failure" in (project / job["artifacts"]["reports"]["junit"]).read_text()


def test_the_hook_runs(lipcert, project):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (repository,) = yaml.safe_load(blocks("yaml")[2])["repos"]
    assert [entry["id"] for entry in repository["hooks"]] == [hook["id"]]
    assert all(re.search(hook["files"], name) for name in ("a.onnx", "b/c.pt", "d.pt2"))
    assert not re.search(hook["files"], "notes.ptx")
    for limit, code in ((100, 0), (0.5, 1)):
        (project / "lipcert.toml").write_text(CHEAP.format(limit=limit))
        assert lipcert(*shlex.split(hook["entry"])[1:], "model.onnx").code == code


def test_the_first_snippet_names_the_action():
    (step, _) = yaml.safe_load(blocks("yaml")[0])
    assert step["uses"].partition("/")[2].partition("/")[2].partition("@")[0] == ".github"
    inputs = yaml.safe_load((ROOT / ".github" / "action.yml").read_text())["inputs"]
    assert set(step["with"]) <= set(inputs)
