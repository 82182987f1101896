"""What `lipcert doctor` does with its options."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict
from typing import Any

from lipcert.cli import streams, values
from lipcert.cli.known_flaws import flaws_of
from lipcert.cli.platform_limits import weaker
from lipcert.cli.self_test import Check, run_self_test
from lipcert.records.tool import installed
from lipcert.render.listing import listing
from lipcert.render.style import Style

_PACKAGES = ("lipcert", "torch", "onnx", "onnxruntime", "numpy", "scipy", "pydantic", "typer", "rich")
_OPTIONAL = ("pyarrow", "pillow", "onnxscript", "scikit-learn", "ray", "matplotlib")


def run(given: dict[str, Any]) -> int:
    """Look at the installation, test it, print what was found; 3 where a known answer did not come out."""
    wanted = values.choice(given["format"], "--format", ("text", "json")) or "text"
    found = examine()
    if wanted == "json" or given["json"]:
        streams.write_result(json.dumps(found, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    else:
        streams.write_result(_text(found, streams.style_of(sys.stdout), verbose=given["verbose"]))
    return int(found["exit_code"])


def examine() -> dict[str, Any]:
    """Versions, devices, operators and the self-test, as a document."""
    checks = _self_test()
    packages = {name: installed(name) for name in _PACKAGES}
    return {
        "schema": "lipcert.doctor",
        "schema_version": "1.0",
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": packages,
        "optional_packages": {name: installed(name) for name in _OPTIONAL},
        "devices": _devices(),
        "cpu_count": os.cpu_count() or 1,
        "threads": _threads(),
        "onnx_operators": list(_onnx_operators()),
        "aten_rules": list(_aten_rules()),
        "known_flaws": [asdict(flaw) for flaw in flaws_of(packages)],
        "weaker_limits": list(weaker()),
        "self_test": [asdict(check) for check in checks],
        "exit_code": 0 if all(check.passed for check in checks) else 3,
    }


def _self_test() -> list[Check]:
    try:
        return run_self_test()
    except Exception as error:  # noqa: BLE001  a broken installation may fail in any way, and that is the finding
        return [Check(name="pipeline", expected="a report", got=f"{type(error).__name__}: {error}", passed=False)]


def _devices() -> list[str]:
    import torch

    cuda = range(torch.cuda.device_count()) if torch.cuda.is_available() else range(0)
    return ["cpu", *(f"cuda:{index} {torch.cuda.get_device_name(index)}" for index in cuda)]


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def _onnx_operators() -> tuple[str, ...]:
    from lipcert.load.onnx_support import supported_operators

    return supported_operators()


def _aten_rules() -> tuple[str, ...]:
    from lipcert.rules import RULES

    return tuple(sorted(RULES))


def _text(found: dict[str, Any], style: Style, *, verbose: bool) -> str:
    operators, rules = found["onnx_operators"], found["aten_rules"]
    rows = {
        "python": f"{found['python']} on {found['platform']}",
        **found["packages"],
        "optional": ", ".join(f"{name} {version}" for name, version in found["optional_packages"].items()),
        "devices": ", ".join(found["devices"]),
        "threads": f"{found['threads']} of {found['cpu_count']} cores",
        "ONNX operators": f"{len(operators)}" + (f": {' '.join(operators)}" if verbose else " (-v lists them)"),
        "ATen rules": f"{len(rules)}" + (f": {' '.join(rules)}" if verbose else " (-v lists them)"),
    }
    lines = listing({label: style.spell(value) for label, value in rows.items()}, style.width).splitlines()
    lines += ["", f"{'self-test':<29} {'expected':<20} got"]
    for check in found["self_test"]:
        verdict = "ok  " if check["passed"] else "FAIL"
        lines.append(style.spell(f"{verdict} {check['name']:<24} {check['expected']:<20} {check['got']}"))
    lines += ["", *map(style.spell, _safety(found))]
    lines += [
        "",
        "all known answers came out" if found["exit_code"] == 0 else "SELF-TEST FAILED: do not trust this installation",
    ]
    return "\n".join(lines) + "\n"


def _safety(found: dict[str, Any]) -> list[str]:
    """Published flaws of what is installed, and protections that this platform lacks."""
    flaws = [
        f"FLAW {flaw['id']} in {flaw['package']}: {flaw['what']}; {_remedy(flaw)}" for flaw in found["known_flaws"]
    ]
    weak = [f"WEAK {limit}" for limit in found["weaker_limits"]]
    return [
        *(flaws or ["no published flaw is known of the packages that open models, in these versions"]),
        *(weak or ["every limit on hostile files is in force here"]),
    ]


def _remedy(flaw: dict[str, Any]) -> str:
    fixed = flaw["fixed"]
    return f"upgrade to {fixed} or newer" if fixed else f"upgrade past {flaw['last']}"
