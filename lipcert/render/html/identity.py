"""The top of a model's part: its name, the verdict with the numbers behind it, and what was read how."""

from __future__ import annotations

from lipcert.records import BracketRecord, Enclosure, MarginRecord, ModelRecord, Report
from lipcert.render import notation
from lipcert.render.figure import figure, selectors, upper_end
from lipcert.render.html.markup import Html, Part, element, join, mark, paragraph, table
from lipcert.render.wording import identity
from lipcert.render.wording.checks import GATES, gates, tally
from lipcert.render.wording.evaluation import caution
from lipcert.render.wording.lines import spaces
from lipcert.render.wording.verdict import ball, headline, soundness_at, tightest

_NORMS = ("linf", "l2", "l1")


def head(model: ModelRecord, report: Report) -> Html:
    """File name, facts, and the verdict."""
    facts = [element("span", fact) for fact in identity.identity(model)]
    name = element("h1", identity.title(model))
    return join([element("header", name, element("p", *facts, class_="facts")), _verdict(model, report)])


def _verdict(model: ModelRecord, report: Report) -> Html:
    doubt = caution(model)
    unsure = bool(doubt) or model.status != "analyzed" or any(item.level == "error" for item in model.diagnostics)
    held = [check.level for check in model.checks if gates(check)]
    kind = "fail" if "error" in held else "unsure" if unsure or held else ""
    gate = [_gate(model, report)] if model.checks else []
    lines = gate + [paragraph(line, "warning") for line in doubt] + [paragraph(line) for line in headline(model)]
    tiles = element("dl", *_tiles(model), class_="tiles")
    units = paragraph("; ".join(spaces(model)), "muted") if spaces(model) else None
    return element("div", element("h2", "Verdict"), *lines, tiles, units, class_=f"verdict {kind}".strip())


def _gate(model: ModelRecord, report: Report) -> Html:
    """What the checks come to. The gate is that of all models, and stands here only where this is the one."""
    alone = len(report.models) == 1 and report.summary.gate != "none"
    word = GATES[report.summary.gate] if alone else "Checks"
    state = report.summary.gate if alone else "pass" if not any(map(gates, model.checks)) else "inconclusive"
    return paragraph([element("span", word, class_=f"state {state}"), f": {tally(model.checks)}"])


def _tiles(model: ModelRecord) -> list[Html]:
    """The few numbers to remember."""
    found = []
    if isinstance(model.margins, MarginRecord):
        record = model.margins
        shown = figure(
            notation.share(record.clean_accuracy, record.samples), record.clean_accuracy, "margins.clean_accuracy"
        )
        found.append(_tile("clean accuracy", shown, mark("measured")))
    for norm in _NORMS:
        brackets = [bracket for bracket in model.brackets if bracket.norm == norm and bracket.eps > 0]
        if brackets:
            found.append(_robust(model, max(brackets, key=lambda bracket: bracket.eps)))
    best = tightest(model).get("l2")
    if best is not None and isinstance(best.value, Enclosure):
        at_most = upper_end(best.value, "lipschitz.value", selectors(best))
        found.append(_tile("Lipschitz constant, l2, at most", at_most, mark(best.value.soundness)))
    return found


def _robust(model: ModelRecord, bracket: BracketRecord) -> Html:
    names = selectors(bracket)
    low = notation.share_down(bracket.certified_accuracy, bracket.samples).removesuffix(" %")
    high = notation.share_up(bracket.robust_accuracy, bracket.samples)
    parts: list[Part] = [
        figure(low, bracket.certified_accuracy, "brackets.certified_accuracy", names),
        mark(soundness_at(model, bracket)),
        " – ",
        figure(high, bracket.robust_accuracy, "brackets.robust_accuracy", names),
        mark("measured"),
    ]
    return _tile(f"robust at {ball(bracket)}", *parts)


def _tile(name: str, *parts: Part) -> Html:
    return element("div", element("dt", name), element("dd", *parts))


def section(model: ModelRecord, report: Report) -> Html:
    """What the numbers are about: file, input, samples, fidelity, settings."""
    settings = report.settings
    asked = [f"seed {settings.seed}", settings.dtype, f"effort {settings.effort}", f"split {settings.split}"]
    rows: list[list[Part]] = [
        ["path", model.path or model.id],
        ["sha256", model.sha256 or "none: not a file"],
        ["input", "; ".join(identity.preprocess(model.preprocess))],
        ["data", "; ".join(identity.data(model.data))],
        ["fidelity", "; ".join(identity.fidelity(model.fidelity))],
        ["settings", "; ".join(asked)],
    ]
    rows += [["note", note] for note in identity.notes(model)]
    return table("Identity, input and fidelity", ("", ""), rows, text=(1,), hide=True)
