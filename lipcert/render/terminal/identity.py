"""Which file, what it reads, on what data, how faithfully."""

from __future__ import annotations

from rich.console import RenderableType

from lipcert.records import ModelRecord
from lipcert.render.terminal.ink import Column, Ink
from lipcert.render.wording import identity


def section(model: ModelRecord, ink: Ink) -> RenderableType:
    """The block at the top of a report."""
    rows = [
        ("model", ink.facts(identity.identity(model))),
        ("input", ink.facts(identity.preprocess(model.preprocess))),
        ("data", ink.facts(identity.data(model.data))),
        ("fidelity", ink.facts(identity.fidelity(model.fidelity))),
        *(("note", ink.text(note)) for note in identity.notes(model)),
    ]
    grid = ink.grid([Column(header="", justify="left", role="dim"), Column(header="", justify="left")], rows)
    return ink.section(ink.text(identity.title(model), "heading"), grid)
