"""Pages made once for all tests that read them: their pictures take a second."""

from functools import cache
from html.parser import HTMLParser

from lipcert.render import render
from tests.render.reports import REPORTS


@cache
def page(name, form="html"):
    return render(REPORTS[name], form)


class Reader(HTMLParser):
    """What a page holds: elements with their attributes, and the numbers that know their metric."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.numbers, self.ids = [], [], []
        self._open = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.elements.append((tag, found))
        if "id" in found:
            self.ids.append(found["id"])
        if "data-metric" in found:
            self._open = (found, [])

    def handle_data(self, data):
        if self._open is not None:
            self._open[1].append(data)

    def handle_endtag(self, tag):
        if tag == "data" and self._open is not None:
            found, parts = self._open
            self.numbers.append(
                (found["data-metric"], found.get("data-end", ""), float(found["value"]), "".join(parts))
            )
            self._open = None
