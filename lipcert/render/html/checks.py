"""The checks of the gate."""

from __future__ import annotations

from lipcert.records import CheckRecord, ModelRecord
from lipcert.render.figure import Figure
from lipcert.render.html.markup import Html, Part, breakable, element, table
from lipcert.render.notation import lower, short, upper
from lipcert.render.wording import checks as words


def section(model: ModelRecord) -> Html | None:
    """What did not pass stands first."""
    if not model.checks:
        return None
    head = ("state", "check", "known", "asked", "what was found", "declared at")
    return table(
        "Checks of the gate", head, [_row(check) for check in words.ordered(model)], text=(1, 3, 4, 5), hide=True
    )


def _row(check: CheckRecord) -> list[Part]:
    name: list[Part] = [breakable(check.id)]
    if check.metric and check.metric != check.id:
        name.append(element("small", breakable(check.metric), class_="hint"))
    found: list[Part] = [words.remark(check)]
    if check.hint:
        found.append(element("small", f"hint: {check.hint}", class_="hint"))
    level = element("small", f" {check.level}") if check.state != "pass" else None
    return [[state(check), level], name, known(check), words.limit(check), found, words.place(check)]


def state(check: CheckRecord) -> Html:
    """The state as a word that colour only underlines."""
    kind = check.state if check.ignored is None or check.state == "pass" else "ignored"
    return element("span", words.word(check), class_=f"state {kind}", title=words.MEANING[check.state])


def known(check: CheckRecord) -> Part:
    """Both ends as `wording.checks.value` writes them, each with its metric."""
    low, high = check.lower, check.upper
    if low is not None and low == high:
        return Figure(short(low, 4), check.metric, low)
    parts: list[Part] = []
    if low is not None:
        parts += [">= " if high is None else "", Figure(lower(low, 4), check.metric, low, "lower")]
    if high is not None:
        parts += ["<= " if low is None else " – ", Figure(upper(high, 4), check.metric, high, "upper")]
    return parts or "-"
