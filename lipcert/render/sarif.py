"""SARIF 2.1.0 as code scanning takes it: a result for every check of a model that did not pass."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from lipcert.records import Report
from lipcert.records.metrics import parse
from lipcert.render.base import RENDERERS
from lipcert.render.explain import find
from lipcert.render.findings import Finding, findings
from lipcert.render.style import Style, visible

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST_RESULTS = 5000
"""Results of one run that GitHub shows; the gravest come first."""

_UNKNOWN_FILE = "lipcert.toml"


@RENDERERS.register("sarif")
def render(report: Report, style: Style) -> str:  # noqa: ARG001  JSON looks the same everywhere
    """One run. Results lie at the line that declares the check; their fingerprints hold no measured value."""
    found = findings(report)[:MOST_RESULTS]
    rules = list(dict.fromkeys(finding.rule for finding in found))
    first = {finding.rule: finding for finding in reversed(found)}
    run = {
        "tool": {"driver": _driver(report, [_rule(first[name]) for name in rules])},
        "automationDetails": {"id": "lipcert/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": [_result(finding, rules.index(finding.rule)) for finding in found],
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _driver(report: Report, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": "lipcert", "version": report.tool.version, "rules": rules}


def _invocation(report: Report) -> dict[str, Any]:
    """Whether the run came to an end; a gate that fails is a result, no failure of the run."""
    broken = any(error.code.startswith("internal") for error in report.errors)
    notes = [{"level": "error", "message": {"text": _text(f"{e.code}: {e.message}")}} for e in report.errors]
    found: dict[str, Any] = {"executionSuccessful": not broken, "exitCode": report.summary.exit_code}
    return found | ({"toolExecutionNotifications": notes} if notes else {})


def _rule(finding: Finding) -> dict[str, Any]:
    page = find(finding.rule) or (find(_path(finding.metric)) if finding.metric else None)
    meaning = page.meaning if page is not None else f"{finding.rule} of a model's report"
    more = f"`lipcert explain {page.id}` tells more." if page is not None else "`lipcert explain` tells more."
    return {
        "id": visible(finding.rule),
        "name": visible(finding.rule),
        "shortDescription": {"text": _text(finding.rule)},
        "fullDescription": {"text": _text(meaning)},
        "help": {"text": _text(f"{meaning} {more.replace('`', '')}"), "markdown": f"{_text(meaning)} {more}"},
        "defaultConfiguration": {"level": finding.level},
        "properties": {"tags": ["robustness"], "precision": "very-high"},
    }


def _path(metric: str) -> str:
    try:
        return parse(metric).path
    except ValueError:
        return metric


def _result(finding: Finding, index: int) -> dict[str, Any]:
    state = "" if finding.state == "fail" else f"{finding.state}: "
    hint = f" Hint: {finding.hint}" if finding.hint else ""
    message = f"{finding.model}: {state}{finding.message}{hint}"
    place = {
        "artifactLocation": {"uri": _uri(finding.file or _UNKNOWN_FILE), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": finding.line},
    }
    return {
        "ruleId": visible(finding.rule),
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": _text(message)},
        "locations": [{"physicalLocation": place, "logicalLocations": [{"name": visible(finding.model or "lipcert")}]}],
        "partialFingerprints": _fingerprints(finding),
        "properties": {"state": finding.state, "model": visible(finding.key), "metric": visible(finding.metric)},
    }


def _fingerprints(finding: Finding) -> dict[str, str]:
    """The same finding on another day has the same ones: they are made of the rule and the model's path alone."""
    digest = _digest((finding.rule, finding.key, finding.metric))
    # The name that GitHub tells alerts apart by.
    return {"primaryLocationLineHash": f"{digest[:16]}:1", "lipcert/v1": digest}


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _uri(path: str) -> str:
    return quote(visible(path), safe="/")


def _text(text: str) -> str:
    """A message: every character visible, braces doubled since one begins a placeholder, and never empty."""
    return visible(text).replace("{", "{{").replace("}", "}}") or "-"
