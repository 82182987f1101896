"""`lipcert doctor` names published flaws of what is installed, and protections that are missing."""

import re
import tomllib
from pathlib import Path

import pytest

from lipcert.cli import examination, platform_limits
from lipcert.cli.known_flaws import FLAWS, flaws_of, numbers

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: flaw.id)
def test_a_flaw_ends_with_its_fix(flaw):
    assert re.fullmatch(r"CVE-\d{4}-\d{4,}", flaw.id)
    major, minor, patch = numbers(flaw.fixed or flaw.last)
    newer = f"{major}.{minor}.{patch + (0 if flaw.fixed else 1)}"
    older = f"{major}.{minor - 1}.9+cpu"
    assert not flaw.concerns(newer)
    assert flaw.concerns(older)
    assert flaw in flaws_of({flaw.package: older})
    assert flaw not in flaws_of({flaw.package: "not installed"})
    assert flaw not in flaws_of({flaw.package: newer})


def test_what_is_required_has_no_flaw_that_was_fixed():
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    floors = {
        re.match(r"[\w-]+", line)[0]: re.search(r">=([\d.]+)", line)[1] for line in document["project"]["dependencies"]
    }
    assert not [flaw.id for flaw in flaws_of(floors) if flaw.fixed]


@pytest.mark.parametrize(
    ("text", "expected"), [("2.13.0+cpu", (2, 13, 0)), ("2.10", (2, 10, 0)), ("not installed", ())]
)
def test_versions_are_read_as_numbers(text, expected):
    assert numbers(text) == expected


def test_doctor_says_so(lipcert, monkeypatch):
    monkeypatch.setattr(examination, "run_self_test", list)
    clean = lipcert("doctor").out
    assert "no published flaw is known" in clean
    old = {"torch": "2.5.1", "onnx": "1.20.1"}
    monkeypatch.setattr(examination, "installed", lambda name: old.get(name, "1.0"))
    monkeypatch.setattr(examination, "weaker", lambda: ("no such limit",))
    told = " ".join(lipcert("doctor").out.split())
    assert all(flaw.id in told for flaw in FLAWS)
    assert "upgrade to 2.6.0 or newer" in told
    assert "WEAK no such limit" in told


def test_a_platform_without_the_limits_is_told(monkeypatch):
    whole = platform_limits.weaker()
    monkeypatch.setattr(platform_limits.sys, "platform", "darwin")
    monkeypatch.delattr(platform_limits.os, "O_NOFOLLOW", raising=False)
    monkeypatch.delattr(platform_limits.fcntl, "F_SETSIG", raising=False)
    assert len(platform_limits.weaker()) == len(whole) + 3
