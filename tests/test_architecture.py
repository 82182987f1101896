"""The house rules that a machine can check."""

from __future__ import annotations

import ast
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "lipcert").rglob("*.py"))
SOURCES = MODULES + sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "sample_models").rglob("*.py"))
VAGUE = {"utils", "helpers", "common", "misc", "core", "manager", "types"}
HEAVY = ("torch", "numpy", "scipy", "onnx", "onnxruntime")


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
    )


@pytest.mark.parametrize(
    "command",
    [
        (sys.executable, "-m", "ruff", "check", "."),
        (sys.executable, "-m", "ruff", "format", "--check", "."),
        (sys.executable, "-m", "mypy"),
        ("lint-imports",),
    ],
    ids=["ruff", "format", "mypy", "imports"],
)
def test_static_checks_pass(command: tuple[str, ...]) -> None:
    done = _run(*command)
    assert done.returncode == 0, done.stdout + done.stderr


def _length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_files_are_short() -> None:
    assert [f"{path.relative_to(ROOT)}: {_length(path)}" for path in SOURCES if _length(path) > 300] == []
    assert statistics.median(_length(path) for path in MODULES) < 100


def test_functions_are_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 40
    ]
    assert long == []


def test_no_module_has_a_vague_name() -> None:
    assert [path for path in SOURCES if path.stem in VAGUE or path.parent.name in VAGUE] == []


@pytest.mark.parametrize(
    "code",
    [
        "import lipcert",
        "import lipcert.records",
        "import lipcert.render",
        "import lipcert.cli.app",
        "import lipcert.cli.engine, lipcert.cli.analysis",
        "import lipcert.cli.audit.running, lipcert.cli.audit.standing",
    ],
)
def test_light_imports_load_nothing_heavy(code: str) -> None:
    done = _run(sys.executable, "-c", f"{code}; import sys; print(*(m for m in {HEAVY} if m in sys.modules))")
    assert done.stdout.strip() == "", done.stdout + done.stderr
    assert done.returncode == 0, done.stderr


def test_imports_stand_at_the_top() -> None:
    allowed = {"cli", "codec.py"}
    found = [
        f"{path.relative_to(ROOT)}:{inner.lineno}"
        for path in MODULES
        if not allowed & set(path.relative_to(ROOT).parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert found == []


def test_classes_are_abstract_or_final() -> None:
    loose = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in MODULES
        if path.name != "errors.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and not _settled(node)
    ]
    assert loose == []


def _settled(node: ast.ClassDef) -> bool:
    bases = {ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases}
    decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
    open_kinds = {"Protocol", "StrEnum", "Enum", "TypedDict", "NamedTuple"}
    return node.name.startswith("Abstract") or "final" in decorators or bool(bases & open_kinds)


def test_the_top_level_is_tidy() -> None:
    tracked = _run("git", "ls-files").stdout.split()
    names = {name.split("/")[0] for name in tracked}
    assert {name for name in names if not name.startswith(".")} == {
        "LICENSE",
        "README.md",
        "lipcert",
        "pyproject.toml",
        "sample_models",
        "tests",
    }
