"""JUnit XML as Jenkins and GitLab read it: a suite a model, a case a check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import final
from xml.sax.saxutils import escape, quoteattr

from lipcert.records import CheckRecord, ErrorRecord, ModelRecord, Report
from lipcert.render.base import RENDERERS
from lipcert.render.style import Style, visible
from lipcert.render.wording import checks as words
from lipcert.render.wording.identity import title
from lipcert.render.wording.verdict import headline

_OUTCOMES = {"fail": "failure", "error": "error", "inconclusive": "error", "skipped": "skipped"}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One test case; `outcome` is the element that says why it did not pass, empty where it did."""

    name: str
    outcome: str = ""
    kind: str = ""
    message: str = ""
    text: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Suite:
    """One test suite, with the verdict as its output."""

    name: str
    cases: list[_Case]
    seconds: float = 0.0
    output: list[str] = field(default_factory=list)


@RENDERERS.register("junit")
def render(report: Report, style: Style) -> str:  # noqa: ARG001  XML looks the same everywhere
    """Failed checks are failures, undecided ones and models without a verdict errors, absent numbers skipped."""
    suites = [_suite(model, report) for model in report.models] + [_failed(error) for error in report.errors]
    cases = [case for suite in suites for case in suite.cases]
    seconds = sum(suite.seconds for suite in suites)
    head = ['<?xml version="1.0" encoding="UTF-8"?>', f"<!-- lipcert.report {report.schema_version} -->"]
    opening = f"<testsuites{_attributes(name='lipcert', time=f'{seconds:.3f}', **_counts(cases))}>"
    body = [line for suite in suites for line in _lines(suite, report)]
    return "\n".join([*head, opening, *body, "</testsuites>"]) + "\n"


def _suite(model: ModelRecord, report: Report) -> _Suite:
    alone = report.run is not None and len(report.models) == 1
    seconds = report.run.duration_s if alone and report.run is not None else sum((model.timing or {}).values())
    cases = [_check(check) for check in words.ordered(model)]
    if not cases or model.status == "inconclusive":
        cases = [_analysis(model), *cases]
    return _Suite(name=title(model), cases=cases, seconds=seconds, output=headline(model))


def _analysis(model: ModelRecord) -> _Case:
    """Stands for the run itself where no check does."""
    if model.status == "analyzed":
        return _Case(name="analysis")
    return _Case(name="analysis", outcome="error", kind="inconclusive", message="the model could not be concluded on")


def _check(check: CheckRecord) -> _Case:
    name = f"{check.id} [{check.metric}]" if check.metric and check.metric != check.id else check.id
    if check.state == "pass":
        return _Case(name=name)
    outcome = _OUTCOMES[check.state] if check.ignored is None else "skipped"
    asked = f"asked: {words.limit(check)}; known: {words.value(check)}"
    more = [asked, f"hint: {check.hint}" if check.hint else "", _declared(check)]
    return _Case(
        name=name,
        outcome=outcome,
        kind=f"{check.level}.{check.state}",
        message=words.remark(check),
        text="\n".join(visible(line) for line in more if line),
    )


def _declared(check: CheckRecord) -> str:
    return f"declared at {words.place(check)}" if words.place(check) else ""


def _failed(error: ErrorRecord) -> _Suite:
    text = "\n".join(visible(line) for line in (error.hint, ", ".join(error.operators)) if line)
    case = _Case(name="analysis", outcome="error", kind=error.code, message=error.message, text=text)
    return _Suite(name=error.model or "lipcert", cases=[case])


def _counts(cases: Iterable[_Case]) -> dict[str, str]:
    outcomes = [case.outcome for case in cases]
    kinds = {"failures": "failure", "errors": "error"}
    return {"tests": str(len(outcomes))} | {name: str(outcomes.count(kind)) for name, kind in kinds.items()}


def _lines(suite: _Suite, report: Report) -> list[str]:
    skipped = str(sum(case.outcome == "skipped" for case in suite.cases))
    started = {} if report.run is None else {"timestamp": report.run.started.removesuffix("Z")}
    facts = {"name": suite.name, **_counts(suite.cases), "skipped": skipped, "time": f"{suite.seconds:.3f}", **started}
    output = "\n".join(visible(line) for line in suite.output)
    tail = [f"    <system-out>{escape(output)}</system-out>"] if output else []
    cases = [line for case in suite.cases for line in _case(case, suite.name)]
    return [f"  <testsuite{_attributes(**facts)}>", *cases, *tail, "  </testsuite>"]


def _case(case: _Case, suite: str) -> list[str]:
    # Jenkins takes what follows the last dot of classname for the class, and groups by what stands before it.
    opening = (
        f"    <testcase{_attributes(classname='lipcert.' + suite.replace('.', '_'), name=case.name, time='0.000')}"
    )
    if not case.outcome:
        return [f"{opening}/>"]
    kind = {} if case.outcome == "skipped" else {"type": case.kind}
    element = f"      <{case.outcome}{_attributes(message=case.message, **kind)}>{escape(case.text)}</{case.outcome}>"
    return [f"{opening}>", element, "    </testcase>"]


def _attributes(**values: str) -> str:
    return "".join(f" {name}={quoteattr(visible(value))}" for name, value in values.items())
