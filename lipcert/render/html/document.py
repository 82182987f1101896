"""The frame of a page: one file that asks for nothing else."""

from __future__ import annotations

from importlib import resources

from lipcert.render.html.markup import Html, Part, element, join

_HERE = Html("\0")  # which no escaped text can hold


def document(kind: str, version: str, name: str, body: list[Part]) -> str:
    """A whole page.

    kind, version  of the document it was made from, such as "report" and "1.3"; the first comment says both
    name           what the page is about, for its title
    """
    css = Html(resources.files("lipcert.render.html").joinpath("style.css").read_text(encoding="utf-8"))
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    head = [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{name} · lipcert {kind}"),
        element("style", css),
    ]
    page = element("html", element("head", *head), element("body", element("main", _HERE)), lang="en")
    before, after = page.split(_HERE)
    # A body of a hundred megabytes is put together once, and not once for each element around it.
    return "".join([f"<!DOCTYPE html>\n<!-- lipcert.{kind} {version} -->\n{before}", *map(join, body), f"{after}\n"])
