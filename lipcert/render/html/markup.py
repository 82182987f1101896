"""HTML built from parts: every string is escaped on its way in, so that no name can ever become markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import final

from lipcert.render.figure import Figure, Sentence
from lipcert.render.style import MARKS, visible


@final
class Html(str):
    """Text that is markup already. Whatever else is a string gets escaped."""

    __slots__ = ()


Part = str | Sequence["Part"] | None
"""What an element may hold: text, a number, markup, or several of them; None is nothing."""

_BREAKS = re.compile(r"([._\[,/](?=\w))")
_VOID = {"img", "meta"}


def element(name: str, /, *parts: Part, **attributes: str | None) -> Html:
    """One element. An underscore at the end of an attribute's name is dropped, others become dashes."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(visible(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{shown}>" + ("" if name in _VOID else f"{join(parts)}</{name}>"))


def join(parts: Part, between: str = "") -> Html:
    """Parts one after the other."""
    if parts is None:
        return Html("")
    if isinstance(parts, Html):
        return parts
    if isinstance(parts, Figure):
        return number(parts)
    if isinstance(parts, Sentence):
        return join(parts.parts)
    if isinstance(parts, str):
        return Html(_text(parts))
    return Html(between.join(join(part) for part in parts))


def number(figure: Figure) -> Html:
    """A number with its metric's id and its exact value, for programs that read the page."""
    end = f' data-end="{figure.end}"' if figure.end else ""
    metric = html.escape(visible(figure.metric))
    return Html(f'<data value="{figure.value!r}" data-metric="{metric}"{end}>{_text(figure)}</data>')


def _text(text: str) -> str:
    """`text` escaped; a percent sign stays with its number."""
    return html.escape(visible(text), quote=False).replace(" %", "\N{NO-BREAK SPACE}%")


def mark(evidence: str) -> Html:
    """The mark of one kind of evidence, with its word for those who do not see it."""
    return element("span", MARKS[evidence], class_=f"mark {evidence}", title=evidence, role="img", aria_label=evidence)


def table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[Part]], *, text: Iterable[int] = (), hide: bool = False
) -> Html:
    """A table whose first column names the rows.

    text  the columns, besides the first, that hold words and not numbers
    hide  whether the caption is for screen readers alone, where a heading above says the same
    """
    words = {0, *text}
    classes = ["t" if index in words else "n" for index in range(len(head))]
    columns = [element("th", name, scope="col", class_=kind) for name, kind in zip(head, classes, strict=True)]
    body = [
        element("tr", element("th", row[0], scope="row", class_="t"), *_cells(row[1:], classes[1:])) for row in rows
    ]
    title = element("caption", caption, class_="hidden" if hide else None)
    top = element("thead", element("tr", *columns)) if any(head) else None
    whole = element("table", title, top, element("tbody", *body), class_=None if any(head) else "keys")
    return element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _cells(row: Sequence[Part], classes: Sequence[str]) -> list[Html]:
    return [element("td", cell, class_=kind) for cell, kind in zip(row, classes, strict=True)]


def paragraph(text: Part, kind: str | None = None) -> Html:
    """One paragraph."""
    return element("p", text, class_=kind)


def listing(items: Iterable[Part], kind: str | None = None) -> Html:
    """Items below each other."""
    return element("ul", *(element("li", item) for item in items), class_=kind)


def section(title: str, anchor: str, *parts: Part, lead: str = "") -> Html:
    """A section under a heading, with what holds for all of it."""
    heading = element("h2", title, *([" ", element("small", lead)] if lead else []))
    return element("section", heading, *parts, id=anchor)


def details(summary: str, *parts: Part) -> Html:
    """Parts that unfold on demand, without a script."""
    return element("details", element("summary", summary), *parts)


def breakable(name: str) -> Html:
    """A dotted name that may break after its dots and brackets, and nowhere else if it can be helped."""
    return Html(_BREAKS.sub(r"\1<wbr>", _text(name)))
