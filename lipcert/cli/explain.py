"""`lipcert explain`: what the words and numbers of a report mean."""

from __future__ import annotations

from typing import Annotated

import typer

from lipcert.cli import options

Topic = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="A metric or check, like certified.accuracy.", show_default=False)
]


def explain(
    topic: Topic = None,
    format: options.PageFormat = None,  # noqa: A002  the option's own name
    json: options.Json = False,
) -> None:
    """Explain what a number in a report means.

    Meaning, formula, how far it can be trusted, what to do about it, and where it comes from.
    Without ID: the list of all. Works offline.
    """
    given = dict(locals())
    from lipcert.cli.explanation import run

    run(given)
