"""Laws of the HTML report."""

import re
from importlib import resources

import pytest

from lipcert.records.metrics.walk import walk
from lipcert.render import render
from lipcert.render.html import pictures
from lipcert.render.style import visible
from tests.render.pages import Reader, page
from tests.render.reports import REPORTS, full_model, report

NAMES = ("checked", "hostile", "extreme", "failed", "several")
EVERY = pytest.mark.parametrize("name", NAMES)


@EVERY
def test_it_is_small_and_refers_to_nothing_outside(name):
    text = page(name)
    assert len(text.encode()) <= 300_000
    for tag, attributes in Reader(text).elements:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base", "form"}
        for key in ("src", "href", "xlink:href", "action", "data", "poster"):
            assert attributes.get(key, "#").startswith(("#", "data:"))
        assert not [key for key in attributes if key.startswith("on")]
        assert not re.search(r"url\((?!#)", attributes.get("style") or "")
    assert not re.search(r"@import|url\((?!#)|expression\(", text)


@EVERY
def test_ids_are_unique_and_every_reference_finds_its_target(name):
    found = Reader(page(name))
    assert len(set(found.ids)) == len(found.ids)
    wanted = [a["href"][1:] for _, a in found.elements if a.get("href", "").startswith("#")]
    wanted += [part for _, a in found.elements for part in (a.get("aria-labelledby") or "").split()]
    wanted += re.findall(r"url\(#([^)]+)\)", page(name))
    assert set(wanted) <= set(found.ids)


@EVERY
def test_tables_and_pictures_can_be_read_aloud(name):
    elements = Reader(page(name)).elements
    assert all("scope" in attributes for tag, attributes in elements if tag == "th")
    assert sum(tag == "caption" for tag, _ in elements) == sum(tag == "table" for tag, _ in elements)
    drawn = [attributes for tag, attributes in elements if tag == "svg"]
    assert all(attributes["role"] == "img" and attributes["aria-labelledby"] for attributes in drawn)
    assert ("html", {"lang": "en"}) in elements
    assert sum(tag == "title" for tag, _ in elements) == 1 + len(drawn)


def values(name):
    """Metric id -> the numbers that the report's records hold under it."""
    found = {}
    for model in REPORTS[name].models:
        for reading in walk(model):
            ends = [end for end in (reading.lower, reading.upper) if end is not None]
            found.setdefault(visible(str(reading.id)), []).extend(ends)
        for check in model.checks:
            found.setdefault(visible(check.metric), []).extend(
                end for end in (check.lower, check.upper) if end is not None
            )
    return found


@EVERY
def test_every_number_is_that_of_the_record(name):
    known = values(name)
    for metric, _, value, _ in Reader(page(name)).numbers:
        assert value in known[metric], metric


@pytest.mark.parametrize("name", ["checked", "several"])
def test_what_is_shown_is_the_number_it_claims_to_be(name):
    for metric, end, value, shown in Reader(page(name)).numbers:
        number = float(re.sub(r"[^0-9.e+-]", "", shown))
        scale = 100 if abs(number) > 1.01 * abs(value) and abs(100 * value - number) <= 1 else 1
        assert number == pytest.approx(scale * value, rel=0.01, abs=0.5 if scale == 100 else 1e-12), metric
        if scale == 1 and end == "upper":
            assert number >= value or number == pytest.approx(value, rel=1e-4)


def test_the_numbers_that_matter_are_marked():
    marked = {re.sub(r"\[.*", "", metric) for metric, *_ in Reader(page("checked")).numbers}
    assert marked >= {
        "brackets.certified_accuracy", "brackets.robust_accuracy", "brackets.population_risk", "lipschitz.value",
        "layers.spectral_norm", "layers.share", "margins.clean_accuracy", "robustness.robust_loss",
        "radii.certified_radius.median", "jacobian.statistics.spectral_norm.median", "generalization.lower",
        "jacobian.surrogates.robust_loss", "jacobian.distances.nearest.median",
    }  # fmt: skip


def test_the_verdict_stands_before_every_section():
    text = page("checked")
    assert text.index("GATE FAILS") < text.index("</data> (attacked) of these") < text.index("<section")


@pytest.mark.parametrize("name", ["full", "checked"])
def test_every_number_of_the_verdict_knows_its_metric(name):
    (verdict,) = re.findall(r'<div class="verdict[^"]*">.*?</dl>', page(name), re.DOTALL)
    for sentence in re.findall("<p>(.*?)</p>", verdict):
        words = re.sub("<data[^>]*>.*?</data>", "", sentence)
        words = re.sub(r"linf \S+:|l2 \S+:|With \d+\xa0% confidence|: \d+ pass.*", "", words)
        assert not re.search(r"\d", re.sub("<[^>]*>|l2|l1", "", words)), sentence


def test_two_hundred_models_stay_small():
    text = render(report(*[full_model()] * 200), "html")
    assert len(text.encode()) <= 2_000_000
    assert text.count("<tr>") > 200


def test_the_same_report_is_the_same_page():
    assert render(REPORTS["failed"], "html") == page("failed")
    assert render(REPORTS["checked"], "html") == page("checked")


def test_without_matplotlib_the_tables_stand_and_the_page_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(pictures, "find_spec", lambda _: None)
    text = render(REPORTS["full"], "html")
    assert "<svg" not in text
    assert "pip install 'lipcert[html]'" in text
    assert "<table" in text


def test_only_plots_draw():
    package = resources.files("lipcert")
    drawing = [
        path
        for path in package.rglob("*.py")
        if "import matplotlib" in (text := path.read_text("utf-8")) or "from matplotlib" in text
    ]
    assert drawing
    assert {path.parent.relative_to(package).as_posix() for path in drawing} == {"render/plots"}


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1])
def test_text_stands_out_from_its_ground_in_light_and_dark(scheme):
    css = resources.files("lipcert.render.html").joinpath("style.css").read_text(encoding="utf-8")
    root = re.findall(r":root \{([^}]*)\}", css)[scheme]
    colors = dict(re.findall(r"--(\w+): (#\w{6});", root))
    for ground in ("bg", "card"):
        for ink in ("fg", "muted", "proved", "measured", "accent", "bad"):
            light, dark = sorted((luminance(colors[ground]), luminance(colors[ink])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (ground, ink)
