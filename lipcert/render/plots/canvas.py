"""The sheet every picture is drawn on: no colours of its own, text as text, nothing that differs from run to run."""

from __future__ import annotations

import html
import io
import re
import warnings
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet

from lipcert.render.style import visible

# Placeholders: the page decides what they look like, in light, in dark and on paper.
ROLES = ("fg", "muted", "line", "proved", "measured", "undecided", "accent", "soft", "bad")
_HEX = {role: f"#0{index}0{index}0{index}" for index, role in enumerate(ROLES, 1)}
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "lipcert",
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.labelsize": 8.5,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.7,
    "axes.edgecolor": _HEX["muted"],
    "axes.labelcolor": _HEX["muted"],
    "axes.titlecolor": _HEX["fg"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "text.color": _HEX["fg"],
    "xtick.color": _HEX["muted"],
    "ytick.color": _HEX["muted"],
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "grid.color": _HEX["line"],
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "text.parse_math": False,
    "axes.unicode_minus": True,
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A finished SVG element with its title and what it shows, in words."""

    svg: str
    title: str
    description: str


def color(role: str) -> str:
    """The placeholder of a role."""
    return _HEX[role]


def style() -> AbstractContextManager[None]:
    """Within it pictures look like ours, whatever a notebook around has set."""
    return mpl.rc_context(_SETTINGS)


def sheet(width: float = 4.6, height: float = 2.5, columns: int = 1) -> tuple[Sheet, list[Axes]]:
    """An empty sheet of `width` by `height` inches with axes side by side."""
    made = Sheet(figsize=(width, height), layout="constrained")
    axes = made.subplots(1, columns, squeeze=False)
    return made, list(axes[0])


def picture(made: Sheet, name: str, title: str, description: str) -> Picture:
    """The sheet as one SVG element whose ids begin with `name`."""
    stream = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the reader's fonts draw the text, not matplotlib's
        made.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return Picture(svg=_inline(stream.getvalue(), name, title, description), title=title, description=description)


def _inline(document: str, name: str, title: str, description: str) -> str:
    """What stands inside the outer element, its ids made unique and its colours those of the page."""
    box = re.search(r'viewBox="([^"]+)"', document)
    body = document[document.index(">", document.index("<svg")) + 1 : document.rindex("</svg>")]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r"<defs>\s*</defs>", "", body)
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    body = re.sub(r" font-family: [^;\"]*;", "", body)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'href="#', f'href="#{name}-', body).replace("xlink:href", "href")
    body = re.sub(r"url\(#", f"url(#{name}-", body)
    body = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(-?\d+\.\d{2})\d+", r"\1", tag[0]), body)
    for role, code in _HEX.items():
        body = body.replace(code, f"var(--{role})")
    body = re.sub(r"\n\s*", "\n", body).strip()
    head = "".join(
        f'<{tag} id="{name}-{tag}">{html.escape(visible(text))}</{tag}>'
        for tag, text in (("title", title), ("desc", description))
    )
    size = box[1] if box else "0 0 1 1"
    opening = f'<svg viewBox="{size}" role="img" aria-labelledby="{name}-title {name}-desc">'
    return f"{opening}{head}\n{body}</svg>"


def ticks(axes: Axes, values: list[float], labels: list[str], *, vertical: bool = False) -> None:
    """Ticks at `values` alone, called `labels`; names out of files are made visible."""
    (axes.set_yticks if vertical else axes.set_xticks)(values, [visible(label) for label in labels])
